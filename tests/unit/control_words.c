/* What the words of the control socket do and tell: on the stage's gateway, whose bus the test plays. */
#include "core/base/limits.h"
#include "core/base/mem.h"
#include "tests/lib/desk.h"

#include <criterion/criterion.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

TestSuite(control_words, .timeout = 30);

struct one {
	struct desk *d;
	int fd;
};

static struct one begin(void)
{
	struct one o = { .d = desk_new(0) };
	stage_thing(o.d->stage, "boiler.temp")->points[0]->poll_ms = 1000; /* else it is told, and never asked again */
	o.fd = desk_connect(o.d);
	return o;
}

static void end(struct one *o)
{
	close(o->fd);
	desk_free(o->d);
}

static void say(struct one *o, const char *line)
{
	desk_forget(o->d);
	cr_assert_eq(send(o->fd, line, strlen(line), MSG_NOSIGNAL), (ssize_t)strlen(line));
	while (!desk_busy(o->d))
		desk_turn(o->d);
}

static const char *ask(struct one *o, const char *line)
{
	return desk_ask(o->d, o->fd, line);
}

/* The bus is asked, and answers. */
static const char *ask_bus(struct one *o, const char *line, int status, const char *number)
{
	loop_skip(o->d->stage->loop, 100000); /* nothing is fresh */
	say(o, line);
	while (!o->d->stage->n_asked)
		desk_turn(o->d);
	stage_answer(o->d->stage, status, number);
	return desk_wait(o->d, o->fd, "{\"end\": ");
}

#define expect_said(said, words) cr_expect(strstr(said, words), "%s is not in: %s", words, said)

#define READ_TEMP "{\"word\": \"read\", \"args\": [\"boiler.temp\"]}\n"
#define WRITE(n)  "{\"word\": \"write\", \"args\": [\"boiler.set\", \"" n "\"]}\n"

Test(control_words, read_asks_the_bus_and_tells_value_unit_quality_and_age)
{
	struct one o = begin();
	const char *said = ask_bus(&o, READ_TEMP, REQUEST_DONE, "21.5");
	expect_said(said, "\"point\": \"boiler.temp\", \"value\": \"21.5\", \"unit\": \"\xC2\xB0"
			  "C\", \"quality\": \"good\", \"trouble\": \"\", \"time\": \"20");
	expect_said(said, "\"age_ms\": ");
	expect_said(said, "{\"end\": \"done\"}");
	cr_expect_eq(stage_thing(o.d->stage, "boiler.temp")->n_wishes, 0);
	end(&o);
}

Test(control_words, a_value_that_is_not_good_is_no_value)
{
	struct one o = begin();
	const char *said = ask_bus(&o, READ_TEMP, REQUEST_TIMEOUT, NULL);
	expect_said(said, "\"value\": null");
	expect_said(said, "\"quality\": \"bad\"");
	expect_said(said, "\"age_ms\": ");
	expect_said(said, "{\"end\": \"failed\", \"why\": \"boiler.temp: the device does not answer\"}");
	said = ask_bus(&o, READ_TEMP, REQUEST_DONE, "21.5");
	expect_said(said, "\"value\": \"21.5\"");
	said = ask_bus(&o, READ_TEMP, REQUEST_REFUSED, NULL);
	expect_said(said, "\"value\": null, \"last\": \"21.5\"");
	said = ask(&o, "{\"word\": \"things\", \"args\": [\"boiler.alarm\"]}\n");
	expect_said(said,
		    "\"value\": null, \"unit\": \"\", \"quality\": \"unknown\", \"trouble\": \"\", \"time\": null, "
		    "\"age_ms\": null");
	end(&o);
}

