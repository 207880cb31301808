#include "tests/lib/service.h"

#include "core/base/mem.h"
#include "core/provisioner/ledger.h"

#include <string.h>

#define LAMP  "lamp@gw.example"
#define DOOR  "door@gw.example"
#define OWNER "olga@home.example"
#define ANNA  "anna@b.example"
#define BOB   "bob@b.example"

/* A lamp and a door of one owner. */
static struct service *two_things(void)
{
	struct service *s = service_new();
	service_register(s, LAMP, KEY_1, "Lamp");
	service_register(s, DOOR, KEY_2, "Door");
	service_claim(s, OWNER, KEY_1);
	service_claim(s, OWNER, KEY_2);
	return s;
}

static const char *update(struct service *s, const char *who, const char *items)
{
	return service_set(
		s, who, "<friend-state-update xmlns='" SIOT "' xmlns:x='" SIOT_X "'>%s</friend-state-update>", items);
}

static void ask_and_forget(struct service *s, const char *thing, const char *requestor)
{
	service_ask(s, thing, requestor, "pending");
	fake_link_forget(s->link);
}

Test(provisioner_decide, says_pending_when_that_is_on_disk_and_tells_the_owner) /* section 6, 7; S18, S25 */
{
	struct service *s = two_things();
	const char *id =
		service_give_get(s, LAMP "/f65d", "<is-friend-query xmlns='" SIOT "' jid='Anna@B.example/10b7'/>");
	service_expect_silence(s);
	service_settle(s);
	const char *answer = service_answer(s, id);
	service_is_result(answer);
	service_has(answer, "<is-friend-result xmlns='" SIOT "' friend='pending'/></iq>"); /* S17: no jid */
	const char *told = service_expect(s, "<pending-friend-notification xmlns='" SIOT "' xmlns:x='" SIOT_X
					     "' x:thing='" LAMP "'/>");
	service_has(told, "type='chat' from='prov.example' to='" OWNER "'");
	service_has(told, "<body>" ANNA " wants to see &quot;Lamp&quot; (" LAMP "). Answer yes or no.</body>");
	service_expect_silence(s);
	service_free(s);
}

Test(provisioner_decide, answers_a_question_without_namespace_without_one) /* S16: examples 9 to 12 */
{
	struct service *s = two_things();
	const char *answer = service_get(s, LAMP "/r", "<is-friend-query jid='" ANNA "'/>");
	service_has(answer, "<is-friend-result friend='pending'/>");
	service_let_in(s, OWNER, LAMP, ANNA);
	service_has(service_get(s, LAMP "/r", "<is-friend-query jid='" ANNA "'/>"), "<is-friend-result friend='yes'/>");
	service_free(s);
}

Test(provisioner_decide, counts_the_owner_as_a_friend) /* section 2.5, S13 */
{
	struct service *s = two_things();
	service_ask(s, LAMP, "Olga@home.example/phone", "yes");
	service_ask(s, LAMP, ANNA, "pending");
	service_free(s);
}

Test(provisioner_decide, lists_who_waits_with_the_thing) /* section 7; S25, S28 */
{
	struct service *s = two_things();
	ask_and_forget(s, LAMP, ANNA);
	ask_and_forget(s, DOOR, ANNA);
	ask_and_forget(s, DOOR, BOB);
	service_has(service_get(s, OWNER "/r", "<pending-friend-query xmlns='" SIOT "'/>"),
		    "<pending-friend-requests xmlns='" SIOT "' xmlns:x='" SIOT_X "'>"
		    "<pending-friend jid='" ANNA "' x:thing='" LAMP "'/><pending-friend jid='" ANNA "' x:thing='" DOOR
		    "'/>"
		    "<pending-friend jid='" BOB "' x:thing='" DOOR "'/></pending-friend-requests>");
	service_has(service_get(s, "mallory@evil.example", "<pending-friend-query xmlns='" SIOT "'/>"),
		    "<pending-friend-requests xmlns='" SIOT "' xmlns:x='" SIOT_X "'></pending-friend-requests>");
	service_free(s);
}

