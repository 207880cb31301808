/* A configuration that changes under a running house, with simulated buses and a fake link: what is said, and what is not. */
#include "core/reload.h"

#include "core/base/limits.h"
#include "core/base/mem.h"
#include "core/drivers.h"
#include "core/report.h"
#include "core/request.h"
#include "core/xmpp/siot.h"
#include "tests/lib/fake_link.h"
#include "tests/unit/store_place.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HEAD                                                                                                           \
	"gateway = { state = \"%s\"; };\n"                                                                             \
	"xmpp = { domain = \"things.test\"; secret = \"x\"; };\n"                                                     \
	"provisioning = { service = \"prov.test\"; };\n"
#define BUSES      "buses = ( { id = \"sim\"; protocol = \"sim\"; }, { id = \"slow\"; protocol = \"sim\"; delay = \"5s\"; } );\n"
#define TEMP       "{ id = \"temp\"; type = \"real\"; wave = \"constant\"; mean = 21.5; poll = \"100ms\"; min_interval = \"0s\"; }"
#define DEVICE(id) "{ id = \"" id "\"; bus = \"sim\"; points = ( " TEMP " ); }"
#define SLOW       "{ id = \"slow\"; bus = \"slow\"; points = ( " TEMP " ); }"

struct scene {
	char folder[64];
	char *file;
	struct loop *loop;
	struct log log;
	FILE *log_file;
	char *said;
	size_t n_said;
	const struct protocol **protocols;
	struct conf conf;
	struct store *store;
	struct gate gate;
	struct fake_link *link;
	struct things things;
	struct requests requests;
	struct buses buses;
	struct reload reload;
	size_t n_done, n_changes, n_open;
	int status;
	char *report;
};

static void on_sample(void *ctx, struct point *p, enum news news)
{
	report_sample(&((struct scene *)ctx)->things, p, news);
}

static void on_bridge(void *ctx, struct bridge *b)
{
	((struct scene *)ctx)->n_open -= b->state == BRIDGE_CLOSED;
}

static const struct bridge_events bridge_events = { .on_sample = on_sample, .on_state = on_bridge };

static void on_up(void *ctx, const char *local)
{
	things_up(&((struct scene *)ctx)->things, local);
}

static void on_down(void *ctx, const char *local, const struct err *why)
{
	(void)why;
	things_down(&((struct scene *)ctx)->things, local);
}

static void on_stanza(void *ctx, struct element *stanza)
{
	things_take(&((struct scene *)ctx)->things, stanza);
}

static const struct link_events link_events = { .on_up = on_up, .on_down = on_down, .on_stanza = on_stanza };

static void on_change(void *ctx)
{
	((struct scene *)ctx)->n_changes++;
}

static void on_state(void *ctx, bool busy)
{
	(void)ctx, (void)busy;
}

static void load_found(void *ctx, const char *const *values)
{
	found_load(ctx, values);
}

static void write_conf(const struct scene *s, const char *buses, const char *devices)
{
	FILE *f = fopen(s->file, "w");
	fprintf(f, HEAD "%sdevices = ( %s );\n", s->folder, buses, devices);
	fclose(f);
	chmod(s->file, 0600);
}

