#include "core/cli/values.h"

#include "core/base/json.h"
#include "core/base/mem.h"
#include "core/cli/daemon.h"
#include "core/cli/direct.h"
#include "core/conf/conf.h"
#include "core/control/control.h"
#include "core/drivers.h"

#include <string.h>
#include <time.h>

struct picked { /* what a word works on */
	struct cli *c;
	struct conf conf;
	struct point **points;
	size_t n;
};

static int64_t utc_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* What is not good says so in front: an old number must not be taken for a new one. */
static void print_line(void *ctx, const json_t *line, const char *text)
{
	const struct cli *c = ctx;
	const char *value = daemon_text(line, "value"), *unit = daemon_text(line, "unit");
	const char *when = daemon_text(line, "time");
	if (c->json) {
		fprintf(c->out, "%s\n", text);
	} else {
		fprintf(c->out, "%s: ", daemon_text(line, "point"));
		if (json_is_string(json_object_get(line, "value")))
			fprintf(c->out, "%s%s%s, ", value, *unit ? " " : "", unit);
		daemon_print_quality(c, line);
		if (*when)
			fprintf(c->out, ", %s, %lld ms old", when, daemon_number(line, "age_ms"));
		fputc('\n', c->out);
	}
	fflush(c->out);
}

/* The same line that the daemon would give. */
static void print_point(const struct cli *c, const struct point *p)
{
	struct text t = { 0 };
	struct cli copy = *c;
	json_begin(&t, NULL, '{');
	control_add_point(&t, p);
	control_add_sample(&t, &p->last, p->unit, utc_ms());
	json_end(&t, '}');
	json_t *line = daemon_parse(t.data, t.size);
	print_line(&copy, line, t.data);
	json_decref(line);
	text_free(&t);
}

/* outcome: accepted, answered or confirmed */
static void print_written(const struct cli *c, const char *point, const char *outcome)
{
	const char *words = text_same(outcome, "confirmed")  ? "written, and seen at the device"
			    : text_same(outcome, "answered") ? "written; the device answered that it did"
							     : "accepted; nobody looked whether it holds";
	struct text line = { 0 };
	json_begin(&line, NULL, '{');
	json_put(&line, "point", point);
	json_put(&line, "outcome", outcome);
	json_end(&line, '}');
	if (c->json)
		fprintf(c->out, "%s\n", line.data);
	else
		fprintf(c->out, "%s: %s\n", point, words);
	text_free(&line);
}

static void print_outcome(void *ctx, const json_t *line, const char *text)
{
	(void)text;
	print_written(ctx, daemon_text(line, "point"), daemon_text(line, "outcome"));
}

static int pick(struct picked *k, size_t n)
{
	struct cli *c = k->c;
	for (size_t i = 0; i < n; i++) {
		struct point *p = k->conf.house ? house_find_point(k->conf.house, c->args[i]) : NULL;
		if (!p) {
			fputs(k->conf.errors.data ? k->conf.errors.data : "", c->err);
			return cli_fail(c, CLI_FAILED, "there is no point '%s' in %s; it is named DEVICE.POINT",
					c->args[i], c->conf);
		}
		if (p->disabled)
			return cli_fail(c, CLI_FAILED, "point '%s' is disabled", c->args[i]);
		if (i && p->device->bus != k->points[0]->device->bus)
			return cli_fail(c, CLI_FAILED, "point '%s' is on another bus than '%s'; one bus at a time",
					c->args[i], c->args[0]);
		for (size_t j = 0; j < i; j++)
			if (k->points[j] == p)
				return cli_fail(c, CLI_USAGE, "point '%s' is given twice", c->args[i]);
		k->points[k->n++] = p;
	}
	return CLI_DONE;
}

/* The first n arguments are points. */
static int with_points(struct cli *c, size_t n, int (*fn)(struct picked *k))
{
	struct picked k = { .c = c };
	const struct protocol **protocols = drivers_protocols();
	int code = CLI_FAILED;
	k.points = mem_array(n, sizeof(*k.points));
	if (conf_load(&k.conf, c->conf, protocols) < 0)
		fputs(k.conf.errors.data, c->err);
	else
		code = pick(&k, n);
	if (code == CLI_DONE)
		code = fn(&k);
	mem_free(k.points);
	conf_free(&k.conf);
	mem_free(protocols);
	return code;
}

