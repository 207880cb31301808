#include "tests/lib/service.h"

#include <string.h>

#define LAMP  "lamp@gw.example"
#define OWNER "olga@home.example"

Test(provisioner_register, answers_and_then_asks_to_see_the_things_presence) /* section 4, S15 */
{
	struct service *s = service_new();
	const char *id = service_give_set(s, LAMP "/f65d",
					  "<register xmlns='" SIOT "' key='" KEY_1 "'><name>Lamp</name></register>");
	service_expect_silence(s); /* not before it is on disk */
	service_settle(s);
	const char *first, *second;
	fake_link_take(s->link, &first);
	fake_link_take(s->link, &second);
	service_has(first, "<iq type='result' from='prov.example' to='" LAMP "/f65d' id='");
	service_has(first, id);
	service_has(first, "'/>");
	service_has(second, "<presence type='subscribe' from='prov.example' to='" LAMP "'");
	service_expect_silence(s);
	service_free(s);
}

Test(provisioner_register, replies_to_the_exact_sender) /* S33 */
{
	struct service *s = service_new();
	const char *answer =
		service_set(s, "Lamp@GW.example/A b", "<register xmlns='" SIOT "' key='" KEY_1 "' name='x'/>");
	service_has(answer, " to='Lamp@GW.example/A b' ");
	service_ask(s, LAMP, "anna@b.example", "pending");
	service_free(s);
}

static void name_it(struct service *s, const char *register_children_and_attributes, const char *wanted)
{
	service_is_result(service_set(s, LAMP "/r", "<register xmlns='" SIOT "' key='" KEY_1 "' %s</register>",
				      register_children_and_attributes));
	const char *things = service_get(s, OWNER "/r", "<x:things xmlns:x='" SIOT_X "' xml:lang='de'/>");
	service_has(things, wanted);
	fake_link_forget(s->link);
}

Test(provisioner_register, takes_the_name_from_the_attribute_or_the_elements) /* S1, S41, S42 */
{
	struct service *s = service_new();
	service_register(s, LAMP, KEY_1, "first");
	service_claim(s, OWNER, KEY_1);
	name_it(s, "name='Attribute'>", "name='Attribute'");
	name_it(s, "><name>Element</name>", "name='Element'");
	name_it(s, "name='Attribute'><name>Element</name>", "name='Element'");
	name_it(s, "><name>Element</name><name xml:lang='de'>Lampe</name>", "name='Lampe'");
	name_it(s, "><name xml:lang='fr'>Lampe</name><name>Element</name>", "name='Element'");
	name_it(s, "><name xml:lang='fr'>Lumi\xC3\xA8re</name>", "name='Lumi\xC3\xA8re'");
	name_it(s, ">", "jid='" LAMP "' name='" LAMP "'");
	name_it(s, "name='  '><name/>", "jid='" LAMP "' name='" LAMP "'");
	service_free(s);
}

Test(provisioner_register, takes_the_stanzas_language_for_a_name_without_one) /* S41 */
{
	struct service *s = service_new();
	service_register(s, LAMP, KEY_1, "x");
	service_claim(s, OWNER, KEY_1);
	fake_link_give(s->link,
		       "<iq type='set' id='a' from='" LAMP "/r' to='prov.example' xml:lang='de'><register xmlns='" SIOT
		       "' key='" KEY_1 "'><name xml:lang='en'>Bulb</name><name>Birne</name></register></iq>");
	service_settle(s);
	service_is_result(service_answer(s, "a"));
	service_has(service_get(s, OWNER "/r", "<things xmlns='" SIOT_X "' xml:lang='en'/>"), "name='Bulb'");
	service_has(service_get(s, OWNER "/r", "<things xmlns='" SIOT_X "' xml:lang='de-AT'/>"), "name='Birne'");
	service_has(service_get(s, OWNER "/r", "<things xmlns='" SIOT_X "'/>"), "name='Birne'");
	service_free(s);
}

Test(provisioner_register, is_idempotent_and_tells_the_owner_again) /* S6 */
{
	struct service *s = service_new();
	service_register(s, LAMP, KEY_1, "Lamp");
	service_is_result(service_set(s, LAMP "/r", "<register xmlns='" SIOT "' name='Lamp' key='" KEY_1 "'/>"));
	service_expect(s, "<presence type='subscribe'");
	service_expect_not(s, "<owner");
	service_claim(s, OWNER, KEY_1);
	service_let_in(s, OWNER, LAMP, "anna@b.example");
	service_is_result(service_set(s, LAMP "/r", "<register xmlns='" SIOT "' name='Lamp' key='" KEY_1 "'/>"));
	service_expect(s, "<owner xmlns='" SIOT "' jid='" OWNER "'/>");
	service_ask(s, LAMP, "anna@b.example", "yes");
	service_free(s);
}