static void start(struct scene *s)
{
	struct err e;
	cr_assert_eq(conf_load(&s->conf, s->file, s->protocols), 0, "%s", s->conf.errors.data);
	s->reload = (struct reload){ .conf = &s->conf,
				     .protocols = s->protocols,
				     .loop = s->loop,
				     .log = &s->log,
				     .gate = &s->gate,
				     .things = &s->things,
				     .buses = &s->buses,
				     .on_change = on_change,
				     .on_state = on_state,
				     .ctx = s };
	struct store *at_once = store_open(s->folder, NULL, &e);
	found_begin(&s->reload.found, &s->log);
	cr_assert_eq(store_each(at_once, STORE_FOUNDS, load_found, &s->reload.found, &e), 0);
	reload_found_before(&s->reload, &s->conf, &s->log);
	cr_assert_eq(gate_prepare(s->conf.house, at_once, &e), 0);
	store_close(at_once);
	s->store = store_open(s->folder, s->loop, &e);
	s->gate = (struct gate){ .house = s->conf.house, .store = s->store, .loop = s->loop, .log = &s->log, .service = mem_text("prov.test") };
	cr_assert_eq(gate_load(&s->gate, &e), 0);
	s->link = fake_link_new("things.test", s->loop, &s->log, &link_events, s);
	s->things = (struct things){ .link = &s->link->link,
				     .house = s->conf.house,
				     .gate = &s->gate,
				     .loop = s->loop,
				     .log = &s->log,
				     .language = "en",
				     .names = &s->conf.gateway.names,
				     .wish = request_take,
				     .wish_ctx = &s->requests };
	request_begin(&s->requests, s->loop);
	things_begin(&s->things);
	s->buses = (struct buses){ .house = s->conf.house, .loop = s->loop, .log = &s->log, .events = &bridge_events, .ctx = s };
	buses_make(&s->buses);
	reload_begin(&s->reload);
	buses_start(&s->buses);
	fake_link_up(s->link, NULL);
}

static void stop(struct scene *s)
{
	reload_stop(&s->reload);
	s->n_open = s->buses.n;
	buses_stop(&s->buses);
	while (s->n_open)
		loop_turn(s->loop);
	reload_end(&s->reload);
	store_close(s->store);
	things_end(&s->things);
	request_end(&s->requests);
	buses_free(&s->buses);
	gate_end(&s->gate);
	fake_link_free(s->link);
	conf_free(&s->conf);
}

static struct scene *begin(const char *devices)
{
	struct scene *s = mem_new(sizeof(*s));
	alarm(25);
	snprintf(s->folder, sizeof(s->folder), "/tmp/jidgate-reload-XXXXXX");
	cr_assert(mkdtemp(s->folder));
	s->file = mem_format("%s/site.conf", s->folder);
	s->protocols = drivers_protocols();
	s->loop = loop_new();
	s->log_file = open_memstream(&s->said, &s->n_said);
	log_init(&s->log, LOG_LEVEL_DEBUG, s->log_file);
	write_conf(s, BUSES, devices);
	start(s);
	return s;
}

static void end(struct scene *s)
{
	stop(s);
	log_end(&s->log);
	fclose(s->log_file);
	free(s->said);
	loop_free(s->loop);
	remove_all(s->folder);
	mem_free(s->protocols);
	mem_free(s->report);
	mem_free(s->file);
	mem_free(s);
}

#define UNTIL(s, condition)                                                                                            \
	do {                                                                                                           \
		while (!(condition))                                                                                   \
			loop_turn((s)->loop);                                                                          \
	} while (0)

static void done(void *ctx, int status, const char *report)
{
	struct scene *s = ctx;
	s->n_done++;
	s->status = status;
	mem_free(s->report);
	s->report = mem_text(report);
}

static void reload_now(struct scene *s)
{
	size_t before = s->n_done;
	reload_ask(&s->reload, done, s);
	UNTIL(s, s->n_done > before);
}

static struct thing *find(const struct scene *s, const char *local)
{
	return house_find_thing(s->conf.house, local, strlen(local));
}

static enum quality quality(const struct scene *s, const char *local)
{
	const struct thing *t = find(s, local);
	return t ? t->points[0]->last.quality : QUALITY_UNKNOWN;
}

static const char *wait_for(struct scene *s, const char *fragment)
{
	const char *text;
	UNTIL(s, (text = fake_link_find(s->link, fragment)));
	return text;
}

/* As the service would. */
static void befriend(struct scene *s, const char *local)
{
	gate_acknowledge(&s->gate, find(s, local));
	fake_link_give(s->link,
		       "<message from='prov.test' to='%s@things.test'><owner xmlns='urn:xmpp:siot:1' jid='friend@x.test'/></message>",
		       local);
	UNTIL(s, find(s, local)->owner);
	fake_link_give(s->link,
		       "<message from='prov.test' to='%s@things.test'><friendship-states xmlns='urn:xmpp:siot:1'>"
		       "<item jid='friend@x.test' friend='yes'/></friendship-states></message>"
		       "<presence type='subscribe' from='friend@x.test' to='%s@things.test'/>",
		       local, local);
	wait_for(s, "type='subscribed'");
}

