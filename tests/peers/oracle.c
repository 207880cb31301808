#include "tests/peers/oracle.h"

#include <arpa/inet.h>
#include <errno.h>
#include <modbus/modbus.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CELLS = 200 };

struct oracle {
	modbus_t *modbus;
	modbus_mapping_t *cells;
	pthread_t thread;
	int listener, port;
	atomic_bool stop;
};

static void die(const char *what)
{
	perror(what);
	abort();
}

static void serve(struct oracle *o)
{
	uint8_t asked[MODBUS_TCP_MAX_ADU_LENGTH];
	while (!o->stop) {
		int n = modbus_receive(o->modbus, asked);
		if (n > 0)
			modbus_reply(o->modbus, asked, n, o->cells);
		else if (n < 0 && o->listener >= 0 && errno != ETIMEDOUT)
			return;
	}
}

static void *run(void *ctx)
{
	struct oracle *o = ctx;
	while (!o->stop) {
		struct pollfd fd = { o->listener, POLLIN, 0 };
		if (o->listener >= 0 && poll(&fd, 1, 50) <= 0)
			continue;
		if (o->listener >= 0 && modbus_tcp_accept(o->modbus, &o->listener) < 0)
			continue;
		serve(o);
		if (o->listener >= 0)
			modbus_close(o->modbus);
	}
	return NULL;
}

static struct oracle *started(modbus_t *modbus)
{
	struct oracle *o = calloc(1, sizeof(*o));
	o->modbus = modbus;
	o->cells = modbus_mapping_new(CELLS, CELLS, CELLS, CELLS);
	o->listener = -1;
	modbus_set_indication_timeout(modbus, 0, 50000);
	return o;
}

static struct oracle *running(struct oracle *o)
{
	if (pthread_create(&o->thread, NULL, run, o) != 0)
		die("oracle thread");
	return o;
}

struct oracle *oracle_tcp(void)
{
	struct oracle *o = started(modbus_new_tcp("127.0.0.1", 0));
	struct sockaddr_in at;
	socklen_t size = sizeof(at);
	o->listener = modbus_tcp_listen(o->modbus, 4);
	if (o->listener < 0 || getsockname(o->listener, (struct sockaddr *)&at, &size) < 0)
		die("oracle port");
	o->port = ntohs(at.sin_port);
	return running(o);
}

struct oracle *oracle_rtu(const char *path, int unit)
{
	struct oracle *o = started(modbus_new_rtu(path, 9600, 'N', 8, 1));
	if (modbus_set_slave(o->modbus, unit) < 0 || modbus_connect(o->modbus) < 0)
		die(path);
	return running(o);
}

void oracle_free(struct oracle *o)
{
	if (!o)
		return;
	o->stop = true;
	pthread_join(o->thread, NULL);
	modbus_close(o->modbus);
	modbus_free(o->modbus);
	modbus_mapping_free(o->cells);
	if (o->listener >= 0)
		close(o->listener);
	free(o);
}

int oracle_port(const struct oracle *o)
{
	return o->port;
}

uint16_t *oracle_holdings(struct oracle *o)
{
	return o->cells->tab_registers;
}

uint16_t *oracle_inputs(struct oracle *o)
{
	return o->cells->tab_input_registers;
}

uint8_t *oracle_coils(struct oracle *o)
{
	return o->cells->tab_bits;
}

uint8_t *oracle_discretes(struct oracle *o)
{
	return o->cells->tab_input_bits;
}

static void become_socat(int out)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(out, STDERR_FILENO);
	execlp("socat", "socat", "-d", "-d", "pty,raw,echo=0", "pty,raw,echo=0", (char *)NULL);
	_exit(127);
}

void line_make(struct line *l)
{
	int out[2], n = 0;
	char said[256];
	if (pipe(out) < 0 || (l->pid = fork()) < 0)
		die("socat");
	if (l->pid == 0)
		become_socat(out[1]);
	close(out[1]);
	FILE *log = fdopen(out[0], "r");
	while (fgets(said, sizeof(said), log) && !strstr(said, "starting data transfer")) {
		const char *name = strstr(said, "PTY is ");
		if (name && n < 2)
			n += sscanf(name, "PTY is %63s", l->ends[n]) == 1;
	}
	if (n != 2)
		die("socat does not make a line");
	fclose(log);
}

void line_cut(struct line *l)
{
	if (l->pid <= 0)
		return;
	kill(l->pid, SIGKILL);
	waitpid(l->pid, NULL, 0);
	l->pid = 0;
}
