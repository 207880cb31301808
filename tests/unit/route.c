#include "core/xmpp/route.h"

#include "core/base/limits.h"
#include "core/base/mem.h"
#include "tests/lib/fake_link.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

struct desk { /* notes what arrives, answers as it was told */
	struct fake_link *fake;
	struct answer *kept;
	const char *mode;
	char seen[256];
};

static void note(struct desk *d, const char *row, const struct incoming *in)
{
	snprintf(d->seen, sizeof(d->seen), "%s from=%s to=%s/%s payload=%s", row, in->from_bare,
		 in->to_local ? in->to_local : "-", in->to_resource ? in->to_resource : "-",
		 in->payload ? in->payload->name : "-");
}

static void take_req(void *self, struct incoming *in)
{
	struct desk *d = self;
	note(d, "req", in);
	if (strcmp(d->mode, "answer") == 0) {
		struct text *t = reply_begin(&in->answer);
		if (!t)
			return;
		writer_raw(t, "<accepted/>");
		reply_end(&in->answer);
	} else if (strcmp(d->mode, "later") == 0) {
		d->kept = reply_later(&in->answer);
	} else if (strcmp(d->mode, "twice") == 0) {
		reply_empty(&in->answer);
		reply_empty(&in->answer);
	} else if (strcmp(d->mode, "huge") == 0) {
		struct text *t = reply_begin(&in->answer);
		for (size_t i = 0; i < LIMIT_STANZA_OUT; i++)
			writer_raw(t, "x");
		reply_end(&in->answer);
	}
}

static void take_message(void *self, struct incoming *in)
{
	note(self, "message", in);
}

static void take_subscribe(void *self, struct incoming *in)
{
	note(self, "subscribe", in);
}

static void take_available(void *self, struct incoming *in)
{
	note(self, "available", in);
}

static void take_any_result(void *self, struct incoming *in)
{
	note(self, "result", in);
}

static const struct route rows[] = {
	{ ROUTE_GET, "urn:sd", "req", take_req },
	{ ROUTE_MESSAGE, "urn:siot", "owner", take_message },
	{ ROUTE_PRESENCE, NULL, "subscribe", take_subscribe },
	{ ROUTE_PRESENCE, NULL, "", take_available },
	{ ROUTE_RESULT, NULL, NULL, take_any_result },
	{ 0 },
};

static void on_stanza(void *ctx, struct element *stanza)
{
	struct desk *d = ctx;
	struct incoming in;
	struct incoming_room room;
	d->seen[0] = '\0';
	if (incoming_read(&in, &room, &d->fake->link, stanza) == 0)
		route_take(rows, d, &in);
}

static void on_up(void *ctx, const char *local)
{
	(void)ctx, (void)local;
}

static struct desk desk;
static struct log quiet;

static void begin(void)
{
	static const struct link_events events = { .on_up = on_up, .on_stanza = on_stanza };
	desk = (struct desk){ .mode = "answer" };
	log_init(&quiet, LOG_LEVEL_ERROR, NULL);
	desk.fake = fake_link_new("things.example", NULL, &quiet, &events, &desk);
	fake_link_up(desk.fake, NULL);
}

static void end(void)
{
	cr_expect_null(fake_link_take(desk.fake, NULL), "more was sent than was expected");
	fake_link_free(desk.fake);
}

static void sent(const char *wanted)
{
	const char *text = "nothing";
	fake_link_take(desk.fake, &text);
	cr_assert_str_eq(text, wanted);
}

TestSuite(route, .init = begin, .fini = end);

Test(route, calls_the_row_that_fits)
{
	fake_link_give(desk.fake, "<iq type='get' from='Anna@b.example/x' to='Meter.p@things.example/r' id='1'>"
				  "<req xmlns='urn:sd'/></iq>");
	cr_assert_str_eq(desk.seen, "req from=anna@b.example to=meter.p/r payload=req");
	sent("<iq type='result' from='meter.p@things.example/r' to='Anna@b.example/x' id='1'><accepted/></iq>");
	fake_link_give(desk.fake,
		       "<message from='p.example' to='t@things.example'><body>x</body><owner xmlns='urn:siot'/>"
		       "</message>");
	cr_assert_str_eq(desk.seen, "message from=p.example to=t/- payload=owner");
	fake_link_give(desk.fake, "<presence type='subscribe' from='a@b' to='t@things.example'/>");
	cr_assert_str_eq(desk.seen, "subscribe from=a@b to=t/- payload=-");
	fake_link_give(desk.fake, "<presence from='a@b/r' to='things.example'/>");
	cr_assert_str_eq(desk.seen, "available from=a@b to=-/- payload=-");
	fake_link_give(desk.fake, "<iq type='result' from='a@b/r' to='things.example' id='7'/>");
	cr_assert_str_eq(desk.seen, "result from=a@b to=-/- payload=-");
	fake_link_give(desk.fake, "<iq type='error' from='a@b/r' to='things.example' id='7'/>");
	cr_assert_str_eq(desk.seen, "", "an error is never answered");
}

#define ERROR(type, condition)                                                                                         \
	"<error type='" type "'><" condition " xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"

