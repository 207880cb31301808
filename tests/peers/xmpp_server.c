#include "tests/peers/xmpp_server.h"

#include "core/base/err.h"
#include "core/base/mem.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PATIENCE_MS = 10000 };

static void on_events(void *ctx, int events);

static void on_connection(void *ctx, int events)
{
	struct server *s = ctx;
	(void)events;
	int fd = accept4(s->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0)
		return;
	server_hang_up(s);
	int on = 1;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	text_clear(&s->heard);
	text_clear(&s->unsent);
	s->understood = 0;
	s->fd = fd;
	s->n_connections++;
	s->watching = watch_new(s->loop, fd, s->deaf ? 0 : WATCH_READ, on_events, s);
}

static void listen_on_some_port(struct server *s)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(at);
	s->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	must(s->listener >= 0);
	int room = 64 * 1024; /* little fits into the kernel, so that a peer that does not read is felt soon */
	setsockopt(s->listener, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	must(bind(s->listener, (struct sockaddr *)&at, size) == 0 && listen(s->listener, 16) == 0);
	must(getsockname(s->listener, (struct sockaddr *)&at, &size) == 0);
	s->port = ntohs(at.sin_port);
	s->accepting = watch_new(s->loop, s->listener, WATCH_READ, on_connection, s);
}

struct server *server_new(struct loop *loop, const char *secret)
{
	struct server *s = mem_new(sizeof(*s));
	s->loop = loop;
	s->secret = secret;
	s->fd = -1;
	text_add(&s->heard, "");
	listen_on_some_port(s);
	return s;
}

void server_close_port(struct server *s)
{
	if (s->listener < 0)
		return;
	watch_free(s->accepting);
	close(s->listener);
	s->listener = -1;
}

void server_free(struct server *s)
{
	server_hang_up(s);
	server_close_port(s);
	text_free(&s->heard);
	text_free(&s->unsent);
	mem_free(s);
}

void server_hang_up(struct server *s)
{
	if (s->fd < 0)
		return;
	watch_free(s->watching);
	close(s->fd);
	s->fd = -1;
	s->up = false;
}

static void watch_again(struct server *s)
{
	if (s->fd >= 0)
		watch_set(s->watching, (s->deaf ? 0 : WATCH_READ) | (s->unsent.size ? WATCH_WRITE : 0));
}

void server_listen(struct server *s, bool listen)
{
	s->deaf = !listen;
	watch_again(s);
}

static void push(struct server *s)
{
	size_t sent = 0;
	for (ssize_t n = 0; n >= 0 && sent<s->unsent.size; sent += n> 0 ? (size_t)n : 0)
		n = send(s->fd, s->unsent.data + sent, s->unsent.size - sent, MSG_NOSIGNAL);
	s->unsent.size -= sent;
	if (sent)
		memmove(s->unsent.data, s->unsent.data + sent, s->unsent.size + 1);
	watch_again(s);
}

void server_say_n(struct server *s, const char *bytes, size_t size)
{
	must(s->fd >= 0);
	text_add_n(&s->unsent, bytes, size);
	push(s);
}

void server_say(struct server *s, const char *text)
{
	server_say_n(s, text, strlen(text));
}

void server_sayf(struct server *s, const char *format, ...)
{
	char text[2048];
	va_list args;
	va_start(args, format);
	int n = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	must(n >= 0 && (size_t)n < sizeof(text));
	server_say(s, text);
}

static void greet(struct server *s)
{
	server_sayf(s,
		    "<?xml version='1.0'?><stream:stream xmlns:stream='http://etherx.jabber.org/streams' "
		    "xmlns='jabber:component:accept' from='things.example' id='id-%zu'>",
		    s->n_connections);
}

static void check(struct server *s)
{
	char proof[128], wanted[2 * EVP_MAX_MD_SIZE + 32];
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned size;
	snprintf(proof, sizeof(proof), "id-%zu%s", s->n_connections, s->secret);
	must(EVP_Digest(proof, strlen(proof), digest, &size, EVP_sha1(), NULL));
	int at = snprintf(wanted, sizeof(wanted), "<handshake>");
	for (unsigned i = 0; i < size; i++)
		at += snprintf(wanted + at, sizeof(wanted) - (size_t)at, "%02x", digest[i]);
	s->up = strstr(s->heard.data, wanted) != NULL;
	if (s->up) {
		server_say(s, "<handshake/>");
		return;
	}
	server_say(s,
		   "<stream:error><not-authorized xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>"
		   "<text xmlns='urn:ietf:params:xml:ns:xmpp-streams'>Given token does not match</text></stream:error>"
		   "</stream:stream>");
	server_hang_up(s);
}

