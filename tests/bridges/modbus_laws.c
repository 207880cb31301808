#include "core/base/mem.h"
#include "tests/bridges/laws.h"
#include "tests/peers/slave.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

extern const struct bridge_driver driver_modbus_rtu, driver_modbus_rtu_tcp, driver_modbus_tcp;

TestSuite(modbus_tcp_laws, .timeout = 200);
TestSuite(modbus_rtu_laws, .timeout = 200);
TestSuite(modbus_rtu_tcp_laws, .timeout = 200);

struct peer {
	struct slave *slave;       /* NULL: dead */
	bool converter;            /* frames of a line over TCP */
	int port;                  /* TCP */
	char folder[32], link[64]; /* RTU: a port that keeps its name */
	enum slave_fault fault;
	int argument;
	size_t attempts;
};

static void be(struct peer *p, enum slave_fault fault, int argument)
{
	p->fault = fault;
	p->argument = argument;
	if (p->slave)
		slave_fault(p->slave, fault, -1, argument);
}

static void revive(void *peer)
{
	struct peer *p = peer;
	if (p->slave)
		return;
	p->slave = p->folder[0] ? slave_pty() : (p->converter ? slave_rtu_tcp : slave_tcp)(p->port);
	p->port = slave_port(p->slave);
	slave_set(p->slave, SLAVE_HOLDINGS, 10, 2340);
	if (p->folder[0])
		cr_assert_eq(symlink(slave_path(p->slave), p->link), 0);
	be(p, p->fault, p->argument);
}

static void die(void *peer)
{
	struct peer *p = peer;
	if (p->slave)
		p->attempts += slave_connections(p->slave);
	slave_free(p->slave);
	p->slave = NULL;
	if (p->folder[0])
		unlink(p->link);
}

static void *start_tcp(void)
{
	struct peer *p = mem_new(sizeof(*p));
	revive(p);
	return p;
}

static void *start_rtu_tcp(void)
{
	struct peer *p = mem_new(sizeof(*p));
	p->converter = true;
	revive(p);
	return p;
}

static void *start_rtu(void)
{
	struct peer *p = mem_new(sizeof(*p));
	snprintf(p->folder, sizeof(p->folder), "/tmp/jidgate-laws-XXXXXX");
	cr_assert(mkdtemp(p->folder));
	snprintf(p->link, sizeof(p->link), "%s/port", p->folder);
	revive(p);
	return p;
}

static void stop(void *peer)
{
	struct peer *p = peer;
	die(p);
	if (p->folder[0])
		rmdir(p->folder);
	mem_free(p);
}

static void bus_tcp(void *peer, char *ret, size_t room)
{
	snprintf(ret, room, "host=127.0.0.1; port=%d; timeout=250ms", ((struct peer *)peer)->port);
}

static void bus_rtu_tcp(void *peer, char *ret, size_t room)
{
	snprintf(ret, room, "host=127.0.0.1; port=%d; baud=115200; timeout=250ms", ((struct peer *)peer)->port);
}

static void bus_rtu(void *peer, char *ret, size_t room)
{
	snprintf(ret, room, "device=%s; baud=115200; timeout=250ms", ((struct peer *)peer)->link);
}

static void device(void *peer, char *ret, size_t room)
{
	(void)peer;
	snprintf(ret, room, "unit_id=1; addressing=protocol");
}

static void mute(void *peer, bool on)
{
	be(peer, on ? SLAVE_SILENT : SLAVE_FAULTLESS, 0);
}

static bool misbehave(void *peer, size_t n)
{
	static const int arguments[SLAVE_FAULTS] = { [SLAVE_LATE] = 300, [SLAVE_EXCEPTION] = 4, [SLAVE_SLOW] = 60 };
	if (n + 1 >= SLAVE_FAULTS)
		return false;
	be(peer, (enum slave_fault)(n + 1), arguments[n + 1]);
	return true;
}

