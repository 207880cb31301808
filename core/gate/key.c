#include "core/gate/gate.h"

#include "core/base/err.h"

#include <string.h>
#include <sys/random.h>

enum { GATE_KEY_CHARACTERS = 24 };

/* The ProtoXEP's alphabet without 1 and I, which look alike on paper: 32 symbols, 5 bits each, 120 bits in all (S4). */
void gate_new_key(char ret[GATE_KEY_ROOM])
{
	static const char symbols[] = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
	unsigned char bytes[GATE_KEY_CHARACTERS];
	must(getrandom(bytes, sizeof(bytes), 0) == (ssize_t)sizeof(bytes)); /* never short below 256 bytes */
	char *at = ret;
	for (size_t i = 0; i < GATE_KEY_CHARACTERS; i++) {
		if (i && i % 4 == 0)
			*at++ = '-';
		*at++ = symbols[bytes[i] & 31];
	}
	*at = '\0';
}
