#include "core/cli/listen.h"

#include "bridges/hafound.h"
#include "bridges/heard.h"
#include "bridges/levels.h"
#include "bridges/mqtt_rows.h"
#include "core/base/limits.h"
#include "core/base/mem.h"
#include "core/conf/conf.h"
#include "core/conf/ident.h"
#include "core/drivers.h"

#include <signal.h>
#include <stdlib.h>

/*
 * Happy path: connect under a name of our own → subscribe → listen for a while or until Ctrl-C → print → close. What tells of itself
 * (discovery) is printed first; what is heard and belongs to none of that, behind it.
 */

enum { SECONDS = 10, SECONDS_MOST = 86400, TOPICS_MOST = 3, NOTES_MOST = 1024 * 1024 };

struct made {      /* by a pattern, of a level */
	char *key; /* "PATTERN/LEVEL" */
	char *id;  /* NULL: none */
};

struct listen {
	struct cli *c;
	struct conf conf;
	const struct mqtt_bus *options;
	struct bus *bus;
	int64_t seconds;
	const char *filter;
	struct loop *loop;
	struct broker *broker;
	struct timer end;
	struct hafound found;
	struct heard heard;
	struct map configured; /* topics that some device of the configuration reads; the values say nothing */
	struct map made;       /* struct made by key, of the patterns of the configuration */
	struct text notes;
	size_t n_strange;
	bool closed, bad;
	struct err why;
};

static void stop(void *ctx)
{
	struct listen *l = ctx;
	timer_stop(l->loop, &l->end);
	loop_stop(l->loop);
}

static void on_signal(void *ctx, int signum)
{
	(void)signum;
	stop(ctx);
}

static void fail(struct listen *l, const char *why)
{
	l->bad = true;
	err_set(&l->why, "bus '%s': %s", l->bus->id, why);
	stop(l);
}

static void on_up(void *ctx)
{
	struct listen *l = ctx;
	char *topics[TOPICS_MOST] = { (char *)(size_t)l->filter };
	int mid;
	size_t n = 1;
	struct err why;
	if (strcmp(l->filter, "#") != 0) { /* which has these, too */
		topics[n++] = mem_format("%s/+/+/config", l->options->discovery_prefix);
		topics[n++] = mem_format("%s/+/+/+/config", l->options->discovery_prefix);
	}
	timer_set(l->loop, &l->end, l->seconds * 1000, stop, l);
	if (broker_subscribe(l->broker, topics, n, 0, &mid, &why) != BROKER_TAKEN)
		fail(l, why.text);
	for (size_t i = 1; i < n; i++)
		mem_free(topics[i]);
}

static void on_down(void *ctx, const struct err *why)
{
	fail(ctx, why->text);
}

static void say(struct listen *l, const char *about, const char *sentence)
{
	l->heard.full |= l->notes.size > NOTES_MOST;
	if (l->notes.size <= NOTES_MOST)
		text_addf(&l->notes, "# %s: %s\n", about, sentence);
}

static const struct made *find_made(const struct listen *l, const char *id)
{
	struct made *made;
	for (size_t at = 0; (made = map_next(&l->made, &at));)
		if (text_same(made->id, id))
			return made;
	return NULL;
}

/* What the daemon makes of a level; two that would be one JID are what people want to know before. */
static void take_level(struct listen *l, const struct pattern *p, const char *level)
{
	char quoted[80], sentence[400];
	struct err why;
	char *key = mem_format("%s/%s", p->id, level), *id = NULL;
	if (map_find(&l->made, key) || l->made.n == LIMIT_UNITS) {
		mem_free(key);
		return;
	}
	text_quote(quoted, sizeof(quoted), level, strlen(level));
	if (ident_of_level(p->id, level, &id, &why) < 0) {
		snprintf(sentence, sizeof(sentence), "%s", why.text);
	} else if (find_made(l, id)) {
		snprintf(sentence, sizeof(sentence), "'%s' would be %s, too: the second is left out", quoted, id);
		mem_free(id);
		id = NULL;
	} else {
		snprintf(sentence, sizeof(sentence), "'%s' is %s", quoted, id);
	}
	say(l, p->id, sentence);
	struct made *made = mem_new(sizeof(*made));
	*made = (struct made){ key, id };
	map_put(&l->made, made->key, made);
}

