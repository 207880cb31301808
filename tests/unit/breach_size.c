/* A device whose values are as large as they may be. */
#include "tests/unit/talk.h"

#include "core/base/limits.h"
#include "core/base/mem.h"

enum { TEXTS = 40 };

static void tell(struct stage *s, struct point *p, char of, size_t size)
{
	char *text = mem_new(size + 1);
	memset(text, of, size);
	struct sample sample = sample_good(value_text(text, size), loop_utc(s->loop));
	bridge_sample(s->bridge, p, &sample);
	mem_free(text);
}

/* Each apostrophe has six bytes in a stanza: all texts together are ten times what a stanza may have. */
static struct stage *grown(void)
{
	struct stage *s = stage_new_device(TEXTS);
	struct thing *t = stage_thing(s, "boiler");
	fake_link_up(s->link, NULL);
	stage_befriend(s, "boiler", FRIEND);
	for (size_t i = t->n_points - TEXTS; i < t->n_points; i++) {
		t->points[i]->type = TYPE_TEXT;
		tell(s, t->points[i], '\'', LIMIT_TEXT_VALUE);
	}
	fake_link_forget(s->link);
	return s;
}

static size_t count(const char *text, const char *fragment)
{
	size_t n = 0;
	for (; (text = strstr(text, fragment)); text++)
		n++;
	return n;
}

Test(breach_size, of_values_does_not_keep_a_thing_from_telling_its_presence)
{
	struct stage *s = grown();
	struct thing *t = stage_thing(s, "boiler");
	loop_skip(s->loop, 60000);
	stage_sample(s, "boiler", "21.50");
	const char *text = stage_wait(s, "<status>");
	has(text, "21.50");
	has(text, "\xE2\x80\xA6"); /* ... and there is more */
	cr_expect_lt(strlen(text), 8000);
	cr_expect_eq(stage_count_log(s, "too large"), 0);
	cr_expect_not(list_in(&t->dirty_link), "nothing is left to say");
	stage_free(s);
}

Test(breach_size, of_a_status_never_cuts_a_number)
{
	struct stage *s = stage_new_device(200);
	struct thing *t = stage_thing(s, "boiler");
	struct decimal number = { 123456789, -4, false };
	fake_link_up(s->link, NULL);
	stage_befriend(s, "boiler", FRIEND);
	for (size_t i = t->n_points - 200; i < t->n_points; i++) {
		struct sample sample = sample_good(value_number(number), loop_utc(s->loop));
		t->points[i]->type = TYPE_REAL;
		bridge_sample(s->bridge, t->points[i], &sample);
	}
	fake_link_forget(s->link);
	loop_skip(s->loop, 60000);
	stage_sample(s, "boiler", "1");
	const char *text = stage_wait(s, "<status>");
	cr_expect_gt(count(text, "12345.6789"), 10);
	cr_expect_eq(count(text, "1234"), count(text, "12345.6789"));
	stage_free(s);
}

Test(breach_size, of_a_read_is_told_in_pieces_that_fit)
{
	struct stage *s = grown();
	size_t fields = 0, done = 0;
	fake_link_give(s->link, "<iq type='get' id='1' from='" FRIEND
				"/r' to='boiler@things.test'><req xmlns='urn:xmpp:iot:sensordata' seqnr='1'>"
				"<field name='p0'/><field name='p1'/><field name='p2'/><field name='p3'/>"
				"<field name='p4'/><field name='p5'/><field name='p6'/><field name='p7'/>"
				"</req></iq>");
	has(stage_wait(s, "id='1'"), "<accepted");
	for (const char *text; fields < 8;) {
		text = stage_wait(s, "<fields");
		cr_expect_eq(done, 0, "done comes last");
		fields += count(text, "<string name=");
		done += count(text, "done='true'");
	}
	cr_expect_eq(fields, 8);
	cr_expect_eq(done, 1);
	stage_free(s);
}

Test(breach_size, of_failures_is_told_in_pieces_that_fit)
{
	struct stage *s = grown();
	struct thing *t = stage_thing(s, "boiler");
	size_t errors = 0, done = 0;
	for (size_t i = 0; i < t->n_points; i++) {
		struct sample bad = sample_bad(TROUBLE_AWAY, loop_utc(s->loop));
		t->points[i]->kind = i < 3 ? KIND_STATUS : KIND_PEAK;
		bridge_sample(s->bridge, t->points[i], &bad);
	}
	fake_link_forget(s->link);
	fake_link_give(s->link,
		       "<iq type='get' id='1' from='" FRIEND
		       "/r' to='boiler@things.test'><req xmlns='urn:xmpp:iot:sensordata' seqnr='1' peak='true'/>"
		       "</iq>");
	while (errors < TEXTS) {
		while (s->n_asked) /* more than once: polls and the read ask for the same points */
			stage_answer(s, REQUEST_AWAY, NULL);
		const char *text = fake_link_find(s->link, "<failure");
		if (text) {
			cr_expect_eq(done, 0, "done comes last");
			errors += count(text, "<error ");
			done += count(text, "done='true'");
		} else
			loop_turn(s->loop);
	}
	cr_expect_eq(errors, TEXTS);
	cr_expect_eq(done, 1);
	stage_free(s);
}