static void read_it(struct scene *s, const char *local, int seqnr)
{
	fake_link_give(s->link,
		       "<iq type='get' from='friend@x.test/a' to='%s@things.test/thing' id='r%d'><req xmlns='urn:xmpp:iot:sensordata' "
		       "seqnr='%d' all='true'/></iq>",
		       local, seqnr, seqnr);
}

static size_t count_sent(struct scene *s, const char *fragment)
{
	size_t n = 0;
	const char *text;
	while (fake_link_take(s->link, &text))
		n += strstr(text, fragment) != NULL;
	return n;
}

static bool is_said(struct scene *s, const char *fragment)
{
	fflush(s->log_file);
	return strstr(s->said, fragment) != NULL;
}

/* --- files --- */

Test(reload, friends_of_what_is_as_before_hear_nothing)
{
	struct scene *s = begin(DEVICE("stays") ", " DEVICE("goes"));
	befriend(s, "stays.temp");
	befriend(s, "goes.temp");
	UNTIL(s, quality(s, "stays.temp") == QUALITY_GOOD && quality(s, "goes.temp") == QUALITY_GOOD);
	wait_for(s, "from='goes.temp@things.test/thing' to='friend@x.test'");
	fake_link_forget(s->link);
	const struct device *before = house_find_device(s->conf.house, "stays");
	write_conf(s, BUSES, DEVICE("comes") ", " DEVICE("stays"));
	reload_now(s);
	cr_expect_eq(s->status, 0);
	cr_expect(strstr(s->report, "reloaded: 1 devices added, 0 changed, 1 gone, 1 as before"), "%s", s->report);
	cr_expect_eq(house_find_device(s->conf.house, "stays"), before);
	cr_expect_eq(quality(s, "stays.temp"), QUALITY_GOOD);
	wait_for(s, "<presence type='unavailable' from='goes.temp@things.test/thing' to='friend@x.test'/>");
	cr_expect_null(find(s, "goes.temp"));
	wait_for(s, "from='comes.temp@things.test/thing' to='prov.test'");
	UNTIL(s, quality(s, "comes.temp") == QUALITY_GOOD);
	cr_expect_eq(count_sent(s, "from='stays.temp@things.test"), 0);
	end(s);
}

Test(reload, a_thing_that_changes_or_comes_back_is_the_same_thing)
{
	struct scene *s = begin(DEVICE("a") ", " DEVICE("b"));
	befriend(s, "a.temp");
	UNTIL(s, quality(s, "a.temp") == QUALITY_GOOD && find(s, "a.temp")->owner);
	const struct thing *before = find(s, "a.temp");
	write_conf(s, BUSES, "{ id = \"a\"; bus = \"sim\"; name = \"New\"; points = ( " TEMP ", { id = \"more\"; type = \"int\"; } ); }");
	fake_link_forget(s->link);
	reload_now(s);
	cr_expect_eq(find(s, "a.temp"), before);
	cr_expect_eq(quality(s, "a.temp"), QUALITY_GOOD, "it is read as before");
	cr_expect_str_eq(find(s, "a.temp")->owner, "friend@x.test");
	cr_expect(strstr(wait_for(s, "<nick xmlns"), "New temp"));
	cr_assert_not_null(find(s, "a.more"));
	write_conf(s, BUSES, DEVICE("b"));
	reload_now(s);
	cr_expect_null(find(s, "a.temp"));
	cr_expect_not_null(map_find(&s->gate.orphans, "a.temp"));
	fake_link_forget(s->link);
	write_conf(s, BUSES, DEVICE("a") ", " DEVICE("b"));
	reload_now(s);
	cr_assert_not_null(find(s, "a.temp"));
	cr_expect_str_eq(find(s, "a.temp")->owner, "friend@x.test");
	cr_expect_null(map_find(&s->gate.orphans, "a.temp"));
	wait_for(s, "<presence from='a.temp@things.test/thing' to='friend@x.test'>");
	end(s);
}

