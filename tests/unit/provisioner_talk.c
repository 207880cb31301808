#include "tests/lib/service.h"

#include "core/base/mem.h"

#include <string.h>

#define LAMP  "lamp@gw.example"
#define DOOR  "door@gw.example"
#define OWNER "olga@home.example"
#define PHONE OWNER "/phone"
#define ANNA  "anna@b.example"
#define BOB   "bob@b.example"

/* What is said in answer to a line. */
static const char *say(struct service *s, const char *who, const char *line)
{
	service_chat(s, who, line);
	return service_expect(s, "<message type='chat' from='prov.example' to='");
}

static struct service *two_things(void)
{
	struct service *s = service_new();
	service_register(s, LAMP, KEY_1, "Lamp");
	service_register(s, DOOR, KEY_2, "Door");
	service_claim(s, OWNER, KEY_1);
	service_claim(s, OWNER, KEY_2);
	return s;
}

static void wait_at(struct service *s, const char *thing, const char *requestor)
{
	service_ask(s, thing, requestor, "pending");
	fake_link_forget(s->link);
}

Test(provisioner_talk, claims_a_thing_by_its_key)
{
	struct service *s = service_new();
	service_register(s, LAMP, KEY_1, "Lamp");
	service_chat(s, PHONE, "Claim twnk kd5y mt3t e2gs drdb kvtw");
	const char *answer = service_expect(s, "<body>You now own &quot;Lamp&quot; (" LAMP ").</body>");
	service_has(answer, "to='" PHONE "'");
	service_expect(s, "<owner xmlns='" SIOT "' jid='" OWNER "'/>");
	service_expect_silence(s);
	service_has(say(s, PHONE, "things"), "You own:\n&quot;Lamp&quot; (" LAMP ")");
	service_free(s);
}

Test(provisioner_talk, claims_all_things_of_a_device)
{
	struct service *s = service_new();
	service_register_group(s, "a@gw.example", KEY_1, "meter", KEY_4);
	service_register_group(s, "b@gw.example", KEY_2, "meter", KEY_4);
	service_chat(s, PHONE, "claim " KEY_4);
	service_has(service_expect(s, "You now own:"), "(a@gw.example)\n&quot;b@gw.example&quot; (b@gw.example)");
	service_free(s);
}

Test(provisioner_talk, says_the_same_of_an_unknown_key_and_of_somebody_elses_thing) /* S10 */
{
	struct service *s = two_things();
	const char *unknown = strchr(say(s, "m@evil.example", "claim " KEY_4), '>');
	cr_assert_str_eq(strchr(say(s, "m@evil.example", "claim " KEY_1), '>'), unknown);
	service_has(unknown, "No thing with this key waits for an owner.");
	service_has(say(s, "m@evil.example", "claim"), "Please send the key");
	for (int i = 2; i < LIMIT_CLAIMS_MINUTE; i++)
		say(s, "m@evil.example", "claim " KEY_4);
	service_has(say(s, "m@evil.example", "claim " KEY_4), "Too many attempts.");
	service_free(s);
}

Test(provisioner_talk, takes_a_bare_yes_for_the_one_who_waits) /* the story of product.md */
{
	struct service *s = two_things();
	wait_at(s, LAMP, ANNA);
	service_chat(s, PHONE, "Yes!");
	service_has(service_expect(s, "<body>"), "<body>" ANNA " may see &quot;Lamp&quot; (" LAMP ") now.</body>");
	service_has(service_expect(s, "<friendship-states"), "<item jid='" ANNA "' friend='yes'/>");
	service_ask(s, LAMP, ANNA, "yes");
	service_ask(s, DOOR, ANNA, "pending");
	service_free(s);
}

Test(provisioner_talk, takes_a_bare_no_for_the_one_who_waits)
{
	struct service *s = two_things();
	wait_at(s, LAMP, ANNA);
	service_has(say(s, PHONE, "> " ANNA " wants to see\n\n no \nthank you"),
		    ANNA " may not see &quot;Lamp&quot; (" LAMP ").");
	service_ask(s, LAMP, ANNA, "no");
	service_free(s);
}

Test(provisioner_talk, asks_whom_a_bare_yes_is_about_when_several_wait)
{
	struct service *s = two_things();
	wait_at(s, LAMP, ANNA);
	wait_at(s, DOOR, BOB);
	const char *answer = say(s, PHONE, "yes");
	service_has(answer, ANNA " wants to see &quot;Lamp&quot; (" LAMP ").\n");
	service_has(answer, BOB " wants to see &quot;Door&quot; (" DOOR ").\n");
	service_has(answer, "for example: yes " ANNA);
	service_ask(s, LAMP, ANNA, "pending");
	service_has(say(s, PHONE, "yes " BOB), BOB " may see &quot;Door&quot;");
	service_ask(s, LAMP, ANNA, "pending");
	service_has(say(s, PHONE, "yes"), ANNA " may see &quot;Lamp&quot;");
	service_has(say(s, PHONE, "yes"), "Nobody waits for an answer.");
	service_free(s);
}

