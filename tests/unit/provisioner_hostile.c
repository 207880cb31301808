/* Whatever a stranger sends, he gets one answer and nobody else notices. */
#include "tests/lib/service.h"

#include "core/base/mem.h"

#include <string.h>

#define LAMP   "lamp@gw.example"
#define OWNER  "olga@home.example"
#define ANNA   "anna@b.example"
#define MAL    "mallory@evil.example"
#define SERVER "http://jabber.org/protocol/disco"

static struct service *one_thing(void)
{
	struct service *s = service_new();
	service_register(s, LAMP, KEY_1, "Lamp");
	service_claim(s, OWNER, KEY_1);
	service_let_in(s, OWNER, LAMP, ANNA);
	return s;
}

struct row {
	const char *type; /* of the iq */
	const char *payload;
	const char *error;
	const char *condition;
};

static void all_refused(struct service *s, const char *from, const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const char *id = strcmp(rows[i].type, "set") == 0 ? service_give_set(s, from, rows[i].payload)
								  : service_give_get(s, from, rows[i].payload);
		service_settle(s);
		service_is_error(service_answer(s, id), rows[i].error, rows[i].condition);
		service_expect_silence(s);
	}
}

#define ALL_REFUSED(s, from, rows) all_refused(s, from, rows, sizeof(rows) / sizeof(*(rows)))

Test(provisioner_hostile, refuses_what_lacks_something)
{
	static const struct row rows[] = {
		{ "set", "<register xmlns='" SIOT "'/>", "modify", "bad-request" },
		{ "set", "<register xmlns='" SIOT "' name='x'/>", "modify", "bad-request" },
		{ "set", "<register xmlns='" SIOT "' key=''/>", "modify", "bad-request" },
		{ "set", "<register xmlns='" SIOT "' key='---- ----'/>", "modify", "bad-request" },
		{ "set", "<register xmlns='" SIOT "' key='ABC-1234'/>", "modify", "bad-request" },
		{ "set", "<register xmlns='" SIOT "' xmlns:k='urn:x' k:key='" KEY_2 "'/>", "modify", "bad-request" },
		{ "set", "<claim xmlns='" SIOT "'/>", "modify", "bad-request" },
		{ "set", "<claim xmlns='" SIOT "' key=''/>", "cancel", "item-not-found" },
		{ "set", "<friend-state-update xmlns='" SIOT "'/>", "modify", "bad-request" },
		{ "set", "<friend-state-update xmlns='" SIOT "'><friend/></friend-state-update>", "modify",
		  "bad-request" },
		{ "set", "<friend-state-update xmlns='" SIOT "'><friend jid=''/></friend-state-update>", "modify",
		  "jid-malformed" },
		{ "set", "<friend-state-update xmlns='" SIOT "'><friend jid='@b'/></friend-state-update>", "modify",
		  "jid-malformed" },
		{ "set",
		  "<friend-state-update xmlns='" SIOT "'><friend xmlns='urn:x' jid='a@b'/></friend-state-update>",
		  "modify", "bad-request" },
		{ "set",
		  "<friend-state-update xmlns='" SIOT "' xmlns:x='" SIOT_X
		  "'><friend jid='a@b' x:thing=''/></friend-state-update>",
		  "modify", "jid-malformed" },
		{ "set", "<give-up xmlns='" SIOT_X "'/>", "modify", "bad-request" },
		{ "set", "<give-up xmlns='" SIOT_X "' jid='a@b@c'/>", "modify", "jid-malformed" },
		{ "get", "<friends xmlns='" SIOT_X "'/>", "modify", "bad-request" },
		{ "get", "<friends xmlns='" SIOT_X "' thing='/'/>", "modify", "jid-malformed" },
		{ "get", "<is-friend-query xmlns='" SIOT "'/>", "cancel", "item-not-found" },
	};
	struct service *s = one_thing();
	ALL_REFUSED(s, OWNER "/r", rows);
	static const struct row things[] = {
		{ "get", "<is-friend-query xmlns='" SIOT "'/>", "modify", "bad-request" },
		{ "get", "<is-friend-query xmlns='" SIOT "' jid=''/>", "modify", "jid-malformed" },
		{ "get", "<is-friend-query xmlns='" SIOT "' jid='a b@c'/>", "modify", "jid-malformed" },
	};
	ALL_REFUSED(s, LAMP "/r", things);
	service_free(s);
}

