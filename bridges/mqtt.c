/*
 * MQTT 3.1.1 and 5: points that take their values from topics of a broker and publish what is written.
 *
 * Happy path: open → on_up → the core lets us listen → subscriptions → messages → bridge_sample. What the broker kept
 * from earlier (retained) is of unknown age: it is told as old, never as good. A device that says it is offline has all
 * of its points away. What is written while the broker is away waits until its deadline, the newest of a point; it is
 * published when all subscriptions are made, so that what it leads to is heard. Nothing is published twice.
 */
#include "bridges/discover.h"
#include "bridges/levels.h"
#include "bridges/publish.h"
#include "bridges/subscribe.h"

#include <string.h>

struct mqtt {
	struct bridge *bridge;
	struct broker *broker;
	struct topic_table topics;
	struct subscribe in;
	struct publish out;
	struct tls_files files;
	struct discover discover;
	struct levels levels;
	struct timer closer;
	bool up, closing;
};

enum { NOTE_MISSING = 100, NOTE_REFUSED, NOTE_OFFLINE, NOTE_GARBLED }; /* beside enum trouble */

/* --- samples --- */

static void say_away(struct mqtt *m, struct point *p)
{
	struct sample away = sample_bad(TROUBLE_AWAY, loop_utc(m->bridge->loop));
	bridge_sample(m->bridge, p, &away);
}

static void note_reader(struct mqtt *m, struct topic_reader *r, int state, const struct err *why)
{
	const char *more, *path = r->rule.path ? r->rule.path : "";
	const char *device = r->point->device->id, *id = r->point->id;
	if (!note_change(&r->note, state, loop_now(m->bridge->loop), &more))
		return;
	if (state == TROUBLE_NONE)
		log_info(m->bridge->log, "point '%s.%s': a good message again%s", device, id, more);
	else if (state == NOTE_MISSING)
		log_info(m->bridge->log, "point '%s.%s': no '%s' in the message on '%s'%s", device, id, path,
			 r->topic->name, more);
	else
		log_warn(m->bridge->log, "point '%s.%s': message on '%s': %s%s%s%s", device, id, r->topic->name, path,
			 *path ? " " : "", why->text, more);
}

/* What we published ourselves comes back under 3.1.1 and proves nothing. */
static bool is_old(const struct mqtt *m, const struct topic *t, bool retained)
{
	const struct mqtt_bus *bus = m->bridge->bus->options;
	return retained || (t->ours && bus->version != MQTT_VERSION_5);
}

static void take_reader(struct mqtt *m, struct topic_reader *r, struct payload *payload, bool old)
{
	int64_t now = loop_utc(m->bridge->loop);
	struct value value = { 0 };
	enum trouble trouble = TROUBLE_NONE;
	struct err why;
	enum payload_result result = payload_take(payload, &r->rule, &value, &trouble, &why);
	note_reader(m, r, result == PAYLOAD_MISSING ? NOTE_MISSING : (int)trouble, &why);
	if (result == PAYLOAD_MISSING || (result == PAYLOAD_BAD && old && r->point->last.quality == QUALITY_GOOD))
		return;
	struct sample s = sample_good(value, now);
	if (result == PAYLOAD_BAD)
		s = sample_bad(trouble, now);
	else if (old)
		s = (struct sample){ .value = value, .quality = QUALITY_OLD };
	bridge_sample(m->bridge, r->point, &s);
	if (old && !m->closing && topic_is_away(&m->topics, r->point->device))
		say_away(m, r->point);
}

static void note_watcher(struct mqtt *m, struct topic_watcher *w, int state)
{
	const char *more, *id = w->device->id;
	if (!note_change(&w->note, state, loop_now(m->bridge->loop), &more))
		return;
	if (state == NOTE_GARBLED)
		log_warn(m->bridge->log, "device '%s': '%s' says neither '%s' nor '%s'%s", id, w->rule->topic,
			 w->rule->online, w->rule->offline, more);
	else
		log_info(m->bridge->log, "device '%s': says that it is %s%s", id,
			 state == NOTE_OFFLINE ? "offline" : "online", more);
}

