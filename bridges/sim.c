/*
 * The driver of a bus that does not exist, and the one to read before you write a driver. Its points follow waves of
 * the loop's time, keep what is written to them and fail on a schedule. Requests wait in the queue, where each costs
 * `delay`, and end with bridge_done; points with `push` tell their value unasked with bridge_sample. A "timeout" stays
 * silent until the deadline, when the core calls cancel; a bus that is "away" ends everything and says bridge_down.
 */
#include "bridges/wave.h"
#include "core/base/mem.h"
#include "core/bridge/bridge.h"

struct options { /* bus.options */
	int64_t delay_ms;
	struct schedule faults;
};

struct cell { /* point.bus_data */
	struct bridge *bridge;
	struct point *point;
	struct timer push;
	struct value held; /* what was written: a number or a bool, see wave_check */
};

struct sim {             /* bridge.self */
	int64_t born_ms; /* waves and faults count from the first open, so that a scene knows what it will see */
	struct cell *cells;
	struct list queue;  /* struct request.link: they wait for their turn on the bus */
	struct list silent; /* struct request.link: they wait for their deadline */
	struct timer turn;  /* the first of the queue is served */
};

static int64_t age_ms(const struct bridge *b)
{
	const struct sim *sim = b->self;
	return loop_now(b->loop) - sim->born_ms;
}

static enum trouble bus_fault(const struct bridge *b)
{
	const struct options *o = b->bus->options;
	return schedule_at(&o->faults, age_ms(b));
}

static struct sample look(const struct bridge *b, const struct cell *cell)
{
	const struct wave *w = cell->point->address;
	enum trouble fault = bus_fault(b) ? bus_fault(b) : schedule_at(&w->faults, age_ms(b));
	if (fault)
		return sample_bad(fault, loop_utc(b->loop));
	return sample_good(cell->held.type ? cell->held : wave_value(cell->point, age_ms(b)), loop_utc(b->loop));
}

static void push(void *ctx)
{
	struct cell *cell = ctx;
	struct bridge *b = cell->bridge;
	const struct wave *w = cell->point->address;
	struct sample s = look(b, cell);
	timer_set(b->loop, &cell->push, w->push_ms, push, cell);
	if (s.trouble != TROUBLE_TIMEOUT)
		bridge_sample(b, cell->point, &s);
}

static int sim_listen(struct bridge *b, struct point *p, bool on)
{
	const struct wave *w = p->address;
	struct cell *cell = p->bus_data;
	timer_stop(b->loop, &cell->push);
	if (on && w->push_ms)
		timer_set(b->loop, &cell->push, 0, push, cell);
	return w->push_ms != 0;
}

static void be_quiet(struct bridge *b)
{
	struct sim *sim = b->self;
	timer_stop(b->loop, &sim->turn);
	for (size_t i = 0; i < b->n_points; i++)
		sim_listen(b, b->points[i], false);
}

static void go_away(struct bridge *b)
{
	struct sim *sim = b->self;
	be_quiet(b);
	for (struct list *first; (first = list_pop(&sim->queue)) || (first = list_pop(&sim->silent));)
		bridge_done(b, list_of(first, struct request, link), REQUEST_AWAY, NULL, NULL);
	bridge_down(b, &(const struct err){ "away, as its schedule says" });
}

static void serve(struct bridge *b, struct request *r)
{
	struct sim *sim = b->self;
	struct cell *cell = r->point->bus_data;
	struct sample s = look(b, cell);
	if (s.trouble == TROUBLE_TIMEOUT) {
		list_add(&sim->silent, &r->link);
		return;
	}
	if (r->driver_data && !s.trouble) {
		cell->held = r->raw;
		sim_listen(b, r->point, true); /* tells it at once, if it tells at all */
	}
	bridge_done(b, r, -(int)s.trouble, &s, NULL); /* enum request_status counts the same troubles down */
}

static void serve_queue(void *ctx)
{
	struct bridge *b = ctx;
	struct sim *sim = b->self;
	const struct options *o = b->bus->options;
	struct list *first;
	if (bus_fault(b) == TROUBLE_AWAY)
		go_away(b);
	for (int n = o->delay_ms ? 1 : 1000; n && (first = list_pop(&sim->queue)); n--)
		serve(b, list_of(first, struct request, link));
	if (!list_empty(&sim->queue))
		timer_set(b->loop, &sim->turn, o->delay_ms, serve_queue, b);
}

static void enqueue(struct bridge *b, struct request *r, bool write)
{
	struct sim *sim = b->self;
	const struct options *o = b->bus->options;
	r->driver_data = write ? sim : NULL; /* r->write stays true while what was written is read back */
	list_add(&sim->queue, &r->link);
	if (!sim->turn.place)
		timer_set(b->loop, &sim->turn, o->delay_ms, serve_queue, b);
}

static void sim_read(struct bridge *b, struct request **r, size_t n)
{
	for (size_t i = 0; i < n; i++)
		enqueue(b, r[i], false);
}

static void sim_write(struct bridge *b, struct request *r)
{
	enqueue(b, r, true);
}

static void sim_cancel(struct bridge *b, struct request *r)
{
	list_drop(&r->link);
	bridge_done(b, r, loop_now(b->loop) < r->deadline_ms ? REQUEST_CANCELLED : REQUEST_TIMEOUT, NULL, NULL);
}

static int sim_open(struct bridge *b, struct err *e)
{
	struct sim *sim = b->self;
	if (!sim->cells) {
		sim->born_ms = loop_now(b->loop);
		sim->cells = mem_array(b->n_points, sizeof(struct cell));
		list_init(&sim->queue);
		list_init(&sim->silent);
	}
	for (size_t i = 0; i < b->n_points; i++) {
		struct cell *cell = b->points[i]->bus_data = &sim->cells[i];
		cell->bridge = b;
		cell->point = b->points[i];
	}
	if (bus_fault(b) == TROUBLE_AWAY)
		return err_set(e, "away, as its schedule says");
	bridge_up(b);
	return 0;
}

static void sim_close(struct bridge *b)
{
	struct sim *sim = b->self;
	be_quiet(b);
	mem_free(sim->cells);
	sim->cells = NULL;
	list_init(&sim->queue); /* the requests that still wait are the core's now */
	list_init(&sim->silent);
	bridge_closed(b);
}

static const struct setting options[] = {
	{ "delay", SETTING_DURATION, offsetof(struct options, delay_ms), "0s", .help = "the cost of a request" },
	SCHEDULE_ROW(offsetof(struct options, faults), "troubles of the whole bus"),
	{ 0 },
};

const struct bridge_driver driver_sim = {
	.protocol = { .name = "sim",
		      .options = options,
		      .options_size = sizeof(struct options),
		      .address = wave_rows,
		      .address_size = sizeof(struct wave),
		      .poll_ms = 10000,
		      .check = wave_check },
	.size = sizeof(struct sim),
	.open = sim_open,
	.listen = sim_listen,
	.read = sim_read,
	.write = sim_write,
	.cancel = sim_cancel,
	.close = sim_close,
};