Test(control_words, write_goes_the_way_of_a_friends_wish)
{
	struct one o = begin();
	struct stage *s = o.d->stage;
	struct point *set = stage_thing(s, "boiler.set")->points[0];
	say(&o, WRITE("60.5"));
	while (!s->n_asked)
		desk_turn(o.d);
	cr_expect(s->asked[0]->write);
	cr_expect_eq(s->asked[0]->raw.number.digits, 605);
	stage_answer(s, REQUEST_DONE, NULL);
	expect_said(desk_wait(o.d, o.fd, "{\"end\""),
		    "{\"point\": \"boiler.set\", \"outcome\": \"accepted\"}\n{\"end\": \"done\"}");
	cr_expect_eq(stage_count_log(s, "point 'boiler.set': written from the command line: accepted"), 1);
	static const char *const refused[][2] = {
		{ WRITE("80"), "boiler.set: " },
		{ WRITE("60.55"), "boiler.set: " },
		{ WRITE("warm"), "boiler.set: " },
		{ WRITE(""), "boiler.set: " },
		{ "{\"word\": \"write\", \"args\": [\"boiler.temp\", \"1\"]}\n", "boiler.temp: is read-only" },
		{ "{\"word\": \"write\", \"args\": [\"boiler\", \"1\"]}\n", "it is named DEVICE.POINT" },
	};
	for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
		const char *said = ask(&o, refused[i][0]);
		expect_said(said, "{\"end\": \"failed\", \"why\": \"");
		expect_said(said, refused[i][1]);
	}
	set->write_interval_ms = 5000;
	expect_said(ask(&o, WRITE("61")), "wait 5000 ms between writes");
	cr_expect_eq(s->n_asked, 0, "nothing of all this reached the bus");
	loop_skip(s->loop, 5000);
	expect_said(ask_bus(&o, WRITE("61"), REQUEST_REFUSED, NULL), "boiler.set: the device refuses");
	end(&o);
}

Test(control_words, a_write_that_is_read_back_says_whether_it_holds)
{
	struct one o = begin();
	struct stage *s = o.d->stage;
	stage_thing(s, "boiler.set")->points[0]->confirm = CONFIRM_READBACK;
	static const struct {
		const char *number, *words;
	} cases[] = { { "610", "\"outcome\": \"confirmed\"" }, { "600", "the device was not seen to hold the value" } };
	for (size_t i = 0; i < 2; i++) {
		say(&o, WRITE("61"));
		while (!s->n_asked)
			desk_turn(o.d);
		stage_answer(s, REQUEST_DONE, NULL);
		stage_answer(s, REQUEST_DONE, cases[i].number);
		expect_said(desk_wait(o.d, o.fd, "{\"end\""), cases[i].words);
	}
	end(&o);
}

Test(control_words, a_write_is_not_waited_for_longer_than_its_deadline)
{
	struct one o = begin();
	struct stage *s = o.d->stage;
	stage_thing(s, "boiler.set")->points[0]->write_deadline_ms = 3000;
	say(&o, WRITE("61"));
	while (!s->n_asked)
		desk_turn(o.d);
	loop_skip(s->loop, 3200);
	expect_said(desk_wait(o.d, o.fd, "{\"end\""), "boiler.set: the device did not answer in time");
	end(&o);
}

Test(control_words, only_who_holds_the_operators_address_is_the_operator)
{
	struct one o = begin();
	struct thing *t = stage_thing(o.d->stage, "boiler.set");
	char *same = mem_text(gate_operator);
	cr_expect(gate_may(t, gate_operator, RIGHT_WRITE));
	cr_expect_not(gate_may(t, same, RIGHT_SEE), "who calls himself so from outside is nobody");
	mem_free(same);
	end(&o);
}

Test(control_words, the_operator_takes_nothing_of_what_friends_may_ask)
{
	struct one o = begin();
	struct thing *t = stage_thing(o.d->stage, "boiler.temp");
	say(&o, READ_TEMP);
	while (!o.d->stage->n_asked)
		desk_turn(o.d);
	cr_expect_eq(t->n_wishes, 0);
	cr_expect_eq(o.d->control.desk->n_wishes, 1);
	end(&o);
}

