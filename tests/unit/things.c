#include "tests/unit/talk.h"

Test(things, registers_with_name_attribute_and_elements_and_both_keys) /* S1, S43 */
{
	struct stage *s = up();
	const char *text = stage_wait(s, "<register");
	has(text, "<register xmlns='urn:xmpp:siot:1' name='Boiler ");
	has(text, " to='prov.test'");
	has(text, "/thing'");
	has(text, "xml:lang='en'");
	has(text, "><name>Boiler ");
	has(text, " x:group='boiler' x:group-key='");
	stage_free(s);
}

Test(things, registers_no_more_when_it_was_claimed) /* S43 */
{
	struct stage *s = up();
	for (int i = 0; i < 3; i++)
		service_answers(s, "<register", "");
	give_owner(s, "boiler.temp");
	cr_expect_null(stage_thing(s, "boiler.temp")->key, "the key is void with the claim (S11)");
	stage_restart(s);
	cr_expect_str_eq(stage_thing(s, "boiler.temp")->owner, OWNER);
	fake_link_up(s->link, NULL);
	stage_wait(s, "<register");
	stage_wait(s, "<register");
	stage_settle(s);
	cr_expect_null(fake_link_find(s->link, "from='boiler.temp@things.test/thing' to='prov.test'"));
	stage_free(s);
}

Test(things, keeps_its_key_over_a_restart) /* S7: losing it would look like a factory reset */
{
	struct stage *s = stage_new(false);
	char key[64];
	snprintf(key, sizeof(key), "%s", stage_thing(s, "boiler.temp")->key);
	cr_expect_eq(strlen(key), 29);
	stage_restart(s);
	cr_expect_str_eq(stage_thing(s, "boiler.temp")->key, key);
	stage_free(s);
}

Test(things, approves_the_service_but_gives_it_no_data) /* S14 */
{
	struct stage *s = up();
	fake_link_give(s->link, "<presence type='subscribe' from='" SERVICE "' to='" TEMP "'/>");
	stage_wait(s, "type='subscribed'");
	stage_wait(s, "to='" SERVICE "'><nick");
	fake_link_give(s->link, "<iq type='get' id='1' from='" SERVICE "' to='" TEMP
				"'><req xmlns='urn:xmpp:iot:sensordata' seqnr='1' momentary='true'/></iq>");
	has(stage_wait(s, "id='1'"), "<forbidden");
	stage_free(s);
}

Test(things, says_nothing_while_the_owner_has_not_decided)
{
	struct stage *s = up();
	fake_link_give(s->link, "<presence type='subscribe' from='" FRIEND "' to='" TEMP "'/>");
	service_answers(s, "is-friend-query", "<is-friend-result xmlns='urn:xmpp:siot:1' friend='pending'/>");
	stage_settle(s);
	cr_expect_null(fake_link_find(s->link, "to='" FRIEND "'"));
	fake_link_give(s->link, "<presence type='subscribe' from='" FRIEND "' to='" TEMP "'/>");
	stage_settle(s);
	cr_expect_null(fake_link_find(s->link, "is-friend-query"), "his server repeats it at every login");
	fake_link_give(s->link,
		       "<message from='" SERVICE "' to='" TEMP "/thing'><friendship-states xmlns='urn:xmpp:siot:1'>"
		       "<item jid='" FRIEND "' friend='yes'/></friendship-states></message>");
	stage_wait(s, "type='subscribed'");
	has(stage_wait(s, "<status>"), "from='boiler.temp@things.test/thing'");
	stage_free(s);
}

Test(things, takes_the_results_of_the_protoxep_without_namespace) /* S16 */
{
	struct stage *s = up();
	fake_link_give(s->link, "<presence type='subscribe' from='" FRIEND "' to='" TEMP "'/>");
	service_answers(s, "is-friend-query", "<is-friend-result friend='yes'/>");
	stage_wait(s, "type='subscribed'");
	stage_free(s);
}

