/*
 * Happy path: knock → connect → handshake → up → down, and back to idle.
 *
 * libmosquitto's connect blocks, for minutes if a router drops packets, and cannot be called off. So we knock first with
 * a TCP connection of our own, which has a deadline and can be closed, and only when somebody opened let a worker call
 * the library. A new handle for each opening: an old one would send again what was published before.
 *
 * The connection itself belongs to guard.c, which looks at each packet before the library gets it. The library does not
 * always say that it gave up: after each call into it settle() looks. While a call is on the stack (inside > 0) nothing
 * is destroyed; the outermost one cleans up.
 */
#include "bridges/broker.h"

#include "bridges/guard.h"
#include "bridges/reason.h"
#include "core/base/mem.h"
#include "core/loop/tcp.h"
#include "core/loop/worker.h"

#include <errno.h>
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <stdio.h>
#include <string.h>

enum {
	HANDSHAKE_MS = 10000,
	PACKETS_PER_WAKEUP = 16, /* more would chase a busy broker and starve the rest of the loop */
	MISC_LEAST_MS = 500,
	MISC_MOST_MS = 5000,
	REASONS = 128, /* reason codes from here on are failures (MQTT 5, 2.4) */
};

enum state { STATE_IDLE, STATE_KNOCKING, STATE_CONNECTING, STATE_HANDSHAKE, STATE_UP };

struct broker {
	struct loop *loop;
	struct broker_options options;
	const struct broker_events *events;
	void *ctx;
	enum state state;
	struct tcp *knock;
	bool answered; /* somebody opened when we knocked */
	struct worker *worker;
	struct job connecting;
	int connect_rc, connect_errno;
	struct mosquitto *m;
	struct watch *watch;
	struct timer deadline, misc, soon, more;
	struct guard guard;
	int inside;
	bool accepted, lost, closing;
	struct err why; /* when lost */
};

static void lose(struct broker *b, const char *words)
{
	if (b->lost)
		return;
	b->lost = true;
	err_set(&b->why, "%s", words);
}

static void lose_rc(struct broker *b, int rc, int error)
{
	lose(b, reason_of_error(rc, error));
}

/* --- what the library calls --- */

static void on_connect(struct mosquitto *m, void *ctx, int code, int flags, const mosquitto_property *properties)
{
	(void)m, (void)flags, (void)properties;
	struct broker *b = ctx;
	char words[160];
	snprintf(words, sizeof(words), "the broker refuses: %s", reason_of_refusal(code));
	if (code == 0)
		b->accepted = true;
	else
		lose(b, words);
}

static void on_disconnect(struct mosquitto *m, void *ctx, int code, const mosquitto_property *properties)
{
	(void)m, (void)properties;
	char words[160];
	snprintf(words, sizeof(words), "the broker ended the connection: %s", mosquitto_reason_string(code));
	if (code >= REASONS)
		lose(ctx, words);
}

static void on_message(struct mosquitto *m, void *ctx, const struct mosquitto_message *message,
		       const mosquitto_property *properties)
{
	(void)m, (void)properties;
	struct broker *b = ctx;
	if (!b->closing)
		b->events->on_message(b->ctx, message->topic, message->payload ? message->payload : "",
				      (size_t)message->payloadlen, message->retain);
}

static void on_publish(struct mosquitto *m, void *ctx, int mid, int code, const mosquitto_property *properties)
{
	(void)m, (void)properties;
	struct broker *b = ctx;
	struct err why;
	if (code >= REASONS)
		err_set(&why, "the broker refuses: %s", mosquitto_reason_string(code));
	if (!b->closing)
		b->events->on_published(b->ctx, mid, code >= REASONS ? &why : NULL);
}

static void on_subscribe(struct mosquitto *m, void *ctx, int mid, int n, const int *codes,
			 const mosquitto_property *properties)
{
	(void)m, (void)properties;
	struct broker *b = ctx;
	bool *refused = mem_array((size_t)n, sizeof(*refused));
	for (int i = 0; i < n; i++)
		refused[i] = codes[i] >= REASONS;
	if (!b->closing)
		b->events->on_subscribed(b->ctx, mid, refused, (size_t)n);
	mem_free(refused);
}

