#include "core/cli/scan.h"

#include "core/base/mem.h"
#include "core/cli/scan_print.h"
#include "core/conf/repeat.h"
#include "core/loop/resolve.h"
#include "core/loop/worker.h"

#include <ctype.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * Happy path: the search runs on a worker, so that Ctrl-C ends it at once with what it has; then each unit is tried with the templates
 * through the bus's driver, and all is printed.
 */

enum { UNIT_LAST_SERIAL = 247, UNIT_LAST = 255, TIMEOUT_SERIAL_MS = 200, TIMEOUT_MS = 500, BAR = 20 };

struct options { /* of the command line; NULL: not given */
	const char *device, *host, *units, *bauds, *parities, *timeout;
};

static const struct option {
	const char *word;
	size_t offset;
} option_rows[] = {
	{ "--device", offsetof(struct options, device) },     { "--host", offsetof(struct options, host) },
	{ "--units", offsetof(struct options, units) },       { "--bauds", offsetof(struct options, bauds) },
	{ "--parities", offsetof(struct options, parities) }, { "--timeout", offsetof(struct options, timeout) },
};

struct scan {
	struct cli *c;
	struct scan_bus bus;
	int64_t timeout_ms;
	struct mbscan search;
	struct loop *loop;
	struct mbline *line;
	struct worker *worker;
	struct resolve *resolve;
	struct job job;
	bool bar, interrupted;
	int bad;
	struct err why;
};

static int refuse(const struct cli *c, const char *why)
{
	return cli_fail(c, CLI_USAGE,
			"%s; scan takes BUS, --device TTY or --host HOST[:PORT], and --units 1-20, --bauds 9600,19200, "
			"--parities N,E,O, --timeout 200ms",
			why);
}

static const char **place_of(struct options *o, const char *word)
{
	for (size_t i = 0; i < sizeof(option_rows) / sizeof(option_rows[0]); i++)
		if (strcmp(option_rows[i].word, word) == 0)
			return (const char **)(void *)((char *)o + option_rows[i].offset);
	return NULL;
}

static int parse(struct cli *c, struct options *o, const char **ret_bus)
{
	for (int i = 0; i < c->n_args; i++) {
		const char **place = place_of(o, c->args[i]);
		if (!place && (*ret_bus || c->args[i][0] == '-'))
			return refuse(c, *ret_bus && c->args[i][0] != '-' ? "one bus at a time" : "unknown option");
		if (!place)
			*ret_bus = c->args[i];
		else if (++i == c->n_args)
			return refuse(c, "an option needs something behind it");
		else
			*place = c->args[i];
	}
	if ((*ret_bus != NULL) + (o->device != NULL) + (o->host != NULL) != 1)
		return refuse(c, "where shall it look?");
	return CLI_DONE;
}

static int parse_units(struct scan *s, const char *text)
{
	struct repeat r;
	struct err e;
	long least = s->bus.serial ? 1 : 0, most = s->bus.serial ? UNIT_LAST_SERIAL : UNIT_LAST;
	if (repeat_parse(text, &r, &e) < 0)
		return cli_fail(s->c, CLI_USAGE, "--units: %s", e.text);
	int code = CLI_DONE;
	for (size_t i = 0; i < r.n && code == CLI_DONE; i++) {
		char *end;
		long unit = strtol(r.units[i], &end, 10);
		if (*end || unit < least || unit > most)
			code = cli_fail(s->c, CLI_USAGE, "--units: '%s' is no unit: %ld to %ld", r.units[i], least,
					most);
		else if (s->search.n_units < MBSCAN_UNITS) /* 7 and 07 */
			s->search.units[s->search.n_units++] = (uint8_t)unit;
	}
	repeat_free(&r);
	return code;
}

static int mode_of(const char *word)
{
	static const char letters[] =
		"neo"; /* as the first three of mbaddress_modes: a slave hears two stop bits as one */
	const char *found = strlen(word) == 1 ? strchr(letters, *word) : NULL;
	return found ? (int)(found - letters) : -1;
}

/* The bus has it when it is there: a speed that no port knows is refused by its own check. */
static int add_settings(struct scan *s, const char *baud, const struct repeat *modes)
{
	struct err e;
	char *end;
	const struct mbaddress_rtu was = *s->bus.serial;
	s->bus.serial->baud = strtol(baud, &end, 10);
	int bad = *end || mbaddress_check_rtu(s->bus.bus, &e) < 0;
	for (size_t i = 0; i < modes->n && !bad; i++) {
		int mode = mode_of(modes->units[i]);
		if (mode < 0)
			return cli_fail(s->c, CLI_USAGE, "--parities: '%s' is none: N, E or O", modes->units[i]);
		if (s->search.n_settings < MBSCAN_SETTINGS_MOST)
			s->search.settings[s->search.n_settings++] =
				(struct mbscan_setting){ s->bus.serial->baud, mode };
	}
	*s->bus.serial = was;
	return bad ? cli_fail(s->c, CLI_USAGE, "--bauds: no serial port knows '%s'", baud) : CLI_DONE;
}