Test(control_words, watch_tells_what_is_and_what_changes)
{
	struct one o = begin();
	say(&o, "{\"word\": \"watch\", \"args\": [\"boiler.temp\", \"boiler.alarm\"]}\n");
	desk_wait(o.d, o.fd, "boiler.alarm");
	stage_sample(o.d->stage, "boiler.temp", "1");
	desk_wait(o.d, o.fd, "\"value\": \"1\"");
	stage_sample(o.d->stage, "boiler.set", "500"); /* nobody watches it */
	stage_sample(o.d->stage, "boiler.alarm", "1");
	const char *said = desk_wait(o.d, o.fd, "\"value\": \"true\"");
	cr_expect_eq(desk_count("\"point\"", said), 4, "%s", said);
	cr_expect_null(strstr(said, "boiler.set"));
	end(&o);
}

Test(control_words, a_point_that_is_gone_is_watched_again_when_it_comes_back)
{
	struct one o = begin();
	struct point *p = stage_thing(o.d->stage, "boiler.temp")->points[0];
	stage_sample(o.d->stage, "boiler.temp", "1");
	say(&o, "{\"word\": \"watch\", \"args\": [\"boiler.temp\"]}\n");
	desk_wait(o.d, o.fd, "\"value\": \"1\"");
	p->disabled = true;
	control_changed(&o.d->control);
	desk_wait(o.d, o.fd, "\"quality\": \"unknown\"");
	stage_sample(o.d->stage, "boiler.temp", "2");
	p->disabled = false;
	control_changed(&o.d->control);
	cr_expect_eq(desk_count("\"value\"", desk_wait(o.d, o.fd, "\"value\": \"2\"")), 3);
	end(&o);
}

Test(control_words, things_tells_owner_and_friends_and_friends_who_they_are)
{
	struct one o = begin();
	struct stage *s = o.d->stage;
	fake_link_give(s->link,
		       "<message from='" SERVICE
		       "' to='boiler.temp@things.test'><owner xmlns='urn:xmpp:siot:1' jid='" OWNER "'/></message>");
	stage_settle(s);
	fake_link_up(s->link, NULL);
	stage_befriend(s, "boiler.temp", FRIEND);
	fake_link_give(s->link, "<presence type='subscribe' from='" STRANGER "' to='boiler.temp@things.test'/>");
	const char *said = ask(&o, "{\"word\": \"things\", \"args\": [\"boiler.temp@things.test\"]}\n");
	expect_said(said, "\"registered\": true, \"friends\": 1}");
	cr_expect_eq(desk_count("\"thing\"", said), 1, "only the one that was asked for");
	said = ask(&o, "{\"word\": \"friends\", \"args\": [\"boiler.temp\"]}\n");
	expect_said(said, "\"jid\": \"" FRIEND "\", \"state\": \"friend\", \"subscription\": \"from\"");
	expect_said(said, "\"jid\": \"" STRANGER "\", \"state\": \"asking\"");
	cr_expect_eq(desk_count("\"thing\"", ask(&o, "{\"word\": \"things\", \"args\": [\"boiler\"]}\n")), 3,
		     "all of a device");
	expect_said(ask(&o, "{\"word\": \"things\", \"args\": [\"nobody\"]}\n"),
		    "{\"end\": \"failed\", \"why\": \"there is no thing or device 'nobody'; see jidgate things\"}");
	end(&o);
}

Test(control_words, labels_tells_the_keys_and_reset_makes_a_new_one_at_once)
{
	struct one o = begin();
	char *key = mem_text(stage_thing(o.d->stage, "boiler.temp")->key);
	const char *said = ask(&o, "{\"word\": \"labels\"}\n");
	expect_said(said, key);
	expect_said(said, "\"device\": \"boiler\", \"device_name\": \"Boiler\", \"group_key\": \"");
	expect_said(said, "\"service\": \"" SERVICE "\"");
	said = ask(&o, "{\"word\": \"reset\", \"args\": [\"boiler.temp@things.test\"]}\n");
	expect_said(said, "{\"thing\": \"boiler.temp\", \"key\": \"");
	expect_said(said, stage_thing(o.d->stage, "boiler.temp")->key);
	cr_expect_null(strstr(said, key));
	cr_expect_null(strstr(ask(&o, "{\"word\": \"labels\"}\n"), key));
	cr_expect_eq(stage_count_log(o.d->stage, key) +
			     stage_count_log(o.d->stage, stage_thing(o.d->stage, "boiler.temp")->key),
		     0, "keys are not logged");
	mem_free(key);
	end(&o);
}

