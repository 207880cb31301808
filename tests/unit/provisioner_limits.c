/* Each bound on what strangers can make the service keep, reached and passed. */
#include "tests/lib/service.h"

#include "core/base/mem.h"

#define OWNER "olga@home.example"
#define ANNA  "anna@b.example"

Test(provisioner_limits, keeps_no_more_things_of_one_domain_than_fits_beside_others)
{
	struct loop *loop = loop_new();
	struct registry r;
	char jid[64];
	registry_init(&r, loop);
	for (int i = 0; i < LIMIT_DOMAIN; i++) {
		snprintf(jid, sizeof(jid), "t%d@evil.example", i);
		cr_assert(registry_add(&r, jid));
	}
	cr_expect_null(registry_add(&r, "one.more@evil.example"));
	cr_expect(registry_add(&r, "lamp@gw.example"));
	registry_drop(&r, registry_find(&r, "t7@evil.example"));
	cr_expect(registry_add(&r, "one.more@evil.example"));
	registry_free(&r);
	loop_free(loop);
}

Test(provisioner_limits, takes_no_more_things_into_a_device_than_it_can_have)
{
	struct service *s = service_new();
	for (int i = 0; i <= LIMIT_GROUP; i++)
		fake_link_give(
			s->link,
			"<iq type='set' id='r%d.' from='t%d@gw.example/r' to='prov.example'><register xmlns='" SIOT
			"' xmlns:x='" SIOT_X "' key='KEYOFTHETHING%d' x:group='big' x:group-key='" KEY_1 "'/></iq>",
			i, i, i);
	service_settle(s);
	service_is_result(service_answer(s, "r0."));
	service_is_error(service_answer(s, "r1000."), "wait", "resource-constraint");
	fake_link_forget(s->link);
	const char *answer = service_set(s, OWNER, "<claim xmlns='" SIOT "' key='" KEY_1 "'/>");
	service_has(answer, "<x:also jid='t999@gw.example'/></claimed>");
	service_free(s);
}

Test(provisioner_limits, lets_only_so_many_changes_of_a_thing_wait)
{
	struct service *s = service_new();
	service_register(s, "lamp@gw.example", KEY_1, "Lamp");
	for (int i = 0; i <= LIMIT_CHANGES_THING; i++)
		fake_link_give(s->link,
			       "<iq type='get' id='q%d.' from='lamp@gw.example/r' to='prov.example'><is-friend-query "
			       "xmlns='" SIOT "' jid='s%d@evil.example'/></iq>",
			       i, i);
	service_is_error(service_answer(s, "q50."), "wait", "resource-constraint");
	service_expect_silence(s);
	service_settle(s);
	service_is_result(service_answer(s, "q0."));
	service_is_result(service_answer(s, "q49."));
	service_ask(s, "lamp@gw.example", "s50@evil.example", "pending");
	service_free(s);
}

Test(provisioner_limits, keeps_only_so_many_requests_for_an_owner)
{
	enum { THINGS = LIMIT_OWNER_PENDING / LIMIT_PENDING + 1 };
	struct service *s = service_new();
	for (int i = 0; i < THINGS; i++) {
		char *thing = mem_format("t%d@gw.example", i), *key = mem_format("KEYOFTHETHING%d", i);
		service_register(s, thing, key, "x");
		service_claim(s, OWNER, key);
		mem_free(thing);
		mem_free(key);
	}
	for (int i = 0; i < LIMIT_OWNER_PENDING; i++) {
		char *thing = mem_format("t%d@gw.example", i % THINGS), *who = mem_format("s%d@evil.example", i);
		service_ask(s, thing, who, "pending");
		mem_free(thing);
		mem_free(who);
	}
	fake_link_forget(s->link);
	service_is_error(service_get(s, "t10@gw.example/r", "<is-friend-query xmlns='" SIOT "' jid='" ANNA "'/>"),
			 "wait", "resource-constraint");
	service_is_result(service_get(s, OWNER, "<pending-friend-query xmlns='" SIOT "'/>"));
	service_free(s);
}

Test(provisioner_limits, acts_on_what_is_true_when_a_change_gets_its_turn) /* what was true before it waited is over */
{
	struct service *s = service_new();
	service_register(s, "lamp@gw.example", KEY_1, "Lamp");
	service_claim(s, OWNER, KEY_1);
	service_give_set(s, OWNER, "<give-up xmlns='" SIOT_X "' jid='lamp@gw.example'/>");
	service_is_error(service_set(s, OWNER,
				     "<friend-state-update xmlns='" SIOT "'><friend jid='" ANNA
				     "'/></friend-state-update>"),
			 "cancel", "item-not-found");
	service_ask(s, "lamp@gw.example", ANNA, "pending");
	service_register(s, "lamp@gw.example", KEY_2, "Lamp");
	service_give_set(s, "lamp@gw.example/r", "<register xmlns='" SIOT "' key='" KEY_3 "'/>");
	service_is_error(service_set(s, OWNER, "<claim xmlns='" SIOT "' key='" KEY_2 "'/>"), "cancel",
			 "item-not-found");
	service_give_set(s, "lamp@gw.example/r", "<unregister xmlns='" SIOT_X "'/>");
	service_is_error(service_get(s, "lamp@gw.example/r", "<is-friend-query xmlns='" SIOT "' jid='bob@b.example'/>"),
			 "cancel", "item-not-found");
	service_free(s);
}
