#include "core/loop/resolve.h"

#include "tests/unit/names.h"

#include <criterion/criterion.h>
#include <netinet/in.h>
#include <pthread.h>
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

static void *release_one(void *ctx)
{
	(void)ctx;
	names_release(1);
	return NULL;
}

Test(resolve, cancelled_in_the_resolver_answers_at_once_and_the_loop_waits_for_it_at_its_end)
{
	struct lookup l = { .loop = loop_new() };
	pthread_t thread;
	struct resolve *r = resolve_begin(l.loop, "slow.example", 1, SOCK_STREAM, on_resolved, &l);
	struct lookup other = { .loop = l.loop };
	resolve_begin(l.loop, "localhost", 1, SOCK_STREAM, on_resolved, &other);
	loop_run(l.loop); /* by then the slow one is in the resolver, too */
	resolve_cancel(r);
	loop_run(l.loop);
	cr_assert_eq(l.answers, 1);
	cr_assert_str_eq(l.why, "cancelled");
	cr_assert_eq(pthread_create(&thread, NULL, release_one, NULL), 0);
	loop_free(l.loop);
	pthread_join(thread, NULL);
	cr_assert_eq(l.answers, 1);
}

Test(resolve, answers_numbers_while_names_block_every_thread_of_the_pool)
{
	enum { POOL = 4 };
	struct loop *loop = loop_new();
	struct lookup slow[POOL] = { 0 }, number = { .loop = loop };
	for (int i = 0; i < POOL; i++) {
		slow[i].loop = loop;
		resolve_begin(loop, "slow.example", 1, SOCK_STREAM, on_resolved, &slow[i]);
	}
	resolve_begin(loop, "127.0.0.1", 1, SOCK_STREAM, on_resolved, &number);
	loop_run(loop);
	cr_assert_eq(number.answers, 1);
	names_release(POOL);
	for (int i = 0; i < POOL; i++) {
		while (!slow[i].answers)
			loop_turn(loop);
	}
	loop_free(loop);
}

struct all {
	struct loop *loop;
	size_t n;
	uint32_t addresses[RESOLVE_MOST];
};

static void on_all(void *ctx, const struct sockaddr_storage *list, size_t n, const struct err *why)
{
	struct all *a = ctx;
	cr_assert_null(why);
	for (a->n = 0; a->n < n; a->n++)
		a->addresses[a->n] = ntohl(((const struct sockaddr_in *)&list[a->n])->sin_addr.s_addr);
	loop_stop(a->loop);
}

Test(resolve, gives_all_addresses_in_order_when_asked)
{
	struct all a = { .loop = loop_new() };
	resolve_all(a.loop, "two.example", 1, SOCK_STREAM, on_all, &a);
	loop_run(a.loop);
	cr_assert_eq(a.n, 2);
	cr_assert_eq(a.addresses[0], 0x7f000002);
	cr_assert_eq(a.addresses[1], 0x7f000001);
	loop_free(a.loop);
}
