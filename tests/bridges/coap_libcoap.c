#include "tests/lib/rig.h"
#include "tests/peers/libcoap_server.h"

#include <criterion/criterion.h>
#include <string.h>

extern const struct bridge_driver driver_coap;

static struct rig *rig_at(const struct libcoap_server *s, struct device **ret)
{
	char uri[64];
	struct rig *rig = rig_new(&driver_coap, "ack_timeout=1s; timeout=20s");
	bool bracket = strchr(s->address, ':');
	snprintf(uri, sizeof(uri), "uri=coap://%s%s%s:%d", bracket ? "[" : "", s->address, bracket ? "]" : "", s->port);
	*ret = rig_device(rig, "dev", uri);
	return rig;
}

static struct rig *begin(struct libcoap_server *s, const char *loss, struct device **ret)
{
	libcoap_server_begin(s, "127.0.0.1", (const char *const[]){ "-l", loss, NULL });
	return rig_at(s, ret);
}

static struct point *point(struct rig *rig, struct device *d, enum type type, const char *options)
{
	struct point *p = rig_point(rig, d, "p", type, options);
	p->access = strstr(options, "example") ? ACCESS_BOTH : ACCESS_READ;
	p->poll_ms = 0;
	p->write_deadline_ms = 30000;
	return p;
}

Test(coap_libcoap, writes_and_reads_back)
{
	struct libcoap_server s;
	struct device *d;
	struct rig *rig = begin(&s, "0%", &d);
	struct point *p = point(rig, d, TYPE_REAL, "path=/example_data");
	char shown[DECIMAL_ROOM];
	p->confirm = CONFIRM_READBACK;
	rig_start(rig);
	cr_assert_eq(rig_write(rig, p, "21.50"), REQUEST_DONE);
	cr_assert_eq(rig_read(rig, p, shown), REQUEST_DONE);
	cr_assert_str_eq(shown, "21.50");
	libcoap_server_kill(&s);
	rig_free(rig);
}

Test(coap_libcoap, speaks_ipv6)
{
	if (!libcoap_server_has_ipv6())
		cr_skip_test("there is no IPv6 here");
	struct libcoap_server s;
	struct device *d;
	libcoap_server_begin(&s, "::1", NULL);
	struct rig *rig = rig_at(&s, &d);
	struct point *p = point(rig, d, TYPE_REAL, "path=/example_data");
	p->confirm = CONFIRM_READBACK;
	rig_start(rig);
	cr_assert_eq(rig_write(rig, p, "21.50"), REQUEST_DONE);
	libcoap_server_kill(&s);
	rig_free(rig);
}

Test(coap_libcoap, waits_for_a_separate_answer)
{
	struct libcoap_server s;
	struct device *d;
	struct rig *rig = begin(&s, "0%", &d);
	struct point *p = point(rig, d, TYPE_TEXT, "path=/async?2");
	rig_start(rig);
	cr_assert_eq(rig_read(rig, p, NULL), REQUEST_DONE);
	cr_assert_str_eq(p->last.value.text, "done");
	libcoap_server_kill(&s);
	rig_free(rig);
}

static bool ticks(struct rig *rig, struct point *p, int n)
{
	char last[32] = "";
	for (int i = 0; i < n; i++) {
		RIG_UNTIL(rig, p->last.quality == QUALITY_GOOD && strcmp(p->last.value.text, last) != 0);
		snprintf(last, sizeof(last), "%s", p->last.value.text);
	}
	return true;
}

Test(coap_libcoap, observes_on_a_lossy_line)
{
	struct libcoap_server s;
	struct device *d;
	struct rig *rig = begin(&s, "20%", &d);
	struct point *p = point(rig, d, TYPE_TEXT, "path=/time; observe=true");
	rig_start(rig);
	cr_assert(ticks(rig, p, 4));
	libcoap_server_kill(&s);
	rig_free(rig);
}

Test(coap_libcoap, reads_and_writes_bodies_in_blocks)
{
	struct libcoap_server s;
	struct device *d;
	struct rig *rig = begin(&s, "0%", &d);
	struct point *p = point(rig, d, TYPE_TEXT, "path=/example_data"); /* 1500 bytes, before it is written */
	rig_start(rig);
	char text[3001];
	cr_assert_eq(rig_read(rig, p, NULL), REQUEST_DONE);
	cr_assert_eq(strlen(p->last.value.text), 1500);
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	p->confirm = CONFIRM_READBACK;
	cr_assert_eq(rig_write(rig, p, text), REQUEST_DONE);
	cr_assert_str_eq(p->last.value.text, text);
	libcoap_server_kill(&s);
	rig_free(rig);
}

