/* Registering, owners and the service: wire.md 1.1, S1 to S15, S29 to S43. */
#include "tests/unit/talk.h"

#include <ctype.h>

enum { ANSWER_MS = 30000, AGAIN_MS = 5000, AGAIN_MOST_MS = 3600000 };

Test(registering, says_the_name_in_every_form_and_language) /* S1, S41 */
{
	struct stage *s = stage_new(false);
	names_add(&stage_thing(s, "boiler.temp")->names, "de", "Kessel & <Temperatur>");
	fake_link_up(s->link, NULL);
	const char *text = stage_wait(s, TEMP_ASKS);
	has(text, "xml:lang='en'><register xmlns='urn:xmpp:siot:1' name='Boiler Temperature' key='");
	has(text, "'><name>Boiler Temperature</name>"
		  "<name xml:lang='de'>Kessel &amp; &lt;Temperatur&gt;</name></register></iq>");
	stage_free(s);
}

Test(registering, tells_a_key_of_24_symbols_that_cannot_be_mistaken_on_paper) /* S4 */
{
	char keys[200][GATE_KEY_ROOM];
	for (size_t i = 0; i < 200; i++) {
		gate_new_key(keys[i]);
		cr_assert_eq(strlen(keys[i]), 29);
		for (size_t at = 0; at < 29; at++)
			if (at % 5 == 4)
				cr_assert_eq(keys[i][at], '-');
			else
				cr_assert(strchr("23456789ABCDEFGHJKLMNPQRSTUVWXYZ", keys[i][at]), "%s", keys[i]);
		for (size_t j = 0; j < i; j++)
			cr_assert_str_neq(keys[i], keys[j]);
	}
}

Test(registering, is_with_the_same_key_after_each_connect_until_an_owner_is_known) /* S6, S29, S43 */
{
	struct stage *s = up();
	char key[GATE_KEY_ROOM];
	snprintf(key, sizeof(key), "%s", stage_thing(s, "boiler.temp")->key);
	answer_registers(s);
	stage_settle(s);
	for (int i = 0; i < 2; i++) {
		if (i)
			stage_restart(s);
		else
			fake_link_down(s->link, NULL);
		fake_link_up(s->link, NULL);
		has(stage_wait(s, TEMP_ASKS), key);
	}
	give_owner(s, "boiler.temp");
	fake_link_forget(s->link);
	fake_link_down(s->link, NULL);
	fake_link_up(s->link, NULL);
	stage_wait(s, "<register");
	stage_wait(s, "<register");
	silent(s, TEMP_ASKS);
	stage_free(s);
}

Test(registering, takes_an_answer_that_goes_to_another_resource) /* S33 */
{
	struct stage *s = up();
	char id[ID_ROOM];
	stage_thing(s, "boiler.temp")->acknowledged = false;
	id_of(stage_wait(s, TEMP_ASKS), id);
	fake_link_give(s->link,
		       "<iq type='result' from='" SERVICE "' to='" TEMP
		       "/f65dece8-4d69-4b71-80ed-da9562882a61' id='%s'></iq>",
		       id);
	stage_settle(s);
	cr_expect(stage_thing(s, "boiler.temp")->acknowledged);
	stage_free(s);
}

Test(registering, hears_only_the_service_and_only_the_id_it_asked_with) /* S33, S37 */
{
	static const char *const froms[] = { "evil.test",     "x@prov.test", "prov.test/x",
					     "sub.prov.test", TEMP,          "things.test" };
	struct stage *s = up();
	char id[ID_ROOM];
	const char *asked = stage_wait(s, TEMP_ASKS);
	id_of(asked, id);
	stage_thing(s, "boiler.temp")->acknowledged = false;
	for (size_t i = 0; i < sizeof(froms) / sizeof(froms[0]); i++)
		fake_link_give(s->link, "<iq type='result' from='%s' to='" TEMP "/thing' id='%s'/>", froms[i], id);
	fake_link_give(s->link,
		       "<iq type='result' from='" SERVICE "' to='" TEMP "/thing' id='%s0'/>"
		       "<iq type='result' from='" SERVICE "' to='" TEMP "/thing' id=''/>"
		       "<iq type='result' from='" SERVICE "' to='" TEMP "/thing'/>"
		       "<iq type='result' to='" TEMP "/thing' id='%s'/>",
		       id, id);
	silent(s, "type='error'");
	cr_expect_not(stage_thing(s, "boiler.temp")->acknowledged);
	answer(s, asked, "result", "");
	stage_settle(s);
	cr_expect(stage_thing(s, "boiler.temp")->acknowledged);
	answer(s, asked, "result", "");
	silent(s, "type='error'");
	stage_free(s);
}