Test(provisioner_register, normalises_the_key) /* S4 */
{
	struct service *s = service_new();
	service_register(s, LAMP, "twnk kd5y mt3t e2gs drdb kvtw", "Lamp");
	service_is_result(service_set(s, OWNER "/r", "<claim xmlns='" SIOT "' key='TWNKKD5Y-MT3TE2GS_DRDBKVTW'/>"));
	service_free(s);
}

Test(provisioner_register, refuses_a_key_that_another_thing_has) /* S5 */
{
	struct service *s = service_new();
	service_register(s, LAMP, KEY_1, "Lamp");
	const char *mine = "<register xmlns='" SIOT "' name='x' key='" KEY_1 "'/>";
	service_is_error(service_set(s, "thief@evil.example/r", "%s", mine), "cancel", "conflict");
	service_claim(s, OWNER, KEY_1);
	service_is_error(service_set(s, "thief@evil.example/r", "%s", mine), "cancel", "conflict");
	service_is_error(service_get(s, "thief@evil.example/r", "<is-friend-query xmlns='" SIOT "' jid='a@b'/>"),
			 "cancel", "item-not-found");
	service_expect_not(s, "to='thief@evil.example'");
	cr_assert_eq(s->p->registry.things.n, 1, "nothing is kept of it");
	service_free(s);
}

Test(provisioner_register, gives_a_key_to_the_first_of_two_that_come_together) /* S5 */
{
	struct service *s = service_new();
	fake_link_give(s->link,
		       "<iq type='set' id='one' from='a@gw.example/r' to='prov.example'><register xmlns='" SIOT
		       "' key='" KEY_1
		       "'/></iq><iq type='set' id='two' from='b@gw.example/r' to='prov.example'><register xmlns='" SIOT
		       "' key='" KEY_1 "'/></iq>");
	service_settle(s);
	service_is_result(service_answer(s, "one"));
	service_is_error(service_answer(s, "two"), "cancel", "conflict");
	service_has(service_set(s, OWNER, "<claim xmlns='" SIOT "' key='" KEY_1 "'/>"), "jid='a@gw.example'");
	service_free(s);
}

Test(provisioner_register, counts_guesses_of_keys_like_claims) /* S5, S10 */
{
	struct service *s = service_new();
	service_register(s, LAMP, KEY_1, "Lamp");
	const char *mine = "<register xmlns='" SIOT "' name='x' key='" KEY_1 "'/>";
	for (int i = 0; i < LIMIT_CLAIMS_MINUTE; i++)
		service_is_error(service_set(s, "thief@evil.example/r", "%s", mine), "cancel", "conflict");
	service_is_error(service_set(s, "thief@evil.example/r", "%s", mine), "wait", "policy-violation");
	service_free(s);
}

Test(provisioner_register, replaces_the_key_of_an_unclaimed_thing) /* S6 */
{
	struct service *s = service_new();
	service_register(s, LAMP, KEY_1, "Lamp");
	service_register(s, LAMP, KEY_2, "Lamp");
	service_is_error(service_set(s, OWNER, "<claim xmlns='" SIOT "' key='" KEY_1 "'/>"), "cancel",
			 "item-not-found");
	service_is_result(service_set(s, OWNER, "<claim xmlns='" SIOT "' key='" KEY_2 "'/>"));
	service_register(s, "other@gw.example", KEY_1, "the first key is free again");
	service_free(s);
}

Test(provisioner_register, takes_a_new_key_of_a_claimed_thing_as_its_reset) /* S7 */
{
	struct service *s = service_new();
	service_register(s, LAMP, KEY_1, "Lamp");
	service_claim(s, OWNER, KEY_1);
	service_let_in(s, OWNER, LAMP, "anna@b.example");
	service_is_result(service_set(s, LAMP "/r", "<register xmlns='" SIOT "' name='Lamp' key='" KEY_2 "'/>"));
	service_expect(s, "to='" OWNER "' id='p");
	service_expect_not(s, "<owner");
	service_has(service_get(s, OWNER "/r", "<things xmlns='" SIOT_X "'/>"), "'></x:things>");
	service_ask(s, LAMP, "anna@b.example", "pending");
	service_ask(s, LAMP, OWNER, "pending");
	service_restart(s);
	service_ask(s, LAMP, "anna@b.example", "pending");
	service_is_error(service_set(s, OWNER, "<claim xmlns='" SIOT "' key='" KEY_1 "'/>"), "cancel",
			 "item-not-found");
	service_has(service_set(s, "new@home.example/r", "<claim xmlns='" SIOT "' key='" KEY_2 "'/>"),
		    "jid='" LAMP "'");
	service_free(s);
}

