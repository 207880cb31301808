/*
 * Happy path: load certificates → dial → greet (TLS) → join the library → handshake → up → end, and back to idle.
 *
 * The connection is our own, because libmosquitto's connect blocks, for minutes if a router drops packets, and its TLS spins
 * and forgets to say that it failed. The library only has one end of a socket pair (join.h); guard.c looks at each packet on
 * the way there, tls.c seals what goes out. A new handle for each opening: an old one would send again what was
 * published before.
 *
 * The library does not always say that it gave up: after each call into it settle() looks. While a call is on the stack
 * (inside > 0) nothing is destroyed; the outermost one cleans up.
 */
#include "bridges/broker_inside.h"
#include "core/base/mem.h"

#include <mosquitto.h>
#include <string.h>

enum {
	HANDSHAKE_MS = 10000,    /* for TLS, and again for CONNECT */
	PACKETS_PER_WAKEUP = 16, /* more would chase a busy broker and starve the rest of the loop */
	MISC_LEAST_MS = 500,
	MISC_MOST_MS = 5000,
	PIECE = 16 * 1024,
	BACKLOG_MOST = 64 * 1024, /* of what the broker does not take; above, the library has to wait */
};

void broker_lose(struct broker *b, const char *words)
{
	if (b->lost)
		return;
	b->lost = true;
	err_set(&b->why, "%s", words);
}

/* --- bytes --- */

static void send_sealed(struct broker *b)
{
	size_t size;
	char *bytes = b->tls && b->wire ? tls_take(b->tls, &size) : NULL;
	if (bytes)
		tcp_write(b->wire, bytes, size);
}

static void send_open(struct broker *b, const void *bytes, size_t size)
{
	if (!b->wire)
		return;
	if (!b->tls) {
		tcp_write(b->wire, mem_copy(bytes, size), size);
		return;
	}
	tls_say(b->tls, bytes, size);
	send_sealed(b);
}

/* What the library wrote, as far as the connection takes it. */
static bool carry(struct broker *b)
{
	char piece[PIECE];
	bool moved = false;
	size_t n;
	while (b->wire && tcp_backlog(b->wire) < BACKLOG_MOST &&
	       (n = guard_collect(&b->guard, piece, sizeof(piece))) > 0) {
		send_open(b, piece, n);
		moved = true;
	}
	return moved;
}

/* Out with what the library has to say: what it queued inside a callback, and what it kept back for want of room. */
static void flush(struct broker *b)
{
	do
		broker_write_more(b);
	while (carry(b) && !b->lost);
}

/* Nothing more will come; what came before that counts. */
static void over(struct broker *b, const char *words)
{
	if (b->over)
		return;
	b->over = true;
	err_set(&b->over_why, "%s", words);
}

/* What of the sealed bytes there is room for. */
static void open_sealed(struct broker *b)
{
	struct err why;
	uint8_t *room;
	int n = 0;
	while (b->tls && !b->over && (room = guard_room(&b->guard)) &&
	       (n = tls_get(b->tls, room, GUARD_READ, &why)) > 0)
		guard_put(&b->guard, (size_t)n);
	if (n < 0)
		over(b, why.text);
}

/* --- the end --- */

static void drop_all(struct broker *b)
{
	timer_stop(b->loop, &b->deadline);
	timer_stop(b->loop, &b->misc);
	timer_stop(b->loop, &b->soon);
	timer_stop(b->loop, &b->more);
	if (b->state == BROKER_UP && !b->lost) {
		broker_take_leave(b);
		flush(b);
		if (b->tls)
			tls_say_end(b->tls);
		send_sealed(b);
	}
	broker_handle_free(b->m);
	b->m = NULL;
	guard_end(&b->guard);
	join_drop(&b->join);
	tls_free(b->tls);
	b->tls = NULL;
	tls_trust_free(b->trust);
	b->trust = NULL;
}

static void finish(struct broker *b)
{
	void (*on_closed)(void *ctx) = b->events->on_closed;
	void *ctx = b->ctx;
	struct err why = b->why;
	b->state = BROKER_IDLE;
	if (!b->closing) {
		b->events->on_down(b->ctx, &why);
		return;
	}
	worker_free(b->worker);
	mosquitto_lib_cleanup();
	mem_free(b);
	on_closed(ctx);
}

