/* Who becomes a friend, and what is said to him meanwhile: wire.md 1.1, S16 to S24, S27, S30, S39. */
#include "tests/unit/talk.h"

#include "core/base/limits.h"

#define OTHER "other@z.test"

Test(friends, are_asked_for_with_a_bare_jid_in_the_namespace_of_siot) /* S16, S30 */
{
	struct stage *s = up();
	subscribe(s, "Friend@X.TEST/Phone", "Boiler.TEMP@Things.Test");
	const char *text = stage_wait(s, "is-friend-query");
	has(text, "<is-friend-query xmlns='urn:xmpp:siot:1' jid='" FRIEND "'/>");
	has(text, "<iq type='get' from='boiler.temp@things.test/thing' to='prov.test'");
	stage_free(s);
}

Test(friends, may_be_answered_in_any_of_the_namespaces_that_the_examples_could_mean) /* S16 */
{
	static const char *const namespaces[] = { "urn:xmpp:siot:1", "jabber:client", "jabber:component:accept", "" };
	struct stage *s = up();
	for (size_t i = 0; i < sizeof(namespaces) / sizeof(namespaces[0]); i++) {
		char payload[128], jid[32];
		snprintf(jid, sizeof(jid), "friend%zu@x.test", i);
		snprintf(payload, sizeof(payload), "<is-friend-result xmlns='%s' friend='yes'/>", namespaces[i]);
		subscribe(s, jid, TEMP);
		service_answers(s, "is-friend-query", payload);
		has(stage_wait(s, "type='subscribed'"), jid);
	}
	stage_free(s);
}

Test(friends, are_found_by_the_id_of_the_question_whatever_jid_the_answer_names) /* S17 */
{
	struct stage *s = up();
	char first[ID_ROOM], second[ID_ROOM];
	subscribe(s, FRIEND, TEMP);
	id_of(stage_wait(s, "is-friend-query"), first);
	subscribe(s, OTHER, TEMP);
	id_of(stage_wait(s, "is-friend-query"), second);
	cr_assert_str_neq(first, second);
	fake_link_give(s->link,
		       "<iq type='result' from='" SERVICE "' to='" TEMP "/thing' id='%s'><is-friend-result "
		       "xmlns='urn:xmpp:siot:1' jid='" FRIEND "' friend='yes'/></iq>",
		       second);
	has(stage_wait(s, "type='subscribed'"), OTHER);
	silent(s, "to='" FRIEND "'");
	cr_expect_not(may(s, "boiler.temp", FRIEND, RIGHT_SEE));
	stage_free(s);
}

Test(friends, of_the_same_name_are_asked_for_once_at_a_time) /* S17, S19 */
{
	struct stage *s = up();
	subscribe(s, FRIEND "/a", TEMP);
	subscribe(s, FRIEND "/b", TEMP);
	stage_wait(s, "is-friend-query");
	subscribe(s, FRIEND, TEMP);
	silent(s, "is-friend-query");
	subscribe(s, FRIEND, SET);
	has(stage_wait(s, "is-friend-query"), "from='boiler.set@things.test/thing'");
	stage_free(s);
}

Test(friends, hear_subscribed_from_the_bare_jid_and_then_the_presence_of_the_full_one)
{
	struct stage *s = up();
	subscribe(s, FRIEND, TEMP);
	is_friend(s, "yes");
	const char *text = stage_wait(s, "to='" FRIEND "'");
	has(text, "<presence type='subscribed' from='boiler.temp@things.test' to='" FRIEND "'/>");
	has(stage_wait(s, "to='" FRIEND "'"), "<presence from='boiler.temp@things.test/thing' to='" FRIEND "'>");
	stage_free(s);
}

Test(friends, are_approved_again_as_often_as_they_ask)
{
	struct stage *s = up();
	stage_befriend(s, "boiler.temp", FRIEND);
	for (int i = 0; i < 3; i++) {
		subscribe(s, FRIEND, TEMP);
		stage_wait(s, "type='subscribed'");
		stage_wait(s, "<status>");
	}
	silent(s, "is-friend-query");
	stage_free(s);
}