/* --- the state --- */

static void drop_handle(struct broker *b)
{
	timer_stop(b->loop, &b->deadline);
	timer_stop(b->loop, &b->misc);
	timer_stop(b->loop, &b->soon);
	timer_stop(b->loop, &b->more);
	watch_free(b->watch);
	b->watch = NULL;
	if (b->m && b->state == STATE_UP && !b->lost) {
		mosquitto_disconnect(b->m);
		guard_flush(&b->guard);
	}
	mosquitto_destroy(b->m);
	guard_end(&b->guard);
	b->m = NULL;
	b->state = STATE_IDLE;
}

static void go_down(struct broker *b)
{
	struct err why = b->why;
	drop_handle(b);
	b->events->on_down(b->ctx, &why);
}

static void end(struct broker *b)
{
	void (*on_closed)(void *ctx) = b->events->on_closed;
	void *ctx = b->ctx;
	drop_handle(b);
	worker_free(b->worker);
	mosquitto_lib_cleanup();
	mem_free(b);
	on_closed(ctx);
}

/* Out with what the library has to say: what it queued inside a callback, and what it kept back for want of room. */
static void flush(struct broker *b)
{
	do {
		int rc = 0;
		b->inside++;
		if (mosquitto_want_write(b->m))
			rc = mosquitto_loop_write(b->m, 1);
		b->inside--;
		if (rc)
			lose_rc(b, rc, errno);
	} while (guard_flush(&b->guard) && !b->lost && mosquitto_want_write(b->m));
}

/* Last line of everything that called the library; b may be gone afterwards. */
static void settle(struct broker *b)
{
	if (b->inside || b->state < STATE_HANDSHAKE)
		return;
	if (!b->closing && !b->lost && mosquitto_socket(b->m) < 0)
		lose(b, "the connection broke");
	if (!b->closing && !b->lost)
		flush(b);
	if (b->closing) {
		end(b);
	} else if (b->lost) {
		go_down(b);
	} else {
		watch_set(b->watch, (b->more.place ? 0 : WATCH_READ | WATCH_HANGUP) |
					    (guard_has_output(&b->guard) ? WATCH_WRITE : 0));
		if (b->state != STATE_HANDSHAKE || !b->accepted)
			return;
		b->state = STATE_UP;
		timer_stop(b->loop, &b->deadline);
		b->events->on_up(b->ctx);
	}
}

static void settle_now(void *ctx)
{
	settle(ctx);
}

/* After a call that the driver made: it must not be told of the end before it has its answer. */
static void settle_soon(struct broker *b)
{
	if (b->inside)
		return;
	if (b->lost || mosquitto_socket(b->m) < 0)
		timer_set(b->loop, &b->soon, 0, settle_now, b);
	else
		settle(b);
}

static void on_more(void *ctx);

/* A bounded number of packets; the rest in the next turn. */
static void take_packets(struct broker *b)
{
	enum guard_result fed = GUARD_FED;
	for (int i = 0; i < PACKETS_PER_WAKEUP && !b->lost && !b->closing; i++) {
		fed = guard_feed(&b->guard);
		if (fed != GUARD_FED)
			break;
		b->inside++;
		int rc = mosquitto_loop_read(b->m, 1);
		b->inside--;
		if (rc)
			lose_rc(b, rc, errno);
	}
	if (fed == GUARD_BAD)
		lose(b, b->guard.why);
	else if (fed == GUARD_FED)
		timer_set(b->loop, &b->more, 0, on_more, b);
	else if (b->guard.closed)
		lose(b, "the broker closed the connection");
}

static void on_more(void *ctx)
{
	struct broker *b = ctx;
	take_packets(b);
	settle(b);
}