static void take_watcher(struct mqtt *m, struct topic_watcher *w, struct payload *payload)
{
	struct text word = { 0 };
	bool said = payload_word(payload, w->rule->path, &word);
	bool online = said && text_same(word.data, w->rule->online);
	bool offline = said && text_same(word.data, w->rule->offline);
	text_free(&word);
	note_watcher(m, w, online ? TROUBLE_NONE : offline ? NOTE_OFFLINE : NOTE_GARBLED);
	if (online || offline)
		w->away = offline;
	for (size_t i = 0; offline && i < w->device->n_points && !m->closing; i++)
		if (!w->device->points[i]->disabled)
			say_away(m, w->device->points[i]);
}

/* --- what the connection tells --- */

static void on_message(void *ctx, const struct broker_message *message)
{
	struct mqtt *m = ctx;
	struct topic *t = topic_find(&m->topics, message->topic);
	struct payload payload = payload_of(message->bytes, message->size);
	discover_message(&m->discover, message->topic, message->bytes, message->size);
	levels_message(&m->levels, message->topic);
	if (!t)
		return;
	if (t->answers)
		publish_respond(&m->out, message);
	bool old = is_old(m, t, message->retained);
	for (struct topic_watcher *w = message->size ? t->watchers : NULL; w && !m->closing; w = w->next)
		take_watcher(m, w, &payload);
	for (struct topic_reader *r = t->readers; r && !m->closing; r = r->next)
		take_reader(m, r, &payload, old);
}

static void on_subscription(void *ctx, struct topic *t, bool refused)
{
	struct mqtt *m = ctx;
	const char *more;
	if (note_change(&t->note, refused ? NOTE_REFUSED : TROUBLE_NONE, loop_now(m->bridge->loop), &more))
		log_warn(m->bridge->log, "bus '%s': the broker %s topic '%s'%s", m->bridge->bus->id,
			 refused ? "does not let us read" : "lets us read again", t->name, more);
	for (struct topic_reader *r = t->readers; refused && r && !m->closing; r = r->next) {
		struct sample bad = sample_bad(TROUBLE_REFUSED, loop_utc(m->bridge->loop));
		bridge_sample(m->bridge, r->point, &bad);
	}
}

/* What a write leads to will be heard. */
static void on_heard(void *ctx)
{
	struct mqtt *m = ctx;
	if (m->up && !m->closing)
		publish_ready(&m->out);
}

static void on_subscribed(void *ctx, int mid, const bool *refused, size_t n)
{
	struct mqtt *m = ctx;
	subscribe_answer(&m->in, mid, refused, n);
}

static void on_published(void *ctx, int mid, const struct err *why)
{
	struct mqtt *m = ctx;
	publish_acknowledge(&m->out, mid, why);
}

/* Whatever is heard although no point listens. */
static void watch(struct mqtt *m)
{
	struct topic *t;
	for (size_t at = 0; (t = map_next(&m->topics.map, &at));) {
		bool wanted = t->watchers || t->kept || t->answers;
		if (wanted != t->watched)
			(wanted ? subscribe_add : subscribe_drop)(&m->in, t);
		t->watched = wanted;
	}
}

static void begin_session(struct mqtt *m)
{
	struct topic *t;
	for (size_t at = 0; (t = map_next(&m->topics.map, &at));) {
		t->watched = false;
		for (struct topic_watcher *w = t->watchers; w; w = w->next)
			w->away = false; /* until it says so again */
	}
	watch(m);
}

static void on_up(void *ctx)
{
	struct mqtt *m = ctx;
	if (m->closing)
		return;
	m->up = true;
	begin_session(m);
	discover_up(&m->discover);
	bridge_up(m->bridge);
	if (m->up && !m->closing && subscribe_is_done(&m->in))
		publish_ready(&m->out);
}

static void on_down(void *ctx, const struct err *why)
{
	struct mqtt *m = ctx;
	m->up = false;
	discover_down(&m->discover);
	subscribe_end(&m->in);
	publish_end(&m->out, why);
	if (!m->closing)
		bridge_down(m->bridge, why);
}

