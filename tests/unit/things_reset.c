/* Factory reset and the end of a thing: wire.md 1.1, S6 to S9. */
#include "tests/unit/talk.h"

enum { AGAIN_MS = 5000 };

static void want(struct stage *s, const char *local, const char *what)
{
	store_put(s->store, STORE_THING_WANT, (const char *const[]){ local, what }, NULL, NULL);
	stage_settle(s);
}

Test(a_reset, of_the_command_line_puts_everybody_out_and_makes_new_keys) /* S7 */
{
	struct stage *s = up();
	char key[GATE_KEY_ROOM], group[GATE_KEY_ROOM], other[GATE_KEY_ROOM];
	snprintf(key, sizeof(key), "%s", stage_thing(s, "boiler.temp")->key);
	snprintf(other, sizeof(other), "%s", stage_thing(s, "boiler.set")->key);
	snprintf(group, sizeof(group), "%s", s->house->devices[0]->group_key);
	answer_registers(s);
	give_owner(s, "boiler.temp");
	subscribe(s, OWNER, TEMP);
	stage_wait(s, "type='subscribed'");
	subscribe(s, SERVICE, TEMP);
	stage_wait(s, "type='subscribed'");
	stage_befriend(s, "boiler.temp", FRIEND);
	stage_befriend(s, "boiler.set", FRIEND);
	subscribe(s, STRANGER, TEMP);
	is_friend(s, "pending");
	want(s, "boiler.temp", "reset");
	stage_restart(s);
	fake_link_up(s->link, NULL);
	for (int i = 0; i < 2; i++) {
		has(stage_wait(s, "type='unavailable'"), "from='" TEMP "/thing'");
		has(stage_wait(s, "type='unsubscribed'"), "from='" TEMP "'");
	}
	struct thing *t = stage_thing(s, "boiler.temp");
	const char *text = stage_wait(s, TEMP_ASKS "");
	while (!strstr(text, "<register"))
		text = stage_wait(s, TEMP_ASKS);
	cr_expect_null(fake_link_find(s->link, "type='unsubscribed'"), "the service is no friend that must be told");
	cr_expect_str_neq(t->key, key);
	cr_expect_str_neq(s->house->devices[0]->group_key, group);
	has(text, t->key);
	has(text, s->house->devices[0]->group_key);
	cr_expect_null(t->owner);
	cr_expect_not(may(s, "boiler.temp", FRIEND, RIGHT_SEE));
	cr_expect_not(may(s, "boiler.temp", OWNER, RIGHT_SEE));
	cr_expect(may(s, "boiler.set", FRIEND, RIGHT_READ), "its siblings are as they were");
	cr_expect_str_eq(stage_thing(s, "boiler.set")->key, other);
	silent(s, "is-friend-query");
	snprintf(key, sizeof(key), "%s", t->key);
	stage_restart(s);
	fake_link_up(s->link, NULL);
	stage_wait(s, TEMP_ASKS);
	silent(s, "type='unsubscribed'");
	cr_expect_str_eq(stage_thing(s, "boiler.temp")->key, key, "once");
	stage_free(s);
}

/* Until it has heard of the new key it speaks of what was before (S6, S7): after its own restart, as well as after ours. */
Test(a_reset, is_not_undone_by_a_service_that_has_not_heard_of_it)
{
	struct stage *s = up();
	answer_registers(s);
	give_owner(s, "boiler.temp");
	stage_befriend(s, "boiler.temp", FRIEND);
	service_says(s, TEMP, "<disowned xmlns='urn:jidgate:siot:0'/>");
	stage_wait(s, "type='unsubscribed'");
	for (int i = 0; i < 2; i++) {
		if (i) {
			stage_restart(s);
			fake_link_up(s->link, NULL);
		}
		const char *asked = stage_wait(s, TEMP_ASKS);
		service_says(s, TEMP, "<owner xmlns='urn:xmpp:siot:1' jid='" OWNER "'/>");
		fake_link_give(s->link, "<iq type='set' id='o' from='" SERVICE "' to='" TEMP
					"'><owner xmlns='urn:xmpp:siot:1' jid='" OWNER "'/></iq>");
		has(stage_wait(s, "id='o'"), "<not-allowed");
		give_state(s, TEMP, FRIEND, "yes");
		subscribe(s, FRIEND, TEMP);
		silent(s, "is-friend-query");
		cr_expect_null(stage_thing(s, "boiler.temp")->owner);
		cr_expect_not(may(s, "boiler.temp", FRIEND, RIGHT_SEE));
		if (i)
			answer(s, asked, "result", "");
	}
	is_friend(s, "yes");
	stage_wait(s, "type='subscribed'");
	give_owner(s, "boiler.temp");
	cr_expect_str_eq(stage_thing(s, "boiler.temp")->owner, OWNER);
	stage_free(s);
}

