/* What nobody well-meaning sends. Every iq is answered exactly once, nothing else is answered, nothing is done. */
#include "tests/unit/talk.h"

#include "core/base/mem.h"

#define SENSOR  "urn:xmpp:iot:sensordata"
#define CONTROL "urn:xmpp:iot:control"
#define WAITING "waiting@z.test"

enum { DEADLINE_MS = 11000, LONG = 60000 };

/* '*' stands for LONG letters, '^' for 1001 parameters, '~' for 1500 fields. */
static const char *const payloads[] = {
	"",
	"only text",
	"<x/>",
	"<x xmlns='urn:unknown'/>",
	"<x xmlns=''/>",
	"<req/>",
	"<req xmlns='" SENSOR ":2' seqnr='1'/>",
	"<REQ xmlns='" SENSOR "' seqnr='1'/>",
	"<req xmlns='" SENSOR "'/>",
	"<req xmlns='" SENSOR "' seqnr=''/>",
	"<req xmlns='" SENSOR "' seqnr='123456789012345678901234567890123'/>",
	"<req xmlns='" SENSOR "' seqnr='*'/>",
	"<req xmlns='" SENSOR "' seqnr='1'/>",
	"<req xmlns='" SENSOR "' seqnr='-1' momentary='maybe'/>",
	"<req xmlns='" SENSOR "' x:seqnr='1' xmlns:x='urn:x'/>",
	"<req xmlns='" SENSOR "' seqnr='1' when='tomorrow'/>",
	"<req xmlns='" SENSOR "' seqnr='1' when='2999-01-01T00:00:00Z'/>",
	"<req xmlns='" SENSOR "' seqnr='1' when='1999-01-01T00:00:00Z'/>",
	"<req xmlns='" SENSOR "' seqnr='1' historical='true' from='x' to='y'/>",
	"<req xmlns='" SENSOR "' seqnr='1'><node/></req>",
	"<req xmlns='" SENSOR "' seqnr='1'><node nodeId='*'/></req>",
	"<req xmlns='" SENSOR "' seqnr='1'><node nodeId='boiler.set'/><node nodeId='other'/></req>",
	"<req xmlns='" SENSOR "' seqnr='1'><field/><field name=''/><field name='*'/></req>",
	"<req xmlns='" SENSOR "' seqnr='1'>~</req>",
	"<req xmlns='" SENSOR "' seqnr='1'/><req xmlns='" SENSOR "' seqnr='2'/>",
	"<cancel xmlns='" SENSOR "'/>",
	"<cancel xmlns='" SENSOR "' seqnr='none'/>",
	"<fields xmlns='" SENSOR "' seqnr='1' done='true'/>",
	"<set/>",
	"<set xmlns='" CONTROL "'/>",
	"<set xmlns='" CONTROL "'><node nodeId='boiler.set'/></set>",
	"<set xmlns='" CONTROL "'><int/></set>",
	"<set xmlns='" CONTROL "'><int name='set'/></set>",
	"<set xmlns='" CONTROL "'><int value='60'/></set>",
	"<set xmlns='" CONTROL "'><int name='' value='60'/></set>",
	"<set xmlns='" CONTROL "'><int name='*' value='60'/></set>",
	"<set xmlns='" CONTROL "'><int name='set' value=''/></set>",
	"<set xmlns='" CONTROL "'><int name='set' value='*'/></set>",
	"<set xmlns='" CONTROL "'><int name='set' value='99999999999999999999999999'/></set>",
	"<set xmlns='" CONTROL "'><double name='set' value='1e999'/></set>",
	"<set xmlns='" CONTROL "'><double name='set' value='-INF'/></set>",
	"<set xmlns='" CONTROL "'><double name='set' value='0x3C'/></set>",
	"<set xmlns='" CONTROL "'><double name='set' value=' 60'/></set>",
	"<set xmlns='" CONTROL "'><double name='set' value='60&#10;'/></set>",
	"<set xmlns='" CONTROL "'><string name='set' value='\xEF\xBC\x96\xEF\xBC\x90'/></set>",
	"<set xmlns='" CONTROL "'><double name='set' value='29.9'/></set>",
	"<set xmlns='" CONTROL "'><int name='temp' value='60'/></set>",
	"<set xmlns='" CONTROL "'><node/><int name='set' value='60'/></set>",
	"<set xmlns='" CONTROL
	"'><node nodeId='boiler.temp'/><node nodeId='boiler.set'/><int name='set' value='60'/></set>",
	"<set xmlns='" CONTROL "'>^</set>",
	"<set xmlns='" CONTROL "'><x xmlns='jabber:x:data' type='submit'/></set>",
	"<set xmlns='" CONTROL "'><x xmlns='jabber:x:data' type='cancel'/></set>",
	"<set xmlns='" CONTROL "'><x xmlns='jabber:x:data' type='submit'><field/></x></set>",
	"<set xmlns='" CONTROL "'><x xmlns='jabber:x:data' type='submit'><field var='set'/></x></set>",
	"<set xmlns='" CONTROL "'><x xmlns='jabber:x:data' type='submit'><field var='set'><value/></field></x></set>",
	"<set xmlns='" CONTROL
	"'><x xmlns='jabber:x:data' type='submit'><field var='*'><value>*</value></field></x></set>",
	"<set xmlns='" CONTROL "'><x xmlns='urn:x'><int name='set' value='60'/></x></set>",
	"<getForm xmlns='" CONTROL "'/>",
	"<setResponse xmlns='" CONTROL "'/>",
	"<query xmlns='http://jabber.org/protocol/disco#info' node='x'/>",
	"<query xmlns='http://jabber.org/protocol/disco#items' node='*'/>",
	"<query xmlns='http://jabber.org/protocol/disco'/>",
	"<query xmlns='jabber:iq:roster'><item jid='evil@e.test' subscription='both'/></query>",
	"<query xmlns='jabber:iq:version'/>",
	"<query xmlns='jabber:iq:register'/>",
	"<vCard xmlns='vcard-temp'/>",
	"<ping xmlns='urn:xmpp:ping'/>",
	"<ping xmlns='urn:xmpp:pong'/>",
	"<command xmlns='http://jabber.org/protocol/commands' node='x' action='execute'/>",
	"<register xmlns='urn:xmpp:siot:1' key='K' name='N'/>",
	"<claim xmlns='urn:xmpp:siot:1' key='K'/>",
	"<claimed xmlns='urn:xmpp:siot:1' jid='evil@e.test'/>",
	"<is-friend-query xmlns='urn:xmpp:siot:1' jid='evil@e.test'/>",
	"<is-friend-result xmlns='urn:xmpp:siot:1' friend='yes'/>",
	"<pending-friend-query xmlns='urn:xmpp:siot:1'/>",
	"<friend-state-update xmlns='urn:xmpp:siot:1'><friend jid='evil@e.test'/></friend-state-update>",
	"<friendship-states xmlns='urn:xmpp:siot:1'/>",
	"<friendship-states xmlns='urn:xmpp:siot:1'>~</friendship-states>",
	"<owner xmlns='urn:xmpp:siot:1'/>",
	"<owner xmlns='urn:xmpp:siot:2' jid='evil@e.test'/>",
	"<owner xmlns='urn:xmpp:siot:1' jid='*'/>",
	"<unregister xmlns='urn:jidgate:siot:0'/>",
	"<give-up xmlns='urn:jidgate:siot:0' jid='" SET "'/>",
	"<isFriend xmlns='urn:xmpp:iot:provisioning' jid='evil@e.test'/>",
	"<unfriend xmlns='urn:xmpp:iot:provisioning' jid='" FRIEND "'/>",
	"<clearCache xmlns='urn:xmpp:iot:provisioning'/>",
	"<error type='cancel'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>",
};

