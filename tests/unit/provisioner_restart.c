/* What the service knows survives its end, whatever that end is. */
#include "tests/lib/service.h"

#include "core/base/mem.h"

#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define LAMP  "lamp@gw.example"
#define OWNER "olga@home.example"
#define ANNA  "anna@b.example"
#define BOB   "bob@b.example"

Test(provisioner_restart, keeps_everything)
{
	struct service *s = service_new();
	service_is_result(service_set(s, LAMP "/r",
				      "<register xmlns='" SIOT "' key='" KEY_1
				      "' name='Attribute'><name xml:lang='en'>Lamp</name>"
				      "<name xml:lang='de'>L\xC3\xA4mpchen &lt;1&gt;</name></register>"));
	service_register(s, "free@gw.example", KEY_2, "Free");
	service_register_group(s, "a@gw.example", KEY_3, "meter", KEY_4);
	service_claim(s, OWNER, KEY_1);
	service_let_in(s, OWNER, LAMP, ANNA);
	service_is_result(service_set(
		s, OWNER, "<friend-state-update xmlns='" SIOT "'><non-friend jid='" BOB "'/></friend-state-update>"));
	service_ask(s, LAMP, "carl@b.example", "pending");
	const char *before = service_get(s, OWNER, "<things xmlns='" SIOT_X "' xml:lang='de'/>");
	char *things = mem_text(strchr(before, '>'));
	service_has(things, "name='L\xC3\xA4mpchen &lt;1&gt;'");
	service_restart(s);
	cr_assert_str_eq(strchr(service_get(s, OWNER, "<things xmlns='" SIOT_X "' xml:lang='de'/>"), '>'), things);
	mem_free(things);
	service_has(service_get(s, OWNER, "<things xmlns='" SIOT_X "' xml:lang='en'/>"), "name='Lamp'");
	service_ask(s, LAMP, ANNA, "yes");
	service_ask(s, LAMP, BOB, "no");
	service_ask(s, LAMP, OWNER, "yes");
	service_has(service_get(s, OWNER, "<pending-friend-query xmlns='" SIOT "'/>"),
		    "jid='carl@b.example' x:thing='" LAMP "'");
	service_is_error(service_set(s, "x@evil.example", "<register xmlns='" SIOT "' key='" KEY_2 "'/>"), "cancel",
			 "conflict");
	service_is_result(service_set(s, "new@home.example", "<claim xmlns='" SIOT "' name='free' key='" KEY_2 "'/>"));
	service_is_result(service_set(s, BOB, "<claim xmlns='" SIOT "' key='" KEY_4 "'/>"));
	service_has(service_get(s, BOB, "<things xmlns='" SIOT_X "'/>"), "a@gw.example");
	service_free(s);
}

Test(provisioner_restart, comes_back_to_things_and_owners) /* section 4, S29 */
{
	struct service *s = service_new();
	service_register(s, LAMP, KEY_1, "Lamp");
	service_claim(s, OWNER, KEY_1);
	service_let_in(s, OWNER, LAMP, ANNA);
	service_ask(s, LAMP, BOB, "pending");
	service_restart(s);
	service_expect(s, "<presence type='subscribe' from='prov.example' to='" LAMP "'");
	service_expect(s, "<presence from='prov.example' to='" OWNER "'");
	service_has(service_expect(s, "<pending-friend-notification"), BOB);
	service_expect_silence(s);
	service_presence(s, LAMP, "subscribed");
	service_expect(s, "<presence type='probe' from='prov.example' to='" LAMP "'");
	service_presence(s, LAMP "/res", NULL);
	service_expect(s, "<owner");
	service_expect(s, "<item jid='" ANNA "' friend='yes'/>");
	service_expect_silence(s);
	fake_link_down(s->link, NULL);
	fake_link_up(s->link, NULL);
	service_settle(s);
	service_expect(s, "<presence type='subscribe'");
	service_expect(s, "<presence from='prov.example' to='" OWNER "'");
	service_expect_silence(s); /* the owner was told of bob already */
	service_free(s);
}

