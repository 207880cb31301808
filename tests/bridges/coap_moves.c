#include "tests/bridges/coap_field.h"

#include <criterion/criterion.h>
#include <netdb.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The resolver is ours: every name is at 127.0.0.`host`, and before that at 127.0.0.`other`, if that is not 0. */
static _Atomic unsigned host = 1, other;
static _Atomic unsigned questions;

struct answer {
	struct addrinfo info;
	struct sockaddr_in at;
};

static struct addrinfo *answer(unsigned where, const char *service, struct addrinfo *next)
{
	struct answer *a = calloc(1, sizeof(*a));
	a->at.sin_family = AF_INET;
	a->at.sin_port = htons((uint16_t)strtoul(service, NULL, 10));
	a->at.sin_addr.s_addr = htonl(0x7f000000 + where);
	a->info.ai_family = AF_INET;
	a->info.ai_socktype = SOCK_DGRAM;
	a->info.ai_addrlen = sizeof(a->at);
	a->info.ai_addr = (struct sockaddr *)&a->at;
	a->info.ai_next = next;
	return &a->info;
}

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **ret)
{
	(void)name, (void)hints;
	questions++;
	*ret = answer(host, service, NULL);
	if (other)
		*ret = answer(other, service, *ret);
	return 0;
}

void freeaddrinfo(struct addrinfo *info)
{
	while (info) {
		struct addrinfo *next = info->ai_next;
		free(info);
		info = next;
	}
}

static struct point *point(struct coap_field *f, const char *options)
{
	char uri[64];
	snprintf(uri, sizeof(uri), "uri=coap://porch.example:%d", f->d->port);
	struct point *p = rig_point(f->rig, rig_device(f->rig, "named", uri), "p", TYPE_INT, options);
	p->poll_ms = 0;
	return p;
}

static void move(struct coap_field *f)
{
	coapd_kill(f->d);
	f->d->address = 0x7f000002;
	coapd_restart(f->d);
	host = 2;
}

Test(coap_moves, a_silent_device_with_a_name_is_looked_up_again)
{
	struct coap_field f = coap_field_new("timeout=200ms");
	struct coapd_resource *r = coapd_add(f.d, "/t", false);
	struct point *p = point(&f, "path=/t");
	rig_start(f.rig);
	for (int i = 0; i < 5; i++)
		cr_assert_eq(rig_read(f.rig, p, NULL), REQUEST_DONE);
	cr_assert_eq(questions, 1, "the answer is kept while the device is there");
	cr_assert(f.d->had_host);
	move(&f);
	cr_assert_neq(rig_read(f.rig, p, NULL), REQUEST_DONE);
	r->counter++;
	cr_assert_eq(rig_read(f.rig, p, NULL), REQUEST_DONE);
	cr_assert(coap_field_is_current(p, r));
	cr_assert_eq(questions, 2);
	coap_field_free(&f);
}

Test(coap_moves, an_observed_device_is_found_again)
{
	struct coap_field f = coap_field_new("timeout=200ms");
	struct coapd_resource *r = coapd_add(f.d, "/t", false);
	struct point *p = point(&f, "path=/t; observe=true");
	rig_start(f.rig);
	RIG_UNTIL(f.rig, coap_field_is_current(p, r));
	move(&f);
	coapd_change(f.d, r);
	loop_skip(f.rig->loop, 75100);
	RIG_UNTIL(f.rig, p->last.quality == QUALITY_BAD);
	loop_skip(f.rig->loop, 5000);
	RIG_UNTIL(f.rig, coap_field_is_current(p, r));
	coapd_change(f.d, r);
	RIG_UNTIL(f.rig, coap_field_is_current(p, r));
	coap_field_free(&f);
}

Test(coap_moves, a_device_that_is_only_slow_keeps_its_session)
{
	struct coap_field f = coap_field_new("timeout=200ms");
	struct coapd_resource *r = coapd_add(f.d, "/t", false);
	struct point *p = point(&f, "path=/t"), *o;
	o = rig_point(f.rig, p->device, "o", TYPE_INT, "path=/t; observe=true; format=text");
	rig_start(f.rig);
	RIG_UNTIL(f.rig, coap_field_is_current(o, r));
	f.d->faults.silent = true;
	cr_assert_eq(rig_read(f.rig, p, NULL), REQUEST_TIMEOUT);
	f.d->faults.silent = false;
	coapd_change(f.d, r);
	RIG_UNTIL(f.rig, coap_field_is_current(o, r));
	cr_assert_eq(questions, 1);
	cr_assert_eq(f.d->n_registers, 1, "nobody had to register anew");
	coap_field_free(&f);
}

/* As "localhost" is on an ordinary Debian, and a device with IPv4 and IPv6 that listens at one of them. */
Test(coap_moves, a_device_that_listens_at_one_of_its_addresses_is_asked_there)
{
	struct coap_field f = coap_field_new("timeout=5s");
	struct coapd_resource *r = coapd_add(f.d, "/t", false);
	struct point *p = point(&f, "path=/t");
	other = 9;
	rig_start(f.rig);
	cr_assert_eq(rig_read(f.rig, p, NULL), REQUEST_DONE);
	cr_assert(coap_field_is_current(p, r));
	unsigned so_far = questions;
	for (int i = 0; i < 3; i++)
		cr_assert_eq(rig_read(f.rig, p, NULL), REQUEST_DONE);
	cr_assert_eq(questions, so_far, "where it answered it is asked again");
	coapd_kill(f.d);
	cr_assert_neq(rig_read(f.rig, p, NULL), REQUEST_DONE, "nobody is anywhere: that is the end of it");
	coapd_restart(f.d);
	cr_assert_eq(rig_read(f.rig, p, NULL), REQUEST_DONE);
	coap_field_free(&f);
}
