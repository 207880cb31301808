/* The component's connection against a server that does what the scene needs. Hours pass by loop_skip. */
#include "core/base/limits.h"
#include "core/base/mem.h"
#include "core/xmpp/link.h"
#include "core/xmpp/route.h"
#include "tests/peers/xmpp_server.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct host { /* what stands above the link */
	struct loop *loop;
	struct link *link;
	struct server *server;
	struct conf_xmpp settings;
	struct log log;
	FILE *file;
	char *written;
	size_t written_size;
	size_t n_up, n_down, n_stanzas, n_closed;
	struct err why;
	bool close_at_stanza;
};

static void answer_read(void *self, struct incoming *in)
{
	(void)self;
	struct text *t = reply_begin(&in->answer);
	if (!t)
		return;
	writer_raw(t, "<accepted xmlns='urn:xmpp:iot:sensordata' seqnr='1'/>");
	reply_end(&in->answer);
}

static const struct route rows[] = {
	{ ROUTE_GET, "urn:xmpp:iot:sensordata", "req", answer_read },
	{ 0 },
};

static void on_up(void *ctx, const char *local)
{
	struct host *h = ctx;
	cr_assert_null(local);
	h->n_up++;
}

static void on_down(void *ctx, const char *local, const struct err *why)
{
	struct host *h = ctx;
	cr_assert_null(local);
	h->n_down++;
	h->why = *why;
}

static void on_stanza(void *ctx, struct element *stanza)
{
	struct host *h = ctx;
	struct incoming in;
	struct incoming_room room;
	h->n_stanzas++;
	if (incoming_read(&in, &room, h->link, stanza) == 0)
		route_take(rows, h, &in);
	if (h->close_at_stanza)
		link_close(h->link);
}

static void on_closed(void *ctx)
{
	struct host *h = ctx;
	h->n_closed++;
}

static struct host host;

static void begin(void)
{
	static const struct link_events events = { on_up, on_down, on_stanza, on_closed };
	host = (struct host){ 0 };
	host.file = open_memstream(&host.written, &host.written_size);
	log_init(&host.log, LOG_LEVEL_INFO, host.file);
	host.loop = loop_new();
	host.server = server_new(host.loop, "s3cret");
	host.settings = (struct conf_xmpp){
		.domain = mem_text("Things.Example"),
		.host = mem_text("127.0.0.1"),
		.port = host.server->port,
		.secret = mem_text("s3cret"),
	};
	host.link = component_new("xmpp", &host.settings, host.loop, &host.log, &events, &host);
}

static bool is_closed(void *ctx)
{
	const struct host *h = ctx;
	return h->n_closed > 0;
}

static void end(void)
{
	if (host.n_closed == 0) {
		link_close(host.link);
		cr_assert(server_wait(host.server, is_closed, &host));
	}
	cr_assert_eq(host.n_closed, 1);
	link_free(host.link);
	server_free(host.server);
	loop_free(host.loop); /* dies if a handle is left */
	log_end(&host.log);
	fclose(host.file);
	free(host.written); /* memory of the C library */
	mem_free(host.settings.domain);
	mem_free(host.settings.host);
	mem_free(host.settings.secret);
}

static bool link_is_up(void *ctx)
{
	const struct host *h = ctx;
	return link_up(h->link, NULL);
}

static bool was_down(void *ctx)
{
	const struct host *h = ctx;
	return h->n_down > 0;
}

static void come_up(void)
{
	link_open(host.link);
	cr_assert(server_wait(host.server, link_is_up, &host));
	server_forget(host.server);
}

static void goes_down(const char *why)
{
	host.n_down = 0;
	cr_assert(server_wait(host.server, was_down, &host), "the link did not go down");
	cr_assert_not_null(strstr(host.why.text, why), "%s", host.why.text);
	cr_assert_not(link_up(host.link, NULL));
}

/* Also after the longest delay of the usual kind. */
static void comes_back(void)
{
	loop_skip(host.loop, 61000);
	cr_assert(server_wait(host.server, link_is_up, &host), "the link did not come back: %s", host.why.text);
	server_forget(host.server);
}

static const char *logged(void)
{
	log_end(&host.log);
	fflush(host.file);
	return host.written ? host.written : "";
}