/* The last of it is told when the connection is closed. */
static void end(struct broker *b)
{
	drop_all(b);
	b->state = BROKER_ENDING;
	if (b->wire)
		tcp_close(b->wire);
	else
		finish(b);
}

static bool is_busy(const struct broker *b)
{
	return b->inside || b->state == BROKER_LOADING || b->state == BROKER_JOINING || b->state == BROKER_ENDING;
}

/* Last line of everything that called the library or lost the connection; b may be gone afterwards. */
static void settle(struct broker *b)
{
	if (is_busy(b))
		return;
	if (b->m && !b->closing && !b->lost && !broker_is_connected(b))
		broker_lose(b, "the connection broke");
	if (b->m && !b->closing && !b->lost)
		flush(b);
	if (b->closing || b->lost) {
		end(b);
		return;
	}
	if (b->wire && b->m)
		tcp_pause(b->wire, guard_room(&b->guard) == NULL);
	if (b->state != BROKER_HANDSHAKE || !b->accepted)
		return;
	b->state = BROKER_UP;
	timer_stop(b->loop, &b->deadline);
	broker_say_online(b);
	b->events->on_up(b->ctx);
}

static void settle_now(void *ctx)
{
	settle(ctx);
}

/* It must not be told of the end before it has its answer. */
void broker_settle_soon(struct broker *b)
{
	if (b->inside)
		return;
	if (b->lost || !broker_is_connected(b))
		timer_set(b->loop, &b->soon, 0, settle_now, b);
	else
		settle(b);
}

static void lose_now(struct broker *b, const char *words)
{
	broker_lose(b, words);
	settle(b);
}

/* --- up --- */

static void on_more(void *ctx);

/* A bounded number of packets; the rest in the next turn. */
static void take_packets(struct broker *b)
{
	int left = PACKETS_PER_WAKEUP, fed = 0;
	open_sealed(b);
	while (left > 0 && !b->lost && !b->closing && (fed = guard_feed(&b->guard, left)) > 0) {
		broker_read_packets(b, fed);
		left -= fed;
	}
	if (fed < 0)
		broker_lose(b, b->guard.why);
	else if (fed > 0)
		timer_set(b->loop, &b->more, 0, on_more, b);
	else if (b->over)
		broker_lose(b, b->over_why.text);
}

static void on_more(void *ctx)
{
	struct broker *b = ctx;
	take_packets(b);
	settle(b);
}

static void on_misc(void *ctx)
{
	struct broker *b = ctx;
	int64_t every = (int64_t)b->options.keepalive_s * 1000 / 10;
	every = every < MISC_LEAST_MS ? MISC_LEAST_MS : every > MISC_MOST_MS ? MISC_MOST_MS : every;
	timer_set(b->loop, &b->misc, every, on_misc, b);
	broker_keep_alive(b);
	settle(b);
}

/* --- the way there --- */

static void on_no_handshake(void *ctx)
{
	lose_now(ctx, "no answer to CONNECT; is it a broker?");
}

static void join_run(struct job *job)
{
	struct broker *b = list_of(job, struct broker, job);
	b->job_result = join_begin(&b->join, &b->job_why);
	if (b->job_result == 0)
		b->job_result = broker_handle_connect(b, &b->job_why);
}

static void join_done(struct job *job)
{
	struct broker *b = list_of(job, struct broker, job);
	b->state = BROKER_HANDSHAKE;
	if (b->job_result < 0)
		broker_lose(b, b->job_why.text);
	if (b->job_result == 0 && !b->closing) {
		guard_join(&b->guard, b->join.inner);
		b->join.inner = -1;
		send_open(b, b->join.hello.data, b->join.hello.size);
		timer_set(b->loop, &b->deadline, HANDSHAKE_MS, on_no_handshake, b);
		timer_set(b->loop, &b->misc, MISC_LEAST_MS, on_misc, b);
		take_packets(b);
	}
	join_drop(&b->join);
	settle(b);
}

static void join(struct broker *b)
{
	timer_stop(b->loop, &b->deadline);
	b->state = BROKER_JOINING;
	b->m = broker_handle_new(b);
	b->job = (struct job){ .run = join_run, .done = join_done };
	worker_post(b->worker, &b->job);
}

static void on_no_greeting(void *ctx)
{
	lose_now(ctx, "no answer to the beginning of TLS; does this port want it?");
}

