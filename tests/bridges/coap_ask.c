#include "bridges/coapask.h"

#include "tests/peers/coap_server.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct site {
	struct loop *loop;
	struct coapd *d;
	struct coaprows_bus bus;
	struct coaprows_device device;
	struct coapask *ask;
	size_t n_done, n_ended;
	int status, code;
	struct text body;
	struct err why;
	bool frees; /* in the middle of an answer */
};

static void on_ended(void *ctx)
{
	struct site *s = ctx;
	s->n_ended++;
}

static void on_answer(void *ctx, int status, const struct coapmsg_answer *a, const struct err *why)
{
	struct site *s = ctx;
	s->n_done++;
	s->status = status;
	s->code = a ? a->code : 0;
	text_clear(&s->body);
	text_add_n(&s->body, a ? a->bytes : "", a ? a->size : 0);
	s->why = why ? *why : (struct err){ "" };
	if (s->frees)
		coapask_free(s->ask, on_ended, s);
}

static void begin(struct site *s)
{
	struct err e;
	char uri[64];
	*s = (struct site){ .loop = loop_new() };
	s->d = coapd_new(s->loop);
	setting_defaults(coaprows_bus, &s->bus);
	setting_defaults(coaprows_device, &s->device);
	s->bus.timeout_ms = 300;
	snprintf(uri, sizeof(uri), "coap://127.0.0.1:%d", s->d->port);
	cr_assert_eq(uri_parse(uri, &s->device.uri, &e), 0);
	s->ask = coapask_new(s->loop, &s->bus, &e);
	cr_assert(s->ask);
	alarm(20);
}

static void get(struct site *s, const char *path)
{
	size_t n = s->n_done;
	coapask_get(s->ask, &s->device, path, COAPMSG_NO_FORMAT, on_answer, s);
	cr_assert_eq(s->n_done, n, "in a later turn");
	while (s->n_done == n)
		loop_turn(s->loop);
}

static void end(struct site *s)
{
	if (!s->frees)
		coapask_free(s->ask, on_ended, s);
	while (!s->n_ended)
		loop_turn(s->loop);
	cr_assert_eq(s->n_ended, 1);
	coapd_free(s->d);
	setting_free(coaprows_bus, &s->bus);
	setting_free(coaprows_device, &s->device);
	text_free(&s->body);
	loop_free(s->loop);
}

Test(coap_ask, gets_the_whole_body)
{
	struct site s;
	begin(&s);
	coapd_add(s.d, "/long", true);
	s.d->faults = (struct coapd_faults){ .length = 20000, .szx = 1 + 2 };
	get(&s, "/long");
	cr_assert_eq(s.status, REQUEST_DONE, "%s", s.why.text);
	cr_assert_eq(s.code, 205);
	cr_assert(s.body.size > 20000);
	cr_assert(strstr(s.body.data, "\"w\": 1000000}"));
	end(&s);
}

Test(coap_ask, tells_what_the_device_answers_and_that_it_does_not)
{
	struct site s;
	begin(&s);
	get(&s, "/nowhere");
	cr_assert_eq(s.status, REQUEST_DONE);
	cr_assert_eq(s.code, 404);
	s.d->faults.silent = true;
	get(&s, "/nowhere");
	cr_assert_eq(s.status, REQUEST_TIMEOUT);
	cr_assert_str_eq(s.why.text, "no answer in 300 ms");
	s.d->faults = (struct coapd_faults){ .huge = 1500 };
	coapd_add(s.d, "/t", false);
	get(&s, "/t");
	cr_assert_eq(s.status, REQUEST_GARBLED);
	end(&s);
}

Test(coap_ask, forgets_what_is_under_way)
{
	struct site s;
	begin(&s);
	s.d->faults.silent = true;
	for (int i = 0; i < 20; i++)
		coapask_get(s.ask, &s.device, "/t", COAPMSG_NO_FORMAT, on_answer, &s);
	end(&s);
	cr_assert_eq(s.n_done, 0);
}

Test(coap_ask, may_be_freed_by_an_answer)
{
	struct site s;
	begin(&s);
	coapd_add(s.d, "/t", false);
	s.frees = true;
	coapask_get(s.ask, &s.device, "/t", COAPMSG_NO_FORMAT, on_answer, &s);
	coapask_get(s.ask, &s.device, "/t", COAPMSG_NO_FORMAT, on_answer, &s);
	while (!s.n_ended)
		loop_turn(s.loop);
	cr_assert_eq(s.n_done, 1);
	end(&s);
}