Test(things, says_no_when_the_service_says_no)
{
	struct stage *s = up();
	fake_link_give(s->link, "<presence type='subscribe' from='" FRIEND "' to='" TEMP "'/>");
	service_answers(s, "is-friend-query", "<is-friend-result xmlns='urn:xmpp:siot:1' friend='no'/>");
	stage_wait(s, "type='unsubscribed'");
	fake_link_give(s->link, "<presence type='subscribe' from='" FRIEND "' to='" TEMP "'/>");
	has(stage_wait(s, "to='" FRIEND "'"), "unsubscribed"); /* S19: cached, not asked again */
	cr_expect_null(fake_link_find(s->link, "is-friend-query"));
	loop_skip(s->loop, 5 * 60 * 1000);
	fake_link_give(s->link, "<presence type='subscribe' from='" FRIEND "' to='" TEMP "'/>");
	stage_wait(s, "is-friend-query");
	stage_free(s);
}

Test(things, lets_a_state_outrank_a_late_answer) /* S20 */
{
	struct stage *s = up();
	fake_link_give(s->link, "<presence type='subscribe' from='" FRIEND "' to='" TEMP "'/>");
	const char *text = stage_wait(s, "is-friend-query");
	char id[64];
	cr_assert_eq(sscanf(strstr(text, " id='"), " id='%63[^']'", id), 1);
	fake_link_give(s->link, "<message from='" SERVICE "' to='" TEMP "'><friendship-states xmlns='urn:xmpp:siot:1'>"
				"<item jid='" FRIEND "' friend='no'/></friendship-states></message>");
	stage_wait(s, "type='unsubscribed'");
	fake_link_give(s->link,
		       "<iq type='result' from='" SERVICE "' to='" TEMP "/thing' id='%s'><is-friend-result "
		       "xmlns='urn:xmpp:siot:1' friend='yes'/></iq>",
		       id);
	stage_settle(s);
	cr_expect_null(fake_link_find(s->link, "type='subscribed'"));
	cr_expect_not(gate_may(stage_thing(s, "boiler.temp"), FRIEND, RIGHT_READ));
	stage_free(s);
}

Test(things, listens_to_no_other_service) /* S37 */
{
	struct stage *s = up();
	fake_link_give(s->link,
		       "<message from='evil.test' to='" TEMP
		       "'><owner xmlns='urn:xmpp:siot:1' jid='evil@evil.test'/></message>"
		       "<message from='" SERVICE ".evil.test' to='" TEMP "'><friendship-states xmlns='urn:xmpp:siot:1'>"
		       "<item jid='evil@evil.test' friend='yes'/></friendship-states></message>"
		       "<iq type='set' id='o' from='evil.test' to='" TEMP
		       "'><owner xmlns='urn:xmpp:siot:1' jid='e@e'/></iq>");
	has(stage_wait(s, "id='o'"), "<service-unavailable");
	fake_link_give(s->link, "<presence type='subscribe' from='" FRIEND "' to='" TEMP "'/>");
	const char *text = stage_wait(s, "is-friend-query");
	char id[64];
	cr_assert_eq(sscanf(strstr(text, " id='"), " id='%63[^']'", id), 1);
	fake_link_give(s->link,
		       "<iq type='result' from='evil.test' to='" TEMP "/thing' id='%s'><is-friend-result "
		       "xmlns='urn:xmpp:siot:1' friend='yes'/></iq>",
		       id);
	stage_settle(s);
	cr_expect_null(stage_thing(s, "boiler.temp")->owner);
	cr_expect_not(gate_may(stage_thing(s, "boiler.temp"), FRIEND, RIGHT_READ));
	cr_expect_not(gate_may(stage_thing(s, "boiler.temp"), "evil@evil.test", RIGHT_SEE));
	stage_free(s);
}

Test(things, answers_a_stranger_like_a_jid_that_does_not_exist)
{
	static const char *const asks[] = {
		"<iq type='get' id='%s' from='" STRANGER
		"/r' to='%s'><req xmlns='urn:xmpp:iot:sensordata' seqnr='1'/></iq>",
		"<iq type='set' id='%s' from='" STRANGER
		"/r' to='%s'><set xmlns='urn:xmpp:iot:control'><int name='set' value='5'/></set></iq>",
		"<iq type='get' id='%s' from='" STRANGER
		"/r' to='%s'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>",
		"<iq type='get' id='%s' from='" STRANGER "/r' to='%s'><ping xmlns='urn:xmpp:ping'/></iq>",
		"<iq type='get' id='%s' from='" STRANGER "/r' to='%s'><vCard xmlns='vcard-temp'/></iq>",
		"<iq type='get' id='%s' from='" STRANGER "/r' to='%s'/>",
	};
	struct stage *s = up();
	for (size_t i = 0; i < sizeof(asks) / sizeof(asks[0]); i++) {
		fake_link_give(s->link, asks[i], "same", SET);
		fake_link_give(s->link, asks[i], "same", "nobody@things.test");
		const char *there = strstr(stage_wait(s, "id='same'"), " id='same'");
		const char *nowhere = strstr(stage_wait(s, "id='same'"), " id='same'");
		cr_expect_str_eq(there, nowhere, "%zu", i);
		has(there, "<service-unavailable");
	}
	fake_link_give(s->link,
		       "<presence type='probe' from='" STRANGER "' to='" TEMP "'/>"
		       "<presence from='" STRANGER "/r' to='" TEMP "'/>"
		       "<message from='" STRANGER "/r' to='" TEMP "'><set xmlns='urn:xmpp:iot:control'/></message>");
	stage_settle(s);
	cr_expect_null(fake_link_find(s->link, "to='" STRANGER));
	stage_free(s);
}