static void on_ready(void *ctx, int events)
{
	struct broker *b = ctx;
	if (events & ~WATCH_WRITE)
		guard_read(&b->guard);
	take_packets(b);
	if ((events & WATCH_ERROR) && !b->more.place)
		lose(b, "the broker closed the connection");
	settle(b);
}

static void on_misc(void *ctx)
{
	struct broker *b = ctx;
	int64_t every = (int64_t)b->options.keepalive_s * 1000 / 10;
	every = every < MISC_LEAST_MS ? MISC_LEAST_MS : every > MISC_MOST_MS ? MISC_MOST_MS : every;
	timer_set(b->loop, &b->misc, every, on_misc, b);
	b->inside++;
	int rc = mosquitto_loop_misc(b->m);
	if (rc)
		lose_rc(b, rc, errno);
	b->inside--;
	settle(b);
}

static void on_no_handshake(void *ctx)
{
	struct broker *b = ctx;
	lose(b, "no answer to CONNECT; is it a broker?");
	settle(b);
}

static void connect_run(struct job *job)
{
	struct broker *b = list_of(job, struct broker, connecting);
	mosquitto_property *properties = NULL;
	if (b->options.version_5)
		mosquitto_property_add_int32(&properties, MQTT_PROP_MAXIMUM_PACKET_SIZE, GUARD_BODY_MOST);
	errno = 0;
	b->connect_rc = mosquitto_connect_bind_v5(b->m, b->options.host, b->options.port, b->options.keepalive_s, NULL,
						  properties);
	b->connect_errno = errno;
	mosquitto_property_free_all(&properties);
}

static void connect_done(struct job *job)
{
	struct broker *b = list_of(job, struct broker, connecting);
	struct err why;
	b->state = STATE_HANDSHAKE;
	if (b->connect_rc)
		lose_rc(b, b->connect_rc, b->connect_errno);
	else if (!b->closing && guard_begin(&b->guard, mosquitto_socket(b->m), b->options.version_5, &why) < 0)
		lose(b, why.text);
	if (!b->closing && !b->lost) {
		b->watch = watch_new(b->loop, b->guard.wire, WATCH_READ | WATCH_HANGUP, on_ready, b);
		timer_set(b->loop, &b->deadline, HANDSHAKE_MS, on_no_handshake, b);
		timer_set(b->loop, &b->misc, MISC_LEAST_MS, on_misc, b);
	}
	settle(b);
}

static struct mosquitto *make_handle(struct broker *b)
{
	char id[32];
	const struct broker_options *o = &b->options;
	snprintf(id, sizeof(id), "jidgate-%08x", loop_random(b->loop, UINT32_MAX));
	struct mosquitto *m = mosquitto_new(o->client_id ? o->client_id : id, true, b);
	must(m);
	mosquitto_int_option(m, MOSQ_OPT_PROTOCOL_VERSION, o->version_5 ? MQTT_PROTOCOL_V5 : MQTT_PROTOCOL_V311);
	mosquitto_int_option(m, MOSQ_OPT_TCP_NODELAY, 1);
	mosquitto_username_pw_set(m, o->user, o->password);
	mosquitto_connect_v5_callback_set(m, on_connect);
	mosquitto_disconnect_v5_callback_set(m, on_disconnect);
	mosquitto_message_v5_callback_set(m, on_message);
	mosquitto_publish_v5_callback_set(m, on_publish);
	mosquitto_subscribe_v5_callback_set(m, on_subscribe);
	return m;
}

static void on_knock_up(void *ctx)
{
	struct broker *b = ctx;
	b->answered = true;
	tcp_close(b->knock);
}

static void on_knock_end(void *ctx, const struct err *why)
{
	struct broker *b = ctx;
	b->knock = NULL;
	b->state = STATE_CONNECTING;
	if (b->answered && !b->closing) {
		b->m = make_handle(b);
		b->connecting = (struct job){ .run = connect_run, .done = connect_done };
		worker_post(b->worker, &b->connecting);
		return;
	}
	b->state = STATE_HANDSHAKE; /* nothing is in flight: settle ends it */
	lose(b, why->text);
	settle(b);
}

