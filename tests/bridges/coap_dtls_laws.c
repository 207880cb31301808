#include "tests/bridges/laws.h"
#include "tests/peers/libcoap_server.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* The same laws when DTLS is between, and the device is libcoap's server. */

extern const struct bridge_driver driver_coap;

struct peer {
	struct libcoap_server server;
	bool dead;
};

static void show(const struct libcoap_server *s)
{
	char uri[64];
	snprintf(uri, sizeof(uri), "coap://127.0.0.1:%d/example_data", s->port);
	pid_t pid = fork();
	cr_assert(pid >= 0);
	if (pid == 0) {
		execlp("coap-client-openssl", "coap-client-openssl", "-m", "put", "-e", "23.40", "-B", "5", uri,
		       (char *)NULL);
		_exit(127);
	}
	int status = -1;
	waitpid(pid, &status, 0);
	cr_assert_eq(status, 0);
}

static void *start(void)
{
	struct peer *p = calloc(1, sizeof(*p));
	libcoap_server_begin(&p->server, "127.0.0.1", (const char *const[]){ "-k", "key", NULL });
	show(&p->server);
	return p;
}

static void die(void *peer)
{
	struct peer *p = peer;
	if (!p->dead)
		libcoap_server_kill(&p->server);
	p->dead = true;
}

static void stop(void *peer)
{
	die(peer);
	free(peer);
}

static void revive(void *peer)
{
	struct peer *p = peer;
	if (!p->dead)
		return;
	libcoap_server_restart(&p->server);
	show(&p->server);
	p->dead = false;
}

static void bus(void *peer, char *ret, size_t room)
{
	(void)peer;
	snprintf(ret, room, "timeout=1s; ack_timeout=1s; handshake=1s; max_lost=1; psk_identity=gate; psk=key");
}

static void device(void *peer, char *ret, size_t room)
{
	const struct peer *p = peer;
	snprintf(ret, room, "uri=coaps://127.0.0.1:%d", p->server.port + 1);
}

static void mute(void *peer, bool on)
{
	struct peer *p = peer;
	kill(p->server.pid, on ? SIGSTOP : SIGCONT);
}

static const struct laws_bad bad[] = {
	{ .bus = "psk_identity=gate" },
	{ .bus = "tls.ca_file=/nowhere" },
	{ .device = "uri=coaps://127.0.0.1; psk=key" },
};

static const struct laws polled = {
	.driver = &driver_coap,
	.start = start,
	.stop = stop,
	.bus = bus,
	.device = device,
	.raw = "23.40",
	.reads = { TYPE_REAL, "path=/example_data" },
	.writes = { TYPE_INT, "path=/s" },
	.shown = "7",
	.bad = bad,
	.n_bad = sizeof(bad) / sizeof(bad[0]),
	.mute = mute,
	.die = die,
	.revive = revive,
	.connectionless = true,
};

LAWS(coap_dtls_laws, &polled)