Test(things, tells_one_who_waits_that_he_is_forbidden)
{
	struct stage *s = up();
	fake_link_give(s->link, "<presence type='subscribe' from='" FRIEND "' to='" TEMP "'/>");
	fake_link_give(s->link, "<iq type='get' id='1' from='" FRIEND "/r' to='" TEMP
				"'><req xmlns='urn:xmpp:iot:sensordata' seqnr='7'/></iq>");
	const char *text = stage_wait(s, "id='1'");
	has(text, "<rejected xmlns='urn:xmpp:iot:sensordata' seqnr='7'><error>Access denied.</error></rejected>");
	has(text, "<error type='auth'><forbidden");
	stage_free(s);
}

static void ask_read(struct stage *s, const char *to, const char *attributes, const char *children)
{
	fake_link_give(s->link,
		       "<iq type='get' id='r' from='" FRIEND
		       "/r' to='%s'><req xmlns='urn:xmpp:iot:sensordata' seqnr='3' %s>%s"
		       "</req></iq>",
		       to, attributes, children);
}

Test(things, answers_a_read_from_a_fresh_sample_at_once)
{
	struct stage *s = up();
	stage_befriend(s, "boiler.temp", FRIEND);
	stage_sample(s, "boiler.temp", "23.40");
	ask_read(s, TEMP, "momentary='true'", "");
	has(stage_wait(s, "id='r'"), "<accepted xmlns='urn:xmpp:iot:sensordata' seqnr='3'/>");
	const char *text = stage_wait(s, "<fields");
	has(text, "<message type='headline' from='boiler.temp@things.test/thing' to='" FRIEND "/r'>");
	has(text, "seqnr='3' done='true'><node nodeId='boiler.temp'><timestamp value='20");
	has(text, "<numeric name='temp' momentary='true' automaticReadout='true' value='23.40' unit='\xC2\xB0"
		  "C'/>");
	cr_expect_eq(s->n_asked, 0);
	stage_free(s);
}

Test(things, tells_unknown_old_and_bad_apart_from_zero)
{
	struct stage *s = up();
	stage_befriend(s, "boiler.temp", FRIEND);
	struct point *p = stage_thing(s, "boiler.temp")->points[0];
	p->listens = true;
	ask_read(s, TEMP, "momentary='true'", "");
	stage_answer(s, REQUEST_TIMEOUT, NULL);
	has(stage_wait(s, "<failure"), "done='true'><error nodeId='boiler.temp'");
	struct sample old = { .value = value_integer(5), .quality = QUALITY_OLD };
	p->last.quality = QUALITY_UNKNOWN;
	bridge_sample(s->bridge, p, &old);
	ask_read(s, TEMP, "momentary='true'", "");
	stage_answer(s, REQUEST_CANCELLED, NULL);
	const char *text = stage_wait(s, "<failure");
	has_not(text, "<numeric");
	stage_free(s);
}