Test(provisioner_restart, tells_what_was_decided_while_the_link_was_down) /* S29 */
{
	struct service *s = service_new();
	service_register(s, LAMP, KEY_1, "Lamp");
	service_claim(s, OWNER, KEY_1);
	service_ask(s, LAMP, ANNA, "pending");
	fake_link_forget(s->link);
	service_give_set(s, OWNER,
			 "<friend-state-update xmlns='" SIOT "'><friend jid='" ANNA "'/></friend-state-update>");
	service_give_get(s, LAMP "/r", "<is-friend-query xmlns='" SIOT "' jid='" BOB "'/>");
	fake_link_down(s->link, NULL);
	service_settle(s);
	service_expect_silence(s);
	fake_link_up(s->link, NULL);
	service_settle(s);
	service_has(service_expect(s, "<pending-friend-notification"), BOB);
	service_presence(s, LAMP "/res", NULL);
	service_expect(s, "<item jid='" ANNA "' friend='yes'/>");
	service_free(s);
}

Test(provisioner_restart, waits_for_a_link_that_has_too_much_to_do) /* S43 */
{
	enum { THINGS = 1200 };
	struct service *s = service_new();
	for (int i = 0; i < THINGS; i++)
		fake_link_give(
			s->link,
			"<iq type='set' id='r%d' from='t%d@gw.example/r' to='prov.example'><register xmlns='" SIOT
			"' key='KEYOFTHETHING%d'/></iq>",
			i, i, i);
	service_settle(s);
	service_restart(s);
	for (int i = 0; i < THINGS; i++)
		service_expect(s, "<presence type='subscribe'");
	fake_link_down(s->link, NULL);
	fake_link_up(s->link, NULL);
	s->link->congested = true;
	service_skip(s, 1000);
	service_expect_silence(s);
	service_is_result(service_get(s, ANNA, "<ping xmlns='urn:xmpp:ping'/>"));
	s->link->congested = false;
	service_skip(s, 1000);
	for (int i = 0; i < THINGS; i++)
		service_expect(s, "<presence type='subscribe'");
	service_expect_silence(s);
	service_free(s);
}

static void die(void *ctx)
{
	(void)ctx;
	raise(SIGKILL);
}

/* A service that is killed at the first word it says about what was given to it: it is on disk then, and nobody heard. */
static struct service *killed_at_its_first_word(void (*before)(struct service *s), void (*then)(struct service *s))
{
	struct service *s = service_place();
	pid_t child = fork();
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		service_wake(s);
		before(s);
		s->link->on_begin = die;
		then(s);
		service_settle(s);
		_exit(0);
	}
	int status;
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "it did not speak: %x", (unsigned)status);
	service_wake(s);
	return s;
}

static void nothing(struct service *s)
{
	(void)s;
}

static void registered(struct service *s)
{
	service_register(s, LAMP, KEY_1, "Lamp");
}

static void owned(struct service *s)
{
	registered(s);
	service_claim(s, OWNER, KEY_1);
}

static void befriended(struct service *s)
{
	owned(s);
	service_let_in(s, OWNER, LAMP, ANNA);
}

static void give_register(struct service *s)
{
	service_give_set(s, LAMP "/r", "<register xmlns='" SIOT "' name='Lamp' key='" KEY_1 "'/>");
}

static void give_claim(struct service *s)
{
	service_give_set(s, OWNER, "<claim xmlns='" SIOT "' key='" KEY_1 "'/>");
}

static void give_question(struct service *s)
{
	service_give_get(s, LAMP "/r", "<is-friend-query xmlns='" SIOT "' jid='" ANNA "'/>");
}

static void give_yes(struct service *s)
{
	service_give_set(s, OWNER,
			 "<friend-state-update xmlns='" SIOT "'><friend jid='" ANNA "'/></friend-state-update>");
}

static void give_no(struct service *s)
{
	service_give_set(s, OWNER,
			 "<friend-state-update xmlns='" SIOT "'><non-friend jid='" ANNA "'/></friend-state-update>");
}

static void give_reset(struct service *s)
{
	service_give_set(s, LAMP "/r", "<register xmlns='" SIOT "' name='Lamp' key='" KEY_2 "'/>");
}

static void give_letting_go(struct service *s)
{
	service_give_set(s, OWNER, "<give-up xmlns='" SIOT_X "' jid='" LAMP "'/>");
}

Test(provisioner_restart, has_a_registration_whose_answer_was_lost) /* S6 */
{
	struct service *s = killed_at_its_first_word(nothing, give_register);
	service_expect(s, "<presence type='subscribe' from='prov.example' to='" LAMP "'");
	give_register(s);
	service_is_result(service_expect(s, "<iq"));
	service_claim(s, OWNER, KEY_1);
	service_free(s);
}