static struct thing *gone(struct scene *s)
{
	write_conf(s, BUSES, DEVICE("b"));
	reload_now(s);
	write_conf(s, BUSES, DEVICE("a") ", " DEVICE("b"));
	return map_find(&s->gate.orphans, "a.temp");
}

Test(reload, a_thing_that_comes_back_has_the_friends_that_memory_knows)
{
	struct scene *s = begin(DEVICE("a") ", " DEVICE("b"));
	befriend(s, "a.temp");
	struct thing *orphan = gone(s);
	cr_assert(orphan);
	thing_drop_friend(thing_find_friend(orphan, "friend@x.test")); /* the disk was read before it had that */
	reload_now(s);
	cr_assert(find(s, "a.temp"));
	cr_expect_null(thing_find_friend(find(s, "a.temp"), "friend@x.test"));
	end(s);
}

Test(reload, a_thing_that_is_to_be_forgotten_and_comes_back_is_nobodys)
{
	for (int i = 0; i < 2; i++) {
		struct scene *s = begin(DEVICE("a") ", " DEVICE("b"));
		befriend(s, "a.temp");
		struct thing *orphan = gone(s);
		cr_assert(orphan);
		fake_link_forget(s->link);
		if (i) { /* it was forgotten when the disk had just been read */
			map_drop(&s->gate.orphans, "a.temp");
			thing_free(orphan);
		} else {
			siot_forget(&s->things, orphan);
			wait_for(s, "<unregister");
		}
		reload_now(s);
		struct thing *t = find(s, "a.temp");
		cr_assert(t);
		cr_expect_null(t->owner);
		cr_expect_not(gate_may(t, "friend@x.test", RIGHT_SEE));
		UNTIL(s, !t->resetting);
		cr_expect(t->key);
		end(s);
	}
}

Test(reload, a_point_that_is_read_elsewhere_has_no_value_until_it_is_read)
{
	struct scene *s = begin(DEVICE("a"));
	UNTIL(s, quality(s, "a.temp") == QUALITY_GOOD);
	write_conf(s, BUSES,
		   "{ id = \"a\"; bus = \"slow\"; points = ( { id = \"temp\"; type = \"real\"; wave = \"constant\"; mean = 3; } ); }");
	reload_now(s);
	cr_expect_eq(quality(s, "a.temp"), QUALITY_UNKNOWN);
	end(s);
}

Test(reload, a_bus_of_the_same_name_may_speak_another_protocol)
{
	struct scene *s = begin(DEVICE("a") ", " SLOW);
	UNTIL(s, quality(s, "a.temp") == QUALITY_GOOD);
	write_conf(s,
		   "buses = ( { id = \"sim\"; protocol = \"modbus-tcp\"; host = \"127.0.0.1\"; port = 1; }, { id = \"slow\"; protocol = "
		   "\"sim\"; } );",
		   SLOW ", { id = \"a\"; bus = \"sim\"; unit_id = 1; addressing = \"protocol\"; points = ( { id = \"temp\"; type = \"int16\"; "
		   "table = \"input\"; address = 0; } ); }");
	reload_now(s);
	cr_expect_eq(s->status, 0);
	cr_expect_eq(s->conf.house->n_buses, 2);
	cr_expect_str_eq(find(s, "a.temp")->device->bus->protocol, "modbus-tcp");
	cr_expect_neq(quality(s, "a.temp"), QUALITY_GOOD);
	write_conf(s, BUSES, DEVICE("a"));
	reload_now(s);
	UNTIL(s, quality(s, "a.temp") == QUALITY_GOOD);
	end(s);
}

