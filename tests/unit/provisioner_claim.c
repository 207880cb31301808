#include "tests/lib/service.h"

#include "core/base/mem.h"

#include <string.h>

#define LAMP  "lamp@gw.example"
#define OWNER "olga@home.example"
#define THIEF "thief@evil.example"

static const char *claim(struct service *s, const char *who, const char *key)
{
	return service_set(s, who, "<claim xmlns='" SIOT "' key='%s'/>", key);
}

static void not_found(struct service *s, const char *who, const char *key)
{
	service_is_error(claim(s, who, key), "cancel", "item-not-found");
}

Test(provisioner_claim, makes_who_shows_the_key_the_owner_and_tells_the_thing) /* section 5, S12 */
{
	struct service *s = service_new();
	service_register(s, LAMP, KEY_1, "Lamp");
	const char *id =
		service_give_set(s, "Olga@Home.example/76a6", "<claim xmlns='" SIOT "' name='Lamp' key='" KEY_1 "'/>");
	service_expect_silence(s); /* not before it is on disk */
	service_settle(s);
	const char *answer = service_answer(s, id);
	service_is_result(answer);
	service_has(answer, "to='Olga@Home.example/76a6'");
	service_has(answer, "<claimed xmlns='" SIOT "' jid='" LAMP "'></claimed>");
	service_has(service_expect(s, "<owner xmlns='" SIOT "' jid='" OWNER "'/>"),
		    "to='" LAMP "'"); /* S30: bare, prepared */
	service_expect_silence(s);
	service_free(s);
}

Test(provisioner_claim, compares_names_as_people_type_them) /* S2 */
{
	static const struct {
		const char *name;
		bool fits;
	} rows[] = {
		{ "Futuretec Light Bulb 10X", true },
		{ "  futuretec   light bulb 10x ", true },
		{ "", true },
		{ "   ", true },
		{ "FUTURETEC GL\xC3\x9CHBIRNE 10X", true },
		{ "Futuretec Glu\xCC\x88hbirne 10X", true },
		{ "attribute", true },
		{ "Futuretec Light Bulb", false },
		{ "lamp@gw.example", false },
	};
	struct service *s = service_new();
	service_is_result(service_set(
		s, LAMP "/r",
		"<register xmlns='" SIOT "' name='Attribute' key='" KEY_1 "'>"
		"<name>Futuretec Light Bulb 10X</name><name xml:lang='de'>Futuretec Gl\xC3\xBChbirne 10X</name>"
		"</register>"));
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const char *answer =
			service_set(s, OWNER, "<claim xmlns='" SIOT "' name='%s' key='" KEY_1 "'/>", rows[i].name);
		cr_assert_eq(strstr(answer, "<claimed") != NULL, rows[i].fits, "'%s': %s", rows[i].name, answer);
	}
	service_free(s);
}

/* All that a claimant sees, without id and addressee. */
static char *shape(const char *answer)
{
	return mem_text(strchr(answer, '>'));
}

Test(provisioner_claim, says_the_same_of_an_unknown_key_and_of_somebody_elses_thing) /* S10 */
{
	struct service *s = service_new();
	service_register(s, LAMP, KEY_1, "Lamp");
	service_register_group(s, "a@gw.example", KEY_2, "dev", KEY_3);
	char *unknown = shape(claim(s, THIEF, KEY_4));
	service_has(unknown, "<error type='cancel'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>");
	service_claim(s, OWNER, KEY_1);
	service_claim(s, OWNER, KEY_3);
	const char *wrong_name = service_set(s, THIEF, "<claim xmlns='" SIOT "' name='x' key='" KEY_1 "'/>");
	char *others[] = { shape(claim(s, THIEF, KEY_1)), shape(claim(s, THIEF, KEY_2)), shape(claim(s, THIEF, KEY_3)),
			   shape(claim(s, THIEF, "short")), shape(wrong_name) };
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		cr_assert_str_eq(others[i], unknown, "row %zu", i);
		mem_free(others[i]);
	}
	mem_free(unknown);
	service_expect_silence(s);
	service_free(s);
}

Test(provisioner_claim, answers_the_same_owner_the_same_again) /* S10, S11 */
{
	struct service *s = service_new();
	service_register(s, LAMP, KEY_1, "Lamp");
	service_claim(s, OWNER, KEY_1);
	service_has(claim(s, OWNER "/other", KEY_1), "<claimed xmlns='" SIOT "' jid='" LAMP "'>");
	service_restart(s);
	service_has(claim(s, OWNER, KEY_1), "<claimed xmlns='" SIOT "' jid='" LAMP "'>");
	service_free(s);
}

Test(provisioner_claim, uses_a_key_up) /* S11 */
{
	struct service *s = service_new();
	service_register(s, LAMP, KEY_1, "Lamp");
	service_claim(s, OWNER, KEY_1);
	not_found(s, THIEF, KEY_1);
	service_restart(s);
	not_found(s, THIEF, KEY_1);
	service_has(service_get(s, OWNER, "<things xmlns='" SIOT_X "'/>"), LAMP);
	service_free(s);
}