Test(a_reset, is_not_acknowledged_by_the_answer_to_the_old_key)
{
	struct stage *s = up();
	const char *asked = stage_wait(s, TEMP_ASKS);
	service_says(s, TEMP, "<disowned xmlns='urn:jidgate:siot:0'/>");
	const char *again = stage_wait(s, TEMP_ASKS);
	answer(s, asked, "result", "");
	stage_settle(s);
	cr_expect_not(stage_thing(s, "boiler.temp")->acknowledged);
	answer(s, again, "result", "");
	stage_settle(s);
	cr_expect(stage_thing(s, "boiler.temp")->acknowledged);
	stage_free(s);
}

Test(a_reset, is_not_undone_by_an_answer_about_a_friend_that_was_on_its_way)
{
	struct stage *s = up();
	answer_registers(s);
	subscribe(s, FRIEND, TEMP);
	const char *asked = stage_wait(s, "is-friend-query");
	service_says(s, TEMP, "<disowned xmlns='urn:jidgate:siot:0'/>");
	const char *again = stage_wait(s, TEMP_ASKS);
	subscribe(s, FRIEND, TEMP);
	answer(s, asked, "result", "<is-friend-result xmlns='urn:xmpp:siot:1' friend='yes'/>");
	silent(s, "type='subscribed'");
	cr_expect_not(may(s, "boiler.temp", FRIEND, RIGHT_SEE));
	answer(s, again, "result", "");
	is_friend(s, "pending");
	silent(s, "type='subscribed'");
	stage_free(s);
}

Test(a_reset, tells_the_other_things_of_the_device_their_new_common_key)
{
	struct stage *s = up();
	answer_registers(s);
	give_owner(s, "boiler.alarm");
	give_owner(s, "boiler.temp");
	service_says(s, TEMP, "<disowned xmlns='urn:jidgate:siot:0'/>");
	const char *text[2] = { stage_wait(s, "<register"), stage_wait(s, "<register") };
	silent(s, "<register"); /* boiler.alarm is owned */
	for (int i = 0; i < 2; i++)
		has(text[i], s->house->devices[0]->group_key);
	has(text[0], "from='boiler.temp@");
	has(text[1], "from='boiler.set@");
	stage_free(s);
}

Test(a_reset, that_is_asked_for_twice_is_one)
{
	struct stage *s = up();
	give_owner(s, "boiler.temp");
	stage_befriend(s, "boiler.temp", FRIEND);
	fake_link_give(s->link, "<iq type='set' id='d1' from='" SERVICE "' to='" TEMP
				"'><disowned xmlns='urn:jidgate:siot:0'/></iq>"
				"<iq type='set' id='d2' from='" SERVICE "' to='" TEMP
				"'><disowned xmlns='urn:jidgate:siot:0'/></iq>");
	has(stage_wait(s, "id='d2'"), "<resource-constraint");
	has(stage_wait(s, "id='d1'"), "type='result'");
	stage_wait(s, "type='unsubscribed'");
	silent(s, "type='unsubscribed'");
	stage_free(s);
}

/* A thing that was in the configuration before, with a friend, and that somebody wants forgotten. */
static struct stage *with_orphan(void)
{
	struct stage *s = up();
	store_put(s->store, STORE_THING_ADD, (const char *const[]){ "old.thing", "KEY", NULL }, NULL, NULL);
	store_put(s->store, STORE_THING_OWNER, (const char *const[]){ "old.thing", OWNER }, NULL, NULL);
	store_put(s->store, STORE_FRIEND_PUT, (const char *const[]){ "old.thing", FRIEND, "1", "0", "0" }, NULL, NULL);
	store_put(s->store, STORE_FRIEND_PUT, (const char *const[]){ "old.thing", OWNER, "1", "1", "0" }, NULL, NULL);
	want(s, "old.thing", "forget");
	stage_restart(s);
	fake_link_up(s->link, NULL);
	return s;
}