static size_t n_logged(const char *fragment)
{
	size_t n = 0;
	for (const char *at = logged(); (at = strstr(at, fragment)); at += strlen(fragment))
		n++;
	return n;
}

#define READ(id)                                                                                                       \
	"<iq type='get' from='anna@b.example/x' to='meter.p@things.example' id='" id "'>"                              \
	"<req xmlns='urn:xmpp:iot:sensordata' seqnr='1' momentary='true'/></iq>"
#define ACCEPTED(id)                                                                                                   \
	"<iq type='result' from='meter.p@things.example' to='anna@b.example/x' id='" id "'>"                           \
	"<accepted xmlns='urn:xmpp:iot:sensordata' seqnr='1'/></iq>"

static void still_answers(void)
{
	server_say(host.server, READ("still"));
	cr_assert(server_hears(host.server, ACCEPTED("still")));
	server_forget(host.server);
}

TestSuite(component, .init = begin, .fini = end);

Test(component, proves_the_secret_and_answers)
{
	link_open(host.link);
	cr_assert_eq(host.n_up + host.n_down, 0, "opening says nothing by itself");
	cr_assert(server_wait_up(host.server));
	cr_assert(server_wait(host.server, link_is_up, &host));
	cr_assert_eq(host.n_up, 1);
	still_answers();
	cr_assert_eq(n_logged("<6>xmpp: connected to 127.0.0.1 as things.example"), 1);
}

Test(component, answers_stanzas_that_come_byte_by_byte)
{
	static const char stanza[] = READ("slow");
	come_up();
	for (size_t i = 0; i < sizeof(stanza) - 1; i++) {
		cr_assert_eq(host.n_stanzas, 0);
		server_say_n(host.server, stanza + i, 1);
		server_settle(host.server);
	}
	cr_assert(server_hears(host.server, ACCEPTED("slow")));
}

static void say_hostile(const char *before, const char *repeated, size_t n, const char *after)
{
	struct text t = { 0 };
	text_add(&t, "<iq type='get' from='eve@b.example/x' to='meter.p@things.example' id='evil'>");
	text_add(&t, before);
	for (size_t i = 0; i < n; i++)
		text_add(&t, repeated);
	for (size_t i = 0; i < n; i++)
		text_add(&t, after);
	text_add(&t, "</iq>");
	server_say_n(host.server, t.data, t.size);
	text_free(&t);
	cr_assert(server_hears(host.server,
			       "<iq type='error' from='meter.p@things.example' to='eve@b.example/x' id='evil'>"
			       "<error type='wait'><policy-violation "));
	cr_assert_eq(server_count(host.server, "id='evil'"), 1, "answered once");
	cr_assert_eq(host.n_stanzas, 0);
	still_answers();
	cr_assert_eq(host.n_down, 0, "the stream lives on");
}

Test(component, answers_64k_siblings_with_policy_violation)
{
	come_up();
	say_hostile("", "<a/>", 64 * 1024, "");
}

Test(component, answers_100000_levels_with_policy_violation)
{
	come_up();
	say_hostile("", "<a>", 100000, "</a>");
}

Test(component, answers_256k_newlines_with_policy_violation)
{
	come_up();
	say_hostile("<req xmlns='urn:xmpp:iot:sensordata'/>", "\n", 256 * 1024, "");
}

Test(component, does_not_answer_messages_that_are_too_large)
{
	come_up();
	struct text t = { 0 };
	text_add(&t, "<message from='eve@b.example' to='meter.p@things.example' id='evil'>");
	for (size_t i = 0; i < 5000; i++)
		text_add(&t, "<a/>");
	text_add(&t, "</message>");
	server_say(host.server, t.data);
	text_free(&t);
	server_say(host.server, READ("next"));
	cr_assert(server_hears(host.server, ACCEPTED("next")));
	cr_assert_eq(server_count(host.server, "evil"), 0);
}

Test(component, comes_back_after_xml_that_is_none)
{
	come_up();
	server_say(host.server, "<iq type='get'></oops>");
	goes_down("not well-formed");
	cr_assert_null(link_begin(host.link, NULL, true), "what is down takes nothing");
	comes_back();
	still_answers();
	cr_assert_eq(host.n_up, 2);
}

