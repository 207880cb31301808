#include "core/loop/srv.h"

#include "tests/unit/services.h"

#include <criterion/criterion.h>
#include <pthread.h>

struct lookup {
	struct loop *loop;
	int answers;
	size_t n;
	struct srv_target list[SRV_MOST];
};

static void on_answer(void *ctx, const struct srv_target *list, size_t n)
{
	struct lookup *l = ctx;
	cr_assert_eq(list == NULL, n == 0);
	l->answers++;
	l->n = n;
	if (n)
		memcpy(l->list, list, n * sizeof(*list));
	loop_stop(l->loop);
}

static void is(const struct srv_target *t, const char *host, int port)
{
	cr_assert_str_eq(t->host, host);
	cr_assert_eq(t->port, port);
}

Test(srv, gives_targets_by_priority_then_weight)
{
	struct srv_target list[SRV_MOST];
	services_begin(4);
	services_add(20, 0, 1, "\4last\1x");
	services_add(5, 10, 2, "\5third\1x");
	services_add(5, 60, 3, "\6second\1x");
	services_add(0, 0, 5222, "\5first\7example");
	cr_assert_eq(srv_read(services_answer, services_size, list), 4);
	is(&list[0], "first.example", 5222);
	is(&list[1], "second.x", 3);
	is(&list[2], "third.x", 2);
	is(&list[3], "last.x", 1);
}

Test(srv, takes_so_many_and_no_more)
{
	struct srv_target list[SRV_MOST];
	services_begin(12);
	for (unsigned i = 0; i < 12; i++)
		services_add(i, 0, i, "\1h");
	cr_assert_eq(srv_read(services_answer, services_size, list), SRV_MOST);
}

Test(srv, survives_every_answer_that_is_cut_or_changed)
{
	struct srv_target list[SRV_MOST];
	services_begin(3);
	services_add(1, 2, 3, "\4long\4name\7example");
	services_add(1, 2, 3, "\xC0");
	services_add(1, 2, 3, "\1h");
	for (size_t size = 0; size < services_size; size++) {
		unsigned char *cut = malloc(size + 1); /* so that a read behind it is seen */
		memcpy(cut, services_answer, size);
		srv_read(cut, size, list);
		free(cut);
	}
	for (size_t i = 0; i < services_size; i++) {
		for (unsigned value = 0; value < 256; value++) {
			unsigned char was = services_answer[i];
			services_answer[i] = (unsigned char)value;
			cr_assert_leq(srv_read(services_answer, services_size, list), SRV_MOST);
			services_answer[i] = was;
		}
	}
}

Test(srv, asks_off_the_loop)
{
	struct lookup l = { .loop = loop_new() };
	services_begin(1);
	services_add(0, 0, 5222, "\4xmpp\7example");
	srv_begin(l.loop, "_xmpp-client._tcp.example", on_answer, &l);
	cr_assert_eq(l.answers, 0);
	loop_run(l.loop);
	cr_assert_eq(l.answers, 1);
	cr_assert_eq(l.n, 1);
	is(&l.list[0], "xmpp.example", 5222);
	cr_assert_str_eq(services_asked, "_xmpp-client._tcp.example");
	loop_free(l.loop);
}

Test(srv, answers_none_when_there_is_no_answer)
{
	struct lookup l = { .loop = loop_new() };
	srv_begin(l.loop, "_xmpp-client._tcp.example", on_answer, &l);
	loop_run(l.loop);
	cr_assert_eq(l.answers, 1);
	cr_assert_eq(l.n, 0);
	loop_free(l.loop);
}

static void *release(void *ctx)
{
	(void)ctx;
	sem_post(&services_gate);
	return NULL;
}

Test(srv, cancelled_in_the_resolver_answers_at_once_and_only_once)
{
	struct lookup l = { .loop = loop_new() };
	pthread_t thread;
	services_wait = true;
	services_begin(1);
	services_add(0, 0, 5222, "\1h");
	struct srv *s = srv_begin(l.loop, "a", on_answer, &l);
	srv_cancel(s);
	srv_cancel(s);
	cr_assert_eq(l.answers, 0);
	loop_run(l.loop);
	cr_assert_eq(l.answers, 1);
	cr_assert_eq(l.n, 0);
	cr_assert_eq(pthread_create(&thread, NULL, release, NULL), 0);
	loop_free(l.loop); /* waits for the pool */
	pthread_join(thread, NULL);
	cr_assert_eq(l.answers, 1);
}