Test(registering, gives_up_where_the_key_is_somebody_elses_until_the_next_connect) /* S5 */
{
	struct stage *s = up();
	for (int i = 0; i < 3; i++)
		service_refuses(s, "<register", "cancel", "conflict");
	loop_skip(s->loop, 10 * AGAIN_MOST_MS);
	silent(s, "<register");
	cr_expect_eq(stage_count_log(s, "already registered by somebody else"), 3);
	cr_expect_not_null(stage_thing(s, "boiler.temp")->key, "a conflict is no factory reset");
	fake_link_down(s->link, NULL);
	fake_link_up(s->link, NULL);
	stage_wait(s, TEMP_ASKS);
	stage_free(s);
}

Test(registering, goes_on_with_growing_pauses_when_the_service_is_away) /* S38 */
{
	struct stage *s = up();
	int64_t pause = AGAIN_MS;
	for (int i = 0; i < 12; i++) {
		for (int j = 0; j < 3; j++)
			service_refuses(s, "<register", "wait", "remote-server-timeout");
		loop_skip(s->loop, pause - 1000);
		silent(s, "<register");
		loop_skip(s->loop, 1000);
		pause = pause * 2 < AGAIN_MOST_MS ? pause * 2 : AGAIN_MOST_MS;
	}
	cr_expect_eq(stage_count_log(s, "does not serve us"), 1, "said once, not for each thing and not each time");
	answer_registers(s);
	cr_expect_eq(stage_count_log(s, "answers again"), 1);
	stage_free(s);
}

Test(registering, counts_silence_for_half_a_minute_as_no_answer) /* S38 */
{
	struct stage *s = up();
	const char *asked = stage_wait(s, TEMP_ASKS);
	stage_thing(s, "boiler.temp")->acknowledged = false;
	loop_skip(s->loop, ANSWER_MS);
	silent(s, TEMP_ASKS);
	answer(s, asked, "result", ""); /* too late: nobody waits for it */
	stage_settle(s);
	cr_expect_not(stage_thing(s, "boiler.temp")->acknowledged);
	loop_skip(s->loop, AGAIN_MS);
	stage_wait(s, TEMP_ASKS);
	stage_free(s);
}

Test(registering, is_not_said_to_fail_when_it_is_the_link_that_is_down)
{
	struct stage *s = up();
	stage_wait(s, TEMP_ASKS);
	fake_link_down(s->link, NULL);
	stage_settle(s);
	cr_expect_eq(stage_count_log(s, "does not serve us"), 0);
	stage_free(s);
}

Test(registering, of_many_things_is_paced) /* S43 */
{
	enum { MANY = 100, BURST = 20, PER_SECOND = 20 };
	struct stage *s = stage_new_large(MANY - 3);
	fake_link_up(s->link, NULL);
	size_t n = 0;
	int tenths = 0;
	for (; n < MANY; tenths++) {
		size_t before = n;
		stage_settle(s);
		while (fake_link_find(s->link, "<register"))
			n++;
		cr_expect_leq(n - before, tenths ? PER_SECOND / 10 + 3 : BURST + 3, "%zu at once", n - before);
		loop_skip(s->loop, 100);
	}
	cr_expect_gt(tenths, 10 * (MANY - BURST) / PER_SECOND / 2);
	cr_expect_lt(tenths, 10 * (MANY - BURST) / PER_SECOND * 2);
	stage_free(s);
}

Test(registering, lets_the_question_for_a_friend_go_first) /* S43: people wait */
{
	struct stage *s = stage_new_large(97);
	fake_link_up(s->link, NULL);
	stage_settle(s);
	subscribe(s, FRIEND, "boiler.p90@things.test");
	loop_skip(s->loop, 100);
	stage_settle(s);
	cr_expect_not_null(fake_link_find(s->link, "is-friend-query"));
	stage_free(s);
}

