#include "bridges/hapoint.h"

#include "bridges/compose.h"
#include "bridges/hatemplate.h"
#include "core/base/limits.h"
#include "core/base/mem.h"
#include "core/conf/repeat.h"
#include "core/conf/scalar.h"
#include "core/model/decimal.h"

#include <math.h>
#include <string.h>

struct maker {
	struct hajson json;
	struct text to;    /* the point */
	struct text write; /* what stands in its write group */
	bool has_path;
	struct err *why;
};

/* --- pieces --- */

/* A text of the message or the fallback, into room that is the caller's. */
static int read_text(struct maker *m, const char *key, const char *fallback, struct text *ret)
{
	int has = hajson_text(m->json, key, ret, m->why);
	if (has == 0)
		text_add(ret, fallback);
	return has < 0 ? -1 : has;
}

/* Jinja writes True where JSON has true; a template that finds it by path sees JSON. */
static int read_word(struct maker *m, const char *key, const char *fallback, struct text *ret)
{
	if (read_text(m, key, fallback, ret) < 0)
		return -1;
	for (int yes = 0; yes < 2 && m->has_path; yes++)
		if (text_same_word(ret->data, yes ? "true" : "false")) {
			text_clear(ret);
			text_add(ret, yes ? "true" : "false");
		}
	return 0;
}

static int add_words(struct text *to, const char *on, const char *off, struct err *e)
{
	if (!*on || !*off || strcmp(on, off) == 0)
		return err_set(e, "the words for on and off are empty or the same");
	scalar_put(to, "on", on);
	scalar_put(to, "off", off);
	return 0;
}

static int add_topic(struct maker *m, const char *key, struct text *to)
{
	struct text topic = { 0 };
	int has = hajson_topic(m->json, key, &topic, m->why);
	if (has > 0)
		scalar_put(to, "topic", topic.data);
	text_free(&topic);
	return has;
}

static int add_path(struct maker *m, const char *key, bool number)
{
	struct text template = { 0 };
	char *path = NULL;
	int decimals = -1, bad = 0, has = hajson_text(m->json, key, &template, m->why);
	if (has > 0 && template.size)
		bad = hatemplate_value(template.data, &path, &decimals, m->why);
	if (path)
		scalar_put(&m->to, "path", path);
	if (decimals >= 0 && number)
		text_addf(&m->to, " decimals = %d;", decimals);
	m->has_path = path != NULL;
	text_free(&template);
	mem_free(path);
	return has < 0 ? -1 : bad;
}

/* 0: nothing is heard of it */
static int add_heard(struct maker *m, const char *template, bool number)
{
	int has = add_topic(m, "state_topic", &m->to);
	if (has > 0 && add_path(m, template, number) < 0)
		return -1;
	return has;
}

static void add_stale(struct maker *m, const char *key)
{
	double seconds = 0;
	if (hajson_number(m->json, key, &seconds) && seconds >= 1 && seconds < 1e7)
		text_addf(&m->to, " stale = \"%.0fs\";", seconds);
}

static int add_unit(struct maker *m)
{
	struct text unit = { 0 };
	int has = hajson_text(m->json, "unit_of_measurement", &unit, m->why);
	while (unit.size && unit.data[unit.size - 1] == ' ')
		unit.data[--unit.size] = '\0';
	if (unit.size > 64)
		has = err_set(m->why, "unit_of_measurement is longer than 64 bytes");
	else if (unit.size)
		scalar_put(&m->to, "unit", unit.data);
	bool any = unit.size;
	text_free(&unit);
	return has < 0 ? -1 : any;
}

static int read_number(struct maker *m, const char *key, double fallback, struct decimal *ret)
{
	double number = fallback;
	if (hajson_find(m->json, key) && !hajson_number(m->json, key, &number))
		return err_set(m->why, "%s is no number", key);
	if (!(fabs(number) < 1e15) || !decimal_of_double(number, ret))
		return err_set(m->why, "%s is out of all proportion", key);
	return 0;
}

static int add_range(struct maker *m)
{
	char least[DECIMAL_ROOM], most[DECIMAL_ROOM];
	struct decimal min = { 0 }, max = { 0 };
	if (read_number(m, "min", 1, &min) < 0 || read_number(m, "max", 100, &max) < 0)
		return -1;
	if (decimal_compare(min, max) > 0)
		return err_set(m->why, "min is greater than max");
	decimal_print(min, least);
	decimal_print(max, most);
	text_addf(&m->to, " min = \"%s\"; max = \"%s\";", least, most);
	return 0;
}

