#include "core/reload.h"

#include "core/base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/*
 * WORKING: a draft is made on the worker's thread. HOLDING: the buses that it touches end what is in the way. APPLYING: so many devices
 * a turn. Then the buses go on, and the worker frees what is left over.
 */

enum { MOST_LINES = 50 };

static const int64_t GATHER_MS = 300;

enum phase { WORKING, HOLDING, APPLYING };

struct work {
	struct job job;
	struct reload *reload;
	enum phase phase;
	struct draft draft;
	struct apply apply;
	struct bridge **held;
	size_t n_held, n_quiet;
	struct text report;
};

struct waiter {
	struct list link;
	void (*done)(void *ctx, int status, const char *report);
	void *ctx;
	bool late; /* asked while an earlier one was being read */
};

static void begin_next(struct reload *r);

/* --- the end --- */

static void clean(struct job *job)
{
	struct work *w = list_of(job, struct work, job);
	draft_free(&w->draft);
	mem_free(w->held);
}

static void cleaned(struct job *job)
{
	struct work *w = list_of(job, struct work, job);
	if (job->skipped)
		clean(job);
	mem_free(w);
}

static void tell_waiters(struct reload *r, int status, const char *report)
{
	list_each (at, &r->waiters) {
		struct waiter *waiter = list_of(at, struct waiter, link);
		if (waiter->late) {
			waiter->late = false;
			continue;
		}
		list_drop(&waiter->link);
		waiter->done(waiter->ctx, status, report);
		mem_free(waiter);
	}
}

static void finish(struct work *w, int status)
{
	struct reload *r = w->reload;
	bool whole = w->draft.whole;
	r->work = NULL;
	if (whole) {
		tell_waiters(r, status, w->report.data ? w->report.data : "");
		r->on_state(r->ctx, false);
	}
	text_free(&w->report);
	w->job = (struct job){ .run = clean, .done = cleaned };
	worker_post(r->worker, &w->job);
	begin_next(r);
}

/* --- what is said --- */