static void repeat(struct text *t, const char *what, size_t n)
{
	while (n--)
		text_add(t, what);
}

static struct text unfold(const char *payload)
{
	struct text t = { 0 };
	for (; *payload; payload++) {
		if (*payload == '*')
			repeat(&t, "a", LONG);
		else if (*payload == '^')
			repeat(&t, "<int name='set' value='60'/>", 1001);
		else if (*payload == '~')
			repeat(&t, "<field name='x'/>", 1500);
		else
			text_add_n(&t, payload, 1);
	}
	text_add(&t, "");
	return t;
}

static const char *const froms[] = { FRIEND "/r", OWNER,         STRANGER "/r", WAITING "/r",
				     SERVICE,     TEMP "/thing", "things.test", "w.test/x@y" };
static const char *const tos[] = {
	SET, SET "/thing", "Boiler.SET@things.test/other", "boiler.none@things.test", "things.test", "things.test/x"
};

static struct stage *crowd(void)
{
	struct stage *s = up();
	for (int i = 0; i < 3; i++)
		service_answers(s, "<register", "");
	give_owner(s, "boiler.set");
	stage_befriend(s, "boiler.set", FRIEND);
	subscribe(s, WAITING, SET);
	is_friend(s, "pending");
	subscribe(s, SERVICE, SET);
	stage_wait(s, "type='subscribed'");
	stage_settle(s);
	fake_link_forget(s->link);
	return s;
}