static bool is_echo(struct maker *m)
{
	struct text state = { 0 }, command = { 0 };
	bool same = hajson_topic(m->json, "state_topic", &state, NULL) > 0 &&
		    hajson_topic(m->json, "command_topic", &command, NULL) > 0 && strcmp(state.data, command.data) == 0;
	text_free(&state);
	text_free(&command);
	return same;
}

/* Access and the write group; payload: how a value is written when the message has no template of its own. */
static int add_write(struct maker *m, int heard, const char *payload, bool is_text)
{
	struct text template = { 0 };
	char *own = NULL;
	int has = heard < 0 ? -1 : add_topic(m, "command_topic", &m->write);
	if (has == 0)
		return err_set(m->why, "command_topic is missing");
	if (has > 0)
		has = hajson_text(m->json, "command_template", &template, m->why);
	if (has > 0 && template.size)
		has = hatemplate_command(template.data, is_text, &own, m->why);
	text_free(&template);
	if (has >= 0 && own &&
	    compose_check(&(struct compose_rule){ .template = own }, is_text ? TYPE_TEXT : TYPE_REAL, m->why) < 0)
		has = err_wrap(m->why, "command_template");
	if (has >= 0 && is_echo(m))
		has = err_set(m->why, "its commands would come back as its state: both have one topic");
	if (has >= 0)
		scalar_put(&m->write, "payload", own ? own : payload);
	mem_free(own);
	if (has < 0)
		return -1;
	if (json_is_true(hajson_find(m->json, "retain")))
		text_add(&m->write, " retain = true;");
	text_addf(&m->write, " confirm = \"%s\";", heard ? "state" : "none");
	text_addf(&m->to, " access = \"%s\"; write = {%s };", heard ? "rw" : "w", m->write.data);
	return 0;
}

/* --- kinds --- */

static int print_sensor(struct maker *m)
{
	struct hajson j = m->json;
	double digits = -1;
	bool when = hajson_is(j, "device_class", "timestamp");
	bool words = hajson_is(j, "device_class", "enum") || hajson_is(j, "device_class", "date");
	int unit = words || when ? 0 : add_unit(m);
	bool number = !words && !when && (unit > 0 || hajson_find(j, "device_class") || hajson_find(j, "state_class"));
	text_addf(&m->to, " type = \"%s\";", when ? "time" : number ? "real" : "text");
	if (hajson_is(j, "state_class", "total") || hajson_is(j, "state_class", "total_increasing"))
		text_add(&m->to, " kind = \"counter\";");
	else if (hajson_find(j, "entity_category"))
		text_add(&m->to, " kind = \"status\";");
	int heard = unit < 0 ? -1 : add_heard(m, "value_template", number);
	if (heard == 0)
		return err_set(m->why, "state_topic is missing");
	if (number && !strstr(m->to.data, " decimals = ") && hajson_number(j, "suggested_display_precision", &digits) &&
	    digits >= 0 && digits < 10)
		text_addf(&m->to, " decimals = %.0f;", digits);
	add_stale(m, "expire_after");
	return heard < 0 ? -1 : 0;
}

static int print_binary_sensor(struct maker *m)
{
	struct text on = { 0 }, off = { 0 };
	text_add(&m->to, " type = \"bool\";");
	int heard = add_heard(m, "value_template", false), bad = heard < 0 ? -1 : 0;
	if (heard == 0)
		return err_set(m->why, "state_topic is missing");
	if (!bad)
		bad = read_word(m, "payload_on", "ON", &on) < 0 || read_word(m, "payload_off", "OFF", &off) < 0 ? -1
														: 0;
	if (!bad)
		bad = add_words(&m->to, on.data, off.data, m->why);
	add_stale(m, hajson_find(m->json, "off_delay") ? "off_delay" : "expire_after");
	text_free(&on);
	text_free(&off);
	return bad;
}

/* The words that are written may differ from those that are heard. */
static int add_switch_words(struct maker *m)
{
	struct text on = { 0 }, off = { 0 }, state_on = { 0 }, state_off = { 0 };
	int bad = read_text(m, "payload_on", "ON", &on) < 0 || read_text(m, "payload_off", "OFF", &off) < 0 ||
				  read_word(m, "state_on", on.data, &state_on) < 0 ||
				  read_word(m, "state_off", off.data, &state_off) < 0
			  ? -1
			  : add_words(&m->to, state_on.data, state_off.data, m->why);
	bool same = !bad && strcmp(on.data, state_on.data) == 0 && strcmp(off.data, state_off.data) == 0;
	if (!bad && !same)
		bad = add_words(&m->write, on.data, off.data, m->why);
	text_free(&on);
	text_free(&off);
	text_free(&state_on);
	text_free(&state_off);
	return bad;
}

