#include "core/provisioner/fingerprint.h"

#include "core/base/err.h"
#include "core/base/limits.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>

enum { DIGITS = 64, INDEX = 16 };

/* Without the C library's locale. */
static char symbol_of(char c)
{
	if (c >= 'a' && c <= 'z')
		return "ABCDEFGHIJKLMNOPQRSTUVWXYZ"[c - 'a'];
	if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z'))
		return c;
	return '\0';
}

bool fingerprint_make(struct fingerprint *ret, const char *key)
{
	char normal[LIMIT_KEY];
	size_t size = 0;
	if (strnlen(key, LIMIT_KEY + 1) > LIMIT_KEY)
		return false;
	for (; *key; key++)
		if (symbol_of(*key))
			normal[size++] = symbol_of(*key);
	if (size < LIMIT_KEY_LEAST)
		return false;
	unsigned char digest[32];
	must(EVP_Digest(normal, size, digest, NULL, EVP_sha256(), NULL) == 1);
	for (size_t i = 0; i < sizeof(digest); i++) {
		ret->hex[2 * i] = "0123456789abcdef"[digest[i] >> 4];
		ret->hex[2 * i + 1] = "0123456789abcdef"[digest[i] & 15];
	}
	ret->hex[DIGITS] = '\0';
	OPENSSL_cleanse(normal, sizeof(normal));
	return true;
}

bool fingerprint_parse(struct fingerprint *ret, const char *hex)
{
	if (strlen(hex) != DIGITS || strspn(hex, "0123456789abcdef") != DIGITS)
		return false;
	memcpy(ret->hex, hex, DIGITS + 1);
	return true;
}

bool fingerprint_same(const struct fingerprint *a, const struct fingerprint *b)
{
	return CRYPTO_memcmp(a->hex, b->hex, DIGITS) == 0;
}

const char *fingerprint_index(const struct fingerprint *f)
{
	return f->hex + DIGITS - INDEX;
}
