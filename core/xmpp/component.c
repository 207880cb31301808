/*
 * XEP-0114: one TCP connection that speaks for a whole domain.
 *
 * Happy path: open → connect → on_up: our header → on_header: the handshake → on_stanza <handshake/>: up. Stanzas in go
 * to the host one by one; stanzas out gather in `out` and leave in one write at the end of the turn.
 *
 * Every failure goes through fail() or comes from tcp, ends in on_end, and from there to the next attempt: after full
 * jitter, or, when the server told why and haste would not help, after the time of that row of stream_errors. A server
 * that does not read makes us stop reading (LIMIT_LINK_HIGH): what is owed is then bounded by what was read. A server
 * that is silent is pinged; the ping goes to our own domain, because that is the one address we know the server routes,
 * and back through it to us.
 */
#include "core/base/limits.h"
#include "core/base/mem.h"
#include "core/loop/backoff.h"
#include "core/loop/tcp.h"
#include "core/xmpp/jid.h"
#include "core/xmpp/link.h"
#include "core/xmpp/parser.h"
#include "core/xmpp/reply.h"
#include "core/xmpp/route.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#define STREAMS "http://etherx.jabber.org/streams"
#define PING_ID "jidgate-alive"

enum {
	HANDSHAKE_MS = 15000,
	LEAVE_MS = 2000,
	QUIET_MS = 60000,  /* nothing heard: ping */
	ANSWER_MS = 20000, /* still nothing: the connection is dead */
	STEADY_MS = 60000, /* up for so long: the next loss begins with short delays again */
	FIRST_MS = 500,
	MOST_MS = 60000,
};

enum state { CLOSED, WAITING, CONNECTING, OPENING, PROVING, UP, ENDING, LEAVING };

struct stream_error { /* a stream error that does not go away by trying again soon */
	const char *condition;
	const char *sentence;
	bool loud; /* someone must act */
	uint32_t least_ms, jitter_ms;
};

struct component {
	struct link link;
	const struct conf_xmpp *settings;
	char *domain;
	enum state state;
	bool was_up, paused, pinged;
	struct tcp *tcp; /* from CONNECTING on */
	struct parser *parser;
	struct text out;
	struct turn_hook hook;
	struct timer timer; /* next attempt, or the deadline of this one */
	struct timer pulse;
	struct backoff backoff;
	int64_t up_since, heard;
	const struct stream_error *trouble;
	struct err why;  /* ours, before that of tcp */
	struct err said; /* in the log, since we were up */
};

static const struct stream_error stream_errors[] = {
	{ "not-authorized", "the server refuses the secret of this component", true, 120000, 60000 },
	{ "host-unknown", "the server has no component of this name", true, 120000, 60000 },
	{ "conflict", "another program is connected as this component", false, 30000, 30000 },
};

static struct component *of(struct link *l)
{
	return (struct component *)l;
}

static const struct component *of_const(const struct link *l)
{
	return (const struct component *)l;
}

static size_t unsent(const struct component *c)
{
	return c->out.size + (c->tcp ? tcp_backlog(c->tcp) : 0);
}

static void set_timer(struct component *c, int64_t in_ms, void (*fn)(void *ctx))
{
	timer_set(c->link.loop, &c->timer, in_ms, fn, c);
}

/* May be called inside an event of the parser. Only the first reason counts. */
static void fail(struct component *c, const struct err *why)
{
	if (c->state == ENDING || c->state == LEAVING)
		return;
	c->state = ENDING;
	c->why = *why;
	tcp_close(c->tcp);
}

static void relieve(struct component *c)
{
	size_t waiting = unsent(c);
	if (c->state < OPENING || c->paused == (waiting > (c->paused ? LIMIT_LINK_HIGH / 2 : LIMIT_LINK_HIGH)))
		return;
	c->paused = !c->paused;
	tcp_pause(c->tcp, c->paused);
}

/* The next buffer begins as large as this one, so that it is not grown step by step in every turn. */
static void flush(void *ctx)
{
	struct component *c = ctx;
	if (c->out.size == 0 || c->state < OPENING || c->state == ENDING)
		return;
	size_t size = c->out.size;
	tcp_write(c->tcp, c->out.data, size);
	c->out = (struct text){ 0 };
	text_reserve(&c->out, size);
	relieve(c);
}

static void send_header(struct component *c)
{
	writer_raw(&c->out,
		   "<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' xmlns:stream='" STREAMS "'");
	writer_attribute(&c->out, "to", c->domain);
	writer_raw(&c->out, ">");
}

static void send_handshake(struct component *c, const char *id)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned size = 0;
	char *proof = mem_format("%s%s", id, c->settings->secret ? c->settings->secret : "");
	must(EVP_Digest(proof, strlen(proof), digest, &size, EVP_sha1(), NULL));
	mem_free(proof);
	writer_raw(&c->out, "<handshake>");
	for (unsigned i = 0; i < size; i++)
		text_addf(&c->out, "%02x", digest[i]);
	writer_raw(&c->out, "</handshake>");
}

