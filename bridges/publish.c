#include "bridges/publish.h"

#include "bridges/compose.h"
#include "bridges/mqtt_rows.h"

void publish_begin(struct publish *p)
{
	list_init(&p->waiting);
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
	if (r)
		bridge_done(p->bridge, r, status, NULL, status == REQUEST_DONE ? NULL : &why);
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
	const struct broker_publication publication = { .topic = a->write.topic,
							.bytes = payload.data,
							.size = payload.size,
							.qos = (int)qos,
							.retain = a->write.retain };
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
	while (!p->calling && !list_empty(&p->waiting) && (slot = free_slot(p))) {
		struct request *r = list_of(list_pop(&p->waiting), struct request, link);
		*slot = (struct publish_slot){ .used = true, .request = r };
		err_set(&slot->why, "the broker did not take it in time");
		if (loop_now(p->bridge->loop) >= r->deadline_ms)
			end_slot(p, slot, REQUEST_TIMEOUT);
		else
			send_one(p, slot, r);
	}
}

void publish_add(struct publish *p, struct request *r)
{
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

void publish_answer(struct publish *p, int mid, const struct err *why)
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

void publish_cancel(struct publish *p, struct request *r)
{
	bool late = loop_now(p->bridge->loop) >= r->deadline_ms;
	struct err why;
	err_set(&why, late ? "the broker did not acknowledge it in time" : "cancelled");
	for (size_t i = 0; i < PUBLISH_WINDOW; i++)
		if (p->slots[i].request == r)
			p->slots[i].request = NULL;
	list_drop(&r->link);
	look_for_life(p);
	bridge_done(p->bridge, r, late ? REQUEST_TIMEOUT : REQUEST_CANCELLED, NULL, &why);
}

void publish_end(struct publish *p, const struct err *why)
{
	for (size_t i = 0; i < PUBLISH_WINDOW; i++) {
		if (!p->slots[i].used)
			continue;
		p->slots[i].why = *why;
		end_slot(p, &p->slots[i], REQUEST_AWAY);
	}
	for (struct list *link; (link = list_pop(&p->waiting));)
		bridge_done(p->bridge, list_of(link, struct request, link), REQUEST_AWAY, NULL, why);
}

void publish_forget(struct publish *p)
{
	for (size_t i = 0; i < PUBLISH_WINDOW; i++)
		p->slots[i] = (struct publish_slot){ 0 };
	while (list_pop(&p->waiting))
		;
}