Test(things, reads_what_the_category_and_the_field_say)
{
	struct stage *s = up();
	stage_befriend(s, "boiler.alarm", FRIEND);
	stage_sample(s, "boiler.alarm", "1");
	ask_read(s, "boiler.alarm@things.test", "momentary='true'", "");
	has(stage_wait(s, "<fields"), "<fields xmlns='urn:xmpp:iot:sensordata' seqnr='3' done='true'></fields>");
	ask_read(s, "boiler.alarm@things.test", "all='1'", "");
	has(stage_wait(s, "<fields"), "<boolean name='alarm' status='true'");
	ask_read(s, "boiler.alarm@things.test", "status='true'", "<field name='other'/>");
	has_not(stage_wait(s, "<fields"), "<boolean");
	ask_read(s, "boiler.alarm@things.test", "status='true'", "<field name='Alarm'/>");
	has(stage_wait(s, "<fields"), "<boolean name='alarm'");
	ask_read(s, "boiler.alarm@things.test", "status='true'", "<node nodeId='boiler.alarm'/>");
	has(stage_wait(s, "<fields"), "<boolean name='alarm'");
	fake_link_forget(s->link);
	ask_read(s, "boiler.alarm@things.test", "status='true'", "<node nodeId='other'/>");
	has(stage_wait(s, "id='r'"), "<item-not-found");
	stage_free(s);
}

Test(things, tells_nothing_after_a_cancel_or_a_revocation)
{
	struct stage *s = up();
	stage_befriend(s, "boiler.temp", FRIEND);
	ask_read(s, TEMP, "momentary='true'", "");
	fake_link_give(s->link, "<iq type='get' id='c' from='" FRIEND "/r' to='" TEMP
				"'><cancel xmlns='urn:xmpp:iot:sensordata' seqnr='3'/></iq>");
	has(stage_wait(s, "id='c'"), "<cancelled xmlns='urn:xmpp:iot:sensordata' seqnr='3'/>");
	stage_answer(s, REQUEST_DONE, "21");
	cr_expect_null(fake_link_find(s->link, "<fields"));

	loop_skip(s->loop, 10000);
	stage_thing(s, "boiler.temp")->points[0]->last.quality = QUALITY_OLD;
	ask_read(s, TEMP, "momentary='true'", "");
	fake_link_give(s->link, "<message from='" SERVICE "' to='" TEMP "'><friendship-states xmlns='urn:xmpp:siot:1'>"
				"<item jid='" FRIEND "' friend='no'/></friendship-states></message>");
	stage_answer(s, REQUEST_DONE, "22");
	has(stage_wait(s, "type='un"), "unavailable"); /* first, from the full JID */
	stage_wait(s, "type='unsubscribed'");
	cr_expect_null(fake_link_find(s->link, "<fields"));
	stage_restart(s);
	cr_expect_not(gate_may(stage_thing(s, "boiler.temp"), FRIEND, RIGHT_READ), "out is out, also after a restart");
	stage_free(s);
}

static void ask_write(struct stage *s, const char *payload)
{
	fake_link_give(s->link,
		       "<iq type='set' id='w' from='" FRIEND "/r' to='" SET
		       "'><set xmlns='urn:xmpp:iot:control'>%s</set></iq>",
		       payload);
}

Test(things, writes_raw_and_says_what_was_seen)
{
	struct stage *s = up();
	stage_befriend(s, "boiler.set", FRIEND);
	ask_write(s, "<double name='set' value='60.5'/>");
	cr_assert_eq(s->n_asked, 1);
	cr_expect(s->asked[0]->write);
	cr_expect_eq(s->asked[0]->raw.number.digits, 605);
	stage_answer(s, REQUEST_DONE, NULL);
	has(stage_wait(s, "id='w'"), "responseCode='OK' x:outcome='accepted'");
	cr_expect_eq(stage_thing(s, "boiler.set")->points[0]->last.quality, QUALITY_UNKNOWN, "commanded is not seen");

	stage_thing(s, "boiler.set")->points[0]->confirm = CONFIRM_READBACK;
	ask_write(s, "<x xmlns='jabber:x:data' type='submit'><field var='set'><value>61</value></field></x>");
	stage_answer(s, REQUEST_DONE, NULL);
	stage_answer(s, REQUEST_DONE, "610");
	has(stage_wait(s, "id='w'"), "x:outcome='confirmed'");

	ask_write(s, "<int name='Set point' value='62'/>");
	stage_answer(s, REQUEST_DONE, NULL);
	stage_answer(s, REQUEST_DONE, "610");
	const char *text = stage_wait(s, "id='w'");
	has(text, "<iq type='error'");
	has(text, "not seen to hold the value");

	stage_thing(s, "boiler.set")->points[0]->confirm = CONFIRM_STATE;
	ask_write(s, "<int name='set' value='63'/>");
	stage_answer(s, REQUEST_DONE, NULL);
	stage_sample(s, "boiler.set", "610");
	cr_expect_null(fake_link_find(s->link, "id='w'"));
	stage_sample(s, "boiler.set", "630");
	has(stage_wait(s, "id='w'"), "x:outcome='confirmed'");

	stage_thing(s, "boiler.set")->points[0]->confirm = CONFIRM_RESPONSE;
	ask_write(s, "<int name='set' value='64'/>");
	stage_answer(s, REQUEST_DONE, NULL);
	has(stage_wait(s, "id='w'"), "x:outcome='answered'");
	stage_free(s);
}