Test(component, comes_back_after_a_document_type)
{
	host.server->scripted = true;
	link_open(host.link);
	cr_assert(server_wait_connection(host.server, 1));
	server_say(host.server, "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>");
	goes_down("document type");
	host.server->scripted = false;
	comes_back();
}

Test(component, comes_back_when_the_server_restarts)
{
	come_up();
	server_say(host.server,
		   "<stream:error><system-shutdown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>"
		   "</stream:stream>");
	server_hang_up(host.server);
	goes_down("system-shutdown");
	comes_back();
	server_hang_up(host.server);
	goes_down("closed by the other side");
	comes_back();
	server_say(host.server, "</stream:stream>");
	goes_down("the server closed the stream");
	comes_back();
	cr_assert_eq(n_logged("away: "), 3, "%s", logged());
}

Test(component, begins_anew_with_nothing_of_the_old_stream)
{
	come_up();
	server_say(host.server,
		   READ("1") "<stream:error><reset xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>");
	goes_down("reset");
	loop_skip(host.loop, 61000);
	cr_assert(server_wait_connection(host.server, 2));
	cr_assert(server_hears(host.server, "</handshake>"));
	cr_assert(text_begins(host.server->heard.data, "<?xml version='1.0'?><stream:stream "), "%s",
		  host.server->heard.data);
}

static void fail_often(size_t n)
{
	for (size_t i = 0; i < n; i++) {
		server_hang_up(host.server);
		goes_down("");
		comes_back();
	}
}

Test(component, has_short_delays_again_after_a_minute_up)
{
	come_up();
	fail_often(10);
	loop_skip(host.loop, 60000);
	server_settle(host.server);
	server_hang_up(host.server);
	goes_down("");
	loop_skip(host.loop, 501);
	cr_assert(server_wait(host.server, link_is_up, &host));
	cr_assert_not_null(strstr(logged(), "; again in 0."));
}

/* Nothing connects before least_ms have passed, and something has after most_ms. */
static void comes_back_between(int64_t least_ms, int64_t most_ms)
{
	size_t before = host.server->n_connections;
	loop_skip(host.loop, least_ms - 1000);
	server_settle(host.server);
	cr_assert_eq(host.server->n_connections, before, "too soon");
	loop_skip(host.loop, most_ms - least_ms + 1000);
	cr_assert(server_wait_connection(host.server, before + 1), "too late");
}

Test(component, does_not_fight_about_its_name)
{
	come_up();
	server_say(host.server, "<stream:error><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>"
				"<text xmlns='urn:ietf:params:xml:ns:xmpp-streams'>Replaced</text></stream:error>"
				"</stream:stream>");
	goes_down("another program is connected as this component (conflict: Replaced)");
	comes_back_between(30000, 60000);
	cr_assert(server_wait(host.server, link_is_up, &host));
}

Test(component, says_loudly_that_the_secret_is_wrong)
{
	mem_free(host.settings.secret);
	host.settings.secret = mem_text("wrong");
	link_open(host.link);
	goes_down("refuses the secret of this component (not-authorized: Given token does not match)");
	cr_assert_eq(n_logged("<3>xmpp: away: the server refuses the secret"), 1, "%s", logged());
	for (size_t i = 2; i < 5; i++) {
		comes_back_between(120000, 180000);
		goes_down("refuses the secret");
		/* two equal delays make two equal lines, which the log counts */
		size_t said = n_logged("<3>xmpp: away: the server refuses the secret") + n_logged("1 more times");
		cr_assert_eq(said, i, "%s", logged());
	}
	cr_assert_eq(n_logged("wrong"), 0, "secrets are never logged");
}

Test(component, says_loudly_that_the_server_does_not_know_the_name)
{
	host.server->scripted = true;
	link_open(host.link);
	cr_assert(server_hears(host.server, "to='things.example'>"));
	server_say(host.server,
		   "<stream:stream xmlns='jabber:component:accept' "
		   "xmlns:stream='http://etherx.jabber.org/streams'><stream:error>"
		   "<host-unknown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>");
	goes_down("the server has no component of this name (host-unknown)");
	cr_assert_eq(n_logged("<3>xmpp: away: "), 1);
	comes_back_between(120000, 180000);
}

