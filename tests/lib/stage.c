#include "tests/lib/stage.h"

#include "core/base/mem.h"
#include "core/base/text.h"
#include "core/report.h"
#include "tests/unit/store_place.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* The driver has no state of its own: bridge.ctx is the stage. */
static int play_open(struct bridge *b, struct err *e)
{
	(void)e;
	bridge_up(b);
	return 0;
}

static void hold(struct bridge *b, struct request *r)
{
	struct stage *s = b->ctx;
	if (s->hears_nothing)
		return;
	cr_assert_lt(s->n_asked, sizeof(s->asked) / sizeof(s->asked[0]));
	s->asked[s->n_asked++] = r;
}

static void play_read(struct bridge *b, struct request **r, size_t n)
{
	for (size_t i = 0; i < n; i++)
		hold(b, r[i]);
}

static void play_close(struct bridge *b)
{
	((struct stage *)b->ctx)->n_asked = 0;
	bridge_closed(b);
}

static const struct bridge_driver play_driver = {
	.protocol = { .name = "play" },
	.size = 1,
	.open = play_open,
	.read = play_read,
	.write = hold,
	.close = play_close,
};

static void on_sample(void *ctx, struct point *p, enum news news)
{
	struct stage *s = ctx;
	report_sample(&s->things, p, news);
	if (s->hear)
		s->hear(s->hear_ctx, p, news);
}

static void on_state(void *ctx, struct bridge *b)
{
	(void)ctx, (void)b;
}

static const struct bridge_events bridge_events = { on_sample, on_state, NULL };

static void on_up(void *ctx, const char *local)
{
	things_up(&((struct stage *)ctx)->things, local);
}

static void on_down(void *ctx, const char *local, const struct err *why)
{
	(void)why;
	things_down(&((struct stage *)ctx)->things, local);
}

static void on_stanza(void *ctx, struct element *stanza)
{
	things_take(&((struct stage *)ctx)->things, stanza);
}

static void on_closed(void *ctx)
{
	(void)ctx;
}

static const struct link_events link_events = { on_up, on_down, on_stanza, on_closed };

static struct decimal dec(const char *text)
{
	struct decimal d;
	cr_assert_eq(decimal_parse(text, strlen(text), &d), 0);
	return d;
}

static struct point *add_point(struct device *d, const char *id, const char *name, enum type type, enum access access)
{
	struct point *p = mem_new(sizeof(*p));
	*p = (struct point){ .id = mem_text(id), .type = type, .access = access, .decimals = -1, .device = d };
	names_add(&p->names, "", name);
	d->points = mem_resize(d->points, (d->n_points + 1) * sizeof(struct point *));
	d->points[d->n_points++] = p;
	return p;
}

static struct house *make_house(enum gathering gathering, size_t more, const char *without)
{
	struct house *h = house_new();
	struct bus *bus = mem_new(sizeof(*bus));
	struct device *d = mem_new(sizeof(*d));
	bus->id = mem_text("bus");
	bus->protocol = "play";
	*d = (struct device){ .id = mem_text("boiler"), .bus = bus, .gathering = gathering };
	names_add(&d->names, "", "Boiler");
	house_add_bus(h, bus);
	house_add_device(h, d);
	add_point(d, "temp", "Temperature", TYPE_REAL, ACCESS_READ)->unit = mem_text("\xC2\xB0"
										     "C");
	struct point *set = add_point(d, "set", "Set point", TYPE_INT16, ACCESS_BOTH);
	set->has_scale = set->has_min = set->has_max = true;
	set->scale = dec("0.1");
	set->min = dec("30");
	set->max = dec("75");
	add_point(d, "alarm", "Alarm", TYPE_BOOL, ACCESS_READ)->kind = KIND_STATUS;
	for (size_t i = 0; i < more; i++) {
		char id[24];
		snprintf(id, sizeof(id), "p%zu", i);
		add_point(d, id, id, TYPE_INT, ACCESS_BOTH);
	}
	for (size_t i = 0; i < d->n_points; i++)
		d->points[i]->hidden = text_same(d->points[i]->id, without);
	cr_assert_eq(house_make_things(h, NULL), 0);
	return h;
}

static void begin(struct stage *s)
{
	struct err e;
	struct store *at_once = store_open(s->folder, NULL, &e);
	cr_assert(at_once, "%s", e.text);
	s->house = make_house(s->gathering, s->more, s->without);
	cr_assert_eq(gate_prepare(s->house, at_once, &e), 0);
	store_close(at_once);
	s->store = store_open(s->folder, s->loop, &e);
	cr_assert(s->store, "%s", e.text);
	s->gate = (struct gate){ .house = s->house,
				 .store = s->store,
				 .loop = s->loop,
				 .log = &s->log,
				 .service = mem_text(SERVICE),
				 .server_roster = s->accounts };
	cr_assert_eq(gate_load(&s->gate, &e), 0);
	struct thing *t;
	for (size_t at = 0; s->fresh && (t = map_next(&s->house->things, &at));)
		gate_acknowledge(&s->gate, t);
	s->fresh = false;
	s->link = fake_link_new("things.test", s->loop, &s->log, &link_events, s);
	s->link->link.accounts = s->accounts;
	s->things = (struct things){ .link = &s->link->link,
				     .house = s->house,
				     .gate = &s->gate,
				     .loop = s->loop,
				     .log = &s->log,
				     .language = "en",
				     .names = &s->house->devices[0]->names,
				     .wish = request_take,
				     .wish_ctx = &s->requests };
	request_begin(&s->requests, s->loop);
	things_begin(&s->things);
	s->bridge = bridge_new(&play_driver, s->house->buses[0], s->house, s->loop, &s->log, &bridge_events, s);
	s->house->buses[0]->bridge = s->bridge;
	bridge_start(s->bridge);
}