Test(reload, what_is_in_flight_ends_once)
{
	struct scene *s = begin(DEVICE("a") ", " SLOW);
	befriend(s, "slow.temp");
	read_it(s, "slow.temp", 1);
	wait_for(s, "<accepted");
	write_conf(s, BUSES, DEVICE("a"));
	reload_now(s);
	read_it(s, "slow.temp", 2);
	UNTIL(s, s->requests.n == 0);
	cr_expect_eq(count_sent(s, "seqnr='1'"), 1);
	cr_expect_null(find(s, "slow.temp"));
	end(s);
}

Test(reload, a_mistake_leaves_all_or_the_one_device_as_it_runs)
{
	struct scene *s = begin(DEVICE("a") ", " DEVICE("b"));
	write_conf(s, "buses = ( { id = \"sim\"; protocol = \"sin\"; } );", DEVICE("a"));
	reload_now(s);
	cr_expect_eq(s->status, -1);
	cr_expect(strstr(s->report, "site.conf:4: bus 'sim': protocol: must be"), "%s", s->report);
	cr_expect_not_null(find(s, "b.temp"));
	write_conf(s, BUSES, DEVICE("c") ", { id = \"b\"; bus = \"sim\"; points = ( { id = \"temp\"; type = \"none\"; } ); }");
	reload_now(s);
	cr_expect_eq(s->status, 0);
	cr_expect(strstr(s->report, "device 'b': stays as it runs"), "%s", s->report);
	cr_expect_not_null(find(s, "b.temp"));
	cr_expect_not_null(find(s, "c.temp"));
	cr_expect_null(find(s, "a.temp"));
	write_conf(s, BUSES, "{ bus = \"sim\"; points = ( " TEMP " ); }");
	reload_now(s);
	cr_expect_not_null(find(s, "b.temp"), "whose id is missing is not known: nobody goes");
	end(s);
}

Test(reload, a_jid_moves_from_one_device_to_another)
{
	struct scene *s = begin(DEVICE("a") ", " DEVICE("b"));
	befriend(s, "a.temp");
	const struct thing *before = find(s, "a.temp");
	write_conf(s, BUSES, "{ id = \"b\"; bus = \"sim\"; points = ( { id = \"temp\"; type = \"real\"; jid = \"a.temp\"; } ); }");
	reload_now(s);
	cr_expect_eq(find(s, "a.temp"), before);
	cr_expect_str_eq(before->device->id, "b");
	cr_expect_null(find(s, "b.temp"));
	end(s);
}

Test(reload, a_jid_of_one_that_stays_as_it_runs_is_given_to_nobody)
{
	struct scene *s = begin(DEVICE("a") ", " DEVICE("b"));
	const struct thing *before = find(s, "a.temp");
	write_conf(s, BUSES, "{ id = \"a\"; bus = \"sim\"; points = ( { id = \"temp\"; type = \"none\"; } ); }, "
			     "{ id = \"b\"; bus = \"sim\"; points = ( { id = \"temp\"; type = \"real\"; jid = \"a.temp\"; } ); }");
	reload_now(s);
	cr_expect_eq(s->status, 0);
	cr_expect(strstr(s->report, "device 'b': its JID is that of device 'a', which stays as it runs: left out"), "%s",
		  s->report);
	cr_expect_eq(find(s, "a.temp"), before);
	cr_expect_str_eq(before->device->id, "a");
	cr_expect_not_null(find(s, "b.temp"), "it runs as it was");
	end(s);
}

Test(reload, what_is_asked_meanwhile_is_done_afterwards)
{
	struct scene *s = begin(DEVICE("a"));
	write_conf(s, BUSES, DEVICE("b"));
	for (int i = 0; i < 3; i++)
		reload_ask(&s->reload, done, s);
	UNTIL(s, s->n_done == 3);
	cr_expect_not_null(find(s, "b.temp"));
	reload_ask(&s->reload, done, s);
	loop_turn(s->loop);
	end(s);
}

/* --- what buses tell of --- */

#define FOUND(id) "{ id = \"" id "\"; points = ( " TEMP " ); }"