static void send_ping(struct component *c)
{
	const struct writer_address from = { .domain = c->domain };
	struct text *t = link_begin(&c->link, NULL, true);
	writer_stanza(t, "iq", "get", &from, c->domain, PING_ID);
	writer_raw(t, "><ping xmlns='urn:xmpp:ping'/></iq>");
	link_end(&c->link);
}

/* Anything heard is a sign of life, and so is it when a slow reader takes some of what waits. */
static void pulse(void *ctx)
{
	struct component *c = ctx;
	int64_t quiet = loop_now(c->link.loop) - c->heard, next = QUIET_MS - quiet;
	if (quiet < QUIET_MS) {
		c->pinged = false;
	} else if (!c->pinged) {
		send_ping(c);
		c->pinged = true;
		next = ANSWER_MS;
	} else {
		struct err why;
		err_set(&why, "the server is silent: no answer to a ping in %d s", ANSWER_MS / 1000);
		fail(c, &why);
		return;
	}
	timer_set(c->link.loop, &c->pulse, next, pulse, c);
}

static void go_up(struct component *c)
{
	c->state = UP;
	c->was_up = true;
	c->pinged = false;
	c->up_since = c->heard = loop_now(c->link.loop);
	c->said.text[0] = '\0';
	timer_stop(c->link.loop, &c->timer);
	timer_set(c->link.loop, &c->pulse, QUIET_MS, pulse, c);
	log_info(c->link.log, "%s: connected to %s as %s", c->link.name, c->settings->host, c->domain);
	link_tell_up(&c->link, NULL);
}

static void on_header(void *ctx, const struct element *header)
{
	struct component *c = ctx;
	const char *id = element_get(header, "id");
	if (c->state != OPENING)
		return;
	send_handshake(c, id ? id : "");
	c->state = PROVING;
}

static void take_stream_error(struct component *c, const struct element *e)
{
	const struct element *text = element_child(e, "text", NULL), *condition = e->first;
	while (condition && condition == text)
		condition = condition->next;
	const char *name = condition ? condition->name : "undefined-condition";
	char quoted[160], word[64];
	text_quote(word, sizeof(word), name, strlen(name));
	if (text)
		text_quote(quoted, sizeof(quoted), text->text, strlen(text->text));
	const char *sentence = "the server closed the stream";
	for (size_t i = 0; i < sizeof(stream_errors) / sizeof(*stream_errors); i++) {
		if (strcmp(stream_errors[i].condition, name) != 0)
			continue;
		c->trouble = &stream_errors[i];
		sentence = c->trouble->sentence;
	}
	struct err why;
	err_set(&why, "%s (%s%s%s)", sentence, word, text ? ": " : "", text ? quoted : "");
	fail(c, &why);
}

static bool is_own_ping(const struct component *c, const struct element *e)
{
	const char *id = element_get(e, "id"), *from = element_get(e, "from");
	return id && from && strcmp(id, PING_ID) == 0 && strcmp(from, c->domain) == 0;
}

static void on_stanza(void *ctx, struct element *stanza)
{
	struct component *c = ctx;
	if (element_is(stanza, "error", STREAMS))
		take_stream_error(c, stanza);
	else if (c->state == PROVING && element_is(stanza, "handshake", NULL))
		go_up(c);
	else if (c->state == UP && !is_own_ping(c, stanza))
		link_tell_stanza(&c->link, stanza);
}

static void on_over(void *ctx, struct element *start)
{
	struct component *c = ctx;
	struct incoming in;
	struct incoming_room room;
	if (c->state == UP && incoming_read(&in, &room, &c->link, start) == 0 && in.answer.armed)
		reply_refuse(&in.answer, &reply_policy_violation, "The stanza is too large.");
}

static void on_footer(void *ctx)
{
	struct err why;
	err_set(&why, "the server closed the stream");
	fail(ctx, &why);
}

static const struct parser_events parser_events = { on_header, on_stanza, on_over, on_footer };

static void too_slow(void *ctx)
{
	struct err why;
	err_set(&why, "no handshake from the server in %d s", HANDSHAKE_MS / 1000);
	fail(ctx, &why);
}

static void on_tcp_up(void *ctx)
{
	struct component *c = ctx;
	if (c->state != CONNECTING)
		return;
	c->state = OPENING;
	send_header(c);
	set_timer(c, HANDSHAKE_MS, too_slow);
}

static void on_data(void *ctx, const char *bytes, size_t size)
{
	struct component *c = ctx;
	c->heard = loop_now(c->link.loop);
	if (c->state < OPENING || c->state > UP)
		return;
	struct err why;
	if (parser_feed(c->parser, bytes, size, &why) < 0)
		fail(c, &why);
	else if (c->state <= UP)
		relieve(c);
}

static void on_sent(void *ctx)
{
	struct component *c = ctx;
	c->heard = loop_now(c->link.loop);
	if (c->state <= UP)
		relieve(c);
}

static void finish(void *ctx)
{
	struct component *c = ctx;
	timer_stop(c->link.loop, &c->timer);
	timer_stop(c->link.loop, &c->pulse);
	loop_drop_hook(c->link.loop, &c->hook);
	text_clear(&c->out);
	c->state = CLOSED;
	c->link.events->on_closed(c->link.ctx);
}

