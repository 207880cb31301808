#include "tests/lib/service.h"

#include "core/base/mem.h"

#include <string.h>

#define LAMP  "lamp@gw.example"
#define OWNER "olga@home.example"
#define ANNA  "anna@b.example"
#define BOB   "bob@b.example"

static struct service *one_thing(void)
{
	struct service *s = service_new();
	service_register(s, LAMP, KEY_1, "Lamp");
	service_claim(s, OWNER, KEY_1);
	return s;
}

static const char *give_up(struct service *s, const char *who, const char *thing)
{
	return service_set(s, who, "<x:give-up xmlns:x='" SIOT_X "' jid='%s'/>", thing);
}

Test(provisioner_owner, lets_go_of_a_thing_and_tells_it) /* S8 */
{
	struct service *s = one_thing();
	service_let_in(s, OWNER, LAMP, ANNA);
	service_ask(s, LAMP, BOB, "pending");
	fake_link_forget(s->link);
	const char *id = service_give_set(s, OWNER "/r", "<give-up xmlns='" SIOT_X "' jid='" LAMP "'/>");
	service_expect_silence(s);
	service_settle(s);
	const char *first, *second;
	fake_link_take(s->link, &first);
	fake_link_take(s->link, &second);
	service_has(first, "<friendship-states xmlns='" SIOT "'><item jid='" ANNA "' friend='no'/><item jid='" BOB
			   "' friend='no'/>");
	service_has(second, "<message from='prov.example' to='" LAMP "'");
	service_has(second, "<disowned xmlns='" SIOT_X "'/>");
	service_is_result(service_answer(s, id));
	service_is_error(give_up(s, OWNER, LAMP), "cancel", "item-not-found");
	service_is_error(service_set(s, "thief@evil.example", "<claim xmlns='" SIOT "' key='" KEY_1 "'/>"), "cancel",
			 "item-not-found");
	service_ask(s, LAMP, ANNA, "pending");
	service_register(s, LAMP, KEY_2, "Lamp");
	service_claim(s, BOB, KEY_2);
	service_ask(s, LAMP, BOB, "yes");
	service_ask(s, LAMP, OWNER, "pending");
	service_free(s);
}

Test(provisioner_owner, keeps_a_thing_that_is_not_there_to_hear_it) /* S8 */
{
	struct service *s = one_thing();
	service_presence(s, LAMP "/res", "unavailable");
	service_is_error(give_up(s, OWNER, LAMP), "wait", "recipient-unavailable");
	service_presence(s, LAMP "/res", NULL);
	fake_link_forget(s->link);
	service_is_result(give_up(s, OWNER, LAMP));
	service_free(s);
}

Test(provisioner_owner, tells_a_given_up_thing_again_until_it_has_a_new_key) /* S8, S29 */
{
	struct service *s = one_thing();
	service_is_result(give_up(s, OWNER, LAMP));
	service_restart(s);
	service_presence(s, LAMP "/res", NULL);
	service_expect(s, "<disowned xmlns='" SIOT_X "'/>");
	service_register(s, LAMP, KEY_2, "Lamp");
	service_presence(s, LAMP "/res", "unavailable");
	service_presence(s, LAMP "/res", NULL);
	service_expect_not(s, "<disowned");
	service_free(s);
}

Test(provisioner_owner, keeps_the_thing_when_giving_up_cannot_be_saved)
{
	struct service *s = one_thing();
	service_let_in(s, OWNER, LAMP, ANNA);
	service_limit_disk(s, true);
	service_is_error(give_up(s, OWNER, LAMP), "cancel", "internal-server-error");
	service_limit_disk(s, false);
	service_expect_silence(s);
	service_ask(s, LAMP, ANNA, "yes");
	service_free(s);
}

Test(provisioner_owner, hides_whether_somebody_elses_thing_is_there)
{
	struct service *s = one_thing();
	char *own[] = { mem_format("<give-up xmlns='" SIOT_X "' jid='%s'/>", LAMP),
			mem_format("<friends xmlns='" SIOT_X "' thing='%s'/>", LAMP) };
	char *no[] = { mem_format("<give-up xmlns='" SIOT_X "' jid='%s'/>", "none@gw.example"),
		       mem_format("<friends xmlns='" SIOT_X "' thing='%s'/>", "none@gw.example") };
	for (size_t i = 0; i < 2; i++) {
		const char *(*ask)(struct service *, const char *, const char *, ...) = i ? service_get : service_set;
		const char *theirs = ask(s, "m@evil.example", "%s", own[i]);
		service_is_error(theirs, "cancel", "item-not-found");
		cr_assert_str_eq(strchr(theirs, '>'), strchr(ask(s, "m@evil.example", "%s", no[i]), '>'));
		mem_free(own[i]);
		mem_free(no[i]);
	}
	service_expect_silence(s);
	service_free(s);
}

Test(provisioner_owner, lists_his_things_and_who_may_see_them) /* S42 */
{
	struct service *s = one_thing();
	service_register(s, "door@gw.example", KEY_2, "Door");
	service_claim(s, OWNER, KEY_2);
	service_let_in(s, OWNER, LAMP, ANNA);
	service_ask(s, LAMP, BOB, "pending");
	const char *things = service_get(s, OWNER "/r", "<x:things xmlns:x='" SIOT_X "'/>");
	service_has(things, "<x:things xmlns:x='" SIOT_X "'><x:thing jid='" LAMP "' name='Lamp' since='20");
	service_has(things, "Z'/><x:thing jid='door@gw.example' name='Door' since='20");
	const char *friends = service_get(s, OWNER "/r", "<friends xmlns='" SIOT_X "' thing='" LAMP "'/>");
	service_has(friends, "<x:friends xmlns:x='" SIOT_X "' thing='" LAMP "'><x:friend jid='" ANNA "' since='20");
	service_has_not(friends, BOB);
	service_has(service_get(s, ANNA, "<things xmlns='" SIOT_X "'/>"), "<x:things xmlns:x='" SIOT_X "'></x:things>");
	service_free(s);
}

