#include "tests/bench/stream.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PIECE = 256 * 1024, PATIENCE_MS = 20000 };

void die(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

static void reserve(char **bytes, size_t *room, size_t size)
{
	if (size <= *room)
		return;
	while (*room < size)
		*room = *room ? 2 * *room : PIECE;
	*bytes = realloc(*bytes, *room);
	if (!*bytes)
		die("out of memory");
}

void stream_add_n(struct stream *s, const char *bytes, size_t size)
{
	reserve(&s->out, &s->out_room, s->out_size + size);
	memcpy(s->out + s->out_size, bytes, size);
	s->out_size += size;
}

void stream_add(struct stream *s, const char *format, ...)
{
	char text[2048];
	va_list args;
	va_start(args, format);
	int n = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (n < 0 || (size_t)n >= sizeof(text))
		die("a stanza of ours is too long");
	stream_add_n(s, text, (size_t)n);
}

void stream_join(struct stream *s, const char *first, ...)
{
	va_list args;
	va_start(args, first);
	for (const char *part = first; part; part = va_arg(args, const char *))
		stream_add_n(s, part, strlen(part));
	va_end(args);
}

void stream_flush(struct stream *s)
{
	for (size_t sent = 0; sent < s->out_size;) {
		ssize_t n = send(s->fd, s->out + sent, s->out_size - sent, MSG_NOSIGNAL);
		if (n < 0)
			die("send: %s", strerror(errno));
		sent += (size_t)n;
	}
	s->out_size = 0;
}

bool stream_receive(struct stream *s, int wait_ms)
{
	struct pollfd at = { .fd = s->fd, .events = POLLIN };
	if (wait_ms >= 0 && poll(&at, 1, wait_ms) <= 0)
		return false;
	reserve(&s->in, &s->in_room, s->in_size + PIECE + 1);
	ssize_t n = recv(s->fd, s->in + s->in_size, PIECE, 0);
	if (n <= 0)
		die("the stream is over: %s", n ? strerror(errno) : s->in);
	s->in_size += (size_t)n;
	s->in[s->in_size] = '\0';
	return true;
}

void stream_take(struct stream *s, size_t size)
{
	s->in_size -= size;
	memmove(s->in, s->in + size, s->in_size + 1);
}

/* Takes all up to the end of the fragment; returns where it begins. */
static const char *wait_for(struct stream *s, const char *fragment)
{
	const char *at;
	while (!s->in || !(at = strstr(s->in, fragment)))
		if (!stream_receive(s, PATIENCE_MS))
			die("waited in vain for %s, heard: %s", fragment, s->in ? s->in : "");
	return at;
}

static void use_socket(struct stream *s, int fd)
{
	int on = 1;
	*s = (struct stream){ .fd = fd };
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

static struct sockaddr_in loopback(int port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
}

void stream_accept(struct stream *s, const char *domain)
{
	struct sockaddr_in at = loopback(0);
	socklen_t size = sizeof(at);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (listener < 0 || bind(listener, (struct sockaddr *)&at, size) || listen(listener, 1) ||
	    getsockname(listener, (struct sockaddr *)&at, &size))
		die("listen: %s", strerror(errno));
	printf("port %d\n", ntohs(at.sin_port));
	fflush(stdout);
	use_socket(s, accept4(listener, NULL, NULL, SOCK_CLOEXEC));
	close(listener);
	wait_for(s, "<stream:stream ");
	stream_add(s,
		   "<?xml version='1.0'?><stream:stream xmlns:stream='http://etherx.jabber.org/streams' "
		   "xmlns='jabber:component:accept' from='%s' id='bench'>",
		   domain);
	stream_flush(s);
	const char *end = wait_for(s, "</handshake>") + strlen("</handshake>");
	stream_take(s, (size_t)(end - s->in));
	stream_add(s, "<handshake/>");
	stream_flush(s);
}

static void prove(struct stream *s, const char *id, size_t id_size, const char *secret)
{
	char proof[256];
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned size;
	snprintf(proof, sizeof(proof), "%.*s%s", (int)id_size, id, secret);
	if (!EVP_Digest(proof, strlen(proof), digest, &size, EVP_sha1(), NULL))
		die("no SHA-1");
	stream_add(s, "<handshake>");
	for (unsigned i = 0; i < size; i++)
		stream_add(s, "%02x", digest[i]);
	stream_add(s, "</handshake>");
	stream_flush(s);
}

void stream_connect(struct stream *s, int port, const char *domain, const char *secret)
{
	struct sockaddr_in at = loopback(port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&at, sizeof(at)))
		die("connect: %s", strerror(errno));
	use_socket(s, fd);
	stream_add(s,
		   "<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' "
		   "xmlns:stream='http://etherx.jabber.org/streams' to='%s'>",
		   domain);
	stream_flush(s);
	const char *id = wait_for(s, " id=") + strlen(" id=") + 1;
	while (!strchr(id, id[-1]))
		if (!stream_receive(s, PATIENCE_MS))
			die("the server's header does not end");
	prove(s, id, strcspn(id, "'\""), secret);
	const char *end = wait_for(s, "<handshake");
	while (!strchr(end, '>'))
		stream_receive(s, PATIENCE_MS);
	stream_take(s, (size_t)(strchr(wait_for(s, "<handshake"), '>') + 1 - s->in));
}

bool stream_next(const struct stream *s, size_t *at, struct stanza *ret)
{
	if (*at >= s->in_size)
		return false;
	const char *end = s->in + s->in_size, *begin = memchr(s->in + *at, '<', s->in_size - *at);
	const char *tag_end = begin ? memchr(begin, '>', (size_t)(end - begin)) : NULL;
	if (!tag_end)
		return false;
	*ret = (struct stanza){ begin, tag_end + 1, tag_end + 1 };
	if (tag_end[-1] != '/') {
		char close[32];
		int n = snprintf(close, sizeof(close), "</%.*s>", (int)strcspn(begin + 1, " >"), begin + 1);
		const char *last = memmem(tag_end, (size_t)(end - tag_end), close, (size_t)n);
		if (!last)
			return false;
		ret->end = last + n;
	}
	*at = (size_t)(ret->end - s->in);
	return true;
}

bool stanza_is(const struct stanza *st, const char *begin)
{
	return strncmp(st->begin, begin, strlen(begin)) == 0;
}

const char *stanza_find(const struct stanza *st, const char *fragment)
{
	return memmem(st->begin, (size_t)(st->end - st->begin), fragment, strlen(fragment));
}

const char *stanza_get(const struct stanza *st, const char *name, size_t *ret_size)
{
	const char *at = stanza_find(st, name);
	*ret_size = 0;
	if (!at)
		return "";
	at += strlen(name) + 1;
	*ret_size = strcspn(at, at[-1] == '"' ? "\"" : "'");
	return at;
}
