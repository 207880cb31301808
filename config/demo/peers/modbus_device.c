/*
 * A Modbus device to try the gateway on: a boiler controller with a meter in it.
 *
 *	modbus_device tcp PORT            on 127.0.0.1
 *	modbus_device rtu TTY PORT        on a serial line (9600 8N1, unit 1); the same registers also on TCP, for
 *looking on
 *
 *	input    0        temperature, int16, tenths of a degree
 *	input    2, 3     power, float32, ABCD, watts
 *	holding  10       set point, int16, tenths of a degree, writable
 *	coil     0        pump, writable
 *	discrete 0        alarm: the temperature is above the set point
 *
 * For whoever plays the weather: holding 100 is what the thermometer feels, holding 102, 103 what the meter measures,
 * coil 10 lets the temperature move by itself.
 *
 * One thread; every master has its turn by poll().
 */
#include <errno.h>
#include <modbus.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

enum { TEMPERATURE = 0, POWER = 2, SET_POINT = 10, FELT = 100, MEASURED = 102, PUMP = 0, MOVING = 10, ALARM = 0 };
enum { UNIT = 1, N_BITS = 16, N_REGISTERS = 128, N_MASTERS = 16, BAUD = 9600 };

struct device {
	modbus_mapping_t *map;
	modbus_t *tcp, *rtu;              /* rtu: NULL without a serial line */
	struct pollfd sockets[N_MASTERS]; /* 0: new masters, 1: the serial line, then masters */
	nfds_t n_sockets;
};

/* A triangle of +-1 degree in 40 seconds. */
static int drift(void)
{
	int phase = (int)(time(NULL) % 40);

	return (phase < 20 ? phase : 40 - phase) - 10;
}

static void measure(struct device *d)
{
	uint16_t *in = d->map->tab_input_registers, *hold = d->map->tab_registers;

	in[TEMPERATURE] = (uint16_t)(hold[FELT] + (d->map->tab_bits[MOVING] ? drift() : 0));
	in[POWER] = hold[MEASURED];
	in[POWER + 1] = hold[MEASURED + 1];
	d->map->tab_input_bits[ALARM] = (int16_t)in[TEMPERATURE] > (int16_t)hold[SET_POINT];
}

/* Not modbus_set_float_abcd(): what libmodbus 3.1.6 calls abcd comes out as badc on a little-endian machine. */
static void set_float(uint16_t *registers, float value)
{
	uint32_t bits;

	memcpy(&bits, &value, sizeof bits);
	registers[0] = (uint16_t)(bits >> 16);
	registers[1] = (uint16_t)bits;
}

static int start_registers(struct device *d)
{
	d->map = modbus_mapping_new(N_BITS, N_BITS, N_REGISTERS, N_REGISTERS);
	if (!d->map)
		return -1;
	d->map->tab_registers[SET_POINT] = 550;
	d->map->tab_registers[FELT] = 487;
	set_float(&d->map->tab_registers[MEASURED], 1234.5f);
	return 0;
}

static void watch(struct device *d, int fd)
{
	d->sockets[d->n_sockets++] = (struct pollfd){ .fd = fd, .events = POLLIN };
}

static int open_tcp(struct device *d, const char *port)
{
	int fd;

	d->tcp = modbus_new_tcp("127.0.0.1", (int)strtol(port, NULL, 10));
	fd = d->tcp ? modbus_tcp_listen(d->tcp, N_MASTERS) : -1;
	if (fd < 0)
		return -1;
	watch(d, fd);
	return 0;
}

static int open_rtu(struct device *d, const char *tty)
{
	d->rtu = modbus_new_rtu(tty, BAUD, 'N', 8, 1);
	if (!d->rtu || modbus_set_slave(d->rtu, UNIT) || modbus_connect(d->rtu))
		return -1;
	watch(d, modbus_get_socket(d->rtu));
	return 0;
}

static void greet(struct device *d)
{
	int listener = d->sockets[0].fd;

	if (modbus_tcp_accept(d->tcp, &listener) < 0)
		return;
	if (d->n_sockets < N_MASTERS)
		watch(d, modbus_get_socket(d->tcp));
	else
		close(modbus_get_socket(d->tcp));
}

/* One request of one master. false: this master is gone. */
static bool answer(struct device *d, modbus_t *line, int fd)
{
	uint8_t query[MODBUS_TCP_MAX_ADU_LENGTH];
	int size;

	modbus_set_socket(line, fd);
	size = modbus_receive(line, query);
	if (size < 0)
		return line == d->rtu;
	if (size > 0) {
		measure(d);
		modbus_reply(line, query, size, d->map);
		measure(d);
	}
	return true;
}

static void serve(struct device *d)
{
	nfds_t first_master = d->rtu ? 2 : 1;

	while (poll(d->sockets, d->n_sockets, -1) > 0) {
		for (nfds_t i = d->n_sockets; i-- > first_master;) {
			if (!d->sockets[i].revents || answer(d, d->tcp, d->sockets[i].fd))
				continue;
			close(d->sockets[i].fd);
			d->sockets[i] = d->sockets[--d->n_sockets];
		}
		if (d->rtu && d->sockets[1].revents & (POLLHUP | POLLERR | POLLNVAL))
			d->sockets[1].fd = -1; /* unplugged; poll() passes over it */
		else if (d->rtu && d->sockets[1].revents)
			answer(d, d->rtu, d->sockets[1].fd);
		if (d->sockets[0].revents)
			greet(d);
	}
}

int main(int argc, char **argv)
{
	struct device d = { 0 };
	bool rtu = argc == 4 && !strcmp(argv[1], "rtu");

	if (!rtu && !(argc == 3 && !strcmp(argv[1], "tcp"))) {
		fprintf(stderr, "usage: modbus_device tcp PORT | rtu TTY PORT\n");
		return 2;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (start_registers(&d) || open_tcp(&d, argv[argc - 1]) || (rtu && open_rtu(&d, argv[2]))) {
		fprintf(stderr, "%s: %s\n", argv[argc - 1], modbus_strerror(errno));
		return 1;
	}
	printf("ready on port %s\n", argv[argc - 1]);
	serve(&d);
	return 1;
}