Test(friends, that_are_pending_are_asked_for_again_when_it_was_no_for_five_minutes) /* S19 */
{
	struct stage *s = up();
	subscribe(s, FRIEND, TEMP);
	is_friend(s, "no");
	stage_wait(s, "type='unsubscribed'");
	loop_skip(s->loop, 5 * 60 * 1000 - 1000);
	subscribe(s, FRIEND, TEMP);
	stage_wait(s, "type='unsubscribed'");
	loop_skip(s->loop, 1001);
	subscribe(s, FRIEND, TEMP);
	stage_wait(s, "is-friend-query");
	silent(s, "type='unsubscribed'");
	stage_free(s);
}

Test(friends,
     who_were_refused_and_go_away_are_still_refused) /* S19: servers answer `unsubscribed` with `unsubscribe` */
{
	struct stage *s = up();
	subscribe(s, FRIEND, TEMP);
	is_friend(s, "no");
	stage_wait(s, "type='unsubscribed'");
	fake_link_give(s->link, "<presence type='unsubscribe' from='" FRIEND "' to='" TEMP "'/>");
	subscribe(s, FRIEND, TEMP);
	stage_wait(s, "type='unsubscribed'");
	silent(s, "is-friend-query");
	stage_free(s);
}

Test(friends, who_were_refused_get_in_when_the_owner_changes_his_mind) /* S19, S21 */
{
	struct stage *s = up();
	subscribe(s, FRIEND, TEMP);
	is_friend(s, "no");
	stage_wait(s, "type='unsubscribed'");
	give_state(s, TEMP, FRIEND, "yes");
	silent(s, "to='" FRIEND "'"); /* his server would ignore a `subscribed` now */
	subscribe(s, FRIEND, TEMP);
	stage_wait(s, "type='subscribed'");
	silent(s, "is-friend-query");
	stage_free(s);
}

Test(friends, are_what_was_said_last_when_a_state_overtakes_the_answer) /* S20 */
{
	static const struct {
		const char *state, *late, *heard;
		bool soon; /* before the state is on disk */
	} rows[] = {
		{ "yes", "pending", "type='subscribed'", false },  { "yes", "no", "type='subscribed'", false },
		{ "no", "pending", "type='unsubscribed'", false }, { "no", "yes", "type='unsubscribed'", false },
		{ "yes", "pending", "type='subscribed'", true },   { "yes", "no", "type='subscribed'", true },
		{ "no", "pending", "type='unsubscribed'", true },  { "no", "yes", "type='unsubscribed'", true },
	};
	struct stage *s = up();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char jid[32], payload[128];
		snprintf(jid, sizeof(jid), "friend%zu@x.test", i);
		snprintf(payload, sizeof(payload), "<is-friend-result xmlns='urn:xmpp:siot:1' friend='%s'/>",
			 rows[i].late);
		subscribe(s, jid, TEMP);
		const char *asked = stage_wait(s, "is-friend-query");
		give_state(s, TEMP, jid, rows[i].state);
		if (rows[i].soon)
			answer(s, asked, "result", payload);
		has(stage_wait(s, "scribed'"), rows[i].heard);
		if (!rows[i].soon)
			answer(s, asked, "result", payload);
		silent(s, "scribed'");
		cr_expect_eq(may(s, "boiler.temp", jid, RIGHT_READ), strcmp(rows[i].state, "yes") == 0, "%zu", i);
	}
	stage_free(s);
}

Test(friends, may_be_approved_before_they_ask_also_over_a_restart) /* S21 */
{
	struct stage *s = up();
	give_state(s, TEMP, FRIEND, "yes");
	silent(s, "to='" FRIEND "'");
	cr_expect_not(may(s, "boiler.temp", FRIEND, RIGHT_SEE), "only his subscribe makes him a friend");
	stage_restart(s);
	fake_link_up(s->link, NULL);
	silent(s, "is-friend-query");
	subscribe(s, FRIEND, TEMP);
	stage_wait(s, "type='subscribed'");
	silent(s, "is-friend-query");
	cr_expect(may(s, "boiler.temp", FRIEND, RIGHT_WRITE));
	stage_free(s);
}

Test(friends, lose_an_approval_in_advance_when_it_is_taken_back) /* S21 */
{
	struct stage *s = up();
	give_state(s, TEMP, FRIEND, "yes");
	give_state(s, TEMP, FRIEND, "no");
	stage_settle(s);
	stage_restart(s);
	fake_link_up(s->link, NULL);
	subscribe(s, FRIEND, TEMP);
	stage_wait(s, "is-friend-query");
	silent(s, "type='subscribed'");
	stage_free(s);
}

