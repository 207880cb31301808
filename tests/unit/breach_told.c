/* What is told to whom, and what is done for whom. */
#include "tests/unit/talk.h"

/* It is no friend (S14): that there is a thing is all it may see. */
Test(breach_told, values_are_not_told_to_the_provisioning_service)
{
	struct stage *s = up();
	stage_sample(s, "boiler.temp", "21.5");
	subscribe(s, SERVICE, TEMP);
	stage_wait(s, "type='subscribed'");
	has_not(stage_wait(s, "to='" SERVICE "'><nick"), "21.5");
	stage_befriend(s, "boiler.temp", FRIEND);
	loop_skip(s->loop, 60000);
	stage_sample(s, "boiler.temp", "99.5");
	has(stage_wait(s, "to='" FRIEND "'"), "99.5");
	silent(s, "to='" SERVICE "'");
	fake_link_give(s->link, "<presence type='probe' from='" SERVICE "' to='" TEMP "'/>"
				"<presence type='probe' from='" SERVICE "/x' to='" TEMP "'/>");
	has_not(stage_wait(s, "to='" SERVICE "'><nick"), "99.5");
	has_not(stage_wait(s, "to='" SERVICE "/x'><nick"), "99.5");
	fake_link_down(s->link, NULL);
	fake_link_up(s->link, NULL);
	has_not(stage_wait(s, "to='" SERVICE "'><nick"), "99.5");
	stage_free(s);
}

/* The configuration names another one now. */
Test(breach_told, nothing_to_a_service_that_is_ours_no_more)
{
	struct stage *s = up();
	gate_let_in(&s->gate, stage_thing(s, "boiler.temp"), "former.test", ROLE_SERVICE, NULL);
	gate_let_in(&s->gate, stage_thing(s, "boiler.temp"), SERVICE, ROLE_FRIEND, NULL);
	stage_settle(s);
	stage_restart(s);
	cr_expect_not(may(s, "boiler.temp", "former.test", RIGHT_SEE));
	cr_expect(may(s, "boiler.temp", SERVICE, RIGHT_SEE));
	cr_expect_not(may(s, "boiler.temp", SERVICE, RIGHT_READ));
	fake_link_up(s->link, NULL);
	silent(s, "to='former.test'");
	stage_free(s);
}

/* Who is told goodbye must not see it come back before the link is closed. */
Test(breach_told, nothing_is_available_after_goodbye)
{
	struct stage *s = up();
	stage_befriend(s, "boiler.temp", FRIEND);
	things_leave(&s->things);
	stage_wait(s, "type='unavailable'");
	fake_link_give(s->link, "<presence type='probe' from='" FRIEND "/r' to='" TEMP "'/>");
	subscribe(s, FRIEND, TEMP);
	silent(s, "<status>");
	stage_free(s);
}

/* A server may have kept it for an account that was away: the door was to be opened then, not now. */
Test(breach_told, a_command_that_was_kept_is_not_carried_out)
{
	struct stage *s = up();
	stage_befriend(s, "boiler.set", FRIEND);
	fake_link_give(s->link, "<message from='" FRIEND "/r' to='" SET
				"'><set xmlns='urn:xmpp:iot:control'><int name='set' value='50'/></set>"
				"<delay xmlns='urn:xmpp:delay' stamp='2026-01-01T00:00:00Z'/></message>"
				"<message from='" FRIEND "/r' to='" SET
				"'><set xmlns='urn:xmpp:iot:control'><int name='set' value='50'/></set>"
				"<x xmlns='jabber:x:delay' stamp='20260101T00:00:00'/></message>");
	cr_expect_eq(s->n_asked, 0);
	fake_link_give(s->link, "<message from='" FRIEND "/r' to='" SET
				"'><set xmlns='urn:xmpp:iot:control'><int name='set' value='50'/></set></message>");
	cr_expect_eq(s->n_asked, 1);
	stage_free(s);
}

/* min_interval protects what wears out; a set of a thousand values for one point is no way around it. */
Test(breach_told, a_point_is_written_once_by_a_set)
{
	struct stage *s = up();
	stage_befriend(s, "boiler.set", FRIEND);
	fake_link_give(s->link,
		       "<iq type='set' id='1' from='" FRIEND "/r' to='" SET
		       "'><set xmlns='urn:xmpp:iot:control'><int name='set' value='50'/><int name='set' value='60'/>"
		       "</set></iq>");
	has(stage_wait(s, "id='1'"), "responseCode='FormError'");
	cr_expect_eq(s->n_asked, 0);
	stage_free(s);
}