static struct bus *bus_of(const struct picked *k)
{
	return k->points[0]->device->bus;
}

static int read_points(struct picked *k)
{
	struct err why;
	struct direct_answer answer = { 0 };
	struct point *p = k->points[0];
	if (!(p->access & ACCESS_READ))
		return cli_fail(k->c, CLI_FAILED, "point '%s' can only be written", k->c->args[0]);
	if (direct_ask(k->c, bus_of(k), k->points, 1, NULL, &answer, &why) < 0)
		return cli_fail(k->c, CLI_FAILED, "%s", why.text);
	print_point(k->c, p);
	if (*answer.why.text)
		return cli_fail(k->c, CLI_FAILED, "%s", answer.why.text);
	if (p->last.quality != QUALITY_GOOD)
		return cli_fail(k->c, CLI_FAILED, "%s: there is no good value: %s", k->c->args[0],
				p->last.trouble ? trouble_word(p->last.trouble) : quality_word(p->last.quality));
	return CLI_DONE;
}

static int to_raw(const struct point *p, const char *text, struct value *ret_raw, struct err *e)
{
	struct value shown = { 0 };
	if (point_parse(p, text, strlen(text), &shown, e) < 0)
		return -1;
	int bad = point_to_raw(p, &shown, ret_raw, e);
	value_free(&shown);
	return bad;
}

static int write_point(struct picked *k)
{
	struct err why;
	struct value raw = { 0 };
	struct direct_answer answer = { 0 };
	struct cli *c = k->c;
	if (to_raw(k->points[0], c->args[1], &raw, &why) < 0)
		return cli_fail(c, CLI_FAILED, "%s: %s", c->args[0], why.text);
	if (direct_ask(c, bus_of(k), k->points, 1, &raw, &answer, &why) < 0)
		return cli_fail(c, CLI_FAILED, "%s", why.text);
	if (answer.status != REQUEST_DONE)
		return cli_fail(c, CLI_FAILED, "%s: %s", c->args[0], answer.why.text);
	print_written(c, c->args[0], answer.confirmed ? "confirmed" : answer.answered ? "answered" : "accepted");
	return CLI_DONE;
}

static void on_news(void *ctx, const struct point *p)
{
	print_point(ctx, p);
}

static int watch_points(struct picked *k)
{
	struct err why;
	if (direct_watch(k->c, bus_of(k), k->points, k->n, on_news, k->c, &why) < 0)
		return cli_fail(k->c, CLI_FAILED, "%s", why.text);
	return CLI_DONE;
}

/* The daemon has the bus and knows what is fresh; without one the bus itself is asked. */
static int ask(struct cli *c, void (*print)(void *ctx, const json_t *line, const char *text), size_t n_points,
	       int (*direct)(struct picked *k), bool endless)
{
	struct err why;
	const struct daemon_lines lines = { print, c, endless };
	int end = daemon_ask(c, c->word, c->args, c->n_args, &lines, &why);
	if (end == DAEMON_NONE)
		return with_points(c, n_points, direct);
	return end == DAEMON_DONE ? CLI_DONE : cli_fail(c, CLI_FAILED, "%s", why.text);
}

int values_read(struct cli *c)
{
	if (c->n_args != 1)
		return cli_fail(c, CLI_USAGE, "read takes one DEVICE.POINT");
	return ask(c, print_line, 1, read_points, false);
}

int values_write(struct cli *c)
{
	if (c->n_args != 2)
		return cli_fail(c, CLI_USAGE, "write takes a DEVICE.POINT and a value");
	return ask(c, print_outcome, 1, write_point, false);
}

int values_watch(struct cli *c)
{
	if (c->n_args < 1)
		return cli_fail(c, CLI_USAGE, "watch takes one or more DEVICE.POINT");
	return ask(c, print_line, (size_t)c->n_args, watch_points, true);
}