Test(friends, who_withdraw_are_forgotten_and_a_late_yes_lets_nobody_in) /* S22 */
{
	struct stage *s = up();
	subscribe(s, FRIEND, TEMP);
	const char *asked = stage_wait(s, "is-friend-query");
	fake_link_give(s->link, "<presence type='unsubscribe' from='" FRIEND "' to='" TEMP "'/>");
	answer(s, asked, "result", "<is-friend-result xmlns='urn:xmpp:siot:1' friend='yes'/>");
	silent(s, "type='subscribed'");
	cr_expect_not(may(s, "boiler.temp", FRIEND, RIGHT_SEE));
	stage_restart(s);
	fake_link_up(s->link, NULL);
	silent(s, "is-friend-query");
	stage_free(s);
}

Test(friends, who_withdraw_and_ask_again_before_the_answer_get_it) /* S22 */
{
	struct stage *s = up();
	subscribe(s, FRIEND, TEMP);
	const char *asked = stage_wait(s, "is-friend-query");
	fake_link_give(s->link, "<presence type='unsubscribe' from='" FRIEND "' to='" TEMP "'/>");
	subscribe(s, FRIEND, TEMP);
	silent(s, "is-friend-query");
	answer(s, asked, "result", "<is-friend-result xmlns='urn:xmpp:siot:1' friend='yes'/>");
	stage_wait(s, "type='subscribed'");
	stage_free(s);
}

Test(friends, who_withdraw_and_ask_again_are_not_kept_waiting_for_the_next_attempt) /* S22, S38 */
{
	struct stage *s = up();
	subscribe(s, FRIEND, TEMP);
	service_refuses(s, "is-friend-query", "wait", "remote-server-timeout");
	fake_link_give(s->link, "<presence type='unsubscribe' from='" FRIEND "' to='" TEMP "'/>");
	subscribe(s, FRIEND, TEMP);
	stage_settle(s);
	cr_expect_not_null(fake_link_find(s->link, "is-friend-query"));
	stage_free(s);
}

Test(friends, who_leave_are_out_and_are_asked_for_when_they_come_back) /* S23 */
{
	struct stage *s = up();
	stage_befriend(s, "boiler.temp", FRIEND);
	fake_link_give(s->link, "<presence type='unsubscribe' from='" FRIEND "' to='" TEMP "'/>");
	stage_wait(s, "type='unavailable'");
	stage_wait(s, "type='unsubscribed'");
	silent(s, "to='prov.test'><is-friend");
	cr_expect_not(may(s, "boiler.temp", FRIEND, RIGHT_SEE));
	subscribe(s, FRIEND, TEMP);
	is_friend(s, "yes");
	stage_wait(s, "type='subscribed'");
	stage_free(s);
}

Test(friends,
     stay_when_they_only_stop_to_be_seen_by_the_thing) /* S23: `unsubscribed` is about their presence, not ours */
{
	struct stage *s = up();
	stage_befriend(s, "boiler.temp", FRIEND);
	fake_link_give(s->link, "<presence type='unsubscribed' from='" FRIEND "' to='" TEMP "'/>"
				"<presence type='subscribed' from='" FRIEND "' to='" TEMP "'/>"
				"<presence type='unavailable' from='" FRIEND "/r' to='" TEMP "'/>"
				"<presence type='error' from='" FRIEND "' to='" TEMP
				"'><error type='cancel'><not-allowed xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"
				"</error></presence>");
	silent(s, "to='" FRIEND "'");
	cr_expect(may(s, "boiler.temp", FRIEND, RIGHT_READ));
	stage_restart(s);
	cr_expect(may(s, "boiler.temp", FRIEND, RIGHT_READ));
	stage_free(s);
}