static void behave(void *peer)
{
	be(peer, SLAVE_FAULTLESS, 0);
}

static size_t attempts(void *peer)
{
	struct peer *p = peer;
	return p->attempts + (p->slave ? slave_connections(p->slave) : 0);
}

#define BAD_POINTS                                                                                                     \
	{ .reads = { TYPE_UINT16, "address=10" } }, { .reads = { TYPE_UINT16, "table=holding; address=65536" } },      \
		{ .reads = { TYPE_INT32, "table=holding; address=65535" } },                                           \
		{ .reads = { TYPE_BOOL, "table=holding; address=10" } },                                               \
		{ .reads = { TYPE_UINT16, "table=coil; address=10" } },                                                \
		{ .reads = { TYPE_REAL, "table=holding; address=10" } },                                               \
		{ .reads = { TYPE_STRING, "table=holding; address=10" } },                                             \
		{ .reads = { TYPE_FLOAT32, "table=holding; address=10; order=ABDC" } },                                \
		{ .writes = { TYPE_UINT16, "table=input; address=10" } },                                              \
		{ .writes = { TYPE_BOOL, "table=discrete; address=10" } },                                             \
	{                                                                                                              \
		.device = "unit_id=1; addressing=modicon", .reads = { TYPE_UINT16, "address=40000" }                   \
	}

static const struct laws_bad bad_tcp[] = { BAD_POINTS };
static const struct laws_bad bad_rtu[] = { BAD_POINTS,
					   { .bus = "device=/dev/null; baud=9601" },
					   { .device = "unit_id=0; addressing=protocol" },
					   { .device = "unit_id=248; addressing=protocol" } };

static const struct laws_bad bad_rtu_tcp[] = { BAD_POINTS, { .device = "unit_id=0; addressing=protocol" } };

static const struct laws tcp = {
	.driver = &driver_modbus_tcp,
	.start = start_tcp,
	.stop = stop,
	.bus = bus_tcp,
	.device = device,
	.reads = { TYPE_UINT16, "table=holding; address=10" },
	.raw = "2340",
	.writes = { TYPE_UINT16, "table=holding; address=20" },
	.shown = "7",
	.bad = bad_tcp,
	.n_bad = sizeof(bad_tcp) / sizeof(bad_tcp[0]),
	.mute = mute,
	.die = die,
	.revive = revive,
	.misbehave = misbehave,
	.behave = behave,
	.attempts = attempts,
};

static const struct laws rtu_tcp = {
	.driver = &driver_modbus_rtu_tcp,
	.start = start_rtu_tcp,
	.stop = stop,
	.bus = bus_rtu_tcp,
	.device = device,
	.reads = { TYPE_UINT16, "table=holding; address=10" },
	.raw = "2340",
	.writes = { TYPE_UINT16, "table=holding; address=20" },
	.shown = "7",
	.bad = bad_rtu_tcp,
	.n_bad = sizeof(bad_rtu_tcp) / sizeof(bad_rtu_tcp[0]),
	.mute = mute,
	.die = die,
	.revive = revive,
	.misbehave = misbehave,
	.behave = behave,
	.attempts = attempts,
};

static const struct laws rtu = {
	.driver = &driver_modbus_rtu,
	.start = start_rtu,
	.stop = stop,
	.bus = bus_rtu,
	.device = device,
	.reads = { TYPE_UINT16, "table=holding; address=10" },
	.raw = "2340",
	.writes = { TYPE_UINT16, "table=holding; address=20" },
	.shown = "7",
	.bad = bad_rtu,
	.n_bad = sizeof(bad_rtu) / sizeof(bad_rtu[0]),
	.mute = mute,
	.die = die,
	.revive = revive,
	.misbehave = misbehave,
	.behave = behave,
};

LAWS(modbus_tcp_laws, &tcp)
LAWS(modbus_rtu_laws, &rtu)
LAWS(modbus_rtu_tcp_laws, &rtu_tcp)
