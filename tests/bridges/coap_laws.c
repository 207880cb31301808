#include "tests/bridges/laws.h"
#include "tests/peers/coap_thread.h"

#include <stdio.h>

extern const struct bridge_driver driver_coap;

static void *start(void)
{
	return coap_thread_new();
}

static void stop(void *peer)
{
	coap_thread_free(peer);
}

static void bus(void *peer, char *ret, size_t room)
{
	(void)peer;
	snprintf(ret, room, "timeout=1s; ack_timeout=1s");
}

static void device(void *peer, char *ret, size_t room)
{
	snprintf(ret, room, "uri=coap://127.0.0.1:%d", coap_thread_port(peer));
}

static void notify(struct coapd *d, void *ctx)
{
	(void)ctx;
	coapd_notify(d, &d->resources[0]);
}

static void tell(void *peer)
{
	coap_thread_do(peer, notify, NULL);
}

static void set_faults(struct coapd *d, void *ctx)
{
	const struct coapd_faults *faults = ctx;
	d->faults = *faults;
}

static void mute(void *peer, bool on)
{
	struct coapd_faults faults = { .silent = on };
	coap_thread_do(peer, set_faults, &faults);
}

static void kill_it(struct coapd *d, void *ctx)
{
	(void)ctx;
	if (d->watch)
		coapd_kill(d);
}

static void die(void *peer)
{
	coap_thread_do(peer, kill_it, NULL);
}

static void restart_it(struct coapd *d, void *ctx)
{
	(void)ctx;
	if (!d->watch)
		coapd_restart(d);
}

static void revive(void *peer)
{
	coap_thread_do(peer, restart_it, NULL);
}

static bool misbehave(void *peer, size_t n)
{
	struct coapd_faults faults;
	if (!coapd_misbehaviour(n, &faults))
		return false;
	coap_thread_do(peer, set_faults, &faults);
	return true;
}

static void behave(void *peer)
{
	mute(peer, false);
	revive(peer);
}

static void count(struct coapd *d, void *ctx)
{
	size_t *n = ctx;
	*n = d->n_in;
}

static size_t attempts(void *peer)
{
	size_t n;
	coap_thread_do(peer, count, &n);
	return n;
}

static const struct laws_bad bad[] = {
	{ .device = "uri=coaps://127.0.0.1" },
	{ .device = "uri=http://127.0.0.1" },
	{ .device = "uri=coap://127.0.0.1:0" },
	{ .device = "uri=coap://[::1" },
	{ .reads = { TYPE_REAL, "path=t" } },
	{ .reads = { TYPE_REAL, "path=/t; pointer=v" } },
	{ .reads = { TYPE_REAL, "path=/t; pointer=/v; format=text" } },
	{ .reads = { TYPE_REAL, "path=/t; refresh=1h" } },
	{ .reads = { TYPE_BOOL, "path=/t; on=1; off=1" } },
	{ .reads = { TYPE_REAL, "path=/t; write.method=post" } },
	{ .writes = { TYPE_INT, "path=/s; pointer=/v" } },
	{ .writes = { TYPE_INT, "path=/s; write.payload=1" } },
};

#define PEER                                                                                                           \
	.driver = &driver_coap, .start = start, .stop = stop, .bus = bus, .device = device, .raw = "23.40",            \
	.writes = { TYPE_INT, "path=/s" }, .shown = "7", .mute = mute, .die = die, .revive = revive,                   \
	.misbehave = misbehave, .behave = behave, .attempts = attempts, .connectionless = true

static const struct laws polled = {
	PEER,
	.reads = { TYPE_REAL, "path=/t" },
	.bad = bad,
	.n_bad = sizeof(bad) / sizeof(bad[0]),
};

static const struct laws observed = {
	PEER,
	.reads = { TYPE_REAL, "path=/t; observe=true" },
	.tell = tell,
};

LAWS(coap_laws, &polled)
LAWS(coap_laws_observed, &observed)