Test(friends, are_not_made_or_unmade_by_words_that_are_neither_yes_nor_no) /* S27 */
{
	static const char *const words[] = { "pending", "", "true", "YES", "yes ", "maybe" };
	struct stage *s = up();
	stage_befriend(s, "boiler.set", FRIEND);
	subscribe(s, FRIEND, TEMP);
	is_friend(s, "pending");
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		give_state(s, TEMP, FRIEND, words[i]);
		give_state(s, SET, FRIEND, words[i]);
		silent(s, "to='" FRIEND "'");
	}
	cr_expect_not(may(s, "boiler.temp", FRIEND, RIGHT_SEE));
	cr_expect(may(s, "boiler.set", FRIEND, RIGHT_SEE));
	give_state(s, TEMP, FRIEND, "yes");
	stage_wait(s, "type='subscribed'");
	stage_free(s);
}

Test(friends, of_one_thing_come_in_one_message_with_slips_between_that_harm_nothing) /* S27, S32 */
{
	struct stage *s = up();
	stage_befriend(s, "boiler.temp", FRIEND);
	subscribe(s, OTHER, TEMP);
	stage_wait(s, "is-friend-query");
	service_says(s, TEMP,
		     "<friendship-states xmlns='urn:xmpp:siot:1'><x xmlns='urn:other'/><item/><item jid='a@b'/>"
		     "<item friend='yes'/><item jid='@@@' friend='yes'/><item jid='' friend='yes'/>"
		     "<item jid='" OTHER "' friend='yes' reason='nice'><why/></item>"
		     "<item jid='" FRIEND "' friend='no'/></friendship-states>");
	has(stage_wait(s, "type='subscribed'"), OTHER);
	has(stage_wait(s, "type='unavailable'"), FRIEND);
	has(stage_wait(s, "type='unsubscribed'"), FRIEND);
	silent(s, "scribed'");
	stage_free(s);
}

Test(friends, are_recognised_in_any_spelling_of_their_jid) /* S30 */
{
	struct stage *s = up();
	give_state(s, "BOILER.temp@Things.TEST/thing", "Friend@X.Test/anything", "yes");
	stage_settle(s);
	subscribe(s, FRIEND, TEMP);
	has(stage_wait(s, "type='subscribed'"), "to='" FRIEND "'");
	fake_link_give(s->link, "<iq type='get' id='1' from='FRIEND@x.TEST/r' to='" TEMP
				"'><req xmlns='urn:xmpp:iot:sensordata' seqnr='1'/></iq>");
	has(stage_wait(s, "id='1'"), "to='FRIEND@x.TEST/r'"); /* S33: the exact from */
	give_state(s, TEMP, "fRIEND@x.test", "no");
	has(stage_wait(s, "type='unsubscribed'"), "to='" FRIEND "'");
	cr_expect_not(may(s, "boiler.temp", FRIEND, RIGHT_SEE));
	stage_free(s);
}

Test(friends, are_told_no_again_when_they_may_have_missed_it) /* S29: what is sent while a server is away is lost */
{
	struct stage *s = up();
	give_state(s, TEMP, FRIEND, "no");
	stage_wait(s, "type='unsubscribed'");
	give_state(s, TEMP, FRIEND, "no");
	stage_wait(s, "type='unsubscribed'");
	stage_free(s);
}

Test(friends, see_the_owner_stay_whatever_is_said_of_him) /* S13, S24 */
{
	struct stage *s = up();
	give_owner(s, "boiler.temp");
	cr_expect(may(s, "boiler.temp", OWNER, RIGHT_WRITE), "also before he subscribes");
	give_state(s, TEMP, OWNER, "no");
	silent(s, "to='" OWNER "'");
	cr_expect(may(s, "boiler.temp", OWNER, RIGHT_WRITE));
	subscribe(s, OWNER "/phone", TEMP);
	has(stage_wait(s, "type='subscribed'"), "to='" OWNER "'");
	stage_wait(s, "<status>");
	give_state(s, TEMP, OWNER, "no");
	silent(s, "to='" OWNER "'");
	stage_restart(s);
	cr_expect(may(s, "boiler.temp", OWNER, RIGHT_WRITE));
	stage_free(s);
}

Test(friends, include_the_owner_who_asked_before_he_claimed) /* S13 */
{
	struct stage *s = up();
	subscribe(s, OWNER, TEMP);
	is_friend(s, "pending");
	give_owner(s, "boiler.temp");
	has(stage_wait(s, "type='subscribed'"), "to='" OWNER "'");
	silent(s, "is-friend-query");
	stage_free(s);
}

