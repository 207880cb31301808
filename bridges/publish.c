#include "bridges/publish.h"

#include "bridges/compose.h"
#include "bridges/mqtt_rows.h"
#include "bridges/payload.h"
#include "core/base/mem.h"

#include <stdio.h>
#include <string.h>

/* Who waits for an answer of the device; request.driver_data points to it. */
struct unanswered {
	struct list link;
	struct request *request;
	char correlation[PUBLISH_CORRELATION + 1];
	bool taken; /* by the broker */
};

void publish_begin(struct publish *p)
{
	list_init(&p->waiting);
	list_init(&p->unanswered);
	p->session = loop_random(p->bridge->loop, UINT32_MAX);
}

static void forget_answer(struct request *r)
{
	struct unanswered *u = r->driver_data;
	r->driver_data = NULL;
	if (!u)
		return;
	list_drop(&u->link);
	mem_free(u);
}

/* The one end of each request. */
static void end(struct publish *p, struct request *r, int status, const struct err *why)
{
	forget_answer(r);
	bridge_done(p->bridge, r, status, NULL, status == REQUEST_DONE ? NULL : why);
}

static struct publish_slot *free_slot(struct publish *p)
{
	for (size_t i = 0; i < PUBLISH_WINDOW; i++)
		if (!p->slots[i].used)
			return &p->slots[i];
	return NULL;
}

static void end_slot(struct publish *p, struct publish_slot *slot, int status)
{
	struct request *r = slot->request;
	struct err why = slot->why;
	*slot = (struct publish_slot){ 0 };
	struct unanswered *u = r ? r->driver_data : NULL;
	if (u && status == REQUEST_DONE)
		u->taken = true;
	else if (r)
		end(p, r, status, &why);
}

static const struct unanswered *expect_answer(struct publish *p, struct request *r)
{
	struct unanswered *u = mem_new(sizeof(*u));
	u->request = r;
	snprintf(u->correlation, sizeof(u->correlation), "%08x%08x", (unsigned)p->session, (unsigned)p->count++);
	list_add(&p->unanswered, &u->link);
	r->driver_data = u;
	return u;
}

static int hand_over(struct publish *p, struct publish_slot *slot)
{
	const struct point *point = slot->request->point;
	const struct mqtt_bus *bus = p->bridge->bus->options;
	const struct mqtt_address *a = point->address;
	const struct compose_rule rule = { a->write.payload, a->write.on, a->write.off };
	int64_t qos = a->write.qos < 0 ? bus->qos : a->write.qos;
	struct text payload = { 0 };
	compose_payload(&rule, point->type, &slot->request->raw, &payload);
	struct broker_publication publication = { .topic = a->write.topic,
							.bytes = payload.data,
							.size = payload.size,
							.qos = (int)qos,
							.retain = a->write.retain };
	if (point->confirm == CONFIRM_RESPONSE) {
		publication.response_topic = a->write.response_topic;
		publication.correlation = expect_answer(p, slot->request)->correlation;
		publication.correlation_size = PUBLISH_CORRELATION;
	}
	int answer = broker_publish(p->broker, &publication, &slot->mid, &slot->why);
	text_free(&payload);
	return answer;
}

static void send_one(struct publish *p, struct publish_slot *slot, struct request *r)
{
	*slot = (struct publish_slot){ .used = true, .request = r };
	p->calling = slot;
	int answer = hand_over(p, slot);
	p->calling = NULL;
	if (answer != BROKER_TAKEN)
		end_slot(p, slot, answer == BROKER_LOST ? REQUEST_AWAY : REQUEST_REFUSED);
	else if (slot->answered)
		end_slot(p, slot, slot->refused ? REQUEST_REFUSED : REQUEST_DONE);
}

/* A request that is too late stays unsent: the core's own timer is about to cancel it. */
static void send_waiting(struct publish *p)
{
	struct publish_slot *slot;
	while (p->ready && !p->calling && !list_empty(&p->waiting) && (slot = free_slot(p))) {
		struct request *r = list_of(list_pop(&p->waiting), struct request, link);
		*slot = (struct publish_slot){ .used = true, .request = r };
		err_set(&slot->why, "the broker did not take it in time");
		if (loop_now(p->bridge->loop) >= r->deadline_ms)
			end_slot(p, slot, REQUEST_TIMEOUT);
		else
			send_one(p, slot, r);
	}
}

void publish_ready(struct publish *p)
{
	p->ready = true;
	send_waiting(p);
}

void publish_add(struct publish *p, struct request *r)
{
	r->driver_data = NULL;
	list_add(&p->waiting, &r->link);
	send_waiting(p);
}

static struct publish_slot *slot_of(struct publish *p, int mid)
{
	for (size_t i = 0; i < PUBLISH_WINDOW; i++)
		if (p->slots[i].used && p->slots[i].mid == mid)
			return &p->slots[i];
	return NULL;
}