static int parse_settings(struct scan *s, const char *bauds, const char *parities)
{
	struct repeat speeds = { 0 }, modes = { 0 };
	struct err e;
	char *lower = mem_text(parities);
	for (char *at = lower; *at; at++)
		*at = (char)tolower((unsigned char)*at);
	int code = CLI_DONE;
	if (repeat_parse(bauds, &speeds, &e) < 0 || repeat_parse(lower, &modes, &e) < 0)
		code = cli_fail(s->c, CLI_USAGE, "--bauds and --parities: %s", e.text);
	for (size_t i = 0; i < speeds.n && code == CLI_DONE; i++)
		code = add_settings(s, speeds.units[i], &modes);
	repeat_free(&speeds);
	repeat_free(&modes);
	mem_free(lower);
	return code;
}

/* A bus that stands in the configuration is believed, unless something else is asked for. */
static int choose_settings(struct scan *s, const struct options *o)
{
	struct mbscan *m = &s->search;
	if (!s->bus.serial && (o->bauds || o->parities))
		return refuse(s->c, "a connection has neither speed nor parity");
	if (!s->bus.serial || (s->bus.configured && !o->bauds && !o->parities)) {
		m->n_settings = 1;
		if (s->bus.serial)
			m->settings[0] = (struct mbscan_setting){ s->bus.serial->baud, s->bus.serial->mode };
		return CLI_DONE;
	}
	return parse_settings(s, o->bauds ? o->bauds : "9600,19200,38400,115200", o->parities ? o->parities : "N,E,O");
}

static int choose_timeout(struct scan *s, const char *text)
{
	const struct setting *row = setting_find(s->bus.protocol->options, "timeout");
	int64_t *place = s->bus.serial ? &s->bus.serial->timeout_ms : &s->bus.tcp->timeout_ms, was = *place;
	struct err e;
	int bad = text ? setting_parse(row, text, s->bus.bus->options, &e) : 0;
	s->timeout_ms = text ? *place : s->bus.serial ? TIMEOUT_SERIAL_MS : TIMEOUT_MS;
	*place = was;
	return bad ? cli_fail(s->c, CLI_USAGE, "--timeout: %s", e.text) : CLI_DONE;
}

static void show_step(struct mbscan *m, uint8_t unit)
{
	const struct scan *s = m->ctx;
	size_t full = m->all ? BAR * m->done / m->all : 0;
	if (!s->bar)
		return;
	fprintf(s->c->err, "\r\033[K[%.*s%.*s] ", (int)full, "####################", (int)(BAR - full),
		"....................");
	if (m->serial)
		fprintf(s->c->err, "%lld baud, parity %c, ", (long long)m->serial->baud,
			mbaddress_modes[m->serial->mode].parity);
	fprintf(s->c->err, "unit %u; %zu found", unit, m->n_found);
	fflush(s->c->err);
}

static void clear_bar(const struct scan *s)
{
	if (s->bar)
		fputs("\r\033[K", s->c->err);
}

static void run_search(struct job *job)
{
	struct scan *s = list_of(job, struct scan, job);
	s->bad = mbscan_run(&s->search, &s->why);
}

static void on_searched(struct job *job)
{
	loop_stop(list_of(job, struct scan, job)->loop);
}

static void on_resolved(void *ctx, const struct sockaddr_storage *list, size_t n, const struct err *why)
{
	struct scan *s = ctx;
	s->resolve = NULL;
	if (why) {
		s->bad = -1;
		s->why = *why;
		loop_stop(s->loop);
		return;
	}
	mbline_addresses(s->line, list, n);
	worker_post(s->worker, &s->job);
}

static void on_signal(void *ctx, int signum)
{
	struct scan *s = ctx;
	(void)signum;
	s->interrupted = true;
	mbline_stop(s->line);
	if (s->resolve)
		resolve_cancel(s->resolve);
}

/* The search has a timeout of its own: a device that is asked for its values may take longer. */
static void make_talk(struct scan *s)
{
	struct mbaddress_rtu *serial = s->bus.serial;
	struct mbaddress_tcp *tcp = s->bus.tcp;
	int64_t *timeout = serial ? &serial->timeout_ms : &tcp->timeout_ms;
	int64_t *retries = serial ? &serial->retries : &tcp->retries;
	const int64_t own_timeout = *timeout, own_retries = *retries;
	*timeout = s->timeout_ms;
	*retries = 0;
	s->line = serial ? mbline_new_rtu(serial) : mbline_new_tcp(tcp);
	if (serial)
		s->search.talk = mbtalk_new_rtu(s->line, serial);
	else if (s->bus.protocol->options == mbaddress_tcp_rows)
		s->search.talk = mbtalk_new_tcp(s->line, tcp);
	else
		s->search.talk = mbtalk_new_rtu_tcp(s->line, tcp);
	mbtalk_several(s->search.talk, true);
	*timeout = own_timeout;
	*retries = own_retries;
}

