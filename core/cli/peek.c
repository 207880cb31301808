#include "core/cli/peek.h"

#include "bridges/mbaddress.h"
#include "core/base/mem.h"
#include "core/cli/direct.h"
#include "core/conf/conf.h"
#include "core/drivers.h"

#include <stdlib.h>
#include <string.h>

/*
 * Happy path: one made-up point per register is read through the bus's own driver, which merges them and steps around
 * registers that the device refuses. The bytes are then shown in every type and order. What is marked with * is a guess
 * for people: a float of a usual size, else an integer.
 */

enum { WINDOW = 125 };

static const struct table {
	const char *word;
	bool bits;
} tables[] = {
	[MBADDRESS_COIL] = { "coil", true },
	[MBADDRESS_DISCRETE] = { "discrete", true },
	[MBADDRESS_INPUT] = { "input", false },
	[MBADDRESS_HOLDING] = { "holding", false },
};
enum { N_TABLES = sizeof(tables) / sizeof(tables[0]) };

struct cell {
	struct point *point;
	struct mbaddress address;
	struct direct_answer answer;
	bool good;
	uint8_t wire[2];
};

struct peek {
	struct cli *c;
	const struct protocol *protocol;
	struct bus *bus;
	int table;
	uint32_t first, n;
	struct mbaddress_unit unit;
	struct device device;
	struct cell *cells;
};

struct reading { /* one way to see a value */
	enum type type;
	const char *order;
	char text[DECIMAL_ROOM];
};

static int parse(const char *text, long least, long most, long *ret)
{
	char *end;
	long number = strtol(text, &end, text_begins(text, "0x") ? 16 : 10); /* as data sheets have it, too */
	if (end == text || *end || number < least || number > most)
		return -1;
	*ret = number;
	return 0;
}

static int parse_table(const char *text)
{
	for (int i = 0; i < N_TABLES; i++)
		if (strcmp(tables[i].word, text) == 0)
			return i;
	return -1;
}

/* false: the bytes are none of this type */
static bool see(const struct peek *k, uint32_t at, enum type type, const char *order, struct reading *ret)
{
	struct mbcodec codec = { .type = type };
	struct value value = { 0 };
	uint8_t wire[8];
	size_t size = mbcodec_size(&codec);
	if (at + size / 2 > k->n || mbcodec_order(order, size, &codec.order) < 0)
		return false;
	for (size_t i = 0; i < size / 2; i++) {
		if (!k->cells[at + i].good)
			return false;
		memcpy(wire + 2 * i, k->cells[at + i].wire, 2);
	}
	if (mbcodec_decode(&codec, wire, &value) != TROUBLE_NONE)
		return false;
	char room[DECIMAL_ROOM];
	*ret = (struct reading){ .type = type, .order = order };
	snprintf(ret->text, sizeof(ret->text), "%s", value_print(&value, room));
	value_free(&value);
	return true;
}

/* Neither nothing nor a size that no meter shows: four orders of a random number are rarely like this. */
static bool is_usual(const struct reading *r)
{
	double size = strtod(r->text, NULL);
	size = size < 0 ? -size : size;
	return size >= 1e-3 && size <= 1e7;
}

/* Registers it takes; 0: the register could not be read. */
static uint32_t guess(const struct peek *k, uint32_t at, struct reading *ret)
{
	static const char *const orders[] = { "ABCD", "CDAB", "DCBA", "BADC" };
	for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++)
		if (see(k, at, TYPE_FLOAT32, orders[i], ret) && is_usual(ret))
			return 2;
	if (!see(k, at, TYPE_UINT16, "AB", ret))
		return 0;
	if (k->cells[at].wire[0] >= 0xF0) /* a small number below zero is likelier than one above 61439 */
		see(k, at, TYPE_INT16, "AB", ret);
	return 1;
}

static bool is_guess(const struct reading *r, const struct reading *likely)
{
	return r->type == likely->type && strcmp(r->order, likely->order) == 0;
}

static void print_type(const struct peek *k, uint32_t at, enum type type, const struct reading *likely)
{
	struct mbcodec codec = { .type = type };
	const char *words = mbcodec_orders(mbcodec_size(&codec));
	char order[9];
	bool begun = false;
	for (int used = 0; sscanf(words, "%8s%n", order, &used) == 1; words += used) {
		struct reading r;
		if (!see(k, at, type, order, &r))
			continue;
		if (!begun)
			fprintf(k->c->out, "    %-8s", type_word(type));
		begun = true;
		fprintf(k->c->out, "  %s %s%s", order, r.text, likely && is_guess(&r, likely) ? " *" : "");
	}
	if (begun)
		fputc('\n', k->c->out);
}