/* Of a pattern that is configured already. */
static bool is_level(struct listen *l, const char *topic)
{
	char level[LIMIT_FOUND_TEXT];
	size_t size;
	for (size_t i = 0; i < l->bus->n_patterns; i++)
		for (size_t k = 0; k < l->bus->patterns[i].n_filters; k++) {
			const char *at = levels_match(l->bus->patterns[i].filters[k], topic, &size);
			if (!at || size == 0 || size >= sizeof(level) || !text_is_clean(at, size))
				continue;
			snprintf(level, sizeof(level), "%.*s", (int)size, at);
			take_level(l, &l->bus->patterns[i], level);
			return true;
		}
	return false;
}

static void free_made(struct listen *l)
{
	struct made *made;
	for (size_t at = 0; (made = map_next(&l->made, &at));) {
		mem_free(made->key);
		mem_free(made->id);
		mem_free(made);
	}
	map_free(&l->made);
}

static void on_message(void *ctx, const struct broker_message *m)
{
	struct listen *l = ctx;
	bool known = hafound_take(&l->found, m->topic, m->bytes, m->size) || map_find(&l->configured, m->topic);
	if (!known && m->size && !is_level(l, m->topic))
		heard_take(&l->heard, m->topic, m->bytes, m->size);
}

static void on_published(void *ctx, int mid, const struct err *why)
{
	(void)ctx, (void)mid, (void)why; /* nothing is published */
}

static void on_subscribed(void *ctx, int mid, const bool *refused, size_t n)
{
	struct listen *l = ctx;
	(void)mid;
	if (n && refused[0])
		fail(l, "the broker does not let us read these topics");
}

static void on_closed(void *ctx)
{
	struct listen *l = ctx;
	l->closed = true;
}

static void note(void *ctx, const char *source, const char *why, bool strange)
{
	struct listen *l = ctx;
	l->n_strange += strange;
	if (!strange)
		say(l, source, why);
}

static void add_configured(struct listen *l, struct device *d)
{
	const struct mqtt_device *o = d->options;
	if (o->availability.given)
		map_put(&l->configured, o->availability.first.topic, d);
	for (size_t i = 0; i < d->n_points; i++) {
		const struct mqtt_address *a = d->points[i]->address;
		if (a->topic)
			map_put(&l->configured, a->topic, d);
	}
}

static size_t print_found(struct listen *l, struct text *to)
{
	const struct hafound_device *d;
	size_t n = 0;
	while ((d = hafound_next(&l->found))) {
		if (d->n_points == 0 || (l->conf.house && house_find_device(l->conf.house, d->id)))
			continue;
		text_add(to, n++ ? ",\n  " : "  ");
		hafound_print_head(d, l->bus->id, to);
		text_add(to, "\n    points = (\n      ");
		hafound_print_points(&l->found, d, ",\n      ", to);
		text_add(to, "\n    ); }");
	}
	return n;
}

static int print(struct listen *l)
{
	struct text all = { 0 };
	FILE *out = l->c->out;
	size_t n = heard_print(&l->heard, l->bus->id, l->conf.house, print_found(l, &all), &all);
	if (n)
		fprintf(out, "devices = (\n%s\n);\n", all.data);
	fputs(l->notes.data ? l->notes.data : "", out);
	if (l->n_strange)
		fprintf(out, "# %zu messages of discovery are of kinds that are not taken\n", l->n_strange);
	if (l->found.full || l->heard.full)
		fputs("# there was more: not all of it was looked at\n", out);
	text_free(&all);
	return n ? CLI_DONE
		 : cli_fail(l->c, CLI_FAILED, "bus '%s': nothing that is not configured was heard in %lld s",
			    l->bus->id, (long long)l->seconds);
}