Test(registering, of_a_device_that_is_one_thing_has_no_second_key)
{
	struct stage *s = stage_new_device(0);
	fake_link_up(s->link, NULL);
	const char *text = stage_wait(s, "<register");
	has(text, "from='boiler@things.test/thing'");
	has(text, "name='Boiler'");
	has_not(text, "group");
	silent(s, "<register");
	stage_free(s);
}

Test(owners, are_learned_in_each_form_that_a_service_may_choose) /* S12, S30 */
{
	static const char *const forms[] = {
		"<message id='o' from='" SERVICE
		"' to='%s'><owner xmlns='urn:xmpp:siot:1' jid='Owner@X.TEST/r'/></message>",
		"<message type='headline' from='" SERVICE "' to='%s'><owner xmlns='urn:xmpp:siot:1' jid='" OWNER
		"'/></message>",
		"<message type='chat' from='" SERVICE
		"' to='%s'><body>Yours.</body><owner xmlns='urn:xmpp:siot:1' jid='" OWNER
		"' since='2024'><x/></owner></message>",
		"<iq type='set' id='o' from='" SERVICE "' to='%s'><owner xmlns='urn:xmpp:siot:1' jid='" OWNER
		"'/></iq>",
	};
	static const char *const tos[] = { TEMP, TEMP "/thing", TEMP "/f65dece8", "Boiler.Temp@THINGS.test" };
	for (size_t form = 0; form < sizeof(forms) / sizeof(forms[0]); form++) {
		for (size_t to = 0; to < sizeof(tos) / sizeof(tos[0]); to++) {
			struct stage *s = up();
			for (int again = 0; again < 2; again++) {
				char stanza[512];
				snprintf(stanza, sizeof(stanza), forms[form], tos[to]);
				fake_link_give(s->link, "%s", stanza);
				if (form == 3)
					has(stage_wait(s, "id='o'"), "type='result'");
				silent(s, "id='o'");
				cr_assert_not_null(stage_thing(s, "boiler.temp")->owner, "%zu %zu", form, to);
				cr_expect_str_eq(stage_thing(s, "boiler.temp")->owner, OWNER);
				cr_expect_null(stage_thing(s, "boiler.temp")->key, "S11: void with the claim");
			}
			stage_restart(s);
			cr_expect_str_eq(stage_thing(s, "boiler.temp")->owner, OWNER);
			stage_free(s);
		}
	}
}

Test(owners, without_a_jid_are_none)
{
	static const char *const payloads[] = { "<owner xmlns='urn:xmpp:siot:1'/>",
						"<owner xmlns='urn:xmpp:siot:1' jid=''/>",
						"<owner xmlns='urn:xmpp:siot:1' jid='@'/>",
						"<owner xmlns='urn:xmpp:siot:1' jid='a b@c'/>" };
	struct stage *s = up();
	for (size_t i = 0; i < sizeof(payloads) / sizeof(payloads[0]); i++) {
		fake_link_give(s->link, "<iq type='set' id='o' from='" SERVICE "' to='" TEMP "'>%s</iq>", payloads[i]);
		has(stage_wait(s, "id='o'"), "<bad-request");
		service_says(s, TEMP, payloads[i]);
		stage_settle(s);
		cr_expect_null(stage_thing(s, "boiler.temp")->owner);
	}
	stage_free(s);
}