/* What the bus was asked ends, what has a deadline has met it. */
static void let_end(struct stage *s)
{
	while (s->n_asked)
		stage_answer(s, REQUEST_REFUSED, NULL);
	loop_skip(s->loop, DEADLINE_MS);
	stage_settle(s);
	while (s->n_asked)
		stage_answer(s, REQUEST_REFUSED, NULL);
}

static size_t count_sent(struct stage *s, const char *begin, const char *fragment)
{
	size_t n = 0;
	const char *text;
	while (fake_link_take(s->link, &text))
		n += text_begins(text, begin) && strstr(text, fragment);
	return n;
}

Test(an_iq, is_answered_exactly_once_whoever_sends_what_to_whom)
{
	static const char *const types[] = { "get", "set", "", "GET", "query" };
	struct stage *s = crowd();
	for (size_t p = 0; p < sizeof(payloads) / sizeof(payloads[0]); p++) {
		struct text payload = unfold(payloads[p]);
		for (size_t i = 0; i < 5 * 8 * 6; i++) {
			const char *type = types[i % 5], *from = froms[i / 5 % 8], *to = tos[i / 40];
			char wanted[256];
			snprintf(wanted, sizeof(wanted), "to='%s' id='id%zu-%zu'", from, p, i);
			fake_link_give(s->link, "<iq type='%s' id='id%zu-%zu' from='%s' to='%s'>%s</iq>", type, p, i,
				       from, to, payload.data);
			if (s->n_asked > 40)
				let_end(s);
			if (s->n_asked)
				continue; /* counted with the others below */
			cr_assert_eq(count_sent(s, "<iq type='", wanted), 1, "%s %s -> %s: %s", type, from, to,
				     payloads[p]);
		}
		let_end(s);
		fake_link_forget(s->link);
		text_free(&payload);
	}
	cr_expect_str_eq(stage_thing(s, "boiler.set")->owner, OWNER);
	cr_expect_not(may(s, "boiler.set", "evil@e.test", RIGHT_SEE));
	cr_expect(may(s, "boiler.set", FRIEND, RIGHT_READ));
	stage_free(s);
}

