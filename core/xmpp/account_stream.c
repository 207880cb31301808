#include "core/xmpp/account_stream.h"

#include "core/base/limits.h"
#include "core/base/mem.h"
#include "core/base/text.h"
#include "core/xmpp/parser.h"
#include "core/xmpp/writer.h"

#include <stdio.h>
#include <string.h>

/*
 * Happy path: on_pipe_up: our header -> features: bind -> its result: up. Every failure goes through fail() or comes from the
 * pipe, and ends in on_pipe_end.
 *
 * The server waits for our header when SASL has succeeded, so our parser sees the stream from its first byte on.
 */

#define BIND    "urn:ietf:params:xml:ns:xmpp-bind"
#define SESSION "urn:ietf:params:xml:ns:xmpp-session"

static const char ping_id[] = "jidgate-alive", bind_id[] = "jidgate-bind", session_id[] = "jidgate-session";
static const int64_t LOGIN_MS = 30000, QUIET_MS = 60000, ANSWER_MS = 20000, LEAVE_MS = 2000;

enum { BACKLOG_HIGH = LIMIT_LINK_HIGH / 4 }; /* of one account: above it is not read what would be answered */

enum state { LOGIN, OPENING, BINDING, STARTING, UP, LEAVING, ENDING };

struct account_stream {
	struct account_pipe *pipe;
	struct loop *loop;
	const struct account_who *who;
	const char *domain, *resource;
	const struct account_stream_events *events;
	void *ctx;
	enum state state;
	struct parser *parser;
	struct timer timer; /* the deadline of the login, then the pulse, then of leaving */
	int64_t heard;
	bool pinged, paused;
	bool wants_session; /* RFC 3921 servers */
	const struct account_trouble *trouble;
	struct err why; /* before the one of the pipe */
};

/* May be called inside an event of the parser. Only the first reason counts. */
static void fail(struct account_stream *s, const struct account_trouble *trouble, const struct err *why)
{
	if (s->state == LEAVING || s->state == ENDING)
		return;
	s->state = ENDING;
	s->trouble = trouble;
	s->why = *why;
	account_thread_cut(s->pipe);
}

static void fail_for_now(struct account_stream *s, const char *sentence)
{
	struct err why;
	err_set(&why, "%s", sentence);
	fail(s, account_trouble_find(""), &why);
}

static void say(struct account_stream *s, struct text *t)
{
	account_thread_write(s->pipe, t->data, t->size);
	text_free(t);
}

static void send_header(struct account_stream *s)
{
	struct text t = { 0 };
	writer_raw(&t,
		   "<?xml version='1.0'?><stream:stream version='1.0' xmlns='jabber:client' xmlns:stream='" STREAMS_NS
		   "'");
	writer_attribute(&t, "to", s->domain);
	writer_attribute(&t, "from", s->who->jid);
	writer_raw(&t, ">");
	say(s, &t);
}

static void send_bind(struct account_stream *s)
{
	struct text t = { 0 };
	text_addf(&t, "<iq type='set' id='%s'><bind xmlns='" BIND "'><resource>", bind_id);
	writer_text(&t, s->resource);
	writer_raw(&t, "</resource></bind></iq>");
	say(s, &t);
}

static void send_session(struct account_stream *s)
{
	struct text t = { 0 };
	text_addf(&t, "<iq type='set' id='%s'><session xmlns='" SESSION "'/></iq>", session_id);
	say(s, &t);
}

static void send_ping(struct account_stream *s)
{
	struct text t = { 0 };
	text_addf(&t, "<iq type='get' id='%s'", ping_id);
	writer_attribute(&t, "to", s->domain);
	writer_raw(&t, "><ping xmlns='urn:xmpp:ping'/></iq>");
	say(s, &t);
}

static void pulse(void *ctx)
{
	struct account_stream *s = ctx;
	int64_t quiet = loop_now(s->loop) - s->heard, next = QUIET_MS - quiet;
	if (quiet < QUIET_MS) {
		s->pinged = false;
	} else if (!s->pinged) {
		send_ping(s);
		s->pinged = true;
		next = ANSWER_MS;
	} else {
		fail_for_now(s, "the server is silent: it does not answer a ping");
		return;
	}
	timer_set(s->loop, &s->timer, next, pulse, s);
}

static void go_up(struct account_stream *s)
{
	s->state = UP;
	timer_set(s->loop, &s->timer, QUIET_MS, pulse, s);
	s->events->on_up(s->ctx);
}

static void take_stream_error(struct account_stream *s, const struct element *e)
{
	struct err why;
	const struct account_trouble *trouble = account_trouble_read(e, &why);
	fail(s, trouble, &why);
}

static void take_features(struct account_stream *s, const struct element *features)
{
	const struct element *session = element_child(features, "session", SESSION);
	if (!element_child(features, "bind", BIND)) {
		fail_for_now(s, "the server offers no bind");
		return;
	}
	s->wants_session = session && !element_child(session, "optional", NULL);
	send_bind(s);
	s->state = BINDING;
}

/* To what we asked ourselves; nobody but the server may give it. */
static bool is_answer(const struct account_stream *s, const struct element *e, const char *id)
{
	const char *type = element_get(e, "type"), *from = element_get(e, "from"), *at = strchr(s->who->jid, '@');
	return element_is(e, "iq", ELEMENT_CLIENT) && text_same(element_get(e, "id"), id) &&
	       (text_same(type, "result") || text_same(type, "error")) &&
	       (!from || text_same(from, s->who->jid) || text_same(from, s->domain) || text_same(from, at + 1));
}