/* A write may be lost altogether. */
static void write_until_done(struct rig *rig, struct point *p, const char *text)
{
	struct rig_ask a = { 0 };
	do {
		rig_ask_free(&a);
		a = (struct rig_ask){ 0 };
		rig_ask_write(rig, &a, p, text, 20000);
		RIG_UNTIL(rig, a.n_done);
	} while (a.status != REQUEST_DONE);
	rig_ask_free(&a);
}

/* Written by another bus: an observation that began with half a body would wait for its blocks. */
static void write_first(const struct libcoap_server *s, const char *text)
{
	struct device *d;
	struct rig *rig = rig_at(s, &d);
	struct point *p = point(rig, d, TYPE_TEXT, "path=/example_data");
	rig_start(rig);
	write_until_done(rig, p, text);
	rig_free(rig);
}

Test(coap_libcoap, confirms_by_state_and_finds_the_server_again_after_a_kill)
{
	struct libcoap_server s;
	struct device *d;
	struct rig *rig = begin(&s, "0%", &d);
	struct point *p = point(rig, d, TYPE_TEXT, "path=/example_data; observe=true");
	p->confirm = CONFIRM_STATE;
	write_first(&s, "zero");
	rig_start(rig);
	RIG_UNTIL(rig, p->last.quality == QUALITY_GOOD);
	cr_assert_eq(rig_write(rig, p, "one"), REQUEST_DONE);
	cr_assert_str_eq(p->last.value.text, "one");
	libcoap_server_kill(&s);
	libcoap_server_restart(&s);
	write_first(&s, "two");
	cr_assert_str_eq(p->last.value.text, "one", "nobody was told");
	loop_skip(rig->loop, 75100);
	RIG_UNTIL(rig, strcmp(p->last.value.text, "two") == 0);
	cr_assert_eq(rig_write(rig, p, "three"), REQUEST_DONE);
	cr_assert_str_eq(p->last.value.text, "three");
	libcoap_server_kill(&s);
	rig_free(rig);
}

Test(coap_libcoap, says_what_is_not_there)
{
	struct libcoap_server s;
	struct device *d;
	struct rig *rig = begin(&s, "0%", &d);
	struct point *p = point(rig, d, TYPE_TEXT, "path=/no/such");
	rig_start(rig);
	cr_assert_eq(rig_read(rig, p, NULL), REQUEST_REFUSED);
	cr_assert_eq(p->last.trouble, TROUBLE_REFUSED);
	libcoap_server_kill(&s);
	rig_free(rig);
}

/* All letters of a text are the same, and each text has another one: who sees two letters sees a mixture. */
static void one_letter(struct rig *rig, struct point *p, enum news news)
{
	(void)rig, (void)news;
	if (p->last.quality != QUALITY_GOOD)
		return;
	const char *text = p->last.value.text;
	cr_assert_eq(strspn(text, (const char[]){ text[0], '\0' }), strlen(text), "a mixture");
}

int coap_debug_set_packet_loss(const char *loss_level); /* of what our side sends: it is the same library */

/* libcoap sends the first block of a notification, and we ask for the others; both sides lose a tenth. -L 3: the server takes
 * a body as a whole; by itself it shows each block that is written, with the old ones behind it. */
Test(coap_libcoap, observes_large_bodies_when_both_sides_lose_a_tenth, .timeout = 120)
{
	struct libcoap_server s;
	struct device *d;
	libcoap_server_begin(&s, "127.0.0.1", (const char *const[]){ "-l", "10%", "-L", "3", NULL });
	struct rig *rig = rig_at(&s, &d);
	struct point *p = point(rig, d, TYPE_TEXT, "path=/example_data; observe=true");
	struct point *w = point(rig, d, TYPE_TEXT, "path=/example_data");
	char text[3001];
	rig->on_sample = one_letter;
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	write_first(&s, text);
	coap_debug_set_packet_loss("10%");
	rig_start(rig);
	for (int i = 1; i < 5; i++) {
		memset(text, 'a' + i, sizeof(text) - 1);
		write_until_done(rig, w, text);
		if (p->last.quality != QUALITY_GOOD || strcmp(p->last.value.text, text) != 0)
			loop_skip(rig->loop, 75100); /* if the notification was lost, the renewal shows it */
		RIG_UNTIL(rig, p->last.quality == QUALITY_GOOD && strcmp(p->last.value.text, text) == 0);
	}
	coap_debug_set_packet_loss("0%");
	libcoap_server_kill(&s);
	rig_free(rig);
}