Test(provisioner_decide, tells_the_thing_what_was_decided_when_it_is_on_disk) /* sections 8, 9; S26, S28, S30 */
{
	struct service *s = two_things();
	ask_and_forget(s, LAMP, ANNA);
	ask_and_forget(s, LAMP, BOB);
	const char *id = service_give_set(s, OWNER "/76a6",
					  "<friend-state-update xmlns='" SIOT "'><non-friend jid='BOB@b.example/x'/>"
					  "<friend jid='" ANNA "'/></friend-state-update>");
	service_expect_silence(s);
	service_settle(s);
	service_has(service_answer(s, id), "<iq type='result'"); /* S26: not set */
	const char *told = service_expect(s, "<friendship-states xmlns='" SIOT "'>");
	service_has(told, "<message from='prov.example' to='" LAMP "'");
	service_has(told, "<item jid='" BOB "' friend='no'/><item jid='" ANNA "' friend='yes'/></friendship-states>");
	service_expect_silence(s);
	service_ask(s, LAMP, ANNA, "yes");
	service_ask(s, LAMP, BOB, "no");
	service_has(service_get(s, OWNER "/r", "<pending-friend-query xmlns='" SIOT "'/>"),
		    "'></pending-friend-requests>");
	service_free(s);
}

Test(provisioner_decide, means_the_only_thing_of_an_owner_of_one) /* S25, S21 */
{
	struct service *s = service_new();
	service_register(s, LAMP, KEY_1, "Lamp");
	service_claim(s, OWNER, KEY_1);
	service_is_result(update(s, OWNER, "<friend jid='" ANNA "'/><non-friend jid='" BOB "'/>"));
	service_has(service_expect(s, "<friendship-states"),
		    "<item jid='" ANNA "' friend='yes'/><item jid='" BOB "' friend='no'/>");
	service_ask(s, LAMP, ANNA, "yes");
	service_ask(s, LAMP, BOB, "no");
	service_free(s);
}

Test(provisioner_decide, lets_a_friend_in_only_where_he_waits) /* S25: door locks */
{
	struct service *s = two_things();
	ask_and_forget(s, LAMP, ANNA);
	service_is_result(update(s, OWNER, "<friend jid='" ANNA "'/>"));
	service_has(service_expect(s, "<friendship-states"), "to='" LAMP "'");
	service_expect_not(s, "<friendship-states");
	service_ask(s, LAMP, ANNA, "yes");
	service_ask(s, DOOR, ANNA, "pending");
	service_free(s);
}

Test(provisioner_decide, turns_somebody_out_of_everything_where_he_waits_or_is_a_friend) /* S25 */
{
	struct service *s = two_things();
	service_register(s, "heater@gw.example", KEY_3, "Heater");
	service_claim(s, OWNER, KEY_3);
	service_let_in(s, OWNER, LAMP, ANNA);
	ask_and_forget(s, DOOR, ANNA);
	service_is_result(update(s, OWNER, "<non-friend jid='" ANNA "'/>"));
	service_expect(s, "to='" LAMP "'");
	service_expect(s, "to='" DOOR "'");
	service_expect_silence(s);
	service_ask(s, LAMP, ANNA, "no");
	service_ask(s, DOOR, ANNA, "no");
	service_ask(s, "heater@gw.example", ANNA, "pending");
	service_free(s);
}

Test(provisioner_decide, refuses_what_fits_no_thing) /* S25 */
{
	struct service *s = two_things();
	ask_and_forget(s, LAMP, BOB);
	const char *answer = update(s, OWNER, "<friend jid='" BOB "'/><friend jid='" ANNA "'/>");
	service_is_error(answer, "modify", "bad-request");
	service_has(answer, "<text");
	service_is_error(update(s, OWNER, "<non-friend jid='" ANNA "'/>"), "modify", "bad-request");
	service_expect_silence(s);
	service_ask(s, LAMP, BOB, "pending"); /* all or nothing */
	service_free(s);
}

Test(provisioner_decide, takes_the_thing_that_is_named) /* S21, S25 */
{
	struct service *s = two_things();
	service_is_result(update(s, OWNER, "<friend jid='" ANNA "' x:thing='Door@gw.example/r'/>"));
	service_has(service_expect(s, "<friendship-states"), "to='" DOOR "'");
	service_ask(s, DOOR, ANNA, "yes");
	service_ask(s, LAMP, ANNA, "pending");
	service_is_result(update(s, OWNER, "<non-friend jid='" BOB "' x:thing='" DOOR "'/>"));
	service_ask(s, DOOR, BOB, "no");
	service_ask(s, LAMP, BOB, "pending");
	service_free(s);
}