Test(provisioner_claim, gives_the_thing_to_the_first_of_two_that_come_together)
{
	struct service *s = service_new();
	service_register(s, LAMP, KEY_1, "Lamp");
	fake_link_give(s->link,
		       "<iq type='set' id='one' from='" OWNER "' to='prov.example'><claim xmlns='" SIOT "' key='" KEY_1
		       "'/></iq><iq type='set' id='two' from='" THIEF "' to='prov.example'><claim xmlns='" SIOT
		       "' key='" KEY_1 "'/></iq><iq type='set' id='three' from='" OWNER
		       "' to='prov.example'><claim xmlns='" SIOT "' key='" KEY_1 "'/></iq>");
	service_settle(s);
	service_is_result(service_answer(s, "one"));
	service_is_error(service_answer(s, "two"), "cancel", "item-not-found");
	service_is_result(service_answer(s, "three"));
	service_has(service_expect(s, "<owner"), OWNER);
	service_expect_not(s, "<owner");
	service_free(s);
}

Test(provisioner_claim, allows_ten_wrong_keys_a_minute_to_each) /* S10 */
{
	struct service *s = service_new();
	service_register(s, LAMP, KEY_1, "Lamp");
	for (int i = 0; i < LIMIT_CLAIMS_MINUTE; i++)
		not_found(s, i % 2 ? THIEF "/a" : THIEF "/b", KEY_2);
	service_is_error(claim(s, THIEF "/c", KEY_1), "wait", "policy-violation");
	service_is_result(claim(s, "someone@else.example", KEY_1));
	service_skip(s, 60000);
	not_found(s, THIEF, KEY_1);
	service_free(s);
}

Test(provisioner_claim, is_not_made_when_it_cannot_be_saved) /* persist first, then speak */
{
	struct service *s = service_new();
	service_register(s, LAMP, KEY_1, "Lamp");
	service_limit_disk(s, true);
	service_is_error(claim(s, OWNER, KEY_1), "cancel", "internal-server-error");
	service_limit_disk(s, false);
	service_expect_silence(s);
	service_has(service_get(s, OWNER, "<things xmlns='" SIOT_X "'/>"), "'></x:things>");
	service_is_result(claim(s, "other@home.example", KEY_1));
	service_free(s);
}

static void three_things_of_one_device(struct service *s)
{
	service_register_group(s, "a@gw.example", KEY_1, "meter", KEY_4);
	service_register_group(s, "b@gw.example", KEY_2, "meter", KEY_4);
	service_register_group(s, "c@gw.example", KEY_3, "meter", KEY_4);
}

Test(provisioner_claim, gives_all_things_of_a_device_for_its_key) /* x:group */
{
	struct service *s = service_new();
	three_things_of_one_device(s);
	const char *answer = claim(s, OWNER, KEY_4);
	service_is_result(answer);
	service_has(answer, "<claimed xmlns='" SIOT "' xmlns:x='" SIOT_X "' jid='a@gw.example'>"
			    "<x:also jid='b@gw.example'/><x:also jid='c@gw.example'/></claimed>");
	for (int i = 0; i < 3; i++)
		service_expect(s, "<owner xmlns='" SIOT "' jid='" OWNER "'/>");
	service_has(claim(s, OWNER, KEY_4), "<x:also jid='c@gw.example'/>");
	not_found(s, THIEF, KEY_4);
	not_found(s, THIEF, KEY_2);
	service_restart(s);
	not_found(s, THIEF, KEY_4);
	service_has(claim(s, OWNER, KEY_4), "<x:also jid='c@gw.example'/>");
	service_free(s);
}

Test(provisioner_claim, leaves_out_of_a_device_what_is_somebody_elses) /* x:group */
{
	struct service *s = service_new();
	three_things_of_one_device(s);
	service_claim(s, "bob@home.example", KEY_2);
	const char *answer = claim(s, OWNER, KEY_4);
	service_has(answer, "jid='a@gw.example'");
	service_has(answer, "jid='c@gw.example'");
	service_has_not(answer, "b@gw.example");
	service_has(service_get(s, "bob@home.example", "<things xmlns='" SIOT_X "'/>"), "b@gw.example");
	service_free(s);
}

Test(provisioner_claim, gives_a_used_device_key_to_nobody_else_when_a_thing_is_added) /* S11, x:group */
{
	struct service *s = service_new();
	three_things_of_one_device(s);
	service_claim(s, OWNER, KEY_4);
	service_register_group(s, "d@gw.example", "NEWT-HING-NEWT-HING-NEWT-HING", "meter", KEY_4);
	not_found(s, THIEF, KEY_4);
	service_restart(s);
	not_found(s, THIEF, KEY_4);
	service_has(claim(s, OWNER, KEY_4), "d@gw.example");
	service_free(s);
}