static void end(struct stage *s)
{
	bridge_stop(s->bridge);
	while (s->bridge->state != BRIDGE_CLOSED)
		loop_turn(s->loop);
	store_close(s->store);
	things_end(&s->things);
	request_end(&s->requests);
	bridge_free(s->bridge);
	gate_end(&s->gate);
	fake_link_free(s->link);
	house_free(s->house);
}

static struct stage *make(bool accounts, enum gathering gathering, size_t more)
{
	struct stage *s = mem_new(sizeof(*s));
	s->accounts = accounts;
	s->gathering = gathering;
	s->more = more;
	s->fresh = true;
	s->loop = loop_new();
	s->log_file = open_memstream(&s->said, &s->n_said);
	log_init(&s->log, LOG_LEVEL_DEBUG, s->log_file);
	snprintf(s->folder, sizeof(s->folder), "/tmp/jidgate-stage-XXXXXX");
	cr_assert(mkdtemp(s->folder));
	begin(s);
	stage_settle(s);
	return s;
}

struct stage *stage_new(bool accounts)
{
	return make(accounts, GATHER_POINTS, 0);
}

struct stage *stage_new_device(size_t more)
{
	return make(false, GATHER_DEVICE, more);
}

struct stage *stage_new_large(size_t more)
{
	return make(false, GATHER_POINTS, more);
}

void stage_restart(struct stage *s)
{
	end(s);
	begin(s);
}

void stage_free(struct stage *s)
{
	end(s);
	log_end(&s->log);
	fclose(s->log_file);
	free(s->said);
	loop_free(s->loop);
	remove_all(s->folder);
	mem_free(s);
}

struct thing *stage_thing(struct stage *s, const char *local)
{
	struct thing *t = house_find_thing(s->house, local, strlen(local));
	cr_assert(t, "%s", local);
	return t;
}

/* So that a turn ends also when nothing comes; in the real time, which scenes do not move. */
struct patience {
	struct stage *stage;
	const char *fragment;
	time_t until;
	struct timer timer;
};

static void look_at_clock(void *ctx)
{
	struct patience *p = ctx;
	const char *text;
	timer_set(p->stage->loop, &p->timer, 100, look_at_clock, p);
	if (time(NULL) < p->until)
		return;
	while (fake_link_take(p->stage->link, &text))
		fprintf(stderr, "sent instead: %s\n", text);
	cr_assert_fail("'%s' was not sent", p->fragment);
}

const char *stage_wait(struct stage *s, const char *fragment)
{
	struct patience p = { .stage = s, .fragment = fragment, .until = time(NULL) + 5 };
	const char *text = fake_link_find(s->link, fragment);
	if (!text)
		timer_set(s->loop, &p.timer, 100, look_at_clock, &p);
	while (!text) {
		loop_turn(s->loop);
		text = fake_link_find(s->link, fragment);
	}
	timer_stop(s->loop, &p.timer);
	return text;
}

size_t stage_count_log(struct stage *s, const char *fragment)
{
	size_t n = 0;
	fflush(s->log_file);
	for (const char *at = s->said; (at = strstr(at, fragment)); at = strchr(at, '\n'))
		n++;
	return n;
}

static void settled(void *ctx, int status, const struct err *why)
{
	(void)why;
	cr_assert_eq(status, 0);
	*(bool *)ctx = true;
}

void stage_settle(struct stage *s)
{
	for (int i = 0; i < 2; i++) { /* what was stored may have led to more */
		bool done = false;
		store_put(s->store, STORE_THING_FORGET, (const char *const[]){ "nobody" }, settled, &done);
		while (!done)
			loop_turn(s->loop);
	}
}

void stage_befriend(struct stage *s, const char *local, const char *jid)
{
	fake_link_give(s->link,
		       "<message from='" SERVICE "' to='%s@things.test'><friendship-states xmlns='urn:xmpp:siot:1'>"
		       "<item jid='%s' friend='yes'/></friendship-states></message>"
		       "<presence type='subscribe' from='%s' to='%s@things.test'/>",
		       local, jid, jid, local);
	stage_wait(s, "type='subscribed'");
	stage_settle(s);
	fake_link_forget(s->link);
}

static struct value raw_of(const struct point *p, const char *text)
{
	return p->type == TYPE_BOOL ? value_bool(text[0] == '1') : value_number(dec(text));
}

void stage_sample(struct stage *s, const char *local, const char *number)
{
	struct point *p = stage_thing(s, local)->points[0];
	struct sample sample = sample_good(raw_of(p, number), loop_utc(s->loop));
	bridge_sample(s->bridge, p, &sample);
}

void stage_answer(struct stage *s, int status, const char *number)
{
	cr_assert_gt(s->n_asked, 0, "the bus was asked nothing");
	struct request *r = s->asked[0];
	memmove(s->asked, s->asked + 1, --s->n_asked * sizeof(s->asked[0]));
	struct sample sample = { 0 };
	if (number)
		sample = sample_good(raw_of(r->point, number), loop_utc(s->loop));
	bridge_done(s->bridge, r, status, number ? &sample : NULL, NULL);
}
