/* What one stanza could end the gateway with. */
#include "tests/unit/talk.h"

#include "core/base/limits.h"
#include "core/base/mem.h"

static char *repeat(const char *piece, size_t n)
{
	size_t size = strlen(piece);
	char *all = mem_new(n * size + 1);
	for (size_t i = 0; i < n; i++)
		memcpy(all + i * size, piece, size);
	return all;
}

/* Echoed, each apostrophe has six bytes: the answer was too large, and so was the answer that says so, and so on. */
Test(breach_crash, by_an_id_that_no_answer_can_carry)
{
	struct stage *s = up();
	char *id = repeat("&apos;", 20000);
	size_t before = s->link->n_sent;
	fake_link_give(s->link,
		       "<iq type='get' id='%s' from='" STRANGER "/r' to='" TEMP "'><ping xmlns='urn:xmpp:ping'/></iq>",
		       id);
	has(stage_wait(s, "to='" STRANGER "/r'"), "<bad-request");
	cr_expect_eq(s->link->n_sent, before + 1, "exactly one answer");
	mem_free(id);
	stage_free(s);
}

Test(breach_crash, by_a_request_that_is_answered_with_all_of_itself)
{
	struct stage *s = up();
	stage_befriend(s, "boiler.temp", FRIEND);
	char *seqnr = repeat("&apos;", 20000);
	size_t before = s->link->n_sent;
	fake_link_give(s->link,
		       "<iq type='get' id='1' from='" FRIEND "/r' to='" TEMP
		       "'><req xmlns='urn:xmpp:iot:sensordata' seqnr='%s'/></iq>"
		       "<iq type='get' id='2' from='" FRIEND "/r' to='" TEMP
		       "'><cancel xmlns='urn:xmpp:iot:sensordata' seqnr='%s'/></iq>",
		       seqnr, seqnr);
	has(stage_wait(s, "id='1'"), "<bad-request");
	has(stage_wait(s, "id='2'"), "<bad-request");
	cr_expect_eq(s->link->n_sent, before + 2);
	cr_expect_eq(stage_count_log(s, "too large"), 0, "and nothing of it is in the log");
	mem_free(seqnr);
	stage_free(s);
}