Test(control_words, forget_takes_a_thing_that_is_no_longer_configured)
{
	struct one o = begin();
	struct stage *s = o.d->stage;
	fake_link_up(s->link, NULL);
	stage_befriend(s, "boiler.temp", FRIEND);
	control_end(&o.d->control);
	s->without = "temp";
	stage_restart(s);
	desk_reopen(o.d);
	close(o.fd);
	o.fd = desk_connect(o.d);
	expect_said(ask(&o, "{\"word\": \"things\"}\n"), "{\"thing\": \"boiler.temp@things.test\", \"gone\": true");
	expect_said(ask(&o, "{\"word\": \"status\"}\n"), "\"gone\": 1");
	fake_link_up(s->link, NULL);
	fake_link_forget(s->link);
	expect_said(ask(&o, "{\"word\": \"forget\", \"args\": [\"boiler.temp\"]}\n"), "\"done\"");
	stage_wait(s, "type='unsubscribed'");
	const char *asked = stage_wait(s, "<unregister");
	char id[64] = "";
	sscanf(strstr(asked, " id='"), " id='%63[^']", id);
	fake_link_give(s->link, "<iq type='result' id='%s' from='" SERVICE "' to='boiler.temp@things.test/thing'/>",
		       id);
	stage_settle(s);
	cr_expect_null(strstr(ask(&o, "{\"word\": \"things\"}\n"), "boiler.temp"));
	stage_restart(s);
	cr_expect_eq(s->gate.orphans.n, 0, "for good");
	end(&o);
}

Test(control_words, log_tells_the_last_lines_and_goes_on)
{
	struct one o = begin();
	struct log *log = &o.d->stage->log;
	for (int i = 0; i < 10; i++)
		log_info(log, "line %d of \"ten\"", i);
	const char *said = ask(&o, "{\"word\": \"log\", \"args\": [\"3\"]}\n");
	cr_expect_eq(desk_count("\"level\": \"info\"", said), 3, "%s", said);
	expect_said(said, "line 7 of \\\"ten\\\"");
	say(&o, "{\"word\": \"log\", \"args\": [\"1\", \"follow\"]}\n");
	desk_wait(o.d, o.fd, "line 9");
	log_warn(log, "something is wrong");
	desk_wait(o.d, o.fd, "something is wrong");
	end(&o);
}

Test(control_words, a_log_that_is_too_quick_for_its_reader_says_what_he_missed)
{
	struct one o = begin();
	say(&o, "{\"word\": \"log\", \"args\": [\"0\", \"follow\"]}\n");
	for (int i = 0; i < 3 * LIMIT_LOG_KEPT; i++)
		log_info(&o.d->stage->log, "line %d", i);
	const char *said = desk_wait(o.d, o.fd, "line 1499");
	expect_said(said, "{\"missed\": 1000}");
	cr_expect_eq(desk_count("\"level\"", said), LIMIT_LOG_KEPT);
	end(&o);
}