Test(an_iq, that_goes_to_the_bus_is_answered_once_too)
{
	static const char *const rows[][2] = {
		{ "get", "<req xmlns='" SENSOR "' seqnr='1'/>" },
		{ "set", "<set xmlns='" CONTROL "'><int name='set' value='60'/></set>" },
		{ "set", "<set xmlns='" CONTROL "'><x xmlns='jabber:x:data' type='submit'>"
			 "<field var='set'><value>61</value></field></x></set>" },
	};
	static const int ends[] = { REQUEST_DONE,    REQUEST_AWAY,      REQUEST_TIMEOUT, REQUEST_REFUSED,
				    REQUEST_GARBLED, REQUEST_CANCELLED, REQUEST_BUSY };
	struct stage *s = crowd();
	for (size_t row = 0; row < 3; row++) {
		for (size_t end = 0; end <= sizeof(ends) / sizeof(ends[0]); end++) {
			fake_link_give(s->link, "<iq type='%s' id='once' from='" FRIEND "/r' to='" SET "'>%s</iq>",
				       rows[row][0], rows[row][1]);
			cr_assert_gt(s->n_asked, 0);
			bool late = end == sizeof(ends) / sizeof(ends[0]);
			if (late)
				loop_skip(s->loop, DEADLINE_MS), stage_settle(s);
			while (s->n_asked)
				stage_answer(s, late ? REQUEST_DONE : ends[end], NULL);
			stage_settle(s);
			cr_expect_eq(count_sent(s, "<iq type='", "id='once'"), 1, "%zu %zu", row, end);
			stage_thing(s, "boiler.set")->points[0]->last.quality = QUALITY_OLD;
		}
	}
	stage_free(s);
}

Test(an_iq, that_is_an_answer_gets_none)
{
	static const char *const types[] = { "result", "error" };
	struct stage *s = crowd();
	for (size_t p = 0; p < sizeof(payloads) / sizeof(payloads[0]); p++) {
		struct text payload = unfold(payloads[p]);
		for (size_t i = 0; i < 2 * 8 * 6; i++)
			fake_link_give(s->link, "<iq type='%s' id='x' from='%s' to='%s'>%s</iq>", types[i % 2],
				       froms[i / 2 % 8], tos[i / 16], payload.data);
		text_free(&payload);
	}
	let_end(s);
	cr_expect_eq(count_sent(s, "<", ""), 0);
	cr_expect_not(may(s, "boiler.set", "evil@e.test", RIGHT_SEE));
	stage_free(s);
}

Test(an_iq, without_usable_addresses_harms_nobody)
{
	static const char *const stanzas[] = {
		"<iq type='get' id='1' to='" SET "'><ping xmlns='urn:xmpp:ping'/></iq>",
		"<iq type='get' id='1' from='' to='" SET "'><ping xmlns='urn:xmpp:ping'/></iq>",
		"<iq type='get' id='1' from='@@' to='" SET "'><ping xmlns='urn:xmpp:ping'/></iq>",
		"<iq type='get' id='1' from='a b@c' to='" SET "'><ping xmlns='urn:xmpp:ping'/></iq>",
		"<iq type='get' id='1' from='" FRIEND "/r' to='@'><ping xmlns='urn:xmpp:ping'/></iq>",
		"<iq type='get' id='1' from='" FRIEND "/r' to='" SET ".evil'><ping xmlns='urn:xmpp:ping'/></iq>",
		"<iq type='get' id='1' from='" FRIEND "/r' to='other.test'><ping xmlns='urn:xmpp:ping'/></iq>",
		"<iq type='get' id='1' from='" FRIEND
		"/r' to='&apos;&lt;@things.test'><ping xmlns='urn:xmpp:ping'/></iq>",
		"<iq type='get' id='1' from='" FRIEND "/r'><ping xmlns='urn:xmpp:ping'/></iq>",
		"<iq type='get' from='" FRIEND "/r' to='" SET "'><ping xmlns='urn:xmpp:ping'/></iq>",
		"<iq/>",
		"<iq xmlns='urn:other' type='get' id='1' from='" FRIEND "/r' to='" SET "'/>",
		"<foo from='" FRIEND "/r' to='" SET "'/>",
		"<message/>",
		"<presence/>",
		"<presence type='probe' to='" SET "'/>",
	};
	struct stage *s = crowd();
	for (size_t i = 0; i < sizeof(stanzas) / sizeof(stanzas[0]); i++) {
		fake_link_give(s->link, "%s", stanzas[i]);
		cr_expect_leq(count_sent(s, "<", ""), 1, "%s",
			      stanzas[i]); /* each is looked at by the fake link, too */
	}
	stage_free(s);
}