static void on_closed(void *ctx)
{
	struct mqtt *m = ctx;
	topic_free(&m->topics);
	discover_end(&m->discover);
	levels_end(&m->levels);
	bridge_closed(m->bridge);
}

/* --- what the core asks --- */

static void begin(struct mqtt *m, struct bridge *b)
{
	static const struct broker_events events = {
		on_up, on_down, on_message, on_published, on_subscribed, on_closed
	};
	const struct broker_options options = mqtt_rows_broker(b->bus->options, &m->files);
	m->bridge = b;
	m->broker = broker_new(b->loop, &options, &events, m);
	topic_take(&m->topics, b->points, b->n_points);
	discover_begin(&m->discover, b, &m->topics);
	levels_begin(&m->levels, b, &m->topics);
	m->in = (struct subscribe){ b->loop, m->broker, &m->topics, on_subscription, on_heard, m, { 0 }, { 0 }, { 0 } };
	m->out = (struct publish){ .bridge = b, .broker = m->broker };
	subscribe_begin(&m->in);
	publish_begin(&m->out);
}

static int mqtt_open(struct bridge *b, struct err *e)
{
	(void)e;
	struct mqtt *m = b->self;
	if (!m->broker)
		begin(m, b);
	broker_open(m->broker);
	return 0;
}

static int mqtt_listen(struct bridge *b, struct point *p, bool on)
{
	struct mqtt *m = b->self;
	const struct mqtt_address *a = p->address;
	struct topic *t = a->topic ? topic_find(&m->topics, a->topic) : NULL;
	if (t)
		(on ? subscribe_add : subscribe_drop)(&m->in, t);
	return 1;
}

static void mqtt_write(struct bridge *b, struct request *r)
{
	struct mqtt *m = b->self;
	bool away = topic_is_away(&m->topics, r->point->device);
	struct err why;
	err_set(&why, away ? "the device says that it is offline" : "the broker cannot be reached");
	if (!m->up || away)
		bridge_done(b, r, REQUEST_AWAY, NULL, &why);
	else
		publish_add(&m->out, r);
}

static void mqtt_cancel(struct bridge *b, struct request *r)
{
	struct mqtt *m = b->self;
	publish_cancel(&m->out, r);
}

static void forget_topic(void *ctx, struct topic *topic)
{
	struct mqtt *m = ctx;
	subscribe_forget(&m->in, topic);
}

static void mqtt_change(struct bridge *b)
{
	struct mqtt *m = b->self;
	if (!m->broker)
		return; /* it will begin with the new ones */
	topic_take(&m->topics, b->points, b->n_points);
	if (m->up)
		watch(m);
	topic_sweep(&m->topics, forget_topic, m);
	levels_change(&m->levels);
}

static void close_now(void *ctx)
{
	struct mqtt *m = ctx;
	broker_close(m->broker);
}

/* In a turn of its own, because it may be called from inside anything we tell the core. */
static void mqtt_close(struct bridge *b)
{
	struct mqtt *m = b->self;
	m->closing = true;
	discover_down(&m->discover);
	subscribe_end(&m->in);
	publish_forget(&m->out);
	timer_set(b->loop, &m->closer, 0, close_now, m);
}

const struct bridge_driver driver_mqtt = {
	.protocol = {
		.name = "mqtt",
		.options = mqtt_rows_bus, .options_size = sizeof(struct mqtt_bus),
		.device = mqtt_rows_device, .device_size = sizeof(struct mqtt_device),
		.address = mqtt_rows_address, .address_size = sizeof(struct mqtt_address),
		.responds = true, .check = mqtt_rows_check, .check_device = mqtt_rows_check_device, .check_bus = mqtt_rows_check_bus,
		.finds = mqtt_rows_finds,
		.filters = mqtt_rows_filters,
	},
	.size = sizeof(struct mqtt), .last_wins = true,
	.open = mqtt_open, .listen = mqtt_listen, .write = mqtt_write, .cancel = mqtt_cancel, .close = mqtt_close,
	.change = mqtt_change,
};
