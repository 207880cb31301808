/*
 * The misbehaving slave as a program, for tests in Python and for trying things by hand.
 *
 *   modbus_slave tcp [PORT] | modbus_slave rtu-tcp | modbus_slave pty | modbus_slave tty PATH
 *
 * Prints "port N" or "path /dev/pts/N", then obeys lines on stdin and answers each with one line; ends with its input.
 *   fault NAME [TIMES [ARGUMENT]]   except ADDRESS CODE   units FIRST LAST   hang-up
 *   set TABLE ADDRESS VALUE         get TABLE ADDRESS     asked [UNIT]       wrote
 *   identify MAKER PRODUCT REVISION lacks FUNCTION        line BAUD MODE
 * with TABLE one of coil discrete input holding, and the names of faults in slave.c.
 */
#include "tests/peers/slave.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

static int table_named(const char *name)
{
	static const char *const names[] = { "coil", "discrete", "input", "holding" };
	for (int i = 0; i < 4; i++)
		if (strcmp(names[i], name) == 0)
			return i;
	return -1;
}

static bool obey_fault(struct slave *s, const char *line)
{
	char name[32];
	int times = -1, argument = 0;
	if (sscanf(line, "fault %31s %d %d", name, &times, &argument) < 1 || slave_fault_named(name) == SLAVE_FAULTS)
		return false;
	slave_fault(s, slave_fault_named(name), times, argument);
	return true;
}

static bool obey_cell(struct slave *s, const char *line)
{
	char name[32];
	unsigned address, value;
	uint16_t found;
	if (sscanf(line, "set %31s %u %u", name, &address, &value) == 3 && table_named(name) >= 0) {
		slave_set(s, (enum slave_table)table_named(name), (uint16_t)address, (uint16_t)value);
		return true;
	}
	if (sscanf(line, "get %31s %u", name, &address) != 2 || table_named(name) < 0)
		return false;
	if (slave_get(s, (enum slave_table)table_named(name), (uint16_t)address, &found))
		printf("%u ", found);
	else
		printf("unwritten ");
	return true;
}

static bool obey_other(struct slave *s, const char *line)
{
	int a, b;
	char words[3][32];
	if (sscanf(line, "except %d %d", &a, &b) == 2)
		slave_except(s, (uint16_t)a, (uint8_t)b);
	else if (sscanf(line, "units %d %d", &a, &b) == 2)
		slave_units(s, a, b);
	else if (sscanf(line, "lacks %d", &a) == 1)
		slave_lacks(s, a);
	else if (sscanf(line, "identify %31s %31s %31s", words[0], words[1], words[2]) == 3)
		slave_identify(s, words[0], words[1], words[2]);
	else if (sscanf(line, "line %d %31s", &a, words[0]) == 2)
		slave_line(s, a, words[0]);
	else if (strncmp(line, "hang-up", 7) == 0)
		slave_hang_up(s);
	else if (sscanf(line, "asked %d", &a) == 1)
		printf("%u ", slave_asked_unit(s, a));
	else if (strncmp(line, "asked", 5) == 0)
		printf("%u ", slave_asked(s));
	else if (strncmp(line, "wrote", 5) == 0)
		printf("%u ", slave_wrote(s));
	else
		return false;
	return true;
}

int main(int argc, char **argv)
{
	char line[256];
	struct slave *s = NULL;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc > 1 && strcmp(argv[1], "tcp") == 0)
		s = slave_tcp(argc > 2 ? (int)strtol(argv[2], NULL, 10) : 0);
	else if (argc > 1 && strcmp(argv[1], "rtu-tcp") == 0)
		s = slave_rtu_tcp(0);
	else if (argc > 1 && strcmp(argv[1], "pty") == 0)
		s = slave_pty();
	else if (argc > 2 && strcmp(argv[1], "tty") == 0)
		s = slave_tty(argv[2]);
	if (!s) {
		fprintf(stderr, "usage: modbus_slave tcp [PORT] | rtu-tcp | pty | tty PATH\n");
		return 2;
	}
	if (slave_port(s))
		printf("port %d\n", slave_port(s));
	else
		printf("path %s\n", argc > 2 ? argv[2] : slave_path(s));
	while (fgets(line, sizeof(line), stdin))
		printf("%s\n", obey_fault(s, line) || obey_cell(s, line) || obey_other(s, line) ? "ok" : "what?");
	slave_free(s);
	return 0;
}