Test(provisioner_register, does_not_take_a_lost_disk_write_for_a_registration) /* persist first, then speak */
{
	struct service *s = service_new();
	service_limit_disk(s, true);
	service_is_error(service_set(s, LAMP "/r", "<register xmlns='" SIOT "' key='" KEY_1 "'/>"), "cancel",
			 "internal-server-error");
	service_expect_silence(s);
	service_limit_disk(s, false);
	service_is_error(service_set(s, OWNER, "<claim xmlns='" SIOT "' key='" KEY_1 "'/>"), "cancel",
			 "item-not-found");
	service_is_error(service_get(s, LAMP "/r", "<is-friend-query xmlns='" SIOT "' jid='a@b'/>"), "cancel",
			 "item-not-found");
	service_register(s, "other@gw.example", KEY_1, "the key was not kept for anybody");
	service_free(s);
}

Test(provisioner_register, keeps_owner_and_friends_when_a_reset_cannot_be_saved) /* S7 */
{
	struct service *s = service_new();
	service_register(s, LAMP, KEY_1, "Lamp");
	service_claim(s, OWNER, KEY_1);
	service_let_in(s, OWNER, LAMP, "anna@b.example");
	service_limit_disk(s, true);
	service_is_error(service_set(s, LAMP "/r", "<register xmlns='" SIOT "' key='" KEY_2 "'/>"), "cancel",
			 "internal-server-error");
	service_limit_disk(s, false);
	service_ask(s, LAMP, "anna@b.example", "yes");
	service_register(s, "other@gw.example", KEY_2, "Other");
	service_restart(s);
	service_ask(s, LAMP, "anna@b.example", "yes");
	service_free(s);
}

Test(provisioner_register, forgets_a_thing_that_unregisters) /* S9 */
{
	struct service *s = service_new();
	service_register(s, LAMP, KEY_1, "Lamp");
	service_claim(s, OWNER, KEY_1);
	service_let_in(s, OWNER, LAMP, "anna@b.example");
	const char *gone = "<unregister xmlns='" SIOT_X "'/>";
	service_is_result(service_set(s, LAMP "/r", "%s", gone));
	service_expect(s, "<presence type='unsubscribe' from='prov.example' to='" LAMP "'");
	service_has(service_expect(s, "to='" OWNER "'"), "Lamp");
	service_is_result(service_set(s, LAMP "/r", "%s", gone));
	service_is_result(service_set(s, "never@was.example/r", "%s", gone));
	service_is_error(service_get(s, LAMP "/r", "<is-friend-query xmlns='" SIOT "' jid='anna@b.example'/>"),
			 "cancel", "item-not-found");
	service_restart(s);
	service_has(service_get(s, OWNER "/r", "<things xmlns='" SIOT_X "'/>"), "'></x:things>");
	service_register(s, LAMP, KEY_2, "Lamp");
	service_ask(s, LAMP, "anna@b.example", "pending");
	service_free(s);
}

Test(provisioner_register, registers_anew_what_unregisters_at_the_same_moment) /* S9 */
{
	struct service *s = service_new();
	service_register(s, LAMP, KEY_1, "Lamp");
	service_give_set(s, LAMP "/r", "<unregister xmlns='" SIOT_X "'/>");
	const char *answer = service_set(s, LAMP "/r", "<register xmlns='" SIOT "' key='" KEY_2 "'/>");
	service_is_result(answer);
	service_restart(s);
	service_claim(s, OWNER, KEY_2);
	service_free(s);
}

Test(provisioner_register, serves_things_of_any_server)
{
	struct service *s = service_new();
	service_register(s, "thing@far.example", KEY_1, "Foreign");
	service_register(s, "bulb.example", KEY_2, "A component with no localpart");
	service_is_result(service_set(s, OWNER "/r", "<claim xmlns='" SIOT "' key='" KEY_2 "' name=''/>"));
	service_expect(s, " to='bulb.example' ");
	service_free(s);
}
