#include "core/base/mem.h"
#include "core/xmpp/parser.h"
#include "tests/fuzz/fuzz.h"
#include "tests/lib/stage.h"

#include <stdlib.h>
#include <string.h>

/*
 * Stanzas of a stranger, as XML: whatever he sends, no value of a thing leaves the house for him, and what leaves is what a
 * server lets through (fake_link.h). What comes without an address has that of the stranger, as a server would have it.
 */

#define SECRET "4711.25"

enum { LIVES = 500 }; /* inputs that one gateway gets: what it remembers of them is bounded, what the link keeps is not */

static struct stage *stage;
static int lives;

static void end(void)
{
	if (stage)
		stage_free(stage);
	stage = NULL;
}

static void begin(void)
{
	if (stage && lives-- > 0)
		return;
	if (!stage)
		atexit(end);
	if (stage)
		stage_free(stage);
	stage = stage_new(false);
	lives = LIVES;
	fake_link_up(stage->link, NULL);
	stage_befriend(stage, "boiler.temp", FRIEND);
	stage_sample(stage, "boiler.temp", SECRET);
	stage_settle(stage);
	fake_link_forget(stage->link);
}

static void on_stanza(void *ctx, struct element *stanza)
{
	(void)ctx;
	struct attribute *from = stanza->attributes;
	while (from && (from->xmlns || strcmp(from->name, "from") != 0))
		from = from->next;
	if (from) {
		from->value = STRANGER "/fuzz";
		stage->link->link.events->on_stanza(stage->link->link.ctx, stanza);
	}
}

static void on_other(void *ctx, const struct element *header)
{
	(void)ctx, (void)header;
}

static void on_over(void *ctx, struct element *start)
{
	(void)ctx, (void)start;
}

static void on_footer(void *ctx)
{
	(void)ctx;
}

static void look_at_what_left(void)
{
	const char *text;
	while (fake_link_take(stage->link, &text))
		must(!strstr(text, SECRET) || strstr(text, "to='" FRIEND));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static const char head[] = "<stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams'>";
	static const struct parser_events events = { on_other, on_stanza, on_over, on_footer };
	struct err e;
	if (memmem(bytes, size, SECRET, strlen(SECRET))) /* what he says himself may come back to him */
		return 0;
	begin();
	struct parser *p = parser_new(&events, NULL);
	if (parser_feed(p, head, strlen(head), &e) == 0)
		parser_feed(p, (const char *)bytes, size, &e);
	parser_free(p);
	while (stage->n_asked)
		stage_answer(stage, REQUEST_DONE, SECRET);
	stage_settle(stage);
	look_at_what_left();
	return 0;
}
