#include "core/cli/running.h"

#include "core/base/text.h"
#include "core/cli/daemon.h"

#include <string.h>

static void print_as_it_is(void *ctx, const json_t *line, const char *text)
{
	const struct cli *c = ctx;
	(void)line;
	fprintf(c->out, "%s\n", text);
	fflush(c->out);
}

/* With --json each line as it comes, else print. */
static int ask(struct cli *c, void (*print)(void *ctx, const json_t *line, const char *text), bool endless)
{
	struct err why;
	const struct daemon_lines lines = { c->json ? print_as_it_is : print, c, endless };
	int end = daemon_ask(c, c->word, c->args, c->n_args, &lines, &why);
	return end == DAEMON_DONE ? CLI_DONE : cli_fail(c, CLI_FAILED, "%s", why.text);
}

static const struct {
	long long ms;
	const char *word;
} spans[] = { { 86400000, "d" }, { 3600000, "h" }, { 60000, "min" }, { 1000, "s" } };

/* "3 h 12 min", "250 ms" */
static const char *print_span(long long ms, char ret[48])
{
	size_t n = sizeof(spans) / sizeof(*spans);
	snprintf(ret, 48, "%lld ms", ms);
	for (size_t i = 0; i < n; i++) {
		if (ms < spans[i].ms)
			continue;
		int size = snprintf(ret, 48, "%lld %s", ms / spans[i].ms, spans[i].word);
		long long rest = i + 1 < n ? ms % spans[i].ms / spans[i + 1].ms : 0;
		if (rest)
			snprintf(ret + size, 48 - (size_t)size, " %lld %s", rest, spans[i + 1].word);
		break;
	}
	return ret;
}

static void print_link(const struct cli *c, const char *name, const json_t *link)
{
	if (!json_is_object(link))
		return;
	fprintf(c->out, "%-12s %-5s %s, since %s, %lld connects, %lld stanzas in, %lld out", name,
		daemon_text(link, "state"), daemon_text(link, "domain"), daemon_text(link, "since"),
		daemon_number(link, "connects"), daemon_number(link, "stanzas_in"), daemon_number(link, "stanzas_out"));
	if (json_object_get(link, "accounts_up"))
		fprintf(c->out, ", %lld accounts up", daemon_number(link, "accounts_up"));
	if (*daemon_text(link, "why"))
		fprintf(c->out, ": %s", daemon_text(link, "why"));
	fputc('\n', c->out);
}

static long long sum(const json_t *counts, const char *const *keys)
{
	long long n = 0;
	for (; *keys; keys++)
		n += daemon_number(counts, *keys);
	return n;
}

static void print_requests(const struct cli *c, const char *name, const json_t *counts)
{
	static const char *const good[] = { "done", "answered", "confirmed", NULL }, *const forbidden[] = { "forbidden", NULL };
	static const char *const bad[] = {
		"bad_value", "not_found", "busy", "unreachable", "failed", "cancelled", NULL
	};
	fprintf(c->out, "%-12s %lld done, %lld forbidden, %lld failed\n", name, sum(counts, good),
		sum(counts, forbidden), sum(counts, bad));
}

static void print_gateway(const struct cli *c, const json_t *line)
{
	char span[48];
	const json_t *things = json_object_get(line, "things");
	const char *name = daemon_text(line, "name"), *service = daemon_text(line, "service");
	fprintf(c->out, "%s %s, up %s, jidgate %s, %lld KiB\n", *name ? name : "jidgate",
		json_is_true(json_object_get(line, "ready")) ? "is ready" : "is starting",
		print_span(daemon_number(line, "uptime_ms"), span), daemon_text(line, "version"),
		daemon_number(line, "memory_kib"));
	print_link(c, "xmpp", json_object_get(line, "xmpp"));
	print_link(c, "provisioner", json_object_get(line, "provisioner"));
	if (json_object_get(line, "registrations"))
		fprintf(c->out, "%-12s %lld things registered here\n", "", daemon_number(line, "registrations"));
	fprintf(c->out, "%-12s %lld, %lld registered with %s%s, %lld owned, %lld friends, %lld wait", "things",
		daemon_number(things, "all"), daemon_number(things, "registered"), *service ? service : "no service",
		json_is_false(json_object_get(line, "service_answers")) ? " (which does not answer)" : "",
		daemon_number(things, "owned"), daemon_number(things, "friends"), daemon_number(things, "waiting"));
	if (daemon_number(things, "gone"))
		fprintf(c->out, ", %lld no longer configured", daemon_number(things, "gone"));
	fputc('\n', c->out);
	print_requests(c, "reads", json_object_get(line, "reads"));
	print_requests(c, "writes", json_object_get(line, "writes"));
}