Test(things, refuses_a_set_as_a_whole_and_names_the_parameter)
{
	static const struct {
		const char *payload, *code, *condition;
	} rows[] = {
		{ "<double name='set' value='75.1'/>", "FormError", "must be from 30 to 75" },
		{ "<double name='set' value='60'/><int name='nothing' value='1'/>", "NotFound", "<item-not-found" },
		{ "<bool name='set' value='true'/>", "FormError", "must be a number, as 21 or 21.5" },
		{ "<int name='set'/>", "FormError", "name or value is missing" },
		{ "", "FormError", "no parameter is given" },
		{ "<node nodeId='other'/><int name='set' value='60'/>", "NotFound", "<item-not-found" },
		{ "<double name='set' value='NaN'/>", "FormError",
		  "<paramError xmlns='urn:xmpp:iot:control' var='set'>" },
	};
	struct stage *s = up();
	stage_befriend(s, "boiler.set", FRIEND);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ask_write(s, rows[i].payload);
		const char *text = stage_wait(s, "id='w'");
		has(text, rows[i].code);
		has(text, rows[i].condition);
		cr_expect_eq(s->n_asked, 0, "%zu", i);
	}
	fake_link_give(s->link,
		       "<message from='" FRIEND "/r' to='" SET "'><set xmlns='urn:xmpp:iot:control'><int name='set' "
		       "value='99'/></set></message>");
	cr_expect_null(fake_link_find(s->link, "to='" FRIEND));
	fake_link_give(s->link,
		       "<message from='" FRIEND "/r' to='" SET "'><set xmlns='urn:xmpp:iot:control'><int name='set' "
		       "value='60'/></set></message>");
	cr_assert_eq(s->n_asked, 1);
	stage_answer(s, REQUEST_DONE, NULL);
	cr_expect_null(fake_link_find(s->link, "to='" FRIEND));
	stage_free(s);
}

Test(things, answers_at_the_deadline_and_survives_the_late_end)
{
	struct stage *s = up();
	stage_befriend(s, "boiler.temp", FRIEND);
	ask_read(s, TEMP, "momentary='true'", "");
	loop_skip(s->loop, 5000);
	has(stage_wait(s, "<failure"), "cannot be reached");
	stage_answer(s, REQUEST_DONE, "21");
	cr_expect_null(fake_link_find(s->link, "<fields"));
	stage_free(s);
}

Test(things, has_the_value_in_its_presence_and_is_rate_limited)
{
	struct stage *s = up();
	stage_befriend(s, "boiler.temp", FRIEND);
	stage_thing(s, "boiler.temp")->points[0]->min_interval_ms = 10000;
	stage_sample(s, "boiler.temp", "21.5");
	const char *text = stage_wait(s, "<presence");
	has(text, "<status>21.5 \xC2\xB0"
		  "C \xC2\xB7 ");
	has_not(text, "<show>");
	stage_sample(s, "boiler.temp", "22");
	stage_sample(s, "boiler.temp", "23");
	stage_settle(s);
	cr_expect_null(fake_link_find(s->link, "<presence"));
	loop_skip(s->loop, 10000);
	has(stage_wait(s, "<presence"), "<status>23 ");
	cr_expect_null(fake_link_find(s->link, "<presence"));
	stage_free(s);
}

Test(things, goes_dnd_when_the_bus_goes_away_and_unavailable_at_the_end)
{
	struct stage *s = up();
	stage_befriend(s, "boiler.temp", FRIEND);
	stage_sample(s, "boiler.temp", "21.5");
	stage_wait(s, "<presence");
	struct err why;
	err_set(&why, "cable cut");
	bridge_down(s->bridge, &why);
	has(stage_wait(s, "<show>dnd</show>"), "cannot be reached (last 21.5 ");
	things_leave(&s->things);
	has(stage_wait(s, "unavailable"), "from='boiler.temp@things.test/thing' to='" FRIEND "'");
	stage_free(s);
}