Test(control_words, status_counts_what_happens)
{
	struct one o = begin();
	ask_bus(&o, READ_TEMP, REQUEST_DONE, "1");
	ask_bus(&o, READ_TEMP, REQUEST_TIMEOUT, NULL);
	ask_bus(&o, WRITE("50"), REQUEST_DONE, NULL);
	ask(&o, WRITE("90"));
	loop_skip(o.d->stage->loop, 61000);
	const char *said = ask(&o, "{\"word\": \"status\"}\n");
	expect_said(said,
		    "\"reads\": {\"done\": 1, \"answered\": 0, \"confirmed\": 0, \"forbidden\": 0, \"bad_value\": 0, \"not_found\": 0, "
		    "\"busy\": 0, \"unreachable\": 1,");
	expect_said(said, "\"writes\": {\"done\": 1, \"answered\": 0, \"confirmed\": 0, \"forbidden\": 0, \"bad_value\": 1,");
	expect_said(said, "\"bus\": \"bus\", \"protocol\": \"play\", \"state\": \"up\", \"why\": null");
	expect_said(said, "\"reads\": 2, \"read_errors\": 1, \"writes\": 1, \"write_errors\": 0, \"samples\": 1");
	expect_said(said, "\"busy_percent\": 0");
	end(&o);
}

Test(control_words, busy_is_the_share_of_the_last_minute_in_which_somebody_was_asked)
{
	struct one o = begin();
	struct stage *s = o.d->stage;
	stage_thing(s, "boiler.set")->points[0]->write_deadline_ms = 200000;
	say(&o, WRITE("50"));
	while (!s->n_asked)
		desk_turn(o.d);
	loop_skip(s->loop, 30000);
	stage_answer(s, REQUEST_DONE, NULL);
	desk_wait(o.d, o.fd, "{\"end\"");
	loop_skip(s->loop, 31000);
	expect_said(ask(&o, "{\"word\": \"status\"}\n"), "\"last_request_ms\": 30");
	cr_expect(strstr(o.d->said.data, "\"busy_percent\": 50") || strstr(o.d->said.data, "\"busy_percent\": 49"),
		  "%s", o.d->said.data);
	end(&o);
}

struct reloads { /* the gateway's part of it, played */
	void (*done)(void *done_ctx, int status, const char *report);
	void *done_ctx;
};

static void reload(void *ctx, void (*done)(void *done_ctx, int status, const char *report), void *done_ctx)
{
	struct desk *d = ctx;
	*(struct reloads *)d->ctx = (struct reloads){ done, done_ctx };
}

Test(control_words, reload_tells_what_became_of_it)
{
	struct one o = begin();
	struct reloads r;
	o.d->ctx = &r;
	o.d->control.reload = reload;
	say(&o, "{\"word\": \"reload\"}\n");
	r.done(r.done_ctx, 0, "1 device added\n2 \"gone\"\n");
	expect_said(desk_wait(o.d, o.fd, "{\"end\""),
		    "{\"text\": \"1 device added\"}\n{\"text\": \"2 \\\"gone\\\"\"}\n{\"end\": \"done\"}");
	say(&o, "{\"word\": \"reload\"}\n");
	r.done(r.done_ctx, -1, "site.conf:3: wrong\n");
	expect_said(desk_wait(o.d, o.fd, "{\"end\""),
		    "site.conf:3: wrong\"}\n{\"end\": \"failed\", \"why\": \"nothing is changed\"}");
	say(&o, "{\"word\": \"reload\"}\n");
	close(o.fd);
	while (desk_clients(o.d))
		desk_turn(o.d);
	r.done(r.done_ctx, 0, NULL); /* nobody is there to hear it */
	o.fd = desk_connect(o.d);
	end(&o);
}

Test(control_words, a_service_without_things_says_so)
{
	struct one o = begin();
	static const char *const words[] = { "things", "friends", "labels" };
	o.d->conf.house = NULL;
	for (size_t i = 0; i < 3; i++) {
		char line[40];
		snprintf(line, sizeof(line), "{\"word\": \"%s\"}\n", words[i]);
		expect_said(ask(&o, line), "this is a provisioning service");
	}
	expect_said(ask(&o, "{\"word\": \"status\"}\n"), "{\"end\": \"done\"}");
	expect_said(ask(&o, READ_TEMP), "there is no point");
	expect_said(ask(&o, "{\"word\": \"reset\", \"args\": [\"boiler.temp\"]}\n"), "there is no thing");
	o.d->conf.house = o.d->stage->house;
	end(&o);
}