Test(reload, found_devices_join_stay_over_a_restart_and_go)
{
	struct scene *s = begin(DEVICE("a"));
	const char *const blocks[] = { FOUND("plug"), FOUND("a"), "{ id = \"bad\"; points = ( ); }", "@include \"/etc/passwd\"",
				       "{ id = \"x\"; bus = \"slow\"; points = ( " TEMP " ); }", "{ id = \"y\"; points = ( " TEMP " ); } ); buses = ( { id = \"z\"; protocol = \"sim\"; }", FOUND("lamp") };
	for (size_t i = 0; i < sizeof(blocks) / sizeof(*blocks); i++) {
		char key[16];
		snprintf(key, sizeof(key), "key%zu", i);
		reload_found(&s->reload, "sim", key, blocks[i]);
	}
	UNTIL(s, find(s, "lamp.temp"));
	cr_expect_not_null(find(s, "plug.temp"));
	cr_expect_null(house_find_device(s->conf.house, "a")->found, "one in the files counts more");
	cr_expect(is_said(s, "bus 'sim': found 'key1':1: device 'a': id: the device at"), "%s", s->said);
	cr_expect_eq(s->conf.house->n_devices, 3);
	wait_for(s, "from='plug.temp@things.test/thing' to='prov.test'");
	UNTIL(s, quality(s, "plug.temp") == QUALITY_GOOD);
	reload_found(&s->reload, "sim", "key0", FOUND("plug"));
	cr_expect(list_empty(&s->reload.found.fresh), "the same again costs nothing");
	stop(s);
	start(s);
	cr_expect_not_null(find(s, "plug.temp"));
	cr_expect_not_null(find(s, "lamp.temp"));
	write_conf(s, BUSES, DEVICE("b"));
	reload_now(s);
	cr_expect_not_null(find(s, "plug.temp"), "files do not take away what a bus has told of");
	cr_expect_null(find(s, "a.temp"));
	reload_found(&s->reload, "sim", "key0", NULL);
	UNTIL(s, !find(s, "plug.temp"));
	stop(s);
	start(s);
	cr_expect_null(find(s, "plug.temp"));
	cr_expect_not_null(find(s, "lamp.temp"));
	end(s);
}

Test(reload, a_found_device_that_changes_keeps_its_friends_and_a_bad_word_changes_nothing)
{
	struct scene *s = begin(DEVICE("a"));
	reload_found(&s->reload, "sim", "key", FOUND("plug"));
	UNTIL(s, find(s, "plug.temp"));
	befriend(s, "plug.temp");
	const struct thing *before = find(s, "plug.temp");
	reload_found(&s->reload, "sim", "key", "{ id = \"plug\"; name = \"Plug\"; points = ( " TEMP ", { id = \"b\"; type = \"bool\"; } ); }");
	UNTIL(s, find(s, "plug.b"));
	cr_expect_eq(find(s, "plug.temp"), before);
	reload_found(&s->reload, "sim", "key", "{ id = \"plug\"; points = ( { id = \"temp\"; type = \"none\"; } ); }");
	UNTIL(s, is_said(s, "point 'temp': type"));
	cr_expect_not_null(find(s, "plug.b"));
	end(s);
}

Test(reload, a_flood_of_found_devices_is_taken_in_portions_and_bounded)
{
	struct scene *s = begin(DEVICE("a"));
	size_t most = 0, before = s->conf.house->things.n;
	for (int i = 0; i < LIMIT_FOUND + 5; i++) {
		char key[32], block[256];
		snprintf(key, sizeof(key), "key%d", i);
		snprintf(block, sizeof(block), "{ id = \"d%d\"; points = ( " TEMP " ); }", i);
		reload_found(&s->reload, "sim", key, block);
	}
	cr_expect(is_said(s, "tells of more than"));
	while (s->conf.house->things.n < LIMIT_FOUND + 1) {
		loop_turn(s->loop);
		size_t now = s->conf.house->things.n;
		most = now - before > most ? now - before : most;
		before = now;
	}
	cr_expect_leq(most, 250, "%zu in one turn", most);
	UNTIL(s, !s->reload.work);
	cr_expect_eq(s->n_changes, 1);
	end(s);
}