Test(provisioner_decide, hides_whether_somebody_elses_thing_is_there)
{
	struct service *s = two_things();
	service_register(s, "safe@bank.example", KEY_3, "Safe");
	service_claim(s, "bank@bank.example", KEY_3);
	const char *theirs = update(s, OWNER, "<friend jid='" ANNA "' x:thing='safe@bank.example'/>");
	const char *none = update(s, OWNER, "<friend jid='" ANNA "' x:thing='none@bank.example'/>");
	service_is_error(theirs, "cancel", "item-not-found");
	cr_assert_str_eq(strchr(theirs, '>'), strchr(none, '>'));
	service_is_error(update(s, "mallory@evil.example", "<friend jid='" ANNA "' x:thing='" LAMP "'/>"), "cancel",
			 "item-not-found");
	service_is_error(update(s, "mallory@evil.example", "<friend jid='" ANNA "'/>"), "auth", "forbidden");
	service_expect_silence(s);
	service_ask(s, "safe@bank.example", ANNA, "pending");
	service_free(s);
}

Test(provisioner_decide, does_not_turn_the_owner_out) /* S24 */
{
	struct service *s = two_things();
	service_is_error(update(s, OWNER, "<non-friend jid='OLGA@home.example' x:thing='" LAMP "'/>"), "cancel",
			 "not-allowed");
	service_is_error(update(s, OWNER, "<non-friend jid='" OWNER "'/>"), "cancel", "not-allowed");
	service_ask(s, LAMP, OWNER, "yes");
	service_free(s);
}

Test(provisioner_decide, counts_a_no_at_once_and_a_yes_when_it_is_on_disk) /* S20 */
{
	struct service *s = two_things();
	service_let_in(s, OWNER, LAMP, ANNA);
	service_give_set(s, OWNER,
			 "<friend-state-update xmlns='" SIOT "' xmlns:x='" SIOT_X "'><non-friend jid='" ANNA
			 "' x:thing='" LAMP "'/><friend jid='" BOB "' x:thing='" LAMP "'/></friend-state-update>");
	const char *id = service_give_get(s, LAMP "/r", "<is-friend-query xmlns='" SIOT "' jid='" ANNA "'/>");
	service_has(service_answer(s, id), "friend='no'");
	id = service_give_get(s, LAMP "/r", "<is-friend-query xmlns='" SIOT "' jid='" BOB "'/>");
	service_expect_silence(s); /* waits until it is known */
	service_settle(s);
	service_has(service_expect(s, "<is-friend-result"), "friend='yes'");
	service_free(s);
}

Test(provisioner_decide, does_not_speak_a_yes_that_a_no_overtook)
{
	struct service *s = two_things();
	ask_and_forget(s, LAMP, ANNA);
	fake_link_give(s->link,
		       "<iq type='set' id='yes' from='" OWNER "' to='prov.example'><friend-state-update xmlns='" SIOT
		       "'><friend jid='" ANNA "'/></friend-state-update></iq><iq type='set' id='no' from='" OWNER
		       "' to='prov.example'><friend-state-update xmlns='" SIOT "'><non-friend jid='" ANNA
		       "'/></friend-state-update></iq>");
	service_settle(s);
	service_is_result(service_answer(s, "yes"));
	service_is_result(service_answer(s, "no"));
	service_has(service_expect(s, "<friendship-states"), "<item jid='" ANNA "' friend='no'/>");
	service_expect_silence(s);
	service_ask(s, LAMP, ANNA, "no");
	service_restart(s);
	service_ask(s, LAMP, ANNA, "no");
	service_free(s);
}

Test(provisioner_decide, takes_no_for_an_answer_when_one_update_says_both)
{
	struct service *s = two_things();
	ask_and_forget(s, LAMP, ANNA);
	service_is_result(
		update(s, OWNER, "<friend jid='" ANNA "'/><non-friend jid='" ANNA "'/><friend jid='Anna@b.example'/>"));
	service_ask(s, LAMP, ANNA, "no");
	service_free(s);
}

