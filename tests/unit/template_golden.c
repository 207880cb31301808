/*
 * Every template that is installed, against what a device of its kind sends: tests/unit/templates/NAME.txt. The registers are
 * no recordings: values were made up and put into registers apart from this program. A point without a line there fails.
 */
#include "bridges/compose.h"
#include "bridges/mbaddress.h"
#include "bridges/mqtt_rows.h"
#include "bridges/payload.h"
#include "core/base/mem.h"
#include "core/conf/conf.h"
#include "core/drivers.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FIELDS = 5 };

struct chosen {
	char text[64];
};

struct golden {
	const char *name;
	struct conf c;
	struct device *d;
	bool seen[200]; /* points that had a line */
};

ParameterizedTestParameters(template, decodes_what_its_device_sends)
{
	static struct chosen names[200];
	size_t n = 0;
	DIR *d = opendir(TEMPLATES);
	struct dirent *entry;
	while (d && (entry = readdir(d)) && n < sizeof(names) / sizeof(*names)) {
		const char *dot = strstr(entry->d_name, ".conf");
		if (dot && strlen(entry->d_name) < sizeof(names[n].text))
			snprintf(names[n++].text, sizeof(names[n].text), "%.*s", (int)(dot - entry->d_name),
				 entry->d_name);
	}
	closedir(d);
	return cr_make_param_array(struct chosen, names, n);
}

static bool file_says(const char *name, const char *words)
{
	char path[PATH_MAX], line[1000];
	snprintf(path, sizeof(path), "%s/%s.conf", TEMPLATES, name);
	FILE *file = fopen(path, "r");
	bool found = false;
	while (file && fgets(line, sizeof(line), file))
		found = found || strstr(line, words);
	if (file)
		fclose(file);
	return found;
}

/* One device with the template, on a bus that speaks its protocol. */
static void begin(struct golden *g)
{
	char folder[PATH_MAX / 2], path[PATH_MAX], link[PATH_MAX];
	bool modbus = file_says(g->name, "protocol = \"modbus\"");
	const struct protocol **protocols = drivers_protocols();
	snprintf(folder, sizeof(folder), "%s/jidgate-golden-XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	cr_assert_not_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/site.conf", folder);
	snprintf(link, sizeof(link), "%s/templates.d", folder);
	cr_assert_eq(symlink(TEMPLATES, link), 0);
	FILE *file = fopen(path, "w");
	fprintf(file,
		"buses = ( { id = \"b\"; protocol = \"%s\"; host = \"192.0.2.1\"; } );\n"
		"devices = ( { id = \"d%s\"; bus = \"b\"; template = \"%s\"; %s } );\n",
		modbus ? "modbus-tcp" : "mqtt", modbus ? "" : "-${unit}", g->name,
		modbus ? "unit_id = 1;" : "units = \"1\"; topic = \"dev\";");
	fclose(file);
	int result = conf_load(&g->c, path, protocols);
	cr_expect_eq(result, 0, "%s", g->c.errors.data);
	cr_expect_eq(g->c.n_errors, 0, "%s", g->c.errors.data);
	unlink(path);
	unlink(link);
	rmdir(folder);
	mem_free(protocols);
	cr_assert(g->c.house && g->c.house->n_devices == 1 && !g->c.house->devices[0]->broken);
	g->d = g->c.house->devices[0];
	cr_assert_leq(g->d->n_points, sizeof(g->seen));
}

static struct point *find(struct golden *g, const char *id)
{
	for (size_t i = 0; i < g->d->n_points; i++)
		if (strcmp(g->d->points[i]->id, id) == 0) {
			g->seen[i] = true;
			return g->d->points[i];
		}
	cr_assert_fail("%s: there is no point '%s'", g->name, id);
	abort();
}

static void expect_shown(struct golden *g, const struct point *p, enum trouble why, const struct value *raw,
			 const char *wanted)
{
	char room[DECIMAL_ROOM];
	struct value shown = { 0 };
	if (why == TROUBLE_NONE)
		point_to_shown(p, raw, &shown, &why);
	const char *said = why == TROUBLE_NONE ? value_print(&shown, room) : trouble_word(why);
	cr_expect_str_eq(said, wanted, "%s: %s: %s instead of %s", g->name, p->id, said, wanted);
	value_free(&shown);
}

/* "0903 0000" -> bytes */
static size_t registers(const char *text, uint8_t *ret, size_t room)
{
	size_t n = 0;
	unsigned word;
	int used;
	for (; n + 2 <= room && sscanf(text, "%4x%n", &word, &used) == 1; text += used) {
		ret[n++] = (uint8_t)(word >> 8);
		ret[n++] = (uint8_t)word;
	}
	return n;
}

