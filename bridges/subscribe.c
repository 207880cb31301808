#include "bridges/subscribe.h"

#include "core/base/mem.h"

static const int64_t PATIENCE_MS = 20000;
enum { BATCH = 200 /* topics in one packet */, QOS_MOST = 2 };

struct batch { /* one packet that was sent */
	struct list link;
	int mid;
	struct topic *topics[BATCH];
	size_t n;
};

void subscribe_begin(struct subscribe *s)
{
	list_init(&s->batches);
}

static void out_of_patience(void *ctx)
{
	struct subscribe *s = ctx;
	struct err why;
	err_set(&why, "the broker does not answer a subscription");
	broker_drop(s->broker, &why);
}

static void send_each(struct subscribe *s, struct batch *batch, int qos);

static void send_batch(struct subscribe *s, struct batch *batch, int qos)
{
	char *names[BATCH];
	struct err why;
	for (size_t i = 0; i < batch->n; i++) {
		batch->topics[i]->asked = true;
		names[i] = batch->topics[i]->name;
	}
	int answer = broker_subscribe(s->broker, names, batch->n, qos, &batch->mid, &why);
	if (answer == BROKER_TAKEN) {
		list_add(&s->batches, &batch->link);
		return;
	}
	if (answer == BROKER_LOST)
		broker_drop(s->broker, &why);
	else if (batch->n > 1)
		send_each(s, batch, qos);
	else
		s->on_refused(s->ctx, batch->topics[0], true);
	mem_free(batch);
}

/* The packet was too large for this broker. */
static void send_each(struct subscribe *s, struct batch *batch, int qos)
{
	for (size_t i = 0; i < batch->n; i++) {
		struct batch *one = mem_new(sizeof(*one));
		one->topics[one->n++] = batch->topics[i];
		send_batch(s, one, qos);
	}
}

static bool is_due(const struct topic *topic, int qos)
{
	return topic->listeners && !topic->asked && topic->qos == qos;
}

static void send_all(struct subscribe *s, int qos)
{
	struct batch *batch = NULL;
	struct topic *topic;
	for (size_t at = 0; (topic = map_next(&s->topics->map, &at));) {
		if (!is_due(topic, qos))
			continue;
		if (!batch)
			batch = mem_new(sizeof(*batch));
		batch->topics[batch->n++] = topic;
		if (batch->n < BATCH)
			continue;
		send_batch(s, batch, qos);
		batch = NULL;
	}
	if (batch)
		send_batch(s, batch, qos);
}

static void flush(void *ctx)
{
	struct subscribe *s = ctx;
	for (int qos = 0; qos <= QOS_MOST; qos++)
		send_all(s, qos);
	if (!list_empty(&s->batches))
		timer_set(s->loop, &s->patience, PATIENCE_MS, out_of_patience, s);
	else
		s->on_heard(s->ctx);
}

bool subscribe_is_done(const struct subscribe *s)
{
	return list_empty(&s->batches) && !s->soon.place;
}

void subscribe_add(struct subscribe *s, struct topic *topic)
{
	topic->listeners++;
	if (!topic->asked && !s->soon.place)
		timer_set(s->loop, &s->soon, 0, flush, s);
}

void subscribe_drop(struct subscribe *s, struct topic *topic)
{
	if (topic->listeners == 0 || --topic->listeners > 0 || !topic->asked)
		return;
	topic->asked = false;
	broker_unsubscribe(s->broker, topic->name, NULL);
}

static struct batch *find(struct subscribe *s, int mid)
{
	list_each (link, &s->batches) {
		struct batch *batch = list_of(link, struct batch, link);
		if (batch->mid == mid)
			return batch;
	}
	return NULL;
}

void subscribe_forget(struct subscribe *s, struct topic *topic)
{
	list_each (link, &s->batches) {
		struct batch *batch = list_of(link, struct batch, link);
		for (size_t i = 0; i < batch->n; i++)
			if (batch->topics[i] == topic)
				batch->topics[i] = NULL;
	}
}

void subscribe_answer(struct subscribe *s, int mid, const bool *refused, size_t n)
{
	struct batch *batch = find(s, mid);
	if (!batch)
		return;
	list_drop(&batch->link);
	if (list_empty(&s->batches))
		timer_stop(s->loop, &s->patience);
	for (size_t i = 0; i < batch->n; i++) /* an answer that is too short leaves the rest refused */
		if (batch->topics[i])
			s->on_refused(s->ctx, batch->topics[i], i >= n || refused[i]);
	mem_free(batch);
	if (subscribe_is_done(s))
		s->on_heard(s->ctx);
}

void subscribe_end(struct subscribe *s)
{
	struct topic *topic;
	timer_stop(s->loop, &s->soon);
	timer_stop(s->loop, &s->patience);
	for (struct list *link; (link = list_pop(&s->batches));)
		mem_free(list_of(link, struct batch, link));
	for (size_t at = 0; (topic = map_next(&s->topics->map, &at));) {
		topic->listeners = 0;
		topic->asked = false;
	}
}