static void on_knock_data(void *ctx, const char *bytes, size_t size)
{
	(void)ctx, (void)bytes, (void)size; /* a broker waits for us to speak */
}

struct broker *broker_new(struct loop *loop, const struct broker_options *options, const struct broker_events *events,
			  void *ctx)
{
	struct broker *b = mem_new(sizeof(*b));
	mosquitto_lib_init();
	*b = (struct broker){ .loop = loop, .options = *options, .events = events, .ctx = ctx };
	b->guard.wire = b->guard.inner = -1;
	b->worker = worker_new(loop, "mqtt connect");
	return b;
}

void broker_open(struct broker *b)
{
	static const struct tcp_events knocking = { .on_up = on_knock_up,
						    .on_data = on_knock_data,
						    .on_end = on_knock_end };
	must(b->state == STATE_IDLE && !b->closing);
	b->state = STATE_KNOCKING;
	b->answered = b->accepted = b->lost = false;
	b->knock = tcp_open(b->loop, b->options.host, b->options.port, &knocking, b);
}

void broker_close(struct broker *b)
{
	b->closing = true;
	if (b->state == STATE_KNOCKING)
		tcp_close(b->knock);
	else if (b->state == STATE_IDLE)
		end(b);
	else
		settle(b);
}

void broker_drop(struct broker *b, const struct err *why)
{
	lose(b, why->text);
	timer_set(b->loop, &b->soon, 0, settle_now, b);
}

/* An answer that is about this one message does not end the connection. */
static int judge(struct broker *b, int rc, int error, struct err *e)
{
	static const int about_message[] = {
		MOSQ_ERR_INVAL,           MOSQ_ERR_PAYLOAD_SIZE,      MOSQ_ERR_MALFORMED_UTF8,
		MOSQ_ERR_OVERSIZE_PACKET, MOSQ_ERR_QOS_NOT_SUPPORTED, MOSQ_ERR_RETAIN_NOT_SUPPORTED,
		MOSQ_ERR_NOT_SUPPORTED
	};
	b->inside--;
	if (rc != MOSQ_ERR_SUCCESS)
		err_set(e, "the broker cannot take it: %s", reason_of_error(rc, error));
	for (size_t i = 0; i < sizeof(about_message) / sizeof(about_message[0]); i++)
		if (about_message[i] == rc)
			return BROKER_REFUSED;
	if (rc != MOSQ_ERR_SUCCESS)
		lose_rc(b, rc, error);
	settle_soon(b);
	return rc == MOSQ_ERR_SUCCESS ? BROKER_TAKEN : BROKER_LOST;
}

static bool enter(struct broker *b, struct err *e)
{
	if (b->state != STATE_UP || b->lost || b->closing) {
		err_set(e, "not connected to the broker");
		return false;
	}
	b->inside++;
	return true;
}

int broker_publish(struct broker *b, const char *topic, const void *bytes, size_t size, int qos, bool retain,
		   int *ret_mid, struct err *e)
{
	if (!enter(b, e))
		return BROKER_LOST;
	int rc = mosquitto_publish_v5(b->m, ret_mid, topic, (int)size, bytes, qos, retain, NULL);
	return judge(b, rc, errno, e);
}

/* A topic that we write to ourselves must not echo: version 5 has an option for that. */
int broker_subscribe(struct broker *b, char *const *topics, size_t n, int qos, int *ret_mid, struct err *e)
{
	if (!enter(b, e))
		return BROKER_LOST;
	int options = b->options.version_5 ? MQTT_SUB_OPT_NO_LOCAL : 0;
	int rc = mosquitto_subscribe_multiple(b->m, ret_mid, (int)n, topics, qos, options, NULL);
	return judge(b, rc, errno, e);
}

int broker_unsubscribe(struct broker *b, const char *topic, struct err *e)
{
	if (!enter(b, e))
		return BROKER_LOST;
	int rc = mosquitto_unsubscribe(b->m, NULL, topic);
	return judge(b, rc, errno, e);
}