/* Written again, an apostrophe is six bytes: an answer with this id is larger than any stanza may be, and goes without. */
Test(an_iq, with_an_id_that_grows_beyond_bounds_ends_nobody)
{
	static const char *const rows[] = {
		"<iq type='get' id=\"%s\" from='" STRANGER "/r' to='boiler.none@things.test'><x xmlns='urn:x'/></iq>",
		"<iq type='get' id=\"%s\" from='" FRIEND "/r' to='" SET "'><req xmlns='" SENSOR "' seqnr='1'/></iq>",
		"<iq type='set' id=\"%s\" from='" FRIEND "/r' to='" SET "'><set xmlns='" CONTROL
		"'><int name='set' value='60'/></set></iq>",
		"<iq type='get' id='2' from='" WAITING "/r' to='" SET "'><req xmlns='" SENSOR "' seqnr=\"%s\"/></iq>",
		"<iq type='set' id='2' from='" FRIEND "/r' to='" SET "'><set xmlns='" CONTROL
		"'><int name=\"%s\" value='60'/></set></iq>",
		"<iq type='set' id='2' from='" FRIEND "/r' to='" SET "'><set xmlns='" CONTROL
		"'><int name='set' value=\"%s\"/></set></iq>",
		"<iq type='get' id='2' from='" FRIEND "/r' to='" SET "'><cancel xmlns='" SENSOR "' seqnr=\"%s\"/></iq>",
	};
	struct stage *s = crowd();
	struct text large = { 0 };
	repeat(&large, "'", LONG);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *stanza = mem_new(strlen(rows[i]) + LONG);
		snprintf(stanza, strlen(rows[i]) + LONG, rows[i], large.data);
		fake_link_give(s->link, "%s", stanza);
		let_end(s);
		size_t n = count_sent(s, "<iq", "");
		cr_expect_eq(n, 1, "row %zu: %zu answers", i, n);
		mem_free(stanza);
	}
	text_free(&large);
	fake_link_give(s->link,
		       "<iq type='get' id='3' from='" FRIEND "/r' to='" SET "'><ping xmlns='urn:xmpp:ping'/></iq>");
	stage_wait(s, "id='3'");
	stage_free(s);
}

Test(an_iq, of_the_service_that_no_siot_knows_is_a_feature_we_do_not_have) /* S32 */
{
	struct stage *s = crowd();
	fake_link_give(s->link,
		       "<iq type='set' id='1' from='" SERVICE "' to='" SET "'><sing xmlns='urn:xmpp:siot:1'/></iq>");
	has(stage_wait(s, "id='1'"), "<feature-not-implemented");
	stage_free(s);
}

Test(a_message, of_the_hostile_kind_is_never_answered)
{
	static const char *const types[] = { "normal", "chat", "headline", "groupchat", "error", "x" };
	struct stage *s = crowd();
	for (size_t p = 0; p < sizeof(payloads) / sizeof(payloads[0]); p++) {
		struct text payload = unfold(payloads[p]);
		for (size_t i = 0; i < 6 * 8 * 6; i++)
			if (strcmp(froms[i / 6 % 8], SERVICE) != 0)
				fake_link_give(s->link, "<message type='%s' id='x' from='%s' to='%s'>%s</message>",
					       types[i % 6], froms[i / 6 % 8], tos[i / 48], payload.data);
		text_free(&payload);
		let_end(s);
		cr_expect_eq(count_sent(s, "<", ""), 0, "%s", payloads[p]);
	}
	stage_free(s);
}