Test(provisioner_hostile, refuses_what_it_does_not_know) /* S32 */
{
	static const struct row rows[] = {
		{ "set", "<mine xmlns='" SIOT "'/>", "cancel", "feature-not-implemented" },
		{ "get", "<register xmlns='" SIOT "' key='" KEY_2 "'/>", "cancel", "feature-not-implemented" },
		{ "get", "<claim xmlns='" SIOT "' key='" KEY_2 "'/>", "cancel", "feature-not-implemented" },
		{ "set", "<is-friend-query xmlns='" SIOT "' jid='a@b'/>", "cancel", "feature-not-implemented" },
		{ "set", "<register xmlns='urn:xmpp:siot:0' key='" KEY_2 "'/>", "cancel", "service-unavailable" },
		{ "set", "<claim xmlns='urn:xmpp:iot:provisioning' key='" KEY_2 "'/>", "cancel",
		  "service-unavailable" },
		{ "get", "<vCard xmlns='vcard-temp'/>", "cancel", "service-unavailable" },
		{ "get", "<query xmlns='" SERVER "#info' node='x'/>", "cancel", "item-not-found" },
		{ "get", "", "modify", "bad-request" },
	};
	struct service *s = one_thing();
	ALL_REFUSED(s, MAL "/r", rows);
	service_free(s);
}

Test(provisioner_hostile, ignores_unknown_children_and_attributes) /* S32 */
{
	struct service *s = service_new();
	service_is_result(service_set(s, LAMP "/r",
				      "<register xmlns='" SIOT "' key='" KEY_1
				      "' colour='red'><serial>17</serial><name>Lamp</name>"
				      "<name xmlns='urn:x'>Not this</name></register>"));
	service_is_result(service_set(s, OWNER, "<claim xmlns='" SIOT "' key='" KEY_1 "' by='phone'><proof/></claim>"));
	service_is_result(service_set(s, OWNER,
				      "<friend-state-update xmlns='" SIOT "'><note/><friend jid='" ANNA
				      "' since='now'/><foe jid='a@b'/></friend-state-update>"));
	service_has(service_get(s, OWNER, "<things xmlns='" SIOT_X "'/>"), "name='Lamp'");
	service_free(s);
}

static char *long_text(size_t size)
{
	char *text = mem_new(size + 1);
	memset(text, 'A', size);
	return text;
}

Test(provisioner_hostile, cuts_and_refuses_huge_values)
{
	struct service *s = one_thing();
	char *huge = long_text(30000), *label = long_text(LIMIT_NAME);
	service_is_error(service_set(s, MAL, "<register xmlns='" SIOT "' key='%s'/>", huge), "modify", "bad-request");
	service_is_error(service_set(s, MAL, "<claim xmlns='" SIOT "' key='%s'/>", huge), "cancel", "item-not-found");
	service_is_error(service_set(s, MAL, "<claim xmlns='" SIOT "' key='" KEY_1 "' name='%s'/>", huge), "cancel",
			 "item-not-found");
	service_is_error(service_get(s, LAMP "/r", "<is-friend-query xmlns='" SIOT "' jid='%s@b.example'/>", huge),
			 "modify", "jid-malformed");
	service_is_result(service_set(s, LAMP "/r",
				      "<register xmlns='" SIOT "' key='" KEY_1 "' name='%s'><name>%s</name></register>",
				      huge, huge));
	char *wanted = mem_format(" name='%s' ", label);
	service_has(service_get(s, OWNER, "<things xmlns='" SIOT_X "'/>"), wanted);
	service_chat(s, MAL, huge);
	service_expect(s, "Words I know");
	fake_link_forget(s->link);
	char *say = mem_format("claim %s", huge);
	service_chat(s, MAL, say);
	service_expect(s, "No thing with this key");
	mem_free(say);
	mem_free(wanted);
	mem_free(label);
	mem_free(huge);
	service_free(s);
}

