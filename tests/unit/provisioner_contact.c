/* The service as a contact and as a component: presence, discovery, its end. */
#include "tests/lib/service.h"

#include <string.h>

#define LAMP  "lamp@gw.example"
#define OWNER "olga@home.example"
#define ANNA  "anna@b.example"

Test(provisioner_contact, says_what_it_is) /* S31 */
{
	struct service *s = service_new();
	const char *info = service_get(s, ANNA "/r", "<query xmlns='http://jabber.org/protocol/disco#info'/>");
	service_is_result(info);
	service_has(info, "<identity category='");
	service_has(info, "<feature var='" SIOT "'/>");
	service_has(info, "<feature var='" SIOT_X "'/>");
	service_has(info, "<feature var='urn:xmpp:ping'/>");
	service_register(s, LAMP, KEY_1, "Lamp");
	service_has(service_get(s, ANNA, "<query xmlns='http://jabber.org/protocol/disco#items'/>"),
		    "<query xmlns='http://jabber.org/protocol/disco#items'/></iq>");
	service_is_result(service_get(s, ANNA, "<ping xmlns='urn:xmpp:ping'/>"));
	service_free(s);
}

Test(provisioner_contact, can_be_added_by_anybody)
{
	struct service *s = service_new();
	service_presence(s, ANNA, "subscribe");
	service_expect(s, "<presence type='subscribed' from='prov.example' to='" ANNA "'");
	service_expect(s, "<presence from='prov.example' to='" ANNA "'");
	service_presence(s, ANNA "/phone", "probe");
	service_expect(s, "<presence from='prov.example' to='" ANNA "/phone'");
	service_presence(s, ANNA, "unsubscribe");
	service_expect(s, "<presence type='unavailable' from='prov.example' to='" ANNA "'");
	service_expect(s, "<presence type='unsubscribed' from='prov.example' to='" ANNA "'");
	service_presence(s, ANNA "/phone", NULL);
	service_presence(s, ANNA "/phone", "unavailable");
	service_presence(s, ANNA, "subscribed");
	service_presence(s, ANNA, "unsubscribed");
	service_expect_silence(s);
	service_free(s);
}

Test(provisioner_contact, does_not_argue_with_a_thing_that_denies_it) /* section 4, S15 */
{
	struct service *s = service_new();
	service_register(s, LAMP, KEY_1, "Lamp");
	service_restart(s);
	service_expect(s, "<presence type='subscribe'");
	service_presence(s, LAMP, "unsubscribed");
	service_expect_silence(s);
	service_claim(s, OWNER, KEY_1); /* tolerated: everything else works */
	service_free(s);
}

Test(provisioner_contact, takes_the_last_resource_of_a_foreign_thing_for_its_presence) /* S8 */
{
	struct service *s = service_new();
	service_register(s, LAMP, KEY_1, "Lamp");
	service_claim(s, OWNER, KEY_1);
	service_presence(s, LAMP "/a", NULL);
	service_presence(s, LAMP "/b", NULL);
	service_presence(s, LAMP "/a", "unavailable");
	service_presence(s, LAMP "/b", NULL);
	service_expect_silence(s);
	service_presence(s, LAMP, "unavailable");
	service_presence(s, LAMP "/b", NULL);
	service_expect(s, "<owner");
	service_presence(s, LAMP "/b", "unavailable");
	service_is_error(service_set(s, OWNER, "<give-up xmlns='" SIOT_X "' jid='" LAMP "'/>"), "wait",
			 "recipient-unavailable");
	service_free(s);
}

Test(provisioner_contact, answers_what_is_on_its_way_before_it_goes)
{
	struct service *s = service_new();
	service_register(s, LAMP, KEY_1, "Lamp");
	service_claim(s, OWNER, KEY_1);
	service_give_set(s, "door@gw.example/r", "<register xmlns='" SIOT "' key='" KEY_2 "'/>");
	provisioner_close(s->p);
	service_expect(s, "<presence type='unavailable' from='prov.example' to='" OWNER "'");
	cr_assert(!s->over);
	service_give_set(s, ANNA, "<claim xmlns='" SIOT "' key='" KEY_2 "'/>");
	service_is_error(service_expect(s, "to='" ANNA "'"), "cancel", "service-unavailable");
	while (!s->over)
		loop_turn(s->loop);
	service_is_result(service_expect(s, "to='door@gw.example/r'"));
	service_free(s);
}

Test(provisioner_contact, goes_when_the_link_was_never_up)
{
	struct service *s = service_place();
	struct err e;
	s->loop = loop_new();
	s->store = store_open(s->directory, s->loop, &e);
	s->p = provisioner_new(s->store, s->loop, &s->log, NULL, NULL, &e);
	s->link = fake_link_new("prov.example", s->loop, &s->log, &provisioner_link_events, s->p);
	provisioner_start(s->p, &s->link->link);
	provisioner_close(s->p);
	while (!s->p->closed)
		loop_turn(s->loop);
	provisioner_free(s->p);
	s->p = NULL;
	store_close(s->store);
	fake_link_free(s->link);
	service_free(s);
}