Test(component, survives_a_handshake_that_is_cut)
{
	static const char *const said[] = {
		"",
		"<?xml ver",
		"<stream:stream xmlns='jabber:comp",
		"<stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' "
		"id='1'>",
		"<stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' "
		"id='1'><hand",
	};
	host.server->scripted = true;
	link_open(host.link);
	for (size_t i = 0; i < sizeof(said) / sizeof(*said); i++) {
		cr_assert(server_wait_connection(host.server, i + 1));
		server_say(host.server, said[i]);
		server_settle(host.server);
		server_hang_up(host.server);
		goes_down("lost");
		cr_assert_eq(host.n_up, 0);
		loop_skip(host.loop, 61000);
	}
	host.server->scripted = false;
	comes_back();
}

Test(component, does_not_wait_for_ever_for_the_handshake)
{
	host.server->scripted = true;
	link_open(host.link);
	cr_assert(server_hears(host.server, "<stream:stream"));
	loop_skip(host.loop, 15000);
	goes_down("no handshake from the server in 15 s");
}

Test(component, says_once_that_the_server_went_away_however_it_is_missed)
{
	come_up();
	server_close_port(host.server);
	server_hang_up(host.server);
	for (int i = 0; i < 5; i++) {
		goes_down("");
		loop_skip(host.loop, 60001);
	}
	cr_assert_eq(n_logged("<4>xmpp: away: "), 1, "%s", logged());
}

Test(component, tries_again_with_growing_delays_while_nobody_listens)
{
	server_close_port(host.server);
	link_open(host.link);
	for (int i = 0; i < 20; i++) {
		goes_down("");
		loop_skip(host.loop, 60001);
	}
	cr_assert_eq(n_logged("<4>xmpp: away: "), 1, "said once, not each time: %s", logged());
}

Test(component, pings_a_silent_server_and_leaves_it)
{
	come_up();
	loop_skip(host.loop, 59000);
	server_settle(host.server);
	cr_assert_eq(server_count(host.server, "<ping"), 0);
	loop_skip(host.loop, 1000);
	cr_assert(server_hears(host.server, "<iq type='get' from='things.example' to='things.example'"));
	server_settle(host.server);
	cr_assert_eq(host.n_stanzas, 0, "the ping that comes back is nobody else's");
	loop_skip(host.loop, 20000);
	server_settle(host.server);
	cr_assert(link_up(host.link, NULL), "it was answered");
	cr_assert_eq(server_count(host.server, "<ping"), 1);

	host.server->silent = true;
	loop_skip(host.loop, 60000);
	server_settle(host.server);
	cr_assert_eq(server_count(host.server, "<ping"), 2);
	loop_skip(host.loop, 20000);
	goes_down("the server is silent: no answer to a ping in 20 s");
	comes_back();
}

static void notify(struct text *t)
{
	const struct writer_address from = { .local = "meter.p", .domain = host.link->domain };
	writer_stanza(t, "message", "headline", &from, "anna@b.example/x", NULL);
	writer_raw(t, "><body>");
	for (int i = 0; i < 100; i++)
		writer_raw(t, "0123456789");
	writer_raw(t, "</body></message>");
}

static bool not_congested(void *ctx)
{
	const struct host *h = ctx;
	return !link_congested(h->link);
}

struct flood {
	struct host *host;
	size_t n, n_heard, at; /* answers that ended before this place */
};

static bool all_answered(void *ctx)
{
	struct flood *f = ctx;
	const struct server *server = f->host->server;
	f->n_heard += server_count_from(server, f->at, "</iq>");
	f->at = server->heard.size > 4 ? server->heard.size - 4
				       : 0; /* one that is cut here is counted when it is whole */
	return f->n_heard == f->n;
}

/* Until several turns have brought nothing. */
static void wait_until_it_reads_no_more(void)
{
	for (size_t before = SIZE_MAX; before != host.n_stanzas;) {
		before = host.n_stanzas;
		server_settle(host.server);
		server_settle(host.server);
	}
}