static void search(struct scan *s)
{
	make_talk(s);
	s->search.serial = s->bus.serial;
	s->search.step = show_step;
	s->search.ctx = s;
	s->bar = isatty(fileno(s->c->err));
	s->loop = loop_new();
	s->worker = worker_new(s->loop, "scan");
	s->job = (struct job){ .run = run_search, .done = on_searched };
	loop_on_signal(s->loop, SIGINT, on_signal, s);
	loop_on_signal(s->loop, SIGTERM, on_signal, s);
	if (s->bus.serial)
		worker_post(s->worker, &s->job);
	else
		s->resolve = resolve_all(s->loop, s->bus.tcp->host, (int)s->bus.tcp->port, SOCK_STREAM, on_resolved, s);
	loop_run(s->loop);
	worker_free(s->worker);
	loop_free(s->loop);
	mbtalk_free(s->search.talk);
	clear_bar(s);
	if (s->interrupted) { /* whatever it was in the middle of */
		s->search.stopped = true;
		s->bad = 0;
	}
}

static const struct device *device_of(const struct scan *s, uint8_t unit)
{
	const struct house *h = s->bus.conf.house;
	for (size_t i = 0; i < h->n_devices; i++) {
		const struct device *d = h->devices[i];
		if (!d->broken && d->bus == s->bus.bus && ((const struct mbaddress_unit *)d->options)->unit_id == unit)
			return d;
	}
	return NULL;
}

/* What was asked to stop does not begin something new. */
static int fit_all(struct scan *s, struct scan_seen *seen)
{
	struct candidate *list;
	size_t n = candidate_list(s->c->conf, s->bus.protocol, &list);
	int result = 0;
	for (size_t i = 0; i < s->search.n_found; i++) {
		seen[i].found = &s->search.found[i];
		seen[i].device = device_of(s, seen[i].found->unit);
		if (!seen[i].device && !s->search.stopped && result == 0)
			result = scan_fit_find(s->c, &s->bus, seen[i].found->unit, list, n, &seen[i].fit, &s->why);
	}
	candidate_free(list, n);
	return result;
}

static int say_nobody(const struct scan *s)
{
	if (s->search.stopped)
		return cli_fail(s->c, CLI_FAILED, "stopped; nobody has answered yet");
	if (s->search.n_garbled)
		return cli_fail(s->c, CLI_FAILED, "no unit gives good answers, but something is there: %s",
				s->search.garbled.text);
	if (!s->bus.serial)
		return cli_fail(s->c, CLI_FAILED, "no unit answers");
	return cli_fail(
		s->c, CLI_FAILED,
		"no unit answers at any of %zu settings; look at the power, at A and B, which are often named the "
		"other way round, and at the units asked for",
		s->search.n_settings);
}

static int report(struct scan *s)
{
	struct scan_seen *seen = mem_array(s->search.n_found, sizeof(*seen));
	int code = CLI_DONE;
	if (fit_all(s, seen) < 0)
		code = cli_fail(s->c, CLI_FAILED, "%s", s->why.text);
	scan_print(s->c, &s->bus, &s->search, seen);
	for (size_t i = 0; i < s->search.n_found; i++)
		scan_fit_free(&seen[i].fit);
	mem_free(seen);
	return code;
}

static int scan(struct scan *s, const struct options *o)
{
	int code = parse_units(s, o->units ? o->units : "1-247");
	if (code == CLI_DONE)
		code = choose_settings(s, o);
	if (code == CLI_DONE)
		code = choose_timeout(s, o->timeout);
	if (code != CLI_DONE)
		return code;
	search(s);
	if (s->bad)
		code = cli_fail(s->c, CLI_FAILED, "%s", s->why.text);
	if (s->search.n_found)
		return report(s) != CLI_DONE ? CLI_FAILED : code;
	return code == CLI_DONE ? say_nobody(s) : code;
}

int scan_run(struct cli *c)
{
	struct options o = { 0 };
	const char *bus = NULL;
	int code = parse(c, &o, &bus);
	if (code != CLI_DONE)
		return code;
	struct scan *s = mem_new(sizeof(*s)); /* a hundred kilobytes */
	s->c = c;
	code = scan_bus_open(&s->bus, c, bus, o.device, o.host);
	if (code == CLI_DONE)
		code = scan(s, &o);
	scan_bus_free(&s->bus);
	mem_free(s);
	return code;
}