Test(route, answers_each_iq_that_nobody_takes)
{
	fake_link_give(desk.fake,
		       "<iq type='get' from='a@b/r' to='t@things.example' id='2'><q xmlns='urn:else'/></iq>");
	sent("<iq type='error' from='t@things.example' to='a@b/r' id='2'>" ERROR("cancel", "service-unavailable"));
	fake_link_give(desk.fake, "<iq type='set' from='a@b/r' to='t@things.example' id='3'><q xmlns='urn:sd'/></iq>");
	sent("<iq type='error' from='t@things.example' to='a@b/r' id='3'>" ERROR("cancel", "feature-not-implemented"));
	fake_link_give(desk.fake, "<iq type='get' from='a@b/r' to='t@things.example' id='4'/>");
	sent("<iq type='error' from='t@things.example' to='a@b/r' id='4'>" ERROR("modify", "bad-request"));
	fake_link_give(desk.fake, "<iq type='what' from='a@b/r' to='t@things.example' id='5'><q xmlns='urn:sd'/></iq>");
	sent("<iq type='error' from='t@things.example' to='a@b/r' id='5'>" ERROR("modify", "bad-request"));
	fake_link_give(desk.fake,
		       "<iq type='get' from='a@b/r' to='a b@things.example' id='6'><q xmlns='urn:sd'/></iq>");
	sent("<iq type='error' from='things.example' to='a@b/r' id='6'>" ERROR("modify", "jid-malformed"));
	fake_link_give(desk.fake, "<iq type='get' from='a@b/r' to='t@things.example'><req xmlns='urn:sd'/></iq>");
	sent("<iq type='result' from='t@things.example' to='a@b/r'><accepted/></iq>");
}

Test(route, drops_what_has_no_sender_or_another_addressee)
{
	static const char *const strays[] = {
		"<iq type='get' to='t@things.example' id='2'><req xmlns='urn:sd'/></iq>",
		"<message from='a@b' to='t@else.example'><owner xmlns='urn:siot'/></message>",
		"<iq type='result' from='a@b' to='t@else.example' id='1'/>",
		"<presence from='not an address' to='t@things.example'/>",
		"<dialback from='a@b' to='things.example'/>",
		"<iq xmlns='urn:other' type='get' from='a@b' to='things.example' id='1'/>",
	};
	for (size_t i = 0; i < sizeof(strays) / sizeof(*strays); i++) {
		fake_link_give(desk.fake, "%s", strays[i]);
		cr_assert_str_eq(desk.seen, "", "%s", strays[i]);
	}
}

Test(route, keeps_an_answer_for_later)
{
	desk.mode = "later";
	fake_link_give(desk.fake, "<iq type='get' from='a@b/&apos;' to='t@things.example/x' id='9'>"
				  "<req xmlns='urn:sd'/></iq>");
	cr_assert_not_null(desk.kept);
	reply_refuse(desk.kept, &reply_timeout, "The bus is <slow>.");
	sent("<iq type='error' from='t@things.example/x' to='a@b/&apos;' id='9'><error type='wait'>"
	     "<remote-server-timeout xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"
	     "<text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>The bus is &lt;slow&gt;.</text></error></iq>");
	fake_link_give(desk.fake, "<iq type='get' from='a@b' to='t@things.example' id='10'><req xmlns='urn:sd'/></iq>");
	reply_drop(desk.kept);
}

Test(route, ends_answers_while_the_link_is_down)
{
	desk.mode = "later";
	fake_link_give(desk.fake, "<iq type='get' from='a@b' to='t@things.example' id='9'><req xmlns='urn:sd'/></iq>");
	desk.fake->up = false;
	cr_assert_null(reply_begin(desk.kept), "and its memory is free, which the sanitizer checks");
}

Test(route, refuses_with_payload_and_application_elements)
{
	desk.mode = "later";
	fake_link_give(desk.fake, "<iq type='get' from='a@b' to='t@things.example' id='9'><req xmlns='urn:sd'/></iq>");
	struct text *t = reply_error_begin(desk.kept);
	writer_raw(t, "<rejected xmlns='urn:sd'/>");
	reply_error_middle(desk.kept, t, &reply_forbidden, NULL);
	writer_raw(t, "<paramError xmlns='urn:c'/>");
	reply_error_end(desk.kept, t);
	sent("<iq type='error' from='t@things.example' to='a@b' id='9'><rejected xmlns='urn:sd'/><error type='auth'>"
	     "<forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/><paramError xmlns='urn:c'/></error></iq>");
}

Test(route, says_that_an_answer_became_too_large)
{
	desk.mode = "huge";
	fake_link_give(desk.fake, "<iq type='get' from='a@b' to='t@things.example' id='9'><req xmlns='urn:sd'/></iq>");
	sent("<iq type='error' from='t@things.example' to='a@b' id='9'><error type='wait'>"
	     "<resource-constraint xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"
	     "<text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>The answer is too large.</text></error></iq>");
}

Test(route, dies_when_an_iq_is_answered_twice, .signal = SIGABRT)
{
	desk.mode = "twice";
	fake_link_give(desk.fake, "<iq type='get' from='a@b' to='t@things.example' id='9'><req xmlns='urn:sd'/></iq>");
}

Test(route, dies_in_debug_when_a_row_forgets_the_answer, .signal = SIGABRT)
{
	desk.mode = "forget";
	fake_link_give(desk.fake, "<iq type='get' from='a@b' to='t@things.example' id='9'><req xmlns='urn:sd'/></iq>");
}