Test(owners, are_nobodys_word_but_the_services) /* S37: exact for a service that is a domain */
{
	static const char *const froms[] = { FRIEND "/r",           STRANGER,     "prov.test/x", "a@prov.test",
					     "prov.test.evil.test", SET "/thing", "things.test" };
	struct stage *s = up();
	stage_befriend(s, "boiler.temp", FRIEND);
	for (size_t i = 0; i < sizeof(froms) / sizeof(froms[0]); i++) {
		fake_link_give(s->link,
			       "<message from='%s' to='" TEMP
			       "'><owner xmlns='urn:xmpp:siot:1' jid='evil@e.test'/></message>"
			       "<message from='%s' to='" TEMP "'><friendship-states xmlns='urn:xmpp:siot:1'>"
			       "<item jid='evil@e.test' friend='yes'/></friendship-states></message>"
			       "<message from='%s' to='" TEMP "'><disowned xmlns='urn:jidgate:siot:0'/></message>"
			       "<iq type='set' id='o' from='%s' to='" TEMP
			       "'><owner xmlns='urn:xmpp:siot:1' jid='evil@e.test'/></iq>",
			       froms[i], froms[i], froms[i], froms[i]);
		has(stage_wait(s, "id='o'"), "<service-unavailable");
		subscribe(s, "evil@e.test", TEMP);
		is_friend(s, "no");
		stage_wait(s, "type='unsubscribed'");
		cr_expect_null(stage_thing(s, "boiler.temp")->owner);
		cr_expect(may(s, "boiler.temp", FRIEND, RIGHT_READ));
		cr_expect_geq(stage_count_log(s, "is not ours"), i + 1, "%s", froms[i]);
		loop_skip(s->loop, 5 * 60 * 1000);
	}
	stage_free(s);
}

/* A kill between the new owner and the end of the old one's friendship leaves such a row. */
Test(owners, of_before_are_nobody_though_the_roster_still_has_them)
{
	struct stage *s = up();
	give_owner(s, "boiler.temp");
	store_put(s->store, STORE_FRIEND_PUT, (const char *const[]){ "boiler.temp", STRANGER, "1", "1", "0" }, NULL,
		  NULL);
	stage_settle(s);
	stage_restart(s);
	fake_link_up(s->link, NULL);
	silent(s, "to='" STRANGER "'");
	cr_expect_not(may(s, "boiler.temp", STRANGER, RIGHT_SEE));
	struct friend *f = thing_add_friend(stage_thing(s, "boiler.temp"), STRANGER);
	f->subscription = SUBSCRIPTION_BOTH;
	f->role = ROLE_OWNER;
	cr_expect_not(may(s, "boiler.temp", STRANGER, RIGHT_SEE));
	stage_free(s);
}

Test(a_service, that_never_subscribes_is_as_good_as_one_that_does) /* S15 */
{
	struct stage *s = up();
	answer_registers(s);
	give_owner(s, "boiler.temp");
	stage_befriend(s, "boiler.temp", FRIEND);
	cr_expect(may(s, "boiler.temp", FRIEND, RIGHT_READ));
	stage_free(s);
}

Test(a_service, may_see_and_may_neither_read_nor_write_nor_look_into_the_list) /* S14 */
{
	struct stage *s = up();
	subscribe(s, SERVICE, SET);
	stage_wait(s, "type='subscribed'");
	fake_link_give(s->link, "<iq type='set' id='1' from='" SERVICE "' to='" SET
				"'><set xmlns='urn:xmpp:iot:control'><int name='set' value='60'/></set></iq>"
				"<iq type='get' id='2' from='" SERVICE
				"' to='things.test'><query xmlns='http://jabber.org/protocol/disco#items'/></iq>"
				"<message from='" SERVICE "' to='" SET
				"'><set xmlns='urn:xmpp:iot:control'><int name='set' value='60'/></set></message>");
	has(stage_wait(s, "id='1'"), "<forbidden");
	has_not(stage_wait(s, "id='2'"), "<item");
	cr_expect_eq(s->n_asked, 0);
	stage_free(s);
}

Test(a_service, sees_presence_again_after_a_restart) /* S14, S29: what else is the mandatory subscription for */
{
	struct stage *s = up();
	subscribe(s, SERVICE, TEMP);
	stage_wait(s, "type='subscribed'");
	stage_restart(s);
	fake_link_up(s->link, NULL);
	has(stage_wait(s, "to='prov.test'><nick"), "from='" TEMP "/thing'");
	fake_link_give(s->link, "<presence type='probe' from='" SERVICE "' to='" TEMP "'/>");
	has(stage_wait(s, "to='prov.test'><nick"), "from='" TEMP "/thing'");
	stage_free(s);
}