Test(things, tells_everybody_after_a_reconnect)
{
	struct stage *s = up();
	stage_befriend(s, "boiler.temp", FRIEND);
	fake_link_down(s->link, NULL);
	fake_link_up(s->link, NULL);
	has(stage_wait(s, "<presence"), "to='" FRIEND "'");
	stage_restart(s);
	fake_link_up(s->link, NULL);
	has(stage_wait(s, "<presence"), "to='" FRIEND "'");
	stage_free(s);
}

Test(things, drops_the_friend_who_leaves)
{
	struct stage *s = up();
	stage_befriend(s, "boiler.temp", FRIEND);
	fake_link_give(s->link, "<presence type='unsubscribe' from='" FRIEND "' to='" TEMP "'/>"
				"<presence type='unsubscribed' from='" FRIEND "/r' to='" TEMP "'/>");
	stage_wait(s, "type='unsubscribed'");
	cr_expect_not(gate_may(stage_thing(s, "boiler.temp"), FRIEND, RIGHT_SEE));
	stage_free(s);
}

Test(things, lets_the_owner_in_without_asking_and_never_puts_him_out) /* S13, S24 */
{
	struct stage *s = up();
	give_owner(s, "boiler.temp");
	fake_link_give(s->link, "<presence type='subscribe' from='" OWNER "' to='" TEMP "'/>");
	stage_wait(s, "type='subscribed'");
	cr_expect_null(fake_link_find(s->link, "is-friend-query"));
	fake_link_give(s->link, "<message from='" SERVICE "' to='" TEMP "'><friendship-states xmlns='urn:xmpp:siot:1'>"
				"<item jid='" OWNER "' friend='no'/></friendship-states></message>");
	stage_settle(s);
	cr_expect(gate_may(stage_thing(s, "boiler.temp"), OWNER, RIGHT_WRITE));
	stage_free(s);
}

Test(things, forgets_everything_when_it_is_disowned) /* S8 */
{
	struct stage *s = up();
	for (int i = 0; i < 3; i++)
		service_answers(s, "<register", "");
	give_owner(s, "boiler.temp");
	stage_befriend(s, "boiler.temp", FRIEND);
	fake_link_give(s->link, "<iq type='set' id='d' from='" SERVICE "' to='" TEMP
				"'><disowned xmlns='urn:jidgate:siot:0'/></iq>");
	has(stage_wait(s, "id='d'"), "type='result'");
	has(stage_wait(s, "type='unsubscribed'"), "to='" FRIEND "'");
	const char *text = stage_wait(s, "<register");
	has(text, stage_thing(s, "boiler.temp")->key);
	stage_restart(s);
	struct thing *t = stage_thing(s, "boiler.temp");
	cr_expect_null(t->owner);
	cr_expect_not_null(t->key);
	cr_expect_null(thing_find_friend(t, FRIEND));
	stage_free(s);
}

Test(things, shows_the_domain_to_all_and_things_only_to_friends)
{
	struct stage *s = up();
	stage_befriend(s, "boiler.set", FRIEND);
	fake_link_give(s->link, "<iq type='get' id='i' from='" STRANGER "/r' to='things.test'><query "
				"xmlns='http://jabber.org/protocol/disco#items'/></iq>");
	has(stage_wait(s, "id='i'"), "<query xmlns='http://jabber.org/protocol/disco#items'></query>");
	fake_link_give(s->link, "<iq type='get' id='i' from='" FRIEND "/r' to='things.test'><query "
				"xmlns='http://jabber.org/protocol/disco#items'/></iq>");
	const char *text = stage_wait(s, "id='i'");
	has(text, "<item jid='boiler.set@things.test' name='Boiler Set point'/>");
	has_not(text, "boiler.temp");
	fake_link_give(s->link, "<iq type='get' id='f' from='" FRIEND "/r' to='" SET "'><query "
				"xmlns='http://jabber.org/protocol/disco#info'/></iq>");
	has(stage_wait(s, "id='f'"), "<feature var='urn:xmpp:iot:control'/>");
	fake_link_give(s->link, "<iq type='get' id='g' from='" FRIEND "/r' to='things.test'><query "
				"xmlns='http://jabber.org/protocol/disco#info'/></iq>");
	has(stage_wait(s, "id='g'"), "<identity category='gateway'");
	stage_free(s);
}