void publish_acknowledge(struct publish *p, int mid, const struct err *why)
{
	struct publish_slot *slot = slot_of(p, mid);
	if (!slot)
		return;
	slot->answered = true;
	slot->refused = why != NULL;
	if (why)
		slot->why = *why;
	if (slot == p->calling)
		return;
	end_slot(p, slot, why ? REQUEST_REFUSED : REQUEST_DONE);
	send_waiting(p);
}

/* When the broker has forgotten all that it took, nothing will ever go out again. */
static void look_for_life(struct publish *p)
{
	struct err why;
	for (size_t i = 0; i < PUBLISH_WINDOW; i++)
		if (!p->slots[i].used || p->slots[i].request)
			return;
	err_set(&why, "the broker does not acknowledge what we publish");
	broker_drop(p->broker, &why);
}

static void leave_slot(struct publish *p, const struct request *r)
{
	for (size_t i = 0; i < PUBLISH_WINDOW; i++)
		if (p->slots[i].request == r)
			p->slots[i].request = NULL;
}

static struct unanswered *asked_with(struct publish *p, const struct broker_message *m)
{
	list_each (link, &p->unanswered) {
		struct unanswered *u = list_of(link, struct unanswered, link);
		if (m->correlation_size == PUBLISH_CORRELATION &&
		    memcmp(m->correlation, u->correlation, PUBLISH_CORRELATION) == 0)
			return u;
	}
	return NULL;
}

/* Does the device say that it did it? Else its words are in why. */
static bool agrees(const struct mqtt_write *rule, const struct broker_message *m, struct err *why)
{
	char quoted[128];
	struct payload payload = payload_of(m->bytes, m->size);
	struct text word = { 0 };
	bool said = payload_word(&payload, rule->response_path, &word);
	bool good = !m->error && (!rule->response_ok || (said && text_same(word.data, rule->response_ok)));
	const char *words = m->error ? m->error : said && word.data ? word.data : "";
	if (said || m->error)
		err_set(why, "the device answered '%s'", text_quote(quoted, sizeof(quoted), words, strlen(words)));
	else
		err_set(why, "the answer of the device does not say whether it did it");
	text_free(&word);
	return good;
}

/* The answer of a write that nobody waits for any more is no answer to another one. What is kept is from another time. */
void publish_respond(struct publish *p, const struct broker_message *m)
{
	struct unanswered *u = m->correlation && !m->retained ? asked_with(p, m) : NULL;
	struct err why;
	if (!u)
		return;
	struct request *r = u->request;
	const struct mqtt_address *a = r->point->address;
	if (!text_same(m->topic, a->write.response_topic))
		return;
	bool good = agrees(&a->write, m, &why);
	leave_slot(p, r);
	end(p, r, good ? REQUEST_DONE : REQUEST_REFUSED, &why);
}

static const char *why_late(const struct request *r)
{
	const struct unanswered *u = r->driver_data;
	return u && u->taken ? "the device did not answer in time" : "the broker did not acknowledge it in time";
}

void publish_cancel(struct publish *p, struct request *r)
{
	bool late = loop_now(p->bridge->loop) >= r->deadline_ms;
	struct err why;
	err_set(&why, "%s", late ? why_late(r) : "cancelled");
	leave_slot(p, r);
	list_drop(&r->link);
	look_for_life(p);
	end(p, r, late ? REQUEST_TIMEOUT : REQUEST_CANCELLED, &why);
}

static void end_unanswered(struct publish *p, const struct err *why)
{
	while (!list_empty(&p->unanswered)) {
		struct err both;
		struct request *r = list_of(p->unanswered.next, struct unanswered, link)->request;
		err_set(&both, "sent, but then the broker was lost before the device answered: %s", why->text);
		end(p, r, REQUEST_AWAY, &both);
	}
}

void publish_end(struct publish *p, const struct err *why)
{
	p->ready = false;
	for (size_t i = 0; i < PUBLISH_WINDOW; i++) {
		if (!p->slots[i].used)
			continue;
		p->slots[i].why = *why;
		end_slot(p, &p->slots[i], REQUEST_AWAY);
	}
	end_unanswered(p, why);
	for (struct list *link; (link = list_pop(&p->waiting));)
		end(p, list_of(link, struct request, link), REQUEST_AWAY, why);
}

void publish_forget(struct publish *p)
{
	for (size_t i = 0; i < PUBLISH_WINDOW; i++)
		p->slots[i] = (struct publish_slot){ 0 };
	while (list_pop(&p->waiting))
		;
	while (!list_empty(&p->unanswered))
		forget_answer(list_of(p->unanswered.next, struct unanswered, link)->request);
}