Test(friends, do_not_include_a_former_owner) /* nobody but the service makes friends, and it made him none */
{
	struct stage *s = up();
	give_owner(s, "boiler.temp");
	subscribe(s, OWNER, TEMP);
	stage_wait(s, "type='subscribed'");
	service_says(s, TEMP, "<owner xmlns='urn:xmpp:siot:1' jid='" OTHER "'/>");
	has(stage_wait(s, "type='unsubscribed'"), "to='" OWNER "'");
	cr_expect_not(may(s, "boiler.temp", OWNER, RIGHT_SEE));
	cr_expect(may(s, "boiler.temp", OTHER, RIGHT_WRITE));
	stage_restart(s);
	cr_expect_not(may(s, "boiler.temp", OWNER, RIGHT_SEE));
	stage_free(s);
}

Test(friends, of_the_service_are_nobodys_word_about_itself) /* S14: no state makes the service read */
{
	struct stage *s = up();
	give_state(s, TEMP, SERVICE, "yes");
	subscribe(s, SERVICE, TEMP);
	stage_wait(s, "type='subscribed'");
	cr_expect(may(s, "boiler.temp", SERVICE, RIGHT_SEE));
	cr_expect_not(may(s, "boiler.temp", SERVICE, RIGHT_READ));
	give_state(s, TEMP, SERVICE, "no");
	silent(s, "type='unsubscribed'");
	stage_free(s);
}

Test(friends, who_were_refused_make_room_for_others) /* S19, S39: nobody closes a thing with refusals */
{
	struct stage *s = up();
	for (int i = 0; i < LIMIT_PENDING + 1; i++) {
		fake_link_give(s->link, "<presence type='subscribe' from='s%d@y.test' to='" TEMP "'/>", i);
		loop_skip(s->loop, 50);
		is_friend(s, "no");
	}
	subscribe(s, FRIEND, TEMP);
	is_friend(s, "yes");
	stage_wait(s, "type='subscribed'");
	stage_free(s);
}

Test(friends, are_not_more_than_a_thing_can_tell)
{
	struct stage *s = up();
	for (int i = 0; i < LIMIT_FRIENDS; i++) {
		char jid[32];
		snprintf(jid, sizeof(jid), "s%d@y.test", i);
		thing_add_friend(stage_thing(s, "boiler.temp"), jid)->subscription = SUBSCRIPTION_FROM;
	}
	subscribe(s, FRIEND, TEMP);
	is_friend(s, "yes");
	silent(s, "to='" FRIEND "'");
	cr_expect_not(may(s, "boiler.temp", FRIEND, RIGHT_SEE));
	cr_expect_eq(stage_count_log(s, "one more is refused"), 1);
	stage_free(s);
}

Test(friends, beyond_the_bound_of_a_thing_wait_unheard) /* S39 */
{
	struct stage *s = up();
	for (int i = 0; i < LIMIT_PENDING; i++)
		fake_link_give(s->link, "<presence type='subscribe' from='s%d@y.test' to='" TEMP "'/>", i);
	for (int i = 0; i < LIMIT_PENDING; i++) {
		loop_skip(s->loop, 50); /* the pace */
		is_friend(s, "pending");
	}
	subscribe(s, FRIEND, TEMP);
	silent(s, "is-friend-query");
	silent(s, "to='" FRIEND "'");
	cr_expect_eq(stage_count_log(s, "requests wait already"), 1);
	give_state(s, TEMP, "s7@y.test", "yes");
	stage_wait(s, "type='subscribed'");
	subscribe(s, FRIEND, TEMP);
	stage_wait(s, "is-friend-query");
	stage_free(s);
}

Test(friends, who_withdraw_while_their_yes_goes_to_the_disk_are_not_in) /* S22 */
{
	struct stage *s = up();
	subscribe(s, FRIEND, TEMP);
	is_friend(s, "yes");
	fake_link_give(s->link, "<presence type='unsubscribe' from='" FRIEND "' to='" TEMP "'/>");
	stage_wait(s, "type='unsubscribed'");
	silent(s, "type='subscribed'");
	cr_expect_not(may(s, "boiler.temp", FRIEND, RIGHT_SEE));
	stage_restart(s);
	cr_expect_not(may(s, "boiler.temp", FRIEND, RIGHT_SEE));
	stage_free(s);
}