static void print_bus(const struct cli *c, const json_t *line)
{
	static const char *const qualities[] = { "good", "old", "bad", "unknown" };
	fprintf(c->out, "bus %-8s %-5s %s, since %s", daemon_text(line, "bus"), daemon_text(line, "state"),
		daemon_text(line, "protocol"), daemon_text(line, "since"));
	if (*daemon_text(line, "why"))
		fprintf(c->out, ": %s", daemon_text(line, "why"));
	fprintf(c->out, "\n%-12s       %lld points", "", daemon_number(line, "points"));
	for (size_t i = 0; i < sizeof(qualities) / sizeof(*qualities); i++)
		if (daemon_number(line, qualities[i]))
			fprintf(c->out, ", %lld %s", daemon_number(line, qualities[i]), qualities[i]);
	fprintf(c->out, "; %lld reads (%lld failed), %lld writes (%lld failed), %lld values",
		daemon_number(line, "reads"), daemon_number(line, "read_errors"), daemon_number(line, "writes"),
		daemon_number(line, "write_errors"), daemon_number(line, "samples"));
	if (json_object_get(line, "last_request_ms"))
		fprintf(c->out, "; the last request took %lld ms", daemon_number(line, "last_request_ms"));
	if (json_object_get(line, "busy_percent"))
		fprintf(c->out, "; busy %lld %%", daemon_number(line, "busy_percent"));
	fputc('\n', c->out);
}

static void print_status(void *ctx, const json_t *line, const char *text)
{
	(void)text;
	(json_object_get(line, "bus") ? print_bus : print_gateway)(ctx, line);
}

/* For a program the whole status is one object. */
struct gathered {
	json_t *root, *buses;
};

static void gather(void *ctx, const json_t *line, const char *text)
{
	struct gathered *g = ctx;
	json_t *copy = json_deep_copy(line);
	(void)text;
	if (!g->root) {
		g->root = copy;
		json_object_set_new(g->root, "buses", g->buses = json_array());
	} else {
		json_array_append_new(g->buses, copy);
	}
}

static int status_json(struct cli *c)
{
	struct err why;
	struct gathered g = { 0 };
	const struct daemon_lines lines = { gather, &g, false };
	int end = daemon_ask(c, c->word, NULL, 0, &lines, &why);
	if (end == DAEMON_DONE && g.root) {
		json_dumpf(g.root, c->out, JSON_INDENT(2));
		fputc('\n', c->out);
	}
	json_decref(g.root);
	return end == DAEMON_DONE ? CLI_DONE : cli_fail(c, CLI_FAILED, "%s", why.text);
}

int running_status(struct cli *c)
{
	return c->json ? status_json(c) : ask(c, print_status, false);
}

static void print_value(const struct cli *c, const json_t *line)
{
	char span[48];
	const char *value = daemon_text(line, "value"), *unit = daemon_text(line, "unit");
	if (*value)
		fprintf(c->out, "%s%s%s, ", value, *unit ? " " : "", unit);
	daemon_print_quality(c, line);
	if (*daemon_text(line, "time"))
		fprintf(c->out, ", %s old", print_span(daemon_number(line, "age_ms"), span));
}

static void print_thing(void *ctx, const json_t *line, const char *text)
{
	const struct cli *c = ctx;
	const char *owner = daemon_text(line, "owner");
	(void)text;
	fprintf(c->out, "%s  ", daemon_text(line, "thing"));
	if (json_is_true(json_object_get(line, "gone"))) {
		fputs("no longer configured; jidgate forget takes it away", c->out);
	} else {
		fprintf(c->out, "%s: ", daemon_text(line, "point_name"));
		print_value(c, line);
	}
	fprintf(c->out, "  %s%s%s, %lld friends\n", *owner ? "owner " : "", *owner ? owner : "not claimed",
		json_is_true(json_object_get(line, "registered")) ? "" : ", not registered yet",
		daemon_number(line, "friends"));
}

static int refuse_more(const struct cli *c)
{
	return cli_fail(c, CLI_USAGE, "%s takes one name or none", c->word);
}

int running_things(struct cli *c)
{
	return c->n_args > 1 ? refuse_more(c) : ask(c, print_thing, false);
}

static void print_friend(void *ctx, const json_t *line, const char *text)
{
	const struct cli *c = ctx;
	(void)text;
	fprintf(c->out, "%s  %-8s %s\n", daemon_text(line, "thing"), daemon_text(line, "state"),
		daemon_text(line, "jid"));
}

int running_friends(struct cli *c)
{
	return c->n_args > 1 ? refuse_more(c) : ask(c, print_friend, false);
}

static void print_log(void *ctx, const json_t *line, const char *text)
{
	const struct cli *c = ctx;
	(void)text;
	if (json_object_get(line, "missed"))
		fprintf(c->out, "(%lld lines were too quick)\n", daemon_number(line, "missed"));
	else
		fprintf(c->out, "%s %-5s %s\n", daemon_text(line, "time"), daemon_text(line, "level"),
			daemon_text(line, "text"));
	fflush(c->out);
}

int running_log(struct cli *c)
{
	bool follow = c->n_args > 0 && strcmp(c->args[c->n_args - 1], "follow") == 0;
	return ask(c, print_log, follow);
}

static void print_report(void *ctx, const json_t *line, const char *text)
{
	const struct cli *c = ctx;
	(void)text;
	fprintf(c->out, "%s\n", daemon_text(line, "text"));
}

int running_reload(struct cli *c)
{
	return ask(c, print_report, false);
}
