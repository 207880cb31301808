/* Persist first, then speak: what is said while the disk refuses, and what holds after a kill (decision 2 of docs/). */
#include "tests/unit/talk.h"

#include <signal.h>
#include <sys/resource.h>

enum { AGAIN_MS = 10000 };

static void limit_files(rlim_t bytes)
{
	struct rlimit limit = { .rlim_cur = bytes, .rlim_max = RLIM_INFINITY };
	signal(SIGXFSZ, SIG_IGN);
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void fill_disk(void)
{
	limit_files(32);
}

static void empty_disk(void)
{
	limit_files(RLIM_INFINITY);
}

/* stage_settle wants a disk that works. */
static void tried(void *ctx, int status, const struct err *why)
{
	(void)status, (void)why;
	*(bool *)ctx = true;
}

static void try_in_vain(struct stage *s)
{
	bool done = false;
	store_put(s->store, STORE_THING_FORGET, (const char *const[]){ "nobody" }, tried, &done);
	while (!done)
		loop_turn(s->loop);
}

static void wait_for_failure(struct stage *s, size_t n)
{
	for (int i = 0; i < 4; i++)
		try_in_vain(s);
	cr_assert_eq(stage_count_log(s, "could not be stored"), n);
}

/* Time enough for one more attempt. */
static void pass_in_vain(struct stage *s)
{
	loop_skip(s->loop, AGAIN_MS);
	for (int i = 0; i < 2; i++)
		try_in_vain(s);
}

static void try_again(struct stage *s)
{
	empty_disk();
	loop_skip(s->loop, AGAIN_MS);
}

Test(store, that_refuses_a_yes_lets_nobody_in_and_nothing_is_said_until_it_holds)
{
	struct stage *s = up();
	subscribe(s, FRIEND, TEMP);
	const char *asked = stage_wait(s, "is-friend-query");
	stage_settle(s);
	fill_disk();
	answer(s, asked, "result", "<is-friend-result xmlns='urn:xmpp:siot:1' friend='yes'/>");
	wait_for_failure(s, 1);
	cr_expect_null(fake_link_find(s->link, "to='" FRIEND "'"));
	cr_expect_not(may(s, "boiler.temp", FRIEND, RIGHT_SEE));
	try_again(s);
	has(stage_wait(s, "to='" FRIEND "'"), "type='subscribed'");
	cr_expect(may(s, "boiler.temp", FRIEND, RIGHT_READ));
	stage_restart(s);
	cr_expect(may(s, "boiler.temp", FRIEND, RIGHT_READ));
	stage_free(s);
}

Test(store, that_has_refused_a_yes_still_knows_of_the_request_after_a_kill)
{
	struct stage *s = up();
	subscribe(s, FRIEND, TEMP);
	is_friend(s, "pending");
	stage_settle(s);
	fill_disk();
	give_state(s, TEMP, FRIEND, "yes");
	wait_for_failure(s, 1);
	empty_disk();
	stage_restart(s);
	cr_expect_not(may(s, "boiler.temp", FRIEND, RIGHT_SEE));
	fake_link_up(s->link, NULL);
	is_friend(s, "yes");
	stage_wait(s, "type='subscribed'");
	stage_free(s);
}

Test(store, that_refuses_a_yes_is_not_asked_again_when_it_became_a_no)
{
	struct stage *s = up();
	subscribe(s, FRIEND, TEMP);
	is_friend(s, "pending");
	stage_settle(s);
	fill_disk();
	give_state(s, TEMP, FRIEND, "yes");
	wait_for_failure(s, 1);
	empty_disk();
	give_state(s, TEMP, FRIEND, "no");
	stage_wait(s, "type='unsubscribed'");
	loop_skip(s->loop, AGAIN_MS);
	silent(s, "type='subscribed'");
	stage_restart(s);
	cr_expect_not(may(s, "boiler.temp", FRIEND, RIGHT_SEE));
	stage_free(s);
}

Test(store, that_refuses_a_no_does_not_keep_him_in_and_he_is_told_when_it_holds)
{
	struct stage *s = up();
	stage_befriend(s, "boiler.temp", FRIEND);
	fill_disk();
	give_state(s, TEMP, FRIEND, "no");
	cr_expect_not(may(s, "boiler.temp", FRIEND, RIGHT_SEE), "out at once");
	wait_for_failure(s, 1);
	for (int i = 0; i < 3; i++)
		pass_in_vain(s);
	cr_expect_null(fake_link_find(s->link, "to='" FRIEND "'"), "who was told no would come back with a kill now");
	try_again(s);
	has(stage_wait(s, "to='" FRIEND "'"), "type='unavailable'");
	has(stage_wait(s, "to='" FRIEND "'"), "type='unsubscribed'");
	stage_restart(s);
	cr_expect_not(may(s, "boiler.temp", FRIEND, RIGHT_SEE));
	stage_free(s);
}

Test(store, that_refuses_a_no_is_not_asked_again_when_it_became_a_yes)
{
	struct stage *s = up();
	stage_befriend(s, "boiler.temp", FRIEND);
	fill_disk();
	give_state(s, TEMP, FRIEND, "no");
	wait_for_failure(s, 1);
	empty_disk();
	give_state(s, TEMP, FRIEND, "yes");
	subscribe(s, FRIEND, TEMP);
	stage_wait(s, "type='subscribed'");
	loop_skip(s->loop, AGAIN_MS);
	silent(s, "type='unsubscribed'");
	cr_expect(may(s, "boiler.temp", FRIEND, RIGHT_READ));
	stage_restart(s);
	cr_expect(may(s, "boiler.temp", FRIEND, RIGHT_READ), "memory and disk say the same");
	stage_free(s);
}

Test(store, that_refuses_is_complained_of_once_for_each_change)
{
	struct stage *s = up();
	stage_befriend(s, "boiler.temp", FRIEND);
	fill_disk();
	give_state(s, TEMP, FRIEND, "no");
	wait_for_failure(s, 1);
	for (int i = 0; i < 20; i++)
		pass_in_vain(s);
	cr_expect_eq(stage_count_log(s, "could not be stored"), 1);
	try_again(s);
	stage_wait(s, "type='unsubscribed'");
	stage_free(s);
}

Test(store, that_refuses_the_owner_gives_him_nothing_until_it_holds) /* S12 */
{
	struct stage *s = up();
	char key[64];
	snprintf(key, sizeof(key), "%s", stage_thing(s, "boiler.temp")->key);
	fill_disk();
	fake_link_give(s->link, "<iq type='set' id='o' from='" SERVICE "' to='" TEMP
				"'><owner xmlns='urn:xmpp:siot:1' jid='" OWNER "'/></iq>");
	wait_for_failure(s, 1);
	cr_expect_null(fake_link_find(s->link, "id='o'"), "the service would believe that it is kept");
	cr_expect_not(may(s, "boiler.temp", OWNER, RIGHT_SEE));
	cr_expect_str_eq(stage_thing(s, "boiler.temp")->key, key);
	try_again(s);
	has(stage_wait(s, "id='o'"), "type='result'");
	cr_expect(may(s, "boiler.temp", OWNER, RIGHT_WRITE));
	stage_restart(s);
	cr_expect(may(s, "boiler.temp", OWNER, RIGHT_WRITE));
	stage_free(s);
}

static void disown(struct stage *s, const char *id)
{
	fake_link_give(s->link,
		       "<iq type='set' id='%s' from='" SERVICE "' to='" TEMP
		       "'><disowned xmlns='urn:jidgate:siot:0'/></iq>",
		       id);
}

Test(store, that_refuses_a_reset_has_everybody_out_and_is_told_when_it_holds) /* S7, S8 */
{
	struct stage *s = up();
	give_owner(s, "boiler.temp");
	stage_befriend(s, "boiler.temp", FRIEND);
	fill_disk();
	disown(s, "d");
	cr_expect_not(may(s, "boiler.temp", OWNER, RIGHT_SEE));
	cr_expect_not(may(s, "boiler.temp", FRIEND, RIGHT_SEE));
	wait_for_failure(s, 1);
	cr_expect_null(fake_link_find(s->link, "id='d'"));
	cr_expect_null(fake_link_find(s->link, "to='" FRIEND "'"));
	cr_expect_null(fake_link_find(s->link, "from='" TEMP "/thing' to='prov.test'"));
	try_again(s);
	has(stage_wait(s, "to='" FRIEND "'"), "type='unavailable'");
	has(stage_wait(s, "to='" FRIEND "'"), "type='unsubscribed'");
	has(stage_wait(s, "id='d'"), "type='result'");
	cr_assert_not_null(stage_thing(s, "boiler.temp")->key);
	has(stage_wait(s, "from='" TEMP "/thing' to='prov.test'"), stage_thing(s, "boiler.temp")->key);
	stage_restart(s);
	cr_expect_null(stage_thing(s, "boiler.temp")->owner);
	cr_expect_not(may(s, "boiler.temp", FRIEND, RIGHT_SEE));
	stage_free(s);
}

Test(store,
     is_never_behind_what_a_friend_was_told_of_a_reset) /* the moment of each `unsubscribed` is one to be killed in */
{
	struct stage *s = up();
	stage_befriend(s, "boiler.temp", FRIEND);
	disown(s, "d");
	stage_wait(s, "type='unsubscribed'");
	stage_restart(s);
	cr_expect_not(may(s, "boiler.temp", FRIEND, RIGHT_SEE));
	stage_free(s);
}

Test(store, keeps_what_a_reset_made_when_old_news_come_late) /* S7: an owner on the way, an answer to the old key */
{
	struct stage *s = up();
	char key[64];
	const char *asked = stage_wait(s, "from='" TEMP "/thing' to='prov.test'");
	service_says(s, TEMP, "<owner xmlns='urn:xmpp:siot:1' jid='" OWNER "'/>");
	disown(s, "d");
	answer(s, asked, "result", "");
	stage_wait(s, "id='d'");
	stage_settle(s);
	cr_expect_null(stage_thing(s, "boiler.temp")->owner);
	cr_assert_not_null(stage_thing(s, "boiler.temp")->key);
	snprintf(key, sizeof(key), "%s", stage_thing(s, "boiler.temp")->key);
	stage_restart(s);
	cr_expect_null(stage_thing(s, "boiler.temp")->owner);
	cr_assert_not_null(stage_thing(s, "boiler.temp")->key);
	cr_expect_str_eq(stage_thing(s, "boiler.temp")->key, key);
	stage_free(s);
}

Test(store, that_refuses_to_the_end_leaves_nothing_behind)
{
	struct stage *s = up();
	stage_befriend(s, "boiler.temp", FRIEND);
	subscribe(s, "x@y.test", SET);
	const char *asked = stage_wait(s, "is-friend-query");
	stage_settle(s);
	fill_disk();
	give_state(s, TEMP, FRIEND, "no");
	answer(s, asked, "result", "<is-friend-result xmlns='urn:xmpp:siot:1' friend='yes'/>");
	disown(s, "d");
	fake_link_give(s->link, "<iq type='set' id='o' from='" SERVICE "' to='" SET
				"'><owner xmlns='urn:xmpp:siot:1' jid='" OWNER "'/></iq>");
	wait_for_failure(s, 4);
	stage_free(s);
}
