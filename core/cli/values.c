#include "core/cli/values.h"

#include "core/base/mem.h"
#include "core/cli/direct.h"
#include "core/cli/json.h"
#include "core/conf/conf.h"
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

static void print_json(const struct cli *c, const struct point *p, const char *value, const char *when, int64_t age_ms)
{
	struct text t = { 0 }, name = { 0 };
	text_addf(&name, "%s.%s", p->device->id, p->id);
	text_add(&t, "{\"point\": ");
	json_text(&t, name.data, name.size);
	text_add(&t, ", \"value\": ");
	if (p->last.quality != QUALITY_GOOD) /* the last good one may be behind it */
		text_add(&t, "null");
	else
		json_text(&t, value, strlen(value));
	text_add(&t, ", \"unit\": ");
	json_text(&t, p->unit ? p->unit : "", p->unit ? strlen(p->unit) : 0);
	text_addf(&t, ", \"quality\": \"%s\", \"trouble\": \"%s\", \"time\": \"%s\", \"age_ms\": %lld}\n",
		  quality_word(p->last.quality), p->last.trouble ? trouble_word(p->last.trouble) : "", when,
		  (long long)age_ms);
	fputs(t.data, c->out);
	text_free(&t);
	text_free(&name);
}

/* What is not good says so in front: an old number must not be taken for a new one. */
static void print_point(const struct cli *c, const struct point *p)
{
	char room[DECIMAL_ROOM], when[25] = "";
	const struct sample *s = &p->last;
	const char *value = value_print(&s->value, room);
	int64_t age_ms = s->utc_ms ? utc_ms() - s->utc_ms : 0;
	if (s->utc_ms && text_utc_fits(s->utc_ms))
		text_utc(s->utc_ms, when);
	if (c->json) {
		print_json(c, p, value, when, age_ms);
	} else {
		bool good = s->quality == QUALITY_GOOD;
		fprintf(c->out, "%s.%s: ", p->device->id, p->id);
		if (good)
			fprintf(c->out, "%s%s%s, ", value, p->unit ? " " : "", p->unit ? p->unit : "");
		fprintf(c->out, "%s%s%s", quality_word(s->quality), s->trouble ? ", " : "",
			s->trouble ? trouble_word(s->trouble) : "");
		if (*when)
			fprintf(c->out, ", %s, %lld ms old", when, (long long)age_ms);
		fputc('\n', c->out);
	}
	fflush(c->out);
}

static bool is_named(const struct point *p, const char *name)
{
	size_t size = strlen(p->device->id);
	return strncmp(name, p->device->id, size) == 0 && name[size] == '.' && strcmp(name + size + 1, p->id) == 0;
}

static struct point *find(const struct house *h, const char *name)
{
	for (size_t i = 0; h && i < h->n_devices; i++) {
		const struct device *d = h->devices[i];
		for (size_t k = 0; !d->broken && k < d->n_points; k++)
			if (is_named(d->points[k], name))
				return d->points[k];
	}
	return NULL;
}

static int pick(struct picked *k, size_t n)
{
	struct cli *c = k->c;
	for (size_t i = 0; i < n; i++) {
		struct point *p = find(k->conf.house, c->args[i]);
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
	fprintf(c->out, "%s: %s\n", c->args[0],
		answer.confirmed ? "written, and seen at the device" : "accepted; nobody looked whether it holds");
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

int values_read(struct cli *c)
{
	if (c->n_args != 1)
		return cli_fail(c, CLI_USAGE, "read takes one DEVICE.POINT");
	return with_points(c, 1, read_points);
}

int values_write(struct cli *c)
{
	if (c->n_args != 2)
		return cli_fail(c, CLI_USAGE, "write takes a DEVICE.POINT and a value");
	return with_points(c, 1, write_point);
}

int values_watch(struct cli *c)
{
	if (c->n_args < 1)
		return cli_fail(c, CLI_USAGE, "watch takes one or more DEVICE.POINT");
	return with_points(c, (size_t)c->n_args, watch_points);
}