Test(a_service, that_cannot_be_asked_means_pending_and_more_questions_later) /* S38 */
{
	struct stage *s = up();
	subscribe(s, FRIEND, TEMP);
	service_refuses(s, "is-friend-query", "wait", "remote-server-timeout");
	silent(s, "to='" FRIEND "'");
	loop_skip(s->loop, AGAIN_MS);
	stage_wait(s, "is-friend-query"); /* and now nobody answers */
	loop_skip(s->loop, ANSWER_MS);
	silent(s, "is-friend-query");
	loop_skip(s->loop, 2 * AGAIN_MS - 1000);
	silent(s, "is-friend-query");
	loop_skip(s->loop, 1000);
	service_answers(s, "is-friend-query", "<is-friend-result xmlns='urn:xmpp:siot:1' friend='perhaps'/>");
	silent(s, "to='" FRIEND "'");
	loop_skip(s->loop, 4 * AGAIN_MS);
	service_answers(s, "is-friend-query", "<x xmlns='urn:xmpp:siot:1'/>");
	silent(s, "to='" FRIEND "'");
	cr_expect_not(may(s, "boiler.temp", FRIEND, RIGHT_SEE), "fail closed");
	loop_skip(s->loop, 8 * AGAIN_MS);
	is_friend(s, "yes");
	stage_wait(s, "type='subscribed'");
	stage_free(s);
}

Test(a_service, is_asked_again_of_everything_undecided_after_each_connect) /* S29 */
{
	struct stage *s = up();
	subscribe(s, "a@x.test", TEMP);
	is_friend(s, "pending");
	subscribe(s, "b@x.test", TEMP);
	stage_wait(s, "is-friend-query"); /* on its way when the link goes */
	subscribe(s, "c@x.test", TEMP);
	is_friend(s, "no");
	give_state(s, TEMP, "d@x.test", "yes");
	stage_befriend(s, "boiler.temp", FRIEND);
	stage_settle(s);
	for (int i = 0; i < 3; i++) {
		fake_link_forget(s->link);
		if (i < 2)
			fake_link_down(s->link, NULL);
		else
			stage_restart(s);
		fake_link_up(s->link, NULL);
		has(stage_wait(s, "is-friend-query"), "@x.test'");
		has(stage_wait(s, "is-friend-query"), "@x.test'");
		silent(s, "is-friend-query");
		silent(s, "scribed'");
	}
	give_state(s, TEMP, "a@x.test", "yes");
	has(stage_wait(s, "type='subscribed'"), "a@x.test");
	stage_free(s);
}

Test(the_domain, is_never_a_thing_nor_a_service) /* S31, S36 */
{
	static const char *const asks[] = {
		"<iq type='set' id='1' from='" SERVICE
		"' to='things.test'><owner xmlns='urn:xmpp:siot:1' jid='e@e'/></iq>",
		"<iq type='get' id='1' from='" FRIEND
		"/r' to='things.test'><req xmlns='urn:xmpp:iot:sensordata' seqnr='1'/></iq>",
		"<iq type='set' id='1' from='" FRIEND
		"/r' to='things.test'><set xmlns='urn:xmpp:iot:control'><int name='set' value='60'/></set></iq>",
	};
	struct stage *s = up();
	stage_befriend(s, "boiler.set", FRIEND);
	for (size_t i = 0; i < sizeof(asks) / sizeof(asks[0]); i++) {
		fake_link_give(s->link, "%s", asks[i]);
		has(stage_wait(s, "id='1'"), "<service-unavailable");
	}
	fake_link_give(s->link, "<presence type='subscribe' from='" FRIEND "' to='things.test'/>"
				"<presence type='probe' from='" FRIEND "' to='things.test'/>");
	silent(s, "to='" FRIEND "'");
	fake_link_give(s->link, "<iq type='get' id='2' from='" STRANGER
				"/r' to='things.test'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>"
				"<iq type='get' id='3' from='" FRIEND "/r' to='" SET
				"'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>");
	for (int i = 2; i <= 3; i++) {
		const char *text = stage_wait(s, i == 2 ? "id='2'" : "id='3'");
		cr_expect_eq(strstr(text, "<feature var='urn:xmpp:siot:1'/>") != NULL, i == 3);
		cr_expect_eq(strstr(text, "<feature var='urn:jidgate:siot:0'/>") != NULL, i == 3);
	}
	stage_free(s);
}