Test(provisioner_talk, does_not_take_a_yes_for_somebody_the_owner_was_not_told_of)
{
	struct service *s = two_things();
	for (int i = 0; i < LIMIT_NOTICES_MINUTE; i++) {
		char *who = mem_format("s%d@evil.example", i);
		char *no = mem_format("no s%d@evil.example", i);
		wait_at(s, LAMP, who);
		say(s, PHONE, no);
		mem_free(who);
		mem_free(no);
	}
	fake_link_forget(s->link);
	wait_at(s, DOOR, BOB); /* to be told when the minute is over */
	service_has(say(s, PHONE, "yes"), BOB " wants to see &quot;Door&quot;");
	service_ask(s, DOOR, BOB, "pending");
	service_has(say(s, PHONE, "yes"), BOB " may see &quot;Door&quot;");
	service_free(s);
}

Test(provisioner_talk, takes_an_address_and_a_thing)
{
	struct service *s = two_things();
	service_has(say(s, PHONE, "yes " ANNA " " DOOR), ANNA " may see &quot;Door&quot;");
	service_ask(s, DOOR, ANNA, "yes");
	service_has(say(s, PHONE, "no " ANNA), ANNA " may not see &quot;Door&quot;");
	service_ask(s, DOOR, ANNA, "no");
	service_has(say(s, PHONE, "yes " BOB), "Nobody with this address waits.");
	service_has(say(s, PHONE, "yes a@b@c"), "That is not an address.");
	service_has(say(s, PHONE, "yes " BOB " safe@bank.example"), "You have no such thing.");
	service_has(say(s, PHONE, "no " OWNER " " LAMP), "The owner is always a friend.");
	service_has(say(s, ANNA, "yes " BOB), "You own no thing here.");
	service_free(s);
}

Test(provisioner_talk, lists_who_waits_and_what_is_owned)
{
	struct service *s = two_things();
	service_has(say(s, PHONE, "pending"), "Nobody waits for an answer.");
	wait_at(s, LAMP, ANNA);
	service_has(say(s, PHONE, "PENDING"), ANNA " wants to see &quot;Lamp&quot; (" LAMP "). Answer yes or no.");
	service_has(say(s, PHONE, "things"), "&quot;Lamp&quot; (" LAMP ")\n&quot;Door&quot; (" DOOR ")");
	service_has(say(s, ANNA, "things"), "You own no thing here.");
	service_free(s);
}

Test(provisioner_talk, helps_who_says_something_else)
{
	struct service *s = service_new();
	static const char *const lines[] = { "help", "Hello there", "yesterday", "?", "claims " KEY_1 };
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		const char *answer = say(s, PHONE, lines[i]);
		service_has(answer, "claim KEY");
		service_has(answer, "pending");
	}
	service_free(s);
}

Test(provisioner_talk, tells_when_a_decision_cannot_be_saved)
{
	struct service *s = two_things();
	wait_at(s, LAMP, ANNA);
	service_limit_disk(s, true);
	service_has(say(s, PHONE, "yes"), "This could not be saved.");
	service_limit_disk(s, false);
	service_expect_silence(s);
	service_ask(s, LAMP, ANNA, "pending");
	service_free(s);
}

Test(provisioner_talk, does_not_chat_with_programs)
{
	struct service *s = two_things();
	service_chat(s, LAMP "/res", "help");
	fake_link_give(s->link,
		       "<message type='error' from='" PHONE "' to='prov.example'><body>help</body></message>"
		       "<message type='groupchat' from='" PHONE "' to='prov.example'><body>help</body></message>"
		       "<message type='headline' from='" PHONE "' to='prov.example'><body>help</body></message>"
		       "<message type='chat' from='" PHONE "' to='prov.example'><composing xmlns='urn:x'/></message>"
		       "<message type='chat' from='" PHONE "' to='prov.example'><body>  \n > help\n</body></message>"
		       "<message type='chat' from='" PHONE "' to='prov.example'/>"
		       "<message type='chat' from='" PHONE "' to='bot@prov.example'><body>help</body></message>"
		       "<message type='chat' from='prov.example' to='prov.example'><body>help</body></message>");
	service_expect_silence(s);
	fake_link_give(s->link, "<message from='" PHONE "' to='prov.example'><body>help</body></message>");
	service_expect(s, "<body>");
	service_free(s);
}

Test(provisioner_talk, stops_talking_to_another_robot)
{
	struct service *s = service_new();
	for (int i = 0; i < LIMIT_WORDS_MINUTE; i++)
		say(s, "robot@evil.example", "I do not understand");
	service_chat(s, "robot@evil.example/x", "I do not understand");
	service_expect_silence(s);
	say(s, PHONE, "help");
	service_skip(s, 60000);
	say(s, "robot@evil.example", "help");
	service_free(s);
}