static void say(struct work *w, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void say(struct work *w, const char *format, ...)
{
	char line[512];
	va_list args;
	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	text_addf(&w->report, "%s\n", line);
	if (w->draft.whole)
		log_info(w->reload->log, "%s", line);
	else
		log_outside(w->reload->log, LOG_LEVEL_INFO, "%s", line);
}

static void say_lines(struct work *w, const char *lines)
{
	char *copy = mem_text(lines ? lines : ""), *rest = copy, *line;
	while ((line = strsep(&rest, "\n"))) {
		if (!*line)
			continue;
		text_addf(&w->report, "%s\n", line);
		if (w->draft.whole)
			log_warn(w->reload->log, "%s", line);
		else
			log_outside(w->reload->log, LOG_LEVEL_WARN, "%s", line);
	}
	mem_free(copy);
}

/* Of what buses tell, whoever may write to them makes the mistakes. */
static void say_errors(struct work *w)
{
	const struct conf *c = &w->draft.fresh;
	if (!w->draft.whole) {
		say_lines(w, c->errors.data);
		return;
	}
	conf_log(c, w->reload->log);
	text_add(&w->report, c->errors.data ? c->errors.data : "");
}

static void say_devices(struct work *w)
{
	const struct plan *p = &w->draft.plan;
	for (size_t i = 0; i < p->n_devices && i < MOST_LINES; i++) {
		const struct plan_device *d = &p->devices[i];
		say(w, "device '%s': %s", d->live ? d->live->id : d->fresh->id,
		    !d->live   ? "added"
		    : d->fresh ? "changed"
			       : "gone");
	}
	if (p->n_devices > MOST_LINES)
		say(w, "and %zu devices more", p->n_devices - MOST_LINES);
}

static void say_buses(struct work *w)
{
	const struct plan *p = &w->draft.plan;
	for (size_t i = 0; i < p->n_buses; i++)
		say(w, "bus '%s': %s", p->buses[i].live ? p->buses[i].live->id : p->buses[i].fresh->id,
		    !p->buses[i].live   ? "added"
		    : p->buses[i].fresh ? "changed"
					: "gone");
}

static void say_plan(struct work *w)
{
	const struct plan *p = &w->draft.plan;
	say_errors(w);
	say_lines(w, p->notes.data);
	say_buses(w);
	say_devices(w);
	if (w->draft.whole)
		say(w, "reloaded: %zu devices added, %zu changed, %zu gone, %zu as before", p->n_added, p->n_changed,
		    p->n_gone, p->n_same);
}

static void say_refused(struct work *w)
{
	struct reload *r = w->reload;
	say_errors(w);
	log_error(r->log, "%s: not taken over, what runs stays: %s",
		  w->draft.whole ? "reload" : "what buses have found", w->draft.why.text);
	text_addf(&w->report, "not taken over, what runs stays: %s\n", w->draft.why.text);
}

/* --- the buses --- */

static void drop_gone(struct work *w)
{
	const struct plan *p = &w->draft.plan;
	for (size_t i = 0; i < p->n_buses; i++) {
		if (p->buses[i].fresh)
			continue;
		for (size_t k = 0; k < w->n_held; k++)
			if (w->held[k] == p->buses[i].live->bridge)
				w->held[k] = NULL;
		buses_drop(w->reload->buses, p->buses[i].live->bridge);
	}
}

static void go_on(struct work *w)
{
	struct reload *r = w->reload;
	const struct plan *p = &w->draft.plan;
	for (size_t i = 0; i < w->n_held; i++)
		if (w->held[i])
			bridge_resume(w->held[i], r->conf->house);
	for (size_t i = 0; i < p->n_buses; i++)
		if (!p->buses[i].live)
			bridge_start(buses_add(r->buses, p->buses[i].fresh));
	for (size_t i = 0; i < p->n_devices; i++)
		if (p->devices[i].fresh)
			p->devices[i].fresh->joining = false;
}

static void forget_found(struct work *w)
{
	for (size_t i = 0; i < w->draft.n_blocks; i++)
		if (!w->draft.blocks[i].text)
			found_drop(&w->reload->found, &w->draft.blocks[i]);
}

static void finish_apply(struct work *w)
{
	apply_end(&w->apply);
	w->reload->on_change(w->reload->ctx);
	go_on(w);
	forget_found(w);
	say_plan(w);
	finish(w, 0);
}

static void apply_on(void *ctx)
{
	struct work *w = ctx;
	if (apply_some(&w->apply))
		timer_set(w->reload->loop, &w->reload->portion, 0, apply_on, w);
	else
		finish_apply(w);
}

static void apply(struct work *w)
{
	struct reload *r = w->reload;
	w->phase = APPLYING;
	w->apply = (struct apply){ .plan = &w->draft.plan,
				   .live = r->conf,
				   .fresh = &w->draft.fresh,
				   .things = r->things,
				   .protocols = r->protocols };
	drop_gone(w);
	apply_begin(&w->apply);
	apply_on(w);
}

static void on_quiet(void *ctx, struct bridge *b)
{
	struct work *w = ctx;
	(void)b;
	if (++w->n_quiet == w->n_held)
		apply(w);
}

static bool is_held(const struct work *w, const struct bridge *b)
{
	for (size_t i = 0; i < w->n_held; i++)
		if (w->held[i] == b)
			return true;
	return false;
}

static void add_held(struct work *w, const char *bus)
{
	const struct bus *live = house_find_bus(w->reload->conf->house, bus);
	if (live && !is_held(w, live->bridge))
		w->held[w->n_held++] = live->bridge;
}

static bool reopens(const struct plan *p, const struct bus *bus)
{
	for (size_t i = 0; i < p->n_buses; i++)
		if (p->buses[i].live == bus)
			return true;
	return false;
}

static void hold(struct work *w)
{
	const struct plan *p = &w->draft.plan;
	w->phase = HOLDING;
	w->held = mem_array(w->reload->buses->n, sizeof(*w->held));
	for (size_t i = 0; i < p->n_buses; i++)
		if (p->buses[i].live)
			add_held(w, p->buses[i].live->id);
	for (size_t i = 0; i < p->n_devices; i++) {
		const struct plan_device *d = &p->devices[i];
		if (d->live) {
			d->live->leaving = true;
			add_held(w, d->live->bus->id);
		}
		if (d->fresh)
			add_held(w, d->fresh->bus->id);
	}
	for (size_t i = 0; i < w->n_held; i++)
		bridge_hold(w->held[i], reopens(p, w->held[i]->bus), on_quiet, w);
	if (w->n_held == 0)
		apply(w);
}

/* --- the beginning --- */

static void draft_run(struct job *job)
{
	draft_make(&list_of(job, struct work, job)->draft);
}

static void draft_done(struct job *job)
{
	struct work *w = list_of(job, struct work, job);
	struct reload *r = w->reload;
	if (job->skipped || r->stopping) {
		r->work = NULL;
		text_free(&w->report);
		clean(job);
		mem_free(w);
		return;
	}
	if (w->draft.refused) {
		say_refused(w);
		finish(w, -1);
		return;
	}
	hold(w);
}

static void begin(struct reload *r, bool whole)
{
	struct work *w = r->work = mem_new(sizeof(*w));
	w->reload = r;
	w->draft = (struct draft){
		.live = r->conf, .protocols = r->protocols, .service = mem_text(r->gate->service), .whole = whole
	};
	w->draft.blocks =
		whole ? found_copy(&r->found, &w->draft.n_blocks) : found_take_fresh(&r->found, &w->draft.n_blocks);
	w->job = (struct job){ .run = draft_run, .done = draft_done };
	if (whole) {
		r->wanted = false;
		r->on_state(r->ctx, true);
	}
	worker_post(r->worker, &w->job);
}

static void gathered(void *ctx)
{
	begin_next(ctx);
}

static void begin_next(struct reload *r)
{
	if (r->work || r->stopping)
		return;
	if (r->wanted)
		begin(r, true);
	else if (!list_empty(&r->found.fresh) && !r->gather.place)
		begin(r, false);
}

void reload_ask(struct reload *r, void (*done)(void *ctx, int status, const char *report), void *ctx)
{
	struct waiter *w = done ? mem_new(sizeof(*w)) : NULL;
	if (w) {
		*w = (struct waiter){ .done = done, .ctx = ctx, .late = r->work && r->work->draft.whole };
		list_add(&r->waiters, &w->link);
	}
	r->wanted = true;
	begin_next(r);
}

void reload_found(struct reload *r, const char *bus, const char *key, const char *block)
{
	if (!r->stopping && found_take(&r->found, bus, key, block) && !r->gather.place)
		timer_set(r->loop, &r->gather, GATHER_MS, gathered, r);
}

void reload_found_before(struct reload *r, struct conf *conf, struct log *log)
{
	struct text said = conf->errors;
	size_t n;
	struct found_block *blocks = found_copy(&r->found, &n);
	bool *bad = mem_array(n, sizeof(*bad));
	conf->errors = (struct text){ 0 };
	draft_build(conf, conf->house, blocks, bad, n, r->protocols);
	conf_log(conf, log);
	text_free(&conf->errors);
	conf->errors = said;
	mem_free(bad);
	found_free(blocks, n);
}

void reload_begin(struct reload *r)
{
	list_init(&r->waiters);
	r->worker = worker_new(r->loop, "reload");
}

void reload_stop(struct reload *r)
{
	struct work *w = r->work;
	r->stopping = true;
	timer_stop(r->loop, &r->gather);
	timer_stop(r->loop, &r->portion);
	tell_waiters(r, -1, "stopping\n");
	tell_waiters(r, -1, "stopping\n"); /* the late ones, too */
	if (!w || w->phase == WORKING)
		return;
	if (w->phase == HOLDING) {
		finish(w, -1);
		return;
	}
	while (apply_some(&w->apply))
		continue;
	finish_apply(w);
}

void reload_end(struct reload *r)
{
	worker_free(r->worker);
	found_end(&r->found);
}