Test(a_message, that_comes_back_as_an_error_is_not_a_command) /* servers return ours with the payload in it */
{
	struct stage *s = crowd();
	fake_link_give(s->link, "<message type='error' from='" FRIEND "/r' to='" SET "'><set xmlns='" CONTROL
				"'><int name='set' value='60'/></set><error type='cancel'/></message>"
				"<message type='error' from='" SERVICE "' to='" SET
				"'><owner xmlns='urn:xmpp:siot:1' jid='evil@e.test'/></message>");
	stage_settle(s);
	cr_expect_eq(s->n_asked, 0);
	cr_expect_str_eq(stage_thing(s, "boiler.set")->owner, OWNER);
	stage_free(s);
}

Test(a_message, of_a_stranger_or_of_one_who_waits_sets_nothing)
{
	struct stage *s = crowd();
	for (size_t i = 2; i < sizeof(froms) / sizeof(froms[0]); i++)
		fake_link_give(s->link,
			       "<message from='%s' to='" SET "'><set xmlns='" CONTROL
			       "'><int name='set' value='60'/></set></message>",
			       froms[i]);
	cr_expect_eq(s->n_asked, 0);
	cr_expect_eq(count_sent(s, "<", ""), 0);
	stage_free(s);
}

Test(a_presence, of_the_hostile_kind_lets_nobody_in_and_shows_nothing)
{
	static const char *const types[] = { "",      "unavailable", "probe",      "subscribed", "unsubscribed",
					     "error", "invisible",   "unsubscribe" };
	struct stage *s = crowd();
	for (size_t i = 0; i < 8 * 6; i++)
		for (size_t from = 2; from < 8; from++)
			if (from != 4)
				fake_link_give(s->link,
					       "<presence type='%s' from='%s' to='%s'><show>x</show><status>s</status>"
					       "<owner xmlns='urn:xmpp:siot:1' jid='evil@e.test'/></presence>",
					       types[i % 8], froms[from], tos[i / 8]);
	stage_settle(s);
	cr_expect_eq(count_sent(s, "<", ""), 0);
	for (size_t from = 2; from < 4; from++)
		cr_expect_not(may(s, "boiler.set", from == 2 ? STRANGER : WAITING, RIGHT_SEE));
	stage_free(s);
}

Test(a_presence, of_a_domain_or_of_another_thing_is_a_request_like_any) /* things may be friends of things */
{
	struct stage *s = crowd();
	subscribe(s, TEMP, SET);
	has(stage_wait(s, "is-friend-query"), "jid='" TEMP "'");
	subscribe(s, "w.test/x", SET);
	has(stage_wait(s, "is-friend-query"), "jid='w.test'");
	subscribe(s, STRANGER, "boiler.none@things.test");
	silent(s, STRANGER);
	stage_free(s);
}

Test(an_answer, that_was_not_asked_for_lets_nobody_in) /* S33, S37 */
{
	struct stage *s = crowd();
	fake_link_give(s->link,
		       "<iq type='result' id='guess-1' from='" SERVICE "' to='" SET "/thing'><is-friend-result "
		       "xmlns='urn:xmpp:siot:1' friend='yes' jid='" WAITING "'/></iq>"
		       "<message id='guess-1' from='" SERVICE "' to='" SET "'><is-friend-result "
		       "xmlns='urn:xmpp:siot:1' friend='yes' jid='" WAITING "'/></message>");
	fake_link_give(s->link, "<iq type='set' id='guess-1' from='" SERVICE "' to='" SET "/thing'><is-friend-result "
				"xmlns='urn:xmpp:siot:1' friend='yes' jid='" WAITING "'/></iq>");
	has(stage_wait(s, "id='guess-1'"), "type='error'");
	silent(s, "scribed'");
	cr_expect_not(may(s, "boiler.set", WAITING, RIGHT_SEE));
	stage_free(s);
}