Test(provisioner_hostile, keeps_only_some_languages_and_shows_no_control_characters)
{
	struct service *s = one_thing();
	struct text names = { 0 };
	for (int i = 0; i < 200; i++)
		text_addf(&names, "<name xml:lang='l%d'>name\n%d\tx</name>", i, i);
	service_is_result(
		service_set(s, LAMP "/r", "<register xmlns='" SIOT "' key='" KEY_1 "'>%s</register>", names.data));
	text_free(&names);
	service_has(service_get(s, OWNER, "<things xmlns='" SIOT_X "' xml:lang='l19'/>"), "name='name?19?x'");
	service_has(service_get(s, OWNER, "<things xmlns='" SIOT_X "' xml:lang='l20'/>"), "name='name?0?x'");
	service_restart(s);
	service_has(service_get(s, OWNER, "<things xmlns='" SIOT_X "' xml:lang='l19'/>"), "name='name?19?x'");
	service_free(s);
}

Test(provisioner_hostile, believes_only_the_thing_itself_and_the_owner_himself) /* S37 */
{
	static const struct row rows[] = {
		{ "set", "<register xmlns='" SIOT "' key='" KEY_1 "'/>", "cancel", "conflict" },
		{ "get", "<is-friend-query xmlns='" SIOT "' jid='" ANNA "'/>", "cancel", "item-not-found" },
		{ "set", "<give-up xmlns='" SIOT_X "' jid='" LAMP "'/>", "cancel", "item-not-found" },
		{ "get", "<friends xmlns='" SIOT_X "' thing='" LAMP "'/>", "cancel", "item-not-found" },
		{ "set", "<friend-state-update xmlns='" SIOT "'><friend jid='" MAL "'/></friend-state-update>", "auth",
		  "forbidden" },
	};
	static const char *const liars[] = { MAL,
					     "gw.example",
					     "lamp@gw.example.evil.example",
					     "olga@home.example.evil.example",
					     "x@evil.example/lamp@gw.example",
					     "home.example",
					     "home.example/olga@home.example" };
	struct service *s = one_thing();
	for (size_t i = 0; i < sizeof(liars) / sizeof(*liars); i++)
		ALL_REFUSED(s, liars[i], rows);
	service_ask(s, LAMP, MAL, "pending");
	service_free(s);
}

Test(provisioner_hostile, takes_no_decision_from_a_message_or_a_result)
{
	struct service *s = one_thing();
	fake_link_give(s->link,
		       "<message from='" OWNER "' to='prov.example'><friend-state-update xmlns='" SIOT
		       "'><friend jid='" MAL "'/></friend-state-update></message>"
		       "<iq type='result' id='1' from='" OWNER "' to='prov.example'><friend-state-update xmlns='" SIOT
		       "'><friend jid='" MAL "'/></friend-state-update></iq>"
		       "<iq type='error' id='1' from='" LAMP "' to='prov.example'><register xmlns='" SIOT
		       "' key='" KEY_2 "'/></iq>"
		       "<message from='prov.example' to='prov.example'><owner xmlns='" SIOT "' jid='" MAL
		       "'/></message>"
		       "<message from='" MAL "' to='prov.example'><friendship-states xmlns='" SIOT "'><item jid='" MAL
		       "' friend='yes'/></friendship-states></message>");
	service_settle(s);
	service_expect_silence(s);
	service_ask(s, LAMP, MAL, "pending");
	service_free(s);
}

