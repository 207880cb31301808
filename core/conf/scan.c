#include "core/conf/scan.h"

#include "core/conf/grammar.h"

enum { MOST_INCLUDES = 10 /* libconfig's own bound */ };

struct scan {
	struct grammar grammar;
	bool (*open)(void *ctx, const char *name, const char *from, int line, struct scan_file *ret);
	void *ctx;
	bool wrong;
};

static void give_up(struct scan *s)
{
	s->grammar.lost = s->grammar.broken = true;
}

static void look_at_flaw(struct scan *s, const struct token *t)
{
	char said[48];
	text_quote(said, sizeof(said), t->at, t->size);
	if (t->flaw == FLAW_OPEN) {
		fault_error(s->grammar.c, s->grammar.file, t->line, "the %s that begins with %s is not closed%s",
			    t->kind == TOKEN_ODD ? "comment" : "text", said,
			    t->kind == TOKEN_ODD ? "" : " on its line (a line break in a text is written \\n)");
		give_up(s);
		return;
	}
	if (t->flaw == FLAW_NEEDS_L)
		fault_error(s->grammar.c, s->grammar.file, t->line, "%s needs more than 31 bits: write %sL", said,
			    said);
	else if (t->flaw == FLAW_TOO_LARGE)
		fault_error(s->grammar.c, s->grammar.file, t->line, "%s needs more than 63 bits: write \"%s\"", said,
			    said);
	s->wrong = true;
}

static void scan_source(struct scan *s, const struct scan_file *file, int level);

static void take_include(struct scan *s, const struct token *t, int level)
{
	char name[256];
	struct scan_file file;
	const char *from = s->grammar.file;
	text_quote(name, sizeof(name), t->at, t->size);
	if (level == MOST_INCLUDES) {
		fault_error(s->grammar.c, s->grammar.file, t->line, "@include more than %d levels deep", MOST_INCLUDES);
		give_up(s);
	} else if (!s->open(s->ctx, name, from, t->line, &file)) {
		give_up(s);
	} else {
		scan_source(s, &file, level + 1);
		s->grammar.file = from;
	}
}

static void scan_source(struct scan *s, const struct scan_file *file, int level)
{
	struct token_source source = {
		.start = file->text, .at = file->text, .end = file->text + file->size, .line = 1
	};
	struct token t;
	s->grammar.file = file->name;
	do {
		t = token_next(&source);
		if (t.flaw != FLAW_NONE)
			look_at_flaw(s, &t);
		grammar_take(&s->grammar, &t);
		if (t.kind == TOKEN_INCLUDE && t.flaw == FLAW_NONE)
			take_include(s, &t, level);
	} while (t.kind != TOKEN_END);
	if (source.cut && level > 0) {
		fault_error(s->grammar.c, file->name, source.line, "the last line is a comment and needs a line break");
		give_up(s);
	}
}

enum scan_result scan_file(struct conf *c, const struct scan_file *file,
			   bool (*open)(void *ctx, const char *name, const char *from, int line, struct scan_file *ret),
			   void *ctx)
{
	struct scan s = { .grammar.c = c, .grammar.frames[0].file = file->name, .open = open, .ctx = ctx };
	scan_source(&s, file, 0);
	grammar_end(&s.grammar);
	if (s.grammar.broken)
		return SCAN_BROKEN;
	return s.wrong ? SCAN_WRONG : SCAN_CLEAN;
}