Test(provisioner_decide, keeps_somebody_out_even_when_the_no_cannot_be_saved)
{
	struct service *s = two_things();
	service_let_in(s, OWNER, LAMP, ANNA);
	service_limit_disk(s, true);
	service_is_error(update(s, OWNER, "<non-friend jid='" ANNA "'/><non-friend jid='" BOB "' x:thing='" LAMP "'/>"),
			 "cancel", "internal-server-error");
	service_ask(s, LAMP, ANNA, "no");
	service_ask(s, LAMP, BOB, "no");
	service_is_error(update(s, OWNER, "<friend jid='" ANNA "' x:thing='" DOOR "'/>"), "cancel",
			 "internal-server-error");
	service_limit_disk(s, false);
	service_expect_silence(s);
	service_ask(s, DOOR, ANNA, "pending");
	service_ask(s, LAMP, ANNA, "no");
	service_let_in(s, OWNER, LAMP, ANNA);
	service_ask(s, LAMP, ANNA, "yes");
	service_is_result(update(s, OWNER, "<non-friend jid='" ANNA "' x:thing='" LAMP "'/>"));
	service_restart(s);
	service_ask(s, LAMP, ANNA, "no");
	service_free(s);
}

Test(provisioner_decide, asks_the_owner_once_for_the_same_request) /* S19, S39 */
{
	struct service *s = two_things();
	fake_link_give(s->link,
		       "<iq type='get' id='one' from='" LAMP "/r' to='prov.example'><is-friend-query xmlns='" SIOT
		       "' jid='" ANNA "'/></iq><iq type='get' id='two' from='" LAMP
		       "/r' to='prov.example'><is-friend-query xmlns='" SIOT "' jid='" ANNA "'/></iq>");
	service_settle(s);
	service_has(service_answer(s, "one"), "friend='pending'");
	service_has(service_answer(s, "two"), "friend='pending'");
	service_expect(s, "<pending-friend-notification");
	for (int i = 0; i < 3 * LIMIT_QUERIES_HOUR; i++)
		service_ask(s, LAMP, ANNA, "pending");
	service_expect_silence(s);
	service_free(s);
}

Test(provisioner_decide, limits_what_one_requestor_may_cause_in_an_hour) /* S39 */
{
	struct service *s = two_things();
	const char *ask = "<is-friend-query xmlns='" SIOT "' jid='" ANNA "'/>";
	for (int i = 0; i < LIMIT_QUERIES_HOUR; i++) {
		ask_and_forget(s, LAMP, ANNA);
		service_set(s, LAMP "/r", "<unregister xmlns='" SIOT_X "'/>");
		service_register(s, LAMP, KEY_3, "Lamp");
	}
	service_is_error(service_get(s, LAMP "/r", "%s", ask), "wait", "resource-constraint");
	service_ask(s, LAMP, BOB, "pending");
	service_ask(s, DOOR, ANNA, "pending");
	service_skip(s, 3600000);
	service_ask(s, LAMP, ANNA, "pending");
	service_free(s);
}

Test(provisioner_decide, keeps_only_so_many_requests_of_strangers_for_a_thing) /* S39 */
{
	struct service *s = two_things();
	for (int i = 0; i < LIMIT_PENDING; i++) {
		char *who = mem_format("stranger%d@evil.example", i);
		service_ask(s, LAMP, who, "pending");
		mem_free(who);
	}
	service_is_error(service_get(s, LAMP "/r", "<is-friend-query xmlns='" SIOT "' jid='" ANNA "'/>"), "wait",
			 "resource-constraint");
	service_ask(s, LAMP, "stranger7@evil.example", "pending");
	service_ask(s, DOOR, ANNA, "pending");
	service_let_in(s, OWNER, LAMP, ANNA); /* the owner is never full */
	service_ask(s, LAMP, ANNA, "yes");
	service_free(s);
}

Test(provisioner_decide, merges_what_an_owner_is_told_in_a_minute) /* S39 */
{
	struct service *s = two_things();
	for (int i = 0; i < LIMIT_NOTICES_MINUTE + 12; i++) {
		char *who = mem_format("stranger%d@evil.example", i);
		service_ask(s, i % 2 ? LAMP : DOOR, who, "pending");
		mem_free(who);
	}
	for (int i = 0; i < LIMIT_NOTICES_MINUTE; i++)
		service_expect(s, "<pending-friend-notification");
	service_expect_silence(s);
	service_skip(s, 60000);
	const char *told = service_expect(s, "<pending-friend-notification xmlns='" SIOT "' xmlns:x='" SIOT_X "'/>");
	service_has(told, "stranger5@evil.example wants to see");
	service_has_not(told, "stranger4@evil.example");
	service_has(told, "And 2 more");
	service_expect_silence(s);
	service_skip(s, 600000);
	service_expect_silence(s);
	service_free(s);
}