static void print_register(const struct peek *k, uint32_t at, const struct reading *likely)
{
	static const enum type types[] = { TYPE_UINT16,  TYPE_INT16, TYPE_BCD16,  TYPE_UINT32, TYPE_INT32,
					   TYPE_FLOAT32, TYPE_BCD32, TYPE_UINT64, TYPE_INT64,  TYPE_FLOAT64 };
	const struct cell *cell = &k->cells[at];
	fprintf(k->c->out, "%s %u: ", tables[k->table].word, k->first + at);
	if (!cell->good) {
		fprintf(k->c->out, "%s\n", cell->answer.why.text);
		return;
	}
	fprintf(k->c->out, "0x%02x%02x\n", cell->wire[0], cell->wire[1]);
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		print_type(k, at, types[i], likely);
}

static void print_bits(const struct peek *k)
{
	for (uint32_t i = 0; i < k->n; i++)
		fprintf(k->c->out, "%s %u: %s\n", tables[k->table].word, k->first + i,
			!k->cells[i].good     ? k->cells[i].answer.why.text
			: k->cells[i].wire[1] ? "true"
					      : "false");
}

static void add_point(const struct peek *k, uint32_t at, const struct reading *likely, struct text *to)
{
	const char *word = tables[k->table].word;
	text_addf(to, "%s\n    { id = \"%s-%u\"; name = \"%s %u\"; table = \"%s\"; address = %u; type = \"%s\";",
		  to->size ? "," : "", word, k->first + at, word, k->first + at, word, k->first + at,
		  likely ? type_word(likely->type) : "bool");
	if (likely && strlen(likely->order) > 2)
		text_addf(to, " order = \"%s\";", likely->order);
	text_add(to, " }");
}

static void print_words(const struct peek *k, struct text *points)
{
	struct reading likely = { 0 };
	uint32_t owned = 0; /* registers that belong to the value before */
	for (uint32_t i = 0; i < k->n; i++) {
		uint32_t taken = owned ? 0 : guess(k, i, &likely);
		print_register(k, i, taken ? &likely : NULL);
		if (taken)
			add_point(k, i, &likely, points);
		owned = taken ? taken - 1 : owned ? owned - 1 : 0;
	}
}

static void print_device(const struct peek *k, const struct text *points)
{
	long long unit = (long long)k->unit.unit_id;
	uint32_t first = 0;
	while (!k->cells[first].good)
		first++;
	fprintf(k->c->out,
		"\n# * is a guess: look at the manual of the device before you trust it\n"
		"  { id = \"unit-%lld\"; bus = \"%s\"; unit_id = %lld; name = \"Unit %lld\"; addressing = "
		"\"protocol\"; "
		"points = (%s\n  ); }\n",
		unit, k->bus->id, unit, unit, points->data);
	cli_suggest(k->c, "read unit-%lld.%s-%u", unit, tables[k->table].word, k->first + first);
}

static void print_all(const struct peek *k)
{
	struct text points = { 0 };
	if (tables[k->table].bits)
		print_bits(k);
	else
		print_words(k, &points);
	for (uint32_t i = 0; i < k->n && tables[k->table].bits; i++)
		if (k->cells[i].good)
			add_point(k, i, NULL, &points);
	if (points.size)
		print_device(k, &points);
	text_free(&points);
}

static struct point *make_point(struct peek *k, struct cell *cell, uint32_t at)
{
	struct point *p = mem_new(sizeof(*p));
	cell->address = (struct mbaddress){ .has_table = true, .table = k->table, .address = k->first + at };
	*p = (struct point){ .id = mem_format("%u", k->first + at),
			     .type = tables[k->table].bits ? TYPE_BOOL : TYPE_UINT16,
			     .access = ACCESS_READ,
			     .decimals = -1,
			     .address = &cell->address,
			     .device = &k->device };
	return p;
}

static int make_points(struct peek *k, struct err *e)
{
	k->cells = mem_array(k->n, sizeof(*k->cells));
	for (uint32_t i = 0; i < k->n; i++)
		k->cells[i].point = make_point(k, &k->cells[i], i);
	if (k->protocol->check_device && k->protocol->check_device(&k->device, e) < 0)
		return -1;
	for (uint32_t i = 0; i < k->n; i++)
		if (k->protocol->check(k->cells[i].point, e) < 0)
			return -1;
	return 0;
}