static void take_answer(struct account_stream *s, const struct element *e, const char *what)
{
	if (text_same(element_get(e, "type"), "error")) {
		const struct element *error = element_child(e, "error", NULL);
		const char *name = error && error->first ? error->first->name : "no reason given";
		char word[64];
		struct err why;
		err_set(&why, "the server gives it no %s (%s)", what,
			text_quote(word, sizeof(word), name, strlen(name)));
		fail(s, account_trouble_find(name), &why);
	} else if (s->state == BINDING && s->wants_session) {
		send_session(s);
		s->state = STARTING;
	} else {
		go_up(s);
	}
}

static void on_stanza(void *ctx, struct element *e)
{
	struct account_stream *s = ctx;
	if (element_is(e, "error", STREAMS_NS))
		take_stream_error(s, e);
	else if (s->state == UP && !is_answer(s, e, ping_id))
		s->events->on_stanza(s->ctx, e);
	else if (s->state == OPENING && element_is(e, "features", STREAMS_NS))
		take_features(s, e);
	else if (s->state == BINDING && is_answer(s, e, bind_id))
		take_answer(s, e, "resource");
	else if (s->state == STARTING && is_answer(s, e, session_id))
		take_answer(s, e, "session");
}

static void on_over(void *ctx, struct element *start)
{
	struct account_stream *s = ctx;
	if (s->state == UP)
		s->events->on_over(s->ctx, start);
}

static void on_header(void *ctx, const struct element *header)
{
	(void)ctx, (void)header;
}

static void on_footer(void *ctx)
{
	fail_for_now(ctx, "the server closed the stream");
}

static const struct parser_events parser_events = { on_header, on_stanza, on_over, on_footer };

static void too_slow(void *ctx)
{
	fail_for_now(ctx, "the login takes too long");
}

static void relieve(struct account_stream *s)
{
	bool high = account_thread_backlog(s->pipe) > (size_t)(s->paused ? BACKLOG_HIGH / 2 : BACKLOG_HIGH);
	if (s->state > UP || high == s->paused)
		return;
	s->paused = high;
	account_thread_pause(s->pipe, high);
}

static void on_pipe_up(void *ctx)
{
	struct account_stream *s = ctx;
	if (s->state != LOGIN)
		return;
	s->state = OPENING;
	s->parser = parser_new(&parser_events, s);
	send_header(s);
}

static void on_pipe_data(void *ctx, const char *bytes, size_t size)
{
	struct account_stream *s = ctx;
	s->heard = loop_now(s->loop);
	if (s->state < OPENING || s->state > UP)
		return;
	struct err why;
	if (parser_feed(s->parser, bytes, size, &why) < 0)
		fail(s, account_trouble_find(""), &why);
	else
		relieve(s);
}

/* A slow reader that takes something is a sign of life, too. */
static void on_pipe_sent(void *ctx)
{
	struct account_stream *s = ctx;
	s->heard = loop_now(s->loop);
	relieve(s);
}

static void on_pipe_end(void *ctx, const char *word, const struct err *pipe_why)
{
	struct account_stream *s = ctx;
	bool ours = s->why.text[0];
	const struct account_trouble *trouble = s->trouble;
	if (!trouble)
		trouble = account_trouble_find(ours ? "" : word);
	timer_stop(s->loop, &s->timer);
	s->events->on_end(s->ctx, trouble, ours ? &s->why : pipe_why);
	parser_free(s->parser);
	mem_free(s);
}

static const struct account_pipe_events pipe_events = { on_pipe_up, on_pipe_data, on_pipe_sent, on_pipe_end };

struct account_stream *account_stream_open(struct account_thread *thread, struct loop *loop,
					   const struct account_who *who, const char *domain, const char *resource,
					   const struct account_stream_events *events, void *ctx)
{
	struct account_stream *s = mem_new(sizeof(*s));
	*s = (struct account_stream){ .loop = loop,
				      .who = who,
				      .domain = domain,
				      .resource = resource,
				      .events = events,
				      .ctx = ctx,
				      .heard = loop_now(loop) };
	timer_set(loop, &s->timer, LOGIN_MS, too_slow, s);
	s->pipe = account_thread_open(thread, who, &pipe_events, s);
	return s;
}

void account_stream_write(struct account_stream *s, const char *bytes, size_t size)
{
	if (s->state != UP)
		return;
	account_thread_write(s->pipe, bytes, size);
	relieve(s);
}

size_t account_stream_backlog(const struct account_stream *s)
{
	return account_thread_backlog(s->pipe);
}

static void hang_up(void *ctx)
{
	struct account_stream *s = ctx;
	account_thread_cut(s->pipe);
}

/* The server's own end is waited for: closing at once could make the kernel throw away what the server has not read yet. */
void account_stream_leave(struct account_stream *s)
{
	static const char goodbye[] = "</stream:stream>";
	enum state was = s->state;
	if (was == LEAVING || was == ENDING)
		return;
	s->state = LEAVING;
	if (was == LOGIN) {
		account_thread_cut(s->pipe);
		return;
	}
	account_thread_write(s->pipe, goodbye, strlen(goodbye));
	account_thread_pause(s->pipe, false);
	timer_set(s->loop, &s->timer, LEAVE_MS, hang_up, s);
}