Test(an_end, is_told_to_friends_and_to_the_service) /* S9 */
{
	struct stage *s = with_orphan();
	for (int i = 0; i < 2; i++) {
		has(stage_wait(s, "type='unavailable'"), "from='old.thing@things.test/thing'");
		has(stage_wait(s, "type='unsubscribed'"), "from='old.thing@things.test'");
	}
	service_answers(s, "<unregister xmlns='urn:jidgate:siot:0'/>", "");
	stage_settle(s);
	fake_link_forget(s->link);
	fake_link_down(s->link, NULL);
	fake_link_up(s->link, NULL);
	silent(s, "old.thing");
	stage_restart(s);
	fake_link_up(s->link, NULL);
	silent(s, "old.thing");
	stage_free(s);
}

Test(an_end, waits_for_what_the_disk_has_refused_of_the_thing)
{
	struct stage *s = with_orphan();
	struct thing *orphan = map_find(&s->gate.orphans, "old.thing");
	orphan->n_changes++;
	service_answers(s, "<unregister xmlns='urn:jidgate:siot:0'/>", "");
	stage_settle(s);
	cr_assert_eq(map_find(&s->gate.orphans, "old.thing"), orphan, "somebody is still at work on it");
	orphan->n_changes--;
	stage_restart(s);
	fake_link_up(s->link, NULL);
	service_answers(s, "<unregister xmlns='urn:jidgate:siot:0'/>", "");
	stage_settle(s);
	cr_expect_null(map_find(&s->gate.orphans, "old.thing"));
	stage_free(s);
}

Test(an_end, that_was_asked_for_before_the_thing_came_back_leaves_nobody_in)
{
	struct stage *s = up();
	char key[GATE_KEY_ROOM];
	answer_registers(s);
	give_owner(s, "boiler.temp");
	stage_befriend(s, "boiler.temp", FRIEND);
	want(s, "boiler.temp", "forget");
	stage_restart(s);
	fake_link_up(s->link, NULL);
	has(stage_wait(s, "to='" FRIEND "'"), "type='un"); /* the first that he hears */
	stage_settle(s);
	struct thing *t = stage_thing(s, "boiler.temp");
	cr_expect_null(t->owner);
	cr_expect_not(may(s, "boiler.temp", FRIEND, RIGHT_SEE));
	cr_assert(t->key);
	snprintf(key, sizeof(key), "%s", t->key);
	stage_restart(s);
	cr_expect_not(stage_thing(s, "boiler.temp")->wants_forget, "once");
	cr_expect_str_eq(stage_thing(s, "boiler.temp")->key, key);
	stage_free(s);
}

Test(an_end, of_what_nobody_had_is_void_when_it_comes_back)
{
	struct stage *s = up();
	char key[GATE_KEY_ROOM];
	snprintf(key, sizeof(key), "%s", stage_thing(s, "boiler.temp")->key);
	want(s, "boiler.temp", "forget");
	stage_restart(s);
	fake_link_up(s->link, NULL);
	stage_settle(s);
	stage_restart(s);
	cr_expect_not(stage_thing(s, "boiler.temp")->wants_forget);
	cr_expect_str_eq(stage_thing(s, "boiler.temp")->key, key, "its label is still good");
	stage_free(s);
}

Test(an_end, waits_for_a_service_that_is_away) /* S9, S38 */
{
	struct stage *s = with_orphan();
	service_refuses(s, "<unregister", "wait", "remote-server-timeout");
	stage_settle(s);
	loop_skip(s->loop, AGAIN_MS);
	stage_wait(s, "<unregister");
	stage_restart(s);
	fake_link_up(s->link, NULL);
	service_refuses(s, "<unregister", "cancel", "feature-not-implemented"); /* a foreign service */
	stage_settle(s);
	stage_restart(s);
	fake_link_up(s->link, NULL);
	silent(s, "old.thing");
	stage_free(s);
}

Test(an_end, leaves_a_jid_like_any_that_does_not_exist)
{
	struct stage *s = with_orphan();
	stage_wait(s, "<unregister");
	fake_link_forget(s->link);
	fake_link_give(s->link, "<iq type='get' id='1' from='" FRIEND "/r' to='old.thing@things.test'><req "
				"xmlns='urn:xmpp:iot:sensordata' seqnr='1'/></iq>");
	has(stage_wait(s, "id='1'"), "<service-unavailable");
	subscribe(s, FRIEND, "old.thing@things.test");
	silent(s, "to='" FRIEND "'");
	stage_free(s);
}
