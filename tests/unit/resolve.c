#include "core/loop/resolve.h"

#include <criterion/criterion.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

struct lookup {
	struct loop *loop;
	int answers;
	int family;
	int port;
	char why[320];
};

static void on_resolved(void *ctx, const struct sockaddr *address, socklen_t size, const struct err *why)
{
	struct lookup *l = ctx;
	l->answers++;
	cr_assert((address == NULL) == (why != NULL));
	if (why)
		memcpy(l->why, why->text, sizeof(l->why));
	if (address) {
		cr_assert_eq(size,
			     address->sa_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6));
		l->family = address->sa_family;
		l->port = ntohs(((const struct sockaddr_in *)(const void *)address)->sin_port);
	}
	loop_stop(l->loop);
}

Test(resolve, answers_names_and_numbers_in_a_later_turn)
{
	static const struct {
		const char *host;
		int family;
	} rows[] = { { "127.0.0.1", AF_INET }, { "::1", AF_INET6 }, { "localhost", 0 } };
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct lookup l = { .loop = loop_new() };
		resolve_begin(l.loop, rows[i].host, 5683, SOCK_DGRAM, on_resolved, &l);
		cr_assert_eq(l.answers, 0);
		loop_run(l.loop);
		cr_assert_eq(l.answers, 1);
		cr_assert(l.family == rows[i].family || rows[i].family == 0, "%s: %s", rows[i].host, l.why);
		cr_assert_eq(l.port, 5683);
		loop_free(l.loop);
	}
}

Test(resolve, says_what_failed)
{
	struct lookup l = { .loop = loop_new() };
	resolve_begin(l.loop, "no such host", 1, SOCK_STREAM, on_resolved, &l);
	loop_run(l.loop);
	cr_assert_eq(strncmp(l.why, "cannot resolve 'no such host': ", 31), 0, "%s", l.why);
	loop_free(l.loop);
}

Test(resolve, answers_once_when_cancelled)
{
	const char *hosts[] = { "localhost", "127.0.0.1", "no such host" };
	for (int i = 0; i < 3; i++) {
		struct lookup l = { .loop = loop_new() };
		struct resolve *r = resolve_begin(l.loop, hosts[i], 1, SOCK_STREAM, on_resolved, &l);
		resolve_cancel(r);
		resolve_cancel(r);
		cr_assert_eq(l.answers, 0);
		loop_run(l.loop);
		cr_assert_eq(l.answers, 1);
		cr_assert_str_eq(l.why, "cancelled");
		loop_free(l.loop);
		cr_assert_eq(l.answers, 1);
	}
}
