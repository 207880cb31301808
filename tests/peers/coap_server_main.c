#include "tests/peers/coap_server.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

static void on_signal(void *ctx, int signum)
{
	(void)signum;
	loop_stop(ctx);
}

static void change(void *ctx)
{
	static struct timer timer;
	struct coapd *d = ctx;
	for (size_t i = 0; i < COAPD_RESOURCES; i++)
		if (d->resources[i].path[0])
			coapd_change(d, &d->resources[i]);
	timer_set(d->loop, &timer, 1000, change, d);
}

static int usage(void)
{
	struct coapd_faults faults;
	const char *word;
	fprintf(stderr, "usage: coap_server well|FAULT, where FAULT is one of\n");
	for (size_t n = 0; (word = coapd_misbehaviour(n, &faults)); n++)
		fprintf(stderr, "  %s\n", word);
	return 2;
}

/* coap_server FAULT: prints its port, serves /t (text) and /j (JSON), which change each second, until it is ended. */
int main(int argc, char **argv)
{
	struct coapd_faults faults = { 0 };
	const char *word = "well";
	for (size_t n = 0; argc > 1 && word && strcmp(argv[1], word) != 0; n++)
		word = coapd_misbehaviour(n, &faults);
	if (argc != 2 || !word)
		return usage();
	struct loop *loop = loop_new();
	struct coapd *d = coapd_new(loop);
	d->faults = faults;
	coapd_add(d, "/t", false);
	coapd_add(d, "/j", true);
	loop_on_signal(loop, SIGTERM, on_signal, loop);
	loop_on_signal(loop, SIGINT, on_signal, loop);
	printf("%d\n", d->port);
	fflush(stdout);
	change(d);
	loop_run(loop);
	return 0;
}