static size_t count(const char *text, const char *fragment)
{
	size_t n = 0;
	for (; (text = strstr(text, fragment)); text++)
		n++;
	return n;
}

static void long_jid(char *ret, size_t room, int i)
{
	char part[900];
	memset(part, 'x', sizeof(part) - 1);
	part[sizeof(part) - 1] = '\0';
	snprintf(ret, room, "p%d%s@b.example", i, part);
}

Test(provisioner_owner, continues_a_list_that_does_not_fit_into_a_stanza)
{
	enum { FRIENDS = 130 };
	struct service *s = one_thing();
	char jid[1000], last[1000];
	for (int i = 0; i < FRIENDS; i++) {
		long_jid(jid, sizeof(jid), i);
		service_let_in(s, OWNER, LAMP, jid);
	}
	const char *friends = service_get(s, OWNER, "<friends xmlns='" SIOT_X "' thing='" LAMP "'/>");
	service_has(friends, " more='true'>");
	size_t n = count(friends, "<x:friend ");
	cr_assert_lt(strlen(friends), LIMIT_STANZA_OUT);
	cr_assert(n > 50 && n < FRIENDS);
	long_jid(last, sizeof(last), (int)n - 1);
	friends = service_get(s, OWNER, "<friends xmlns='" SIOT_X "' thing='" LAMP "' after='%s'/>", last);
	cr_assert_eq(count(friends, "<x:friend "), FRIENDS - n);
	service_has_not(friends, "more=");
	service_free(s);
}

Test(provisioner_owner, tells_everything_again_when_a_things_presence_comes_back) /* S29 */
{
	struct service *s = one_thing();
	service_let_in(s, OWNER, LAMP, ANNA);
	service_is_result(service_set(
		s, OWNER, "<friend-state-update xmlns='" SIOT "'><non-friend jid='" BOB "'/></friend-state-update>"));
	service_ask(s, LAMP, "carl@b.example", "pending");
	service_presence(s, LAMP "/res", "unavailable");
	fake_link_forget(s->link);
	service_presence(s, LAMP "/res", NULL);
	service_has(service_expect(s, "<owner xmlns='" SIOT "' jid='" OWNER "'/>"), "to='" LAMP "'");
	service_expect(s, "<friendship-states xmlns='" SIOT "'><item jid='" ANNA "' friend='yes'/><item jid='" BOB
			  "' friend='no'/></friendship-states>"); /* S27: nothing of carl */
	service_presence(s, LAMP "/res", NULL);                   /* a new value in its status */
	service_expect_silence(s);
	service_free(s);
}

Test(provisioner_owner, tells_it_again_after_a_message_came_back) /* S29: a gateway that died without a word */
{
	struct service *s = one_thing();
	service_let_in(s, OWNER, LAMP, ANNA);
	fake_link_give(s->link, "<message type='error' from='" LAMP
				"' to='prov.example'><error type='wait'><remote-server-timeout "
				"xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>");
	service_expect_silence(s);
	service_is_error(give_up(s, OWNER, LAMP), "wait", "recipient-unavailable");
	service_presence(s, LAMP "/res", NULL);
	service_expect(s, "<item jid='" ANNA "' friend='yes'/>");
	fake_link_forget(s->link);
	fake_link_give(s->link, "<message type='error' from='" LAMP
				"/res' to='prov.example'><error type='cancel'><undefined-condition "
				"xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>");
	service_presence(s, LAMP "/res", NULL);
	service_expect_silence(s); /* a thing that cannot hear is not told with each of its values */
	service_free(s);
}

Test(provisioner_owner, splits_the_states_of_a_thing_with_very_many_friends) /* S29 */
{
	enum { FRIENDS = 130 };
	struct service *s = one_thing();
	char jid[1000];
	size_t n = 0, messages = 0;
	for (int i = 0; i < FRIENDS; i++) {
		long_jid(jid, sizeof(jid), i);
		service_let_in(s, OWNER, LAMP, jid);
	}
	service_presence(s, LAMP "/res", "unavailable");
	service_presence(s, LAMP "/res", NULL);
	for (const char *told; (told = fake_link_find(s->link, "<friendship-states")); messages++) {
		cr_assert_lt(strlen(told), LIMIT_STANZA_OUT);
		n += count(told, "friend='yes'");
	}
	cr_assert_eq(n, FRIENDS);
	cr_assert_gt(messages, 1);
	service_free(s);
}

Test(provisioner_owner, has_nothing_left_of_a_given_up_thing_after_a_restart) /* S8 */
{
	struct service *s = one_thing();
	service_let_in(s, OWNER, LAMP, ANNA);
	service_give_set(s, OWNER, "<give-up xmlns='" SIOT_X "' jid='" LAMP "'/>");
	service_is_error(give_up(s, OWNER, LAMP), "cancel", "item-not-found"); /* it waited for the first */
	service_restart(s);
	service_ask(s, LAMP, ANNA, "pending");
	service_ask(s, LAMP, OWNER, "pending");
	service_free(s);
}