static void part(struct server *s)
{
	server_say(s, "</stream:stream>");
	server_hang_up(s);
}

static void route_back(struct server *s)
{
	if (!s->silent)
		server_say(s, "<iq type='get' id='jidgate-alive' from='things.example' to='things.example'>"
			      "<ping xmlns='urn:xmpp:ping'/></iq>");
}

static const struct reflex {
	const char *heard;
	void (*act)(struct server *s);
} reflexes[] = {
	{ "to='things.example'>", greet },
	{ "</handshake>", check },
	{ "id='jidgate-alive'><ping xmlns='urn:xmpp:ping'/></iq>", route_back },
	{ "</stream:stream>", part },
};

/* Acts on what is new, in the order it came. */
static void understand(struct server *s)
{
	while (s->fd >= 0 && !s->scripted) {
		const struct reflex *first = NULL;
		const char *where = NULL;
		for (size_t i = 0; i < sizeof(reflexes) / sizeof(*reflexes); i++) {
			const char *at = strstr(s->heard.data + s->understood, reflexes[i].heard);
			if (!at || (where && at >= where))
				continue;
			first = &reflexes[i];
			where = at;
		}
		if (!first) { /* what is cut now begins at most so far back */
			size_t back = s->heard.size > 128 ? s->heard.size - 128 : 0;
			s->understood = back > s->understood ? back : s->understood;
			return;
		}
		s->understood = (size_t)(where - s->heard.data) + strlen(first->heard);
		first->act(s);
	}
}

static void on_events(void *ctx, int events)
{
	struct server *s = ctx;
	char bytes[65536];
	if (events & WATCH_WRITE)
		push(s);
	if (s->deaf || !(events & (WATCH_READ | WATCH_HANGUP)))
		return;
	ssize_t n = recv(s->fd, bytes, sizeof(bytes), 0);
	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0) {
		server_hang_up(s);
		return;
	}
	text_add_n(&s->heard, bytes, (size_t)n);
	understand(s);
}

static void set_flag(void *ctx)
{
	*(bool *)ctx = true;
}

bool server_wait(struct server *s, bool (*happened)(void *ctx), void *ctx)
{
	struct timer guard = { 0 };
	bool late = false;
	timer_set(s->loop, &guard, PATIENCE_MS, set_flag, &late);
	while (!late && !happened(ctx))
		loop_turn(s->loop);
	timer_stop(s->loop, &guard);
	return happened(ctx);
}

struct wanted {
	struct server *server;
	size_t n;
	const char *fragment;
};

static bool is_connected(void *ctx)
{
	const struct wanted *w = ctx;
	return w->server->n_connections >= w->n;
}

static bool is_up(void *ctx)
{
	const struct wanted *w = ctx;
	return w->server->up;
}

static bool is_heard(void *ctx)
{
	const struct wanted *w = ctx;
	return strstr(w->server->heard.data, w->fragment) != NULL;
}

bool server_wait_connection(struct server *s, size_t n)
{
	return server_wait(s, is_connected, &(struct wanted){ .server = s, .n = n });
}

bool server_wait_up(struct server *s)
{
	return server_wait(s, is_up, &(struct wanted){ .server = s });
}

bool server_hears(struct server *s, const char *fragment)
{
	return server_wait(s, is_heard, &(struct wanted){ .server = s, .fragment = fragment });
}

/* By hand: a sanitizer's strstr looks at all that follows, each time. */
size_t server_count_from(const struct server *s, size_t from, const char *fragment)
{
	size_t n = 0, size = strlen(fragment);
	for (size_t i = from; i + size <= s->heard.size; i++)
		n += s->heard.data[i] == *fragment && memcmp(s->heard.data + i, fragment, size) == 0;
	return n;
}

size_t server_count(const struct server *s, const char *fragment)
{
	return server_count_from(s, 0, fragment);
}

void server_forget(struct server *s)
{
	text_clear(&s->heard);
	s->understood = 0;
}

void server_settle(struct server *s)
{
	for (int i = 0; i < 4; i++) {
		struct timer guard = { 0 };
		bool done = false;
		timer_set(s->loop, &guard, 1, set_flag, &done);
		while (!done)
			loop_turn(s->loop);
	}
}
