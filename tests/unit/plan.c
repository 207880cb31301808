#include "core/plan.h"

#include "core/base/mem.h"
#include "core/drivers.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <string.h>

#define HEAD "xmpp = { domain = \"t.test\"; secret = \"x\"; };\n"
#define BUS  "buses = ( { id = \"plc\"; protocol = \"modbus-tcp\"; host = \"127.0.0.1\"; }, { id = \"sim\"; protocol = \"sim\"; } );\n"
#define POINT "{ id = \"p\"; type = \"int16\"; table = \"input\"; address = 7; scale = 0.1; words = ( ); }"
#define DEVICE "{ id = \"d\"; bus = \"plc\"; unit_id = 1; addressing = \"protocol\"; points = ( " POINT " ); }"
#define OTHER  "{ id = \"o\"; bus = \"sim\"; points = ( { id = \"q\"; type = \"int\"; } ); }"
#define LIVE   HEAD BUS "devices = ( " DEVICE ", " OTHER " );"

struct change {
	char what[64];
	char from[48], to[96]; /* in LIVE */
	size_t added, changed, gone, buses;
	char note[48];
};

ParameterizedTestParameters(plan, tells_what_is_different)
{
	static struct change changes[] = {
		{ "nothing", "", "", 0, 0, 0, 0, "" },
		{ "layout and comments", "devices = (", "# here\n\n  devices   =   (", 0, 0, 0, 0, "" },
		{ "a default that is written", "address = 7;", "address = 7; access = \"r\";", 0, 0, 0, 0, "" },
		{ "an address", "address = 7;", "address = 8;", 0, 1, 0, 0, "" },
		{ "a name", "address = 7;", "address = 7; name = \"N\";", 0, 1, 0, 0, "" },
		{ "a scale", "scale = 0.1;", "scale = 0.01;", 0, 1, 0, 0, "" },
		{ "an option that is given now", "scale = 0.1;", "scale = 0.1; offset = 0;", 0, 1, 0, 0, "" },
		{ "an option of a device", "unit_id = 1;", "unit_id = 2;", 0, 1, 0, 0, "" },
		{ "an id", "id = \"d\";", "id = \"e\";", 1, 0, 1, 0, "" },
		{ "an option of a bus", "host = \"127.0.0.1\";", "host = \"127.0.0.2\";", 0, 1, 0, 1, "" },
		{ "the bus of a device", "bus = \"sim\"", "bus = \"plc\"; unit_id = 2; addressing = \"protocol\"", 0, 0, 0, 0,
		  "stays as it runs: there is a mistake" },
		{ "a domain", "t.test", "u.test", 0, 0, 0, 0, "xmpp: it has changed, and that needs a restart" },
		{ "a secret", "secret = \"x\"", "secret = \"y\"", 0, 0, 0, 0, "xmpp: it has changed" },
		{ "a mistake", "address = 7;", "address = 70000;", 0, 0, 0, 0, "device 'd': stays as it runs" },
		{ "a mistake without an id", "id = \"d\"; ", "", 0, 0, 0, 0, "whose id is not known" },
	};
	return cr_make_param_array(struct change, changes, sizeof(changes) / sizeof(*changes));
}

static char *replace(const char *text, const char *from, const char *to)
{
	const char *at = strstr(text, from);
	cr_assert(at, "%s", from);
	return mem_format("%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
}

static bool all(const void *ctx, const struct device *d)
{
	(void)ctx, (void)d;
	return true;
}

ParameterizedTest(struct change *change, plan, tells_what_is_different)
{
	const struct protocol **protocols = drivers_protocols();
	struct conf live, fresh;
	struct plan p;
	char *text = replace(LIVE, change->from, change->to);
	cr_assert_eq(conf_parse(&live, "site.conf", LIVE, protocols), 0, "%s", live.errors.data);
	cr_assert_eq(conf_parse(&fresh, "site.conf", text, protocols), 0, "%s", fresh.errors.data);
	plan_make(&p, &live, &fresh, true, all, NULL, protocols);
	cr_expect_eq(p.n_added, change->added, "%s: %zu added", change->what, p.n_added);
	cr_expect_eq(p.n_changed, change->changed, "%s: %zu changed", change->what, p.n_changed);
	cr_expect_eq(p.n_gone, change->gone, "%s: %zu gone", change->what, p.n_gone);
	cr_expect_eq(p.n_buses, change->buses, "%s: %zu buses", change->what, p.n_buses);
	const char *notes = p.notes.data ? p.notes.data : "";
	cr_expect(*change->note ? strstr(notes, change->note) != NULL : !*notes, "%s: %s", change->what, notes);
	plan_free(&p);
	conf_free(&live);
	conf_free(&fresh);
	mem_free(text);
	mem_free(protocols);
}