static void check_registers(struct golden *g, char *fields[FIELDS])
{
	static const char *const tables[] = { "coil", "discrete", "input", "holding" };
	const struct point *p = find(g, fields[0]);
	const struct mbaddress *a = p->address;
	uint8_t wire[MBCODEC_MOST];
	struct value raw = { 0 };
	size_t n = registers(fields[3], wire, sizeof(wire));
	cr_expect_str_eq(tables[a->table], fields[1], "%s: %s", g->name, p->id);
	cr_expect_eq(a->first, atol(fields[2]), "%s: %s", g->name, p->id);
	cr_assert_eq(n, 2 * (size_t)a->count, "%s: %s", g->name, p->id);
	enum trouble why = mbaddress_decode(p, wire, &raw);
	expect_shown(g, p, why, &raw, fields[4]);
	value_free(&raw);
}

static void check_message(struct golden *g, char *fields[FIELDS])
{
	const struct point *p = find(g, fields[0]);
	const struct mqtt_address *a = p->address;
	const struct payload_rule rule = { p, a->path, a->on, a->off };
	struct payload payload = payload_of(fields[2], strlen(fields[2]));
	struct value raw = { 0 };
	enum trouble why = TROUBLE_NONE;
	struct err e = { "" };
	cr_expect_str_eq(a->topic, fields[1], "%s: %s", g->name, p->id);
	enum payload_result result = payload_take(&payload, &rule, &raw, &why, &e);
	cr_expect_neq(result, PAYLOAD_MISSING, "%s: %s: nothing in it", g->name, p->id);
	expect_shown(g, p, result == PAYLOAD_BAD ? why : TROUBLE_NONE, &raw, fields[3]);
	value_free(&raw);
}

static void check_write(struct golden *g, char *fields[FIELDS])
{
	char *topic = strstr(fields[0], " < ");
	*topic = '\0';
	const struct point *p = find(g, fields[0]);
	const struct mqtt_address *a = p->address;
	const struct compose_rule rule = { a->write.payload ? a->write.payload : "${raw}", a->on, a->off };
	struct value shown = { 0 }, raw = { 0 };
	struct text payload = { 0 };
	struct err e = { "" };
	cr_expect_str_eq(a->write.topic, topic + 3, "%s: %s", g->name, p->id);
	cr_assert_eq(point_parse(p, fields[1], strlen(fields[1]), &shown, &e), 0, "%s: %s: %s", g->name, p->id, e.text);
	cr_assert_eq(point_to_raw(p, &shown, &raw, &e), 0, "%s: %s: %s", g->name, p->id, e.text);
	compose_payload(&rule, p->type, &raw, &payload);
	cr_expect_str_eq(payload.data, fields[2], "%s: %s", g->name, p->id);
	value_free(&shown);
	value_free(&raw);
	text_free(&payload);
}

/* Splits at " | ". */
static size_t split(char *line, char *fields[FIELDS])
{
	size_t n = 0;
	line[strcspn(line, "\n")] = '\0';
	for (char *at = line; at && n < FIELDS; n++) {
		char *bar = strstr(at, " | ");
		fields[n] = at;
		if (bar)
			*bar = '\0';
		at = bar ? bar + 3 : NULL;
	}
	return n;
}

static void check_lines(struct golden *g, FILE *file)
{
	char line[2000], *fields[FIELDS];
	while (fgets(line, sizeof(line), file)) {
		size_t n = line[0] == '#' ? 0 : split(line, fields);
		if (n == 0)
			continue;
		if (n == 5)
			check_registers(g, fields);
		else if (n == 4)
			check_message(g, fields);
		else if (n == 3 && strstr(fields[0], " < "))
			check_write(g, fields);
		else
			cr_expect_fail("%s: a line of %zu fields: %s", g->name, n, line);
	}
}

ParameterizedTest(struct chosen *name, template, decodes_what_its_device_sends)
{
	struct golden g = { .name = name->text };
	char path[PATH_MAX];
	begin(&g);
	snprintf(path, sizeof(path), "%s/%s.txt", GOLDEN, g.name);
	FILE *file = fopen(path, "r");
	cr_assert_not_null(file, "%s is not there", path);
	check_lines(&g, file);
	fclose(file);
	for (size_t i = 0; i < g.d->n_points; i++)
		cr_expect(g.seen[i], "%s: point '%s' has no line in %s", g.name, g.d->points[i]->id, path);
	conf_free(&g.c);
}

Test(template, says_where_its_facts_are_from)
{
	DIR *d = opendir(TEMPLATES);
	struct dirent *entry;
	size_t n = 0;
	while (d && (entry = readdir(d))) {
		const char *dot = strstr(entry->d_name, ".conf");
		struct chosen name;
		if (!dot)
			continue;
		snprintf(name.text, sizeof(name.text), "%.*s", (int)(dot - entry->d_name), entry->d_name);
		cr_expect(file_says(name.text, "# Facts: "), "%s", name.text);
		n++;
	}
	closedir(d);
	cr_expect_geq(n, 20);
}