static void keep(struct cell *cell, const struct direct_answer *answer)
{
	const struct sample *s = &cell->point->last;
	uint64_t bits = 0;
	cell->answer = *answer;
	cell->good = answer->status == REQUEST_DONE && s->quality == QUALITY_GOOD;
	if (cell->good && s->value.type == VALUE_BOOL)
		bits = s->value.yes;
	else if (cell->good && decimal_unsigned(s->value.number, &bits) < 0)
		cell->good = false;
	cell->wire[0] = (uint8_t)(bits >> 8);
	cell->wire[1] = (uint8_t)bits;
}

static int read_cells(struct peek *k, struct err *e)
{
	struct point **points = mem_array(k->n, sizeof(*points));
	struct direct_answer *answers = mem_array(k->n, sizeof(*answers));
	size_t n_good = 0;
	for (uint32_t i = 0; i < k->n; i++)
		points[i] = k->cells[i].point;
	int bad = direct_ask(k->c, k->bus, points, k->n, NULL, answers, e);
	for (uint32_t i = 0; i < k->n && !bad; i++) {
		keep(&k->cells[i], &answers[i]);
		n_good += k->cells[i].good;
	}
	if (!bad && !n_good)
		bad = err_set(e, "%s", answers[0].why.text);
	mem_free(points);
	mem_free(answers);
	return bad;
}

static void free_cells(struct peek *k)
{
	for (uint32_t i = 0; k->cells && i < k->n; i++)
		point_free(k->cells[i].point);
	mem_free(k->cells);
}

static int look(struct peek *k)
{
	struct err why;
	int code = CLI_DONE;
	k->device = (struct device){ .id = k->c->args[1], .bus = k->bus, .options = &k->unit };
	if (make_points(k, &why) < 0 || read_cells(k, &why) < 0)
		code = cli_fail(k->c, CLI_FAILED, "%s", why.text);
	else
		print_all(k);
	free_cells(k);
	return code;
}

static int find_bus(struct peek *k, const struct conf *conf, const struct protocol *const *protocols)
{
	struct cli *c = k->c;
	k->bus = conf->house ? house_find_bus(conf->house, c->args[0]) : NULL;
	if (!k->bus)
		return cli_fail(c, CLI_FAILED, "there is no bus '%s' in %s", c->args[0], c->conf);
	while (strcmp((*protocols)->name, k->bus->protocol) != 0)
		protocols++;
	k->protocol = *protocols;
	if (k->protocol->address != mbaddress_rows)
		return cli_fail(c, CLI_FAILED, "bus '%s' is no Modbus: %s has no registers", k->bus->id,
				k->bus->protocol);
	return look(k);
}

static int parse_all(struct peek *k)
{
	struct cli *c = k->c;
	long unit, first, n;
	if (c->n_args != 5)
		return cli_fail(c, CLI_USAGE, "peek takes BUS UNIT TABLE ADDRESS N");
	k->table = parse_table(c->args[2]);
	if (k->table < 0)
		return cli_fail(c, CLI_USAGE, "TABLE is coil, discrete, input or holding, not '%s'", c->args[2]);
	if (parse(c->args[1], 0, 255, &unit) < 0)
		return cli_fail(c, CLI_USAGE, "UNIT is a number from 0 to 255");
	if (parse(c->args[3], 0, 65535, &first) < 0)
		return cli_fail(c, CLI_USAGE, "ADDRESS is a number from 0 to 65535, as on the wire");
	if (parse(c->args[4], 1, WINDOW, &n) < 0 || first + n > 65536)
		return cli_fail(c, CLI_USAGE, "N is a number from 1 to %d, and the last address is 65535", WINDOW);
	k->unit = (struct mbaddress_unit){ .unit_id = unit, .max_block = -1, .max_gap = -1 };
	k->first = (uint32_t)first;
	k->n = (uint32_t)n;
	return CLI_DONE;
}

int peek_run(struct cli *c)
{
	struct peek k = { .c = c };
	struct conf conf;
	int code = parse_all(&k);
	if (code != CLI_DONE)
		return code;
	const struct protocol **protocols = drivers_protocols();
	if (conf_load(&conf, c->conf, protocols) < 0) {
		code = CLI_FAILED;
		fputs(conf.errors.data, c->err);
	} else {
		code = find_bus(&k, &conf, protocols);
	}
	conf_free(&conf);
	mem_free(protocols);
	return code;
}