Test(provisioner_hostile, survives_stanzas_that_are_hardly_any)
{
	struct service *s = one_thing();
	fake_link_give(
		s->link,
		"<iq/><message/><presence/><foo from='" MAL "' to='prov.example'/><iq type='set' from='" MAL
		"' id='1'/>"
		"<presence from='' to='prov.example'/><presence type='subscribe' from='a@b@c' to='prov.example'/>"
		"<message from='" MAL "' to=''><body>help</body></message>"
		"<presence type='subscribe' from='" MAL "' to='nobody@prov.example'/>"
		"<presence type='probe' from='" MAL "' to='nobody@prov.example'/>"
		"<presence type='error' from='" LAMP "' to='prov.example'/><presence type='dance' from='" LAMP
		"' to='prov.example'/><presence type='error' from='prov.example' to='prov.example'/>"
		"<message type='error' from='" LAMP "' to='prov.example'/>");
	service_settle(s);
	for (const char *said; fake_link_take(s->link, &said);)
		service_has(said, "<iq type='error'");
	service_ask(s, LAMP, ANNA, "yes");
	service_free(s);
}

Test(provisioner_hostile, is_nobody_at_any_other_address_of_its_domain)
{
	struct service *s = one_thing();
	fake_link_give(s->link, "<iq type='set' id='x' from='" MAL "' to='claims@prov.example'><claim xmlns='" SIOT
				"' key='" KEY_1 "'/></iq>");
	service_is_error(service_answer(s, "x"), "cancel", "service-unavailable");
	service_expect_silence(s);
	service_free(s);
}

Test(provisioner_hostile, refuses_more_decisions_than_one_update_may_have)
{
	struct service *s = one_thing();
	struct text items = { 0 };
	for (int i = 0; i <= LIMIT_UPDATE; i++)
		text_addf(&items, "<friend jid='f%d@b.example'/>", i);
	service_is_error(
		service_set(s, OWNER, "<friend-state-update xmlns='" SIOT "'>%s</friend-state-update>", items.data),
		"wait", "resource-constraint");
	service_expect_silence(s);
	service_ask(s, LAMP, "f0@b.example", "pending");
	text_free(&items);
	service_free(s);
}

Test(provisioner_hostile, lets_an_owner_have_only_so_many_friends_but_refuse_as_many_as_he_likes)
{
	struct service *s = one_thing();
	struct text yes = { 0 }, no = { 0 };
	for (int i = 0; i < LIMIT_FRIENDS - 1; i++)
		text_addf(&yes, "<friend jid='f%d@b.example'/>", i);
	for (int i = 0; i < LIMIT_DENIED; i++)
		text_addf(&no, "<non-friend jid='n%d@b.example'/>", i);
	char *stanza = mem_format("<friend-state-update xmlns='" SIOT "'>%s</friend-state-update>", yes.data);
	service_is_result(service_set(s, OWNER, "%s", stanza));
	mem_free(stanza);
	stanza = mem_format("<friend-state-update xmlns='" SIOT "'>%s</friend-state-update>", no.data);
	service_is_result(service_set(s, OWNER, "%s", stanza));
	mem_free(stanza);
	service_is_error(service_set(s, OWNER,
				     "<friend-state-update xmlns='" SIOT
				     "'><friend jid='one@b.example'/></friend-state-update>"),
			 "wait", "resource-constraint");
	service_ask(s, LAMP, "one@b.example", "pending");
	service_is_result(service_set(s, OWNER,
				      "<friend-state-update xmlns='" SIOT
				      "'><non-friend jid='f0@b.example'/></friend-state-update>"));
	service_ask(s, LAMP, "f0@b.example", "pending"); /* no friend any more, and asked about again */
	service_ask(s, LAMP, "n7@b.example", "no");
	service_restart(s);
	service_ask(s, LAMP, "f0@b.example", "pending");
	text_free(&yes);
	text_free(&no);
	service_free(s);
}