static int print_switch_as(struct maker *m, const char *template)
{
	text_add(&m->to, " type = \"bool\";");
	int heard = add_heard(m, template, false);
	if (heard < 0 || add_switch_words(m) < 0)
		return -1;
	return add_write(m, heard, "${raw}", false);
}

static int print_switch(struct maker *m)
{
	return print_switch_as(m, "value_template");
}

static int print_light(struct maker *m)
{
	if (hajson_is(m->json, "schema", "template"))
		return err_set(m->why, "a light of schema 'template'");
	if (!hajson_is(m->json, "schema", "json"))
		return print_switch_as(m, hajson_find(m->json, "state_value_template") ? "state_value_template"
										       : "value_template");
	text_add(&m->to, " type = \"bool\"; on = \"ON\"; off = \"OFF\";");
	int heard = add_topic(m, "state_topic", &m->to);
	if (heard > 0)
		text_add(&m->to, " path = \"/state\";");
	return add_write(m, heard, "{\"state\": ${value}}", false);
}

static int print_number(struct maker *m)
{
	text_add(&m->to, " type = \"real\";");
	int heard = add_unit(m) < 0 ? -1 : add_heard(m, "value_template", true);
	if (heard < 0 || add_range(m) < 0)
		return -1;
	return add_write(m, heard, "${raw}", false);
}

static int add_choices(struct maker *m)
{
	const json_t *options = hajson_find(m->json, "options");
	size_t n = json_array_size(options);
	if (n == 0 || n > LIMIT_FOUND_CHOICES)
		return err_set(m->why, "options are missing or more than %d", LIMIT_FOUND_CHOICES);
	text_add(&m->to, " choices = (");
	for (size_t i = 0; i < n; i++) {
		const json_t *one = json_array_get(options, i);
		const char *word = json_string_value(one);
		size_t size = json_string_length(one);
		if (!word || size == 0 || size > LIMIT_NAME || !text_is_clean(word, size) || repeat_is_any(word))
			return err_set(m->why, "one of the options is no short text");
		text_add(&m->to, i ? ", " : " ");
		scalar_quote(&m->to, word);
	}
	text_add(&m->to, " );");
	return 0;
}

static int print_select(struct maker *m)
{
	text_add(&m->to, " type = \"text\";");
	int heard = add_heard(m, "value_template", false);
	if (heard < 0 || add_choices(m) < 0)
		return -1;
	return add_write(m, heard, "${raw}", true);
}

static const struct {
	const char *word;
	int (*print)(struct maker *m);
} kinds[] = {
	{ "sensor", print_sensor }, { "binary_sensor", print_binary_sensor },
	{ "switch", print_switch }, { "number", print_number },
	{ "select", print_select }, { "light", print_light },
};
enum { N_KINDS = sizeof(kinds) / sizeof(kinds[0]) };

/* --- all --- */

static size_t find_kind(const char *kind)
{
	size_t i = 0;
	while (i < N_KINDS && strcmp(kinds[i].word, kind) != 0)
		i++;
	return i;
}

bool hapoint_is_kind(const char *kind)
{
	return find_kind(kind) < N_KINDS;
}

/* "weather_sensor_temperature" of the device "weather_sensor" is its "temperature". */
static const char *without_device(const char *name, const char *device)
{
	size_t size = device ? strlen(device) : 0;
	bool begins = size && strncmp(name, device, size) == 0 && strspn(name + size, " _-");
	const char *rest = begins ? name + size + strspn(name + size, " _-") : name;
	return *rest ? rest : name;
}

static int add_name(struct maker *m, const char *device)
{
	struct text name = { 0 };
	int has = hajson_text(m->json, "name", &name, m->why);
	const char *own = has > 0 && name.size ? without_device(name.data, device) : "";
	if (strlen(own) > LIMIT_NAME)
		has = err_set(m->why, "name has more than %d bytes", LIMIT_NAME);
	else if (*own)
		scalar_put(&m->to, "name", own);
	text_free(&name);
	return has;
}

int hapoint_print(struct hajson j, const char *kind, const char *id, const char *device, char **ret, struct err *e)
{
	struct maker m = { .json = j, .why = e };
	size_t i = find_kind(kind);
	if (i == N_KINDS) {
		char room[40];
		return err_set(e, "a '%s' is none of those that are taken",
			       text_quote(room, sizeof(room), kind, strlen(kind)));
	}
	text_add(&m.to, "{");
	scalar_put(&m.to, "id", id);
	int bad = add_name(&m, device) < 0 ? -1 : kinds[i].print(&m);
	text_free(&m.write);
	if (bad)
		text_free(&m.to);
	else
		*ret = m.to.data;
	return bad;
}