static int64_t delay_of(struct component *c)
{
	if (c->trouble)
		return (int64_t)c->trouble->least_ms + loop_random(c->link.loop, c->trouble->jitter_ms);
	return backoff_next(&c->backoff, c->link.loop);
}

/* One line when we lose the server, none while we try; what someone must mend is said again. */
static void complain(struct component *c, const struct err *why, int64_t delay)
{
	struct log *log = c->link.log;
	bool again = c->said.text[0] && (!c->trouble || strcmp(c->said.text, why->text) == 0);
	double seconds = (double)delay / 1000;
	if (c->trouble && c->trouble->loud)
		log_error(log, "%s: away: %s; again in %.0f s", c->link.name, why->text, seconds);
	else if (again)
		log_debug(log, "%s: away: %s; again in %.1f s", c->link.name, why->text, seconds);
	else
		log_warn(log, "%s: away: %s; again in %.1f s", c->link.name, why->text, seconds);
	c->said = *why;
}

static void begin_attempt(void *ctx);

static void on_end(void *ctx, const struct err *tcp_why)
{
	struct component *c = ctx;
	c->tcp = NULL;
	c->paused = false;
	if (c->state == LEAVING) {
		finish(c);
		return;
	}
	if (c->was_up && loop_now(c->link.loop) - c->up_since >= STEADY_MS)
		backoff_reset(&c->backoff);
	struct err why = c->why.text[0] ? c->why : *tcp_why;
	int64_t delay = delay_of(c);
	c->state = WAITING;
	c->was_up = false;
	timer_stop(c->link.loop, &c->pulse);
	text_clear(&c->out);
	set_timer(c, delay, begin_attempt);
	complain(c, &why, delay);
	link_tell_down(&c->link, NULL, &why);
}

static const struct tcp_events tcp_events = { on_tcp_up, on_data, on_sent, on_end };

static void begin_attempt(void *ctx)
{
	struct component *c = ctx;
	c->state = CONNECTING;
	c->trouble = NULL;
	c->why.text[0] = '\0';
	parser_reset(c->parser);
	c->tcp = tcp_open(c->link.loop, c->settings->host, (int)c->settings->port, &tcp_events, c);
}

static void component_open(struct link *l)
{
	struct component *c = of(l);
	must(c->state == CLOSED);
	c->state = WAITING;
	loop_add_hook(l->loop, &c->hook);
	set_timer(c, 0, begin_attempt);
}

static void hang_up(void *ctx)
{
	struct component *c = ctx;
	tcp_close(c->tcp);
}

/* The server's own end is waited for: closing at once could make the kernel throw away what the server has not read
 * yet. */
static void component_close(struct link *l)
{
	struct component *c = of(l);
	enum state was = c->state;
	if (was == CLOSED || was == LEAVING)
		return;
	c->state = LEAVING;
	timer_stop(l->loop, &c->pulse);
	if (was == WAITING) {
		set_timer(c, 0, finish);
		return;
	}
	if (was == CONNECTING)
		tcp_close(c->tcp);
	if (was == CONNECTING || was == ENDING)
		return;
	writer_raw(&c->out, "</stream:stream>");
	flush(c);
	tcp_pause(c->tcp, false);
	set_timer(c, LEAVE_MS, hang_up);
}

static bool component_up(const struct link *l, const char *local)
{
	(void)local;
	return of_const(l)->state == UP;
}

static struct text *component_begin(struct link *l, const char *local, bool answer)
{
	struct component *c = of(l);
	(void)local;
	if (c->state != UP || (!answer && unsent(c) > LIMIT_LINK_CAP))
		return NULL;
	return &c->out;
}

static void component_end(struct link *l)
{
	(void)l;
}

static bool component_congested(const struct link *l)
{
	return unsent(of_const(l)) > LIMIT_LINK_HIGH;
}

static void component_free(struct link *l)
{
	struct component *c = of(l);
	must(c->state == CLOSED);
	parser_free(c->parser);
	text_free(&c->out);
	mem_free(c->domain);
	mem_free(c);
}

static const struct link_driver driver = {
	.open = component_open,
	.close = component_close,
	.up = component_up,
	.begin = component_begin,
	.end = component_end,
	.congested = component_congested,
	.free = component_free,
};

struct link *component_new(const char *name, const struct conf_xmpp *settings, struct loop *loop, struct log *log,
			   const struct link_events *events, void *ctx)
{
	struct component *c = mem_new(sizeof(*c));
	char prepared[2 * LIMIT_JID_PART + 2];
	c->domain = mem_text(jid_bare(settings->domain, prepared) == 0 ? prepared : settings->domain);
	c->link = (struct link){
		.driver = &driver,
		.domain = c->domain,
		.events = events,
		.ctx = ctx,
		.loop = loop,
		.log = log,
		.name = name,
	};
	c->settings = settings;
	c->backoff = (struct backoff){ .first_ms = FIRST_MS, .most_ms = MOST_MS };
	c->parser = parser_new(&parser_events, c);
	c->hook = (struct turn_hook){ .fn = flush, .ctx = c };
	return &c->link;
}