/* 100 000 reads at a server that takes no answer: we stop reading, owe little, and in the end have answered each once. */
Test(component, stops_reading_from_a_peer_that_never_reads)
{
	enum { N = 100000 };
	struct text t = { 0 };
	come_up();
	server_listen(host.server, false);
	for (int i = 0; i < N; i++)
		text_addf(&t,
			  "<iq type='get' from='a@b' to='t@things.example' id='%d'>"
			  "<req xmlns='urn:xmpp:iot:sensordata'/></iq>",
			  i);
	server_say_n(host.server, t.data, t.size);
	text_free(&t);
	wait_until_it_reads_no_more();
	cr_assert_gt(host.n_stanzas, 0);
	cr_assert_lt(host.n_stanzas, N, "it took all %d", N);
	cr_assert_gt(host.server->unsent.size, 0, "TCP pushes back");

	size_t n = 0;
	for (struct text *out; (out = link_begin(host.link, "meter.p", false)); n++) {
		notify(out);
		link_end(host.link);
	}
	cr_assert_gt(n * 1000, LIMIT_LINK_CAP - 1000 * 1000, "%zu notifications were taken", n);
	cr_assert_lt(n * 1000, LIMIT_LINK_CAP, "%zu notifications were taken", n);
	cr_assert_not_null(link_begin(host.link, "meter.p", true), "an answer is never dropped");
	notify(host.link->writing);
	link_end(host.link);

	server_listen(host.server, true);
	struct flood flood = { .host = &host, .n = N };
	cr_assert(server_wait(host.server, all_answered, &flood), "%zu answers", flood.n_heard);
	cr_assert_eq(host.n_stanzas, N);
	cr_assert_eq(server_count(host.server, "</message>"), n + 1);
	server_settle(host.server);
	cr_assert_eq(server_count(host.server, "</iq>"), N, "each once");
	cr_assert(server_wait(host.server, not_congested, &host));
	cr_assert_eq(host.n_down, 0);
}

Test(component, leaves_a_peer_that_never_reads_and_never_speaks)
{
	come_up();
	server_listen(host.server, false);
	struct text *out;
	while ((out = link_begin(host.link, "meter.p", false))) {
		notify(out);
		link_end(host.link);
	}
	server_settle(host.server);
	loop_skip(host.loop, 60000);
	server_settle(host.server);
	loop_skip(host.loop, 20000);
	goes_down("silent");
	server_listen(host.server, true);
	comes_back();
	cr_assert_not(link_congested(host.link), "what waited went with the connection");
	still_answers();
}

Test(component, flushes_and_says_goodbye)
{
	come_up();
	struct text *t = link_begin(host.link, "meter.p", true);
	notify(t);
	link_end(host.link);
	link_close(host.link);
	link_close(host.link);
	cr_assert_null(link_begin(host.link, NULL, true));
	cr_assert_eq(host.n_closed, 0, "not inside the call");
	cr_assert(server_wait(host.server, is_closed, &host));
	cr_assert_not_null(strstr(host.server->heard.data, "</message></stream:stream>"));
	cr_assert_eq(host.n_down, 0);
}

Test(component, does_not_wait_long_for_the_goodbye)
{
	come_up();
	host.server->scripted = true;
	link_close(host.link);
	server_settle(host.server);
	cr_assert_eq(host.n_closed, 0);
	loop_skip(host.loop, 2000);
	cr_assert(server_wait(host.server, is_closed, &host));
}

Test(component, may_be_closed_inside_a_stanza)
{
	come_up();
	host.close_at_stanza = true;
	server_say(host.server, READ("1") READ("2"));
	cr_assert(server_wait(host.server, is_closed, &host));
	cr_assert_eq(host.n_stanzas, 1);
	cr_assert_not_null(strstr(host.server->heard.data, ACCEPTED("1") "</stream:stream>"));
}

Test(component, may_be_closed_at_any_time)
{
	link_open(host.link); /* end() closes it before it connected */
}

Test(component, may_be_closed_while_it_waits)
{
	server_close_port(host.server);
	link_open(host.link);
	goes_down("");
}

Test(component, may_be_closed_in_the_handshake)
{
	host.server->scripted = true;
	link_open(host.link);
	cr_assert(server_hears(host.server, "<stream:stream"));
	link_close(host.link);
	loop_skip(host.loop, 2000);
}

Test(component, takes_back_what_is_too_large)
{
	come_up();
	struct text *t = link_begin(host.link, "meter.p", false);
	for (int i = 0; i < 100; i++)
		notify(t);
	cr_assert_not(link_end(host.link));
	still_answers();
	cr_assert_eq(server_count(host.server, "<message"), 0);
}