Test(provisioner_decide, forgets_requests_nobody_decided_and_old_refusals)
{
	struct service *s = two_things();
	const int64_t day = 24 * 3600000;
	ask_and_forget(s, LAMP, ANNA);
	service_let_in(s, OWNER, LAMP, "friend@b.example");
	service_is_result(update(s, OWNER, "<non-friend jid='" BOB "' x:thing='" LAMP "'/>"));
	service_skip(s, (LIMIT_PENDING_DAYS - 1) * day);
	service_has(service_get(s, OWNER, "<pending-friend-query xmlns='" SIOT "'/>"), ANNA);
	service_skip(s, 2 * day);
	service_has_not(service_get(s, OWNER, "<pending-friend-query xmlns='" SIOT "'/>"), ANNA);
	service_ask(s, LAMP, BOB, "no");
	service_skip(s, LIMIT_DENIED_DAYS * day);
	service_ask(s, LAMP, BOB, "pending");
	service_ask(s, LAMP, "friend@b.example", "yes");
	service_restart(s);
	service_ask(s, LAMP, "friend@b.example", "yes");
	service_free(s);
}

Test(provisioner_decide, lets_only_registered_things_ask) /* S37 */
{
	struct service *s = two_things();
	service_is_error(service_get(s, "gw.example", "<is-friend-query xmlns='" SIOT "' jid='" ANNA "'/>"), "cancel",
			 "item-not-found");
	service_is_error(service_get(s, OWNER, "<is-friend-query xmlns='" SIOT "' jid='" ANNA "'/>"), "cancel",
			 "item-not-found");
	service_expect_silence(s);
	service_free(s);
}

Test(provisioner_decide, does_not_let_in_by_the_way_who_was_refused_elsewhere) /* S25: door locks */
{
	struct service *s = two_things();
	service_is_result(update(s, OWNER, "<non-friend jid='" ANNA "' x:thing='" DOOR "'/>"));
	service_is_error(update(s, OWNER, "<friend jid='" ANNA "'/>"), "modify", "bad-request");
	ask_and_forget(s, LAMP, ANNA);
	service_is_result(update(s, OWNER, "<friend jid='" ANNA "'/>"));
	service_ask(s, LAMP, ANNA, "yes");
	service_ask(s, DOOR, ANNA, "no");
	service_free(s);
}

Test(provisioner_decide, does_not_even_for_a_moment_count_the_no_of_somebody_else)
{
	struct service *s = two_things();
	service_let_in(s, OWNER, LAMP, ANNA);
	service_give_get(s, LAMP "/r",
			 "<is-friend-query xmlns='" SIOT "' jid='" BOB "'/>"); /* his turn comes after it */
	service_give_set(s, "mallory@evil.example",
			 "<friend-state-update xmlns='" SIOT "' xmlns:x='" SIOT_X "'><non-friend jid='" ANNA
			 "' x:thing='" LAMP "'/></friend-state-update>");
	const char *id = service_give_get(s, LAMP "/r", "<is-friend-query xmlns='" SIOT "' jid='" ANNA "'/>");
	service_has(service_answer(s, id), "friend='yes'");
	service_settle(s);
	service_free(s);
}

Test(provisioner_decide, does_not_list_whom_the_owner_just_refused)
{
	struct service *s = two_things();
	ask_and_forget(s, LAMP, ANNA);
	service_give_set(s, OWNER,
			 "<friend-state-update xmlns='" SIOT "'><non-friend jid='" ANNA "'/></friend-state-update>");
	const char *id = service_give_get(s, OWNER, "<pending-friend-query xmlns='" SIOT "'/>");
	service_has_not(service_answer(s, id), ANNA);
	service_settle(s);
	service_free(s);
}

Test(provisioner_decide, does_not_forget_as_too_old_what_the_owner_decides_now)
{
	struct service *s = two_things();
	ask_and_forget(s, LAMP, ANNA);
	service_give_set(s, OWNER,
			 "<friend-state-update xmlns='" SIOT "'><friend jid='" ANNA "'/></friend-state-update>");
	service_skip(s, (LIMIT_PENDING_DAYS + 1) * 24LL * 3600000);
	service_ask(s, LAMP, ANNA, "yes");
	service_restart(s);
	service_ask(s, LAMP, ANNA, "yes");
	service_free(s);
}