static int run(struct listen *l)
{
	static const struct broker_events events = {
		on_up, on_down, on_message, on_published, on_subscribed, on_closed
	};
	struct tls_files files;
	struct broker_options options = mqtt_rows_broker(l->options, &files);
	options.client_id = options.status_topic = NULL; /* those are the daemon's */
	l->found.rule = (struct hafound_rule){ .prefix = l->options->discovery_prefix,
					       .filter = &l->options->discovery_filter,
					       .most = LIMIT_FOUND,
					       .hidden = l->options->discovery_diagnostic };
	l->found.note = note;
	l->found.ctx = l;
	hafound_begin(&l->found);
	for (size_t i = 0; i < l->conf.house->n_devices; i++)
		if (l->conf.house->devices[i]->bus == l->bus && !l->conf.house->devices[i]->broken)
			add_configured(l, l->conf.house->devices[i]);
	l->loop = loop_new();
	loop_on_signal(l->loop, SIGINT, on_signal, l);
	loop_on_signal(l->loop, SIGTERM, on_signal, l);
	l->broker = broker_new(l->loop, &options, &events, l);
	broker_open(l->broker);
	loop_run(l->loop);
	int code = l->bad ? cli_fail(l->c, CLI_FAILED, "%s", l->why.text) : print(l);
	broker_close(l->broker);
	while (!l->closed)
		loop_turn(l->loop);
	loop_free(l->loop);
	hafound_end(&l->found);
	heard_end(&l->heard);
	map_free(&l->configured);
	free_made(l);
	text_free(&l->notes);
	return code;
}

static int parse(struct listen *l)
{
	struct cli *c = l->c;
	bool seconds = false;
	char *end;
	for (int i = 1; i < c->n_args; i++) {
		if (strcmp(c->args[i], "--topics") == 0) {
			if (++i == c->n_args || !*c->args[i])
				return cli_fail(c, CLI_USAGE, "--topics needs a filter, as \"tele/#\"");
			l->filter = c->args[i];
			continue;
		}
		l->seconds = strtol(c->args[i], &end, 10);
		if (seconds || end == c->args[i] || *end || l->seconds < 1 || l->seconds > SECONDS_MOST)
			return cli_fail(c, CLI_USAGE, "SECONDS is a number from 1 to %d, not '%s'", SECONDS_MOST,
					c->args[i]);
		seconds = true;
	}
	return c->n_args ? CLI_DONE : cli_fail(c, CLI_USAGE, "listen takes BUS [SECONDS] [--topics FILTER]");
}

int listen_run(struct cli *c)
{
	struct listen l = { .c = c, .seconds = SECONDS, .filter = "#" };
	int code = parse(&l);
	if (code != CLI_DONE)
		return code;
	const struct protocol **protocols = drivers_protocols();
	if (conf_load(&l.conf, c->conf, protocols) < 0) {
		fputs(l.conf.errors.data, c->err);
		code = CLI_FAILED;
	} else {
		l.bus = l.conf.house ? house_find_bus(l.conf.house, c->args[0]) : NULL;
		l.options = l.bus ? l.bus->options : NULL;
		if (!l.bus)
			code = cli_fail(c, CLI_FAILED, "there is no bus '%s' in %s", c->args[0], c->conf);
		else if (strcmp(l.bus->protocol, "mqtt") != 0)
			code = cli_fail(c, CLI_FAILED, "bus '%s' is no MQTT: %s has no topics", l.bus->id,
					l.bus->protocol);
		else
			code = run(&l);
	}
	conf_free(&l.conf);
	mem_free(protocols);
	return code;
}