Test(provisioner_restart, has_a_claim_whose_answer_was_lost) /* S10, S11, S29 */
{
	struct service *s = killed_at_its_first_word(registered, give_claim);
	fake_link_forget(s->link);
	service_presence(s, LAMP "/r", NULL);
	service_expect(s, "<owner xmlns='" SIOT "' jid='" OWNER "'/>");
	service_is_error(service_set(s, BOB, "<claim xmlns='" SIOT "' key='" KEY_1 "'/>"), "cancel", "item-not-found");
	service_has(service_set(s, OWNER, "<claim xmlns='" SIOT "' key='" KEY_1 "'/>"), "<claimed");
	service_free(s);
}

Test(provisioner_restart, tells_the_owner_of_a_request_whose_answer_was_lost) /* S29 */
{
	struct service *s = killed_at_its_first_word(owned, give_question);
	service_has(service_expect(s, "<pending-friend-notification"), ANNA);
	service_ask(s, LAMP, ANNA, "pending");
	service_free(s);
}

Test(provisioner_restart, has_a_yes_that_nobody_heard)
{
	struct service *s = killed_at_its_first_word(owned, give_yes);
	service_presence(s, LAMP "/r", NULL);
	service_expect(s, "<item jid='" ANNA "' friend='yes'/>");
	service_ask(s, LAMP, ANNA, "yes");
	service_free(s);
}

Test(provisioner_restart, has_a_no_that_nobody_heard)
{
	struct service *s = killed_at_its_first_word(befriended, give_no);
	service_presence(s, LAMP "/r", NULL);
	service_expect(s, "<item jid='" ANNA "' friend='no'/>");
	service_ask(s, LAMP, ANNA, "no");
	service_free(s);
}

Test(provisioner_restart, has_a_reset_that_nobody_heard) /* S7 */
{
	struct service *s = killed_at_its_first_word(befriended, give_reset);
	service_presence(s, LAMP "/r", NULL);
	service_expect_not(s, "<owner");
	service_ask(s, LAMP, ANNA, "pending");
	service_claim(s, BOB, KEY_2);
	service_free(s);
}

Test(provisioner_restart, has_let_go_of_a_thing_that_did_not_hear_it) /* S8 */
{
	struct service *s = killed_at_its_first_word(befriended, give_letting_go);
	service_presence(s, LAMP "/r", NULL);
	service_expect(s, "<disowned");
	service_is_error(service_set(s, OWNER, "<claim xmlns='" SIOT "' key='" KEY_1 "'/>"), "cancel",
			 "item-not-found");
	service_free(s);
}

static void put(struct service *s, enum store_write what, const char *const *values)
{
	struct store *store = store_open(s->directory, NULL, NULL);
	store_put(store, what, values, NULL, NULL);
	store_close(store);
}

Test(provisioner_restart, leaves_out_what_the_store_cannot_have_meant)
{
	struct service *s = service_new();
	service_register(s, LAMP, KEY_1, "Lamp");
	service_claim(s, OWNER, KEY_1);
	service_stop(s);
	put(s, STORE_REG_PUT, (const char *[]){ "not a jid", NULL, "", NULL, NULL, NULL, NULL, "5" });
	put(s, STORE_REG_PUT,
	    (const char *[]){ "x@gw.example", NULL, "no tab\n\t\n\n", "nohash", "g", "-", NULL, NULL });
	put(s, STORE_REG_PUT, (const char *[]){ "y@gw.example", NULL, NULL, NULL, NULL, NULL, "a b@c", "x" });
	put(s, STORE_DECISION_PUT, (const char *[]){ "nobody@gw.example", ANNA, "yes", "5" });
	put(s, STORE_DECISION_PUT, (const char *[]){ LAMP, "a@b@c", "yes", "5" });
	put(s, STORE_DECISION_PUT, (const char *[]){ LAMP, "Upper@b.example", "yes", "5" });
	service_begin(s);
	service_ask(s, LAMP, ANNA, "pending");
	service_ask(s, "x@gw.example", ANNA, "pending");
	service_ask(s, LAMP, "upper@b.example", "pending");
	service_has(service_get(s, OWNER, "<friends xmlns='" SIOT_X "' thing='" LAMP "'/>"), "'></x:friends>");
	service_is_error(service_get(s, "y@gw.example/r", "<is-friend-query xmlns='" SIOT "' jid='a@b'/>"), "cancel",
			 "item-not-found");
	service_free(s);
}