static void greet(struct broker *b)
{
	struct err why;
	int result = tls_greet(b->tls, &why);
	send_sealed(b);
	if (result > 0)
		join(b);
	else if (result < 0)
		lose_now(b, why.text);
}

static void on_wire_up(void *ctx)
{
	struct broker *b = ctx;
	b->met = true;
	if (!b->options.tls) {
		join(b);
		return;
	}
	b->state = BROKER_GREETING;
	b->tls = tls_new(b->trust, b->options.host);
	timer_set(b->loop, &b->deadline, HANDSHAKE_MS, on_no_greeting, b);
	greet(b);
}

/* Not now: the connection may be read several times in a turn. */
static void take_soon(struct broker *b)
{
	open_sealed(b);
	if (!b->more.place)
		timer_set(b->loop, &b->more, 0, on_more, b);
}

/* Never more than there is room for: the connection is paused when there is none. */
static void on_wire_data(void *ctx, const char *bytes, size_t size)
{
	struct broker *b = ctx;
	if (b->tls) {
		tls_put(b->tls, bytes, size);
	} else {
		uint8_t *room = guard_room(&b->guard);
		must(room);
		memcpy(room, bytes, size);
		guard_put(&b->guard, size);
	}
	if (b->state == BROKER_GREETING)
		greet(b);
	else if (b->state == BROKER_JOINING)
		tcp_pause(b->wire, true); /* nobody but a broker that is none speaks before it is spoken to */
	else
		take_soon(b);
	settle(b);
}

static void on_wire_sent(void *ctx)
{
	settle(ctx);
}

static void on_wire_end(void *ctx, const struct err *why)
{
	struct broker *b = ctx;
	b->wire = NULL;
	if (b->state == BROKER_ENDING) {
		finish(b);
		return;
	}
	if (b->state == BROKER_GREETING)
		broker_lose(b, "the broker closed the connection in the beginning of TLS; does this port want it?");
	else if (!b->met)
		broker_lose(b, why->text);
	else
		open_sealed(b);
	over(b, b->guard.greeted || b->tls
			? "the broker closed the connection"
			: "the broker closed the connection instead of an answer; does this port want TLS?");
	if (b->m && b->state != BROKER_JOINING && !b->more.place)
		take_packets(b);
	settle(b);
}

static void dial(struct broker *b)
{
	static const struct tcp_events events = {
		.on_up = on_wire_up, .on_data = on_wire_data, .on_sent = on_wire_sent, .on_end = on_wire_end
	};
	b->state = BROKER_DIALING;
	guard_begin(&b->guard, b->options.version_5);
	b->wire = tcp_open(b->loop, b->options.host, b->options.port, &events, b);
}

static void load_run(struct job *job)
{
	struct broker *b = list_of(job, struct broker, job);
	b->trust = tls_trust_load(b->options.tls, &b->job_why);
}

static void load_done(struct job *job)
{
	struct broker *b = list_of(job, struct broker, job);
	b->state = BROKER_IDLE;
	if (!b->trust)
		broker_lose(b, b->job.skipped ? "closed" : b->job_why.text);
	if (b->lost || b->closing)
		settle(b);
	else
		dial(b);
}

struct broker *broker_new(struct loop *loop, const struct broker_options *options, const struct broker_events *events,
			  void *ctx)
{
	struct broker *b = mem_new(sizeof(*b));
	mosquitto_lib_init();
	*b = (struct broker){ .loop = loop, .options = *options, .events = events, .ctx = ctx };
	b->guard.inner = b->join.inner = b->join.listener = -1;
	b->worker = worker_new(loop, "mqtt connect");
	return b;
}

void broker_open(struct broker *b)
{
	must(b->state == BROKER_IDLE && !b->closing);
	b->met = b->over = b->accepted = b->lost = false;
	if (!b->options.tls) {
		dial(b);
		return;
	}
	b->state = BROKER_LOADING;
	b->job = (struct job){ .run = load_run, .done = load_done };
	worker_post(b->worker, &b->job);
}

void broker_close(struct broker *b)
{
	b->closing = true;
	settle(b);
}

void broker_drop(struct broker *b, const struct err *why)
{
	broker_lose(b, why->text);
	timer_set(b->loop, &b->soon, 0, settle_now, b);
}