Test(provisioner_claim, does_not_let_a_strangers_thing_into_a_device) /* S5, x:group */
{
	struct service *s = service_new();
	three_things_of_one_device(s);
	static const char *const rows[][3] = {
		{ "thing@evil.example/r", "meter", KEY_4 },
		{ "d@gw.example/r", "boiler", KEY_4 },
		{ "d@gw.example/r", "meter", KEY_1 },
	};
	for (size_t i = 0; i < 3; i++) {
		char *payload = mem_format("<register xmlns='" SIOT "' xmlns:x='" SIOT_X
					   "' key='EVIL-EVIL-EVIL-EVIL' x:group='%s' x:group-key='%s'/>",
					   rows[i][1], rows[i][2]);
		service_is_error(service_set(s, rows[i][0], "%s", payload), "cancel", "conflict");
		mem_free(payload);
	}
	service_has_not(claim(s, OWNER, KEY_4), "evil");
	service_free(s);
}

Test(provisioner_claim, takes_the_device_or_one_of_its_things_as_name_of_a_device) /* S2, x:group */
{
	struct service *s = service_new();
	three_things_of_one_device(s);
	service_is_error(service_set(s, OWNER, "<claim xmlns='" SIOT "' name='boiler' key='" KEY_4 "'/>"), "cancel",
			 "item-not-found");
	service_is_result(service_set(s, OWNER, "<claim xmlns='" SIOT "' name='Meter' key='" KEY_4 "'/>"));
	service_is_result(service_set(s, OWNER, "<claim xmlns='" SIOT "' name='B@gw.example' key='" KEY_4 "'/>"));
	service_free(s);
}

Test(provisioner_claim, gives_a_devices_key_to_the_next_when_the_first_could_not_be_saved) /* x:group */
{
	struct service *s = service_new();
	three_things_of_one_device(s);
	service_limit_disk(s, true);
	service_is_error(claim(s, OWNER, KEY_4), "cancel", "internal-server-error");
	service_limit_disk(s, false);
	service_has(claim(s, "bob@home.example", KEY_4), "<x:also jid='c@gw.example'/>");
	service_free(s);
}

Test(provisioner_claim, moves_the_things_of_a_reset_device_to_its_new_key) /* S7, x:group */
{
	struct service *s = service_new();
	three_things_of_one_device(s);
	service_claim(s, OWNER, KEY_1);
	service_register_group(s, "a@gw.example", "NEWK-EY11-NEWK-EY11", "meter", "NEWG-ROUP-NEWG-ROUP");
	service_register_group(s, "b@gw.example", KEY_2, "meter", "NEWG-ROUP-NEWG-ROUP");
	service_has(claim(s, "bob@home.example", "NEWG-ROUP-NEWG-ROUP"),
		    "jid='a@gw.example'><x:also jid='b@gw.example'/></claimed>");
	service_has(claim(s, "bob@home.example", KEY_4), "jid='c@gw.example'></claimed>");
	service_free(s);
}

Test(provisioner_claim, tells_the_new_owner_who_waited_already) /* S39 */
{
	struct service *s = service_new();
	service_register(s, LAMP, KEY_1, "Lamp");
	service_ask(s, LAMP, "anna@b.example", "pending");
	service_is_result(claim(s, OWNER, KEY_1));
	const char *told = service_expect(s, "<pending-friend-notification");
	service_has(told, "to='" OWNER "'");
	service_has(told, "anna@b.example wants to see &quot;Lamp&quot; (" LAMP ").");
	service_free(s);
}

Test(provisioner_claim, takes_one_key_for_thing_and_device_for_the_things_own) /* x:group */
{
	struct service *s = service_new();
	service_register_group(s, "a@gw.example", KEY_1, "meter", KEY_1);
	service_has(claim(s, OWNER, KEY_1), "jid='a@gw.example'></claimed>");
	service_free(s);
}

Test(provisioner_claim, gives_a_used_device_key_to_nobody_when_its_first_things_are_gone) /* S11, x:group */
{
	struct service *s = service_new();
	service_register_group(s, "a@gw.example", KEY_1, "meter", KEY_4);
	service_claim(s, OWNER, KEY_4);
	service_register_group(s, "b@gw.example", KEY_2, "meter", KEY_4);
	service_is_result(service_set(s, "a@gw.example/r", "<unregister xmlns='" SIOT_X "'/>"));
	not_found(s, THIEF, KEY_4);
	service_restart(s);
	not_found(s, THIEF, KEY_4);
	service_has(claim(s, THIEF, KEY_2), "jid='b@gw.example'");
	service_free(s);
}

Test(provisioner_claim, lets_an_owner_claim_at_once_as_many_things_as_he_has_labels) /* S10 */
{
	enum { THINGS = 3 * LIMIT_CLAIMS_MINUTE };
	struct service *s = service_new();
	for (int i = 0; i < THINGS; i++) {
		char *thing = mem_format("t%d@gw.example", i), *key = mem_format("KEYOFTHETHING%d", i);
		service_register(s, thing, key, "x");
		mem_free(thing);
		mem_free(key);
	}
	for (int i = 0; i < THINGS; i++)
		fake_link_give(s->link,
			       "<iq type='set' id='c%d.' from='" OWNER "' to='prov.example'><claim xmlns='" SIOT
			       "' key='KEYOFTHETHING%d'/></iq>",
			       i, i);
	service_settle(s);
	for (int i = 0; i < THINGS; i++)
		service_expect(s, "<claimed");
	service_free(s);
}
