#include "core/conf/grammar.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static struct grammar_frame *top(struct grammar *g)
{
	return &g->frames[g->depth];
}

static bool in_list(const struct grammar_frame *f)
{
	return f->open == '(' || f->open == '[';
}

static void broken(struct grammar *g)
{
	g->broken = true;
}

static void lost(struct grammar *g)
{
	broken(g);
	g->lost = true;
}

/* "on line 12", or "at other.conf:12" when it was opened in another file. */
static const char *where(const struct grammar *g, const struct grammar_frame *f, char ret[160])
{
	if (strcmp(f->file, g->file) == 0)
		snprintf(ret, 160, "on line %d", f->line);
	else
		snprintf(ret, 160, "at %.120s:%d", f->file, f->line);
	return ret;
}

static void quote(const struct token *t, char ret[48])
{
	text_quote(ret, 48, t->at, t->size);
}

static void value_is_missing(struct grammar *g, int line)
{
	fault_error(g->c, g->file, line, "the value of '%s' is missing", top(g)->name);
	broken(g);
}

static void assign_is_missing(struct grammar *g, int line)
{
	fault_error(g->c, g->file, line, "'=' is missing after '%s'", top(g)->name);
	lost(g);
}

static void take_value_in_list(struct grammar *g, const struct token *t)
{
	struct grammar_frame *f = top(g);
	char opened[160], said[48];
	quote(t, said);
	if (f->state == DONE && !(f->string && t->kind == TOKEN_STRING)) {
		fault_error(g->c, g->file, t->line, "',' is missing before %s%s in the list opened %s", said,
			    t->kind == TOKEN_STRING ? "\"" : "", where(g, f, opened));
		broken(g);
	}
	f->state = DONE;
	f->string = t->kind == TOKEN_STRING;
}

static void take_value(struct grammar *g, const struct token *t)
{
	struct grammar_frame *f = top(g);
	char said[48];
	quote(t, said);
	if (in_list(f)) {
		take_value_in_list(g, t);
	} else if (f->state == WANT_ASSIGN) {
		assign_is_missing(g, t->line);
	} else if (f->state == WANT_NAME || (f->state == DONE && !(f->string && t->kind == TOKEN_STRING))) {
		fault_error(g->c, g->file, t->line, "%s%s stands here without a name", said,
			    t->kind == TOKEN_STRING ? "\"" : "");
		lost(g);
	} else {
		f->state = DONE;
		f->string = t->kind == TOKEN_STRING;
	}
}

static bool is_bool(const struct token *t)
{
	return (t->size == 4 && strncasecmp(t->at, "true", 4) == 0) ||
	       (t->size == 5 && strncasecmp(t->at, "false", 5) == 0);
}

static const char *const meant_bools[][2] = {
	{ "yes", "true" },
	{ "on", "true" },
	{ "no", "false" },
	{ "off", "false" },
};

static const char *meant_bool(const char *word)
{
	for (size_t i = 0; i < sizeof(meant_bools) / sizeof(*meant_bools); i++)
		if (strcasecmp(meant_bools[i][0], word) == 0)
			return meant_bools[i][1];
	return NULL;
}

static void take_bare_value(struct grammar *g, const struct token *t)
{
	char said[48];
	quote(t, said);
	const char *meant = meant_bool(said);
	if (meant)
		fault_error(g->c, g->file, t->line, "write %s, or \"%s\" if it is a text", meant, said);
	else
		fault_error(g->c, g->file, t->line, "text must be in quotes: \"%s\"", said);
	broken(g);
	top(g)->state = DONE;
	top(g)->string = false;
}

static void take_word(struct grammar *g, const struct token *t)
{
	struct grammar_frame *f = top(g);
	bool value = f->state == WANT_VALUE || in_list(f);
	if (value && is_bool(t))
		take_value(g, t);
	else if (value)
		take_bare_value(g, t);
	else if (f->state == WANT_ASSIGN)
		assign_is_missing(g, t->line);
	else if (is_bool(t)) {
		fault_error(g->c, g->file, t->line, "true and false cannot be names");
		lost(g);
	} else {
		quote(t, f->name);
		f->state = WANT_ASSIGN;
	}
}

static void take_assign(struct grammar *g, const struct token *t)
{
	struct grammar_frame *f = top(g);
	char opened[160];
	if (f->state == WANT_ASSIGN) {
		f->state = WANT_VALUE;
		return;
	}
	if (in_list(f))
		fault_error(g->c, g->file, t->line,
			    "'=' inside the list opened %s: its members are { ... }, or a ')' is missing",
			    where(g, f, opened));
	else
		fault_error(g->c, g->file, t->line, "'=' without a name before it");
	lost(g);
}

static void take_comma(struct grammar *g, const struct token *t)
{
	struct grammar_frame *f = top(g);
	f->comma_line = t->line;
	if (f->state == WANT_VALUE)
		value_is_missing(g, t->line);
	else if (f->state == WANT_ASSIGN)
		assign_is_missing(g, t->line);
	else if (f->state != DONE) {
		fault_error(g->c, g->file, t->line, "remove this comma: there is nothing before it");
		broken(g);
	}
	f->state = in_list(f) ? WANT_ELEMENT : WANT_NAME;
}

static void take_semicolon(struct grammar *g, const struct token *t)
{
	struct grammar_frame *f = top(g);
	char opened[160];
	if (in_list(f)) {
		fault_error(g->c, g->file, t->line,
			    "';' inside the list opened %s: a ',' between its members, or a '%c' before the ';'",
			    where(g, f, opened), f->open == '(' ? ')' : ']');
		lost(g);
	} else if (f->state == WANT_VALUE) {
		value_is_missing(g, t->line);
	} else if (f->state == WANT_ASSIGN) {
		assign_is_missing(g, t->line);
	} else if (f->state == WANT_NAME) {
		fault_error(g->c, g->file, t->line, "remove this ';': there is nothing before it");
		broken(g);
	}
	f->state = WANT_NAME;
}

static void take_open(struct grammar *g, const struct token *t)
{
	char opened[160];
	if (top(g)->open == '[') {
		fault_error(g->c, g->file, t->line, "[ ] opened %s holds plain values only; write ( ) for a list",
			    where(g, top(g), opened));
		lost(g);
		return;
	}
	if (top(g)->state == WANT_NAME && *t->at == '{') {
		fault_error(g->c, g->file, t->line,
			    "this { } has no name; members of a list are written: name = ( { ... }, { ... } );");
		lost(g);
		return;
	}
	take_value(g, t);
	if (g->lost)
		return;
	if (g->depth + 1 == GRAMMAR_DEPTH) {
		fault_error(g->c, g->file, t->line, "more than %d levels deep", GRAMMAR_DEPTH - 1);
		lost(g);
		return;
	}
	g->depth++;
	*top(g) = (struct grammar_frame){
		.open = *t->at, .state = *t->at == '{' ? WANT_NAME : WANT_FIRST, .file = g->file, .line = t->line
	};
}

static bool closes(const struct grammar_frame *f, char closing)
{
	return (f->open == '{' && closing == '}') || (f->open == '(' && closing == ')') ||
	       (f->open == '[' && closing == ']');
}

static void take_close(struct grammar *g, const struct token *t)
{
	struct grammar_frame *f = top(g);
	char opened[160];
	if (!closes(f, *t->at)) {
		if (f->open)
			fault_error(g->c, g->file, t->line, "'%c' here, but the '%c' opened %s is still open", *t->at,
				    f->open, where(g, f, opened));
		else
			fault_error(g->c, g->file, t->line, "'%c' closes nothing", *t->at);
		lost(g);
		return;
	}
	if (f->state == WANT_ELEMENT) {
		fault_error(g->c, g->file, f->comma_line, "remove the comma before the '%c' on line %d", *t->at,
			    t->line);
		broken(g);
	} else if (f->state == WANT_VALUE) {
		value_is_missing(g, t->line);
	} else if (f->state == WANT_ASSIGN) {
		assign_is_missing(g, t->line);
	}
	if (g->depth > 0)
		g->depth--;
}

static void take_odd(struct grammar *g, const struct token *t)
{
	char said[48];
	quote(t, said);
	struct grammar_frame *f = top(g);
	if (f->state == WANT_VALUE || in_list(f)) {
		fault_error(g->c, g->file, t->line, "'%s' is no number; text must be in quotes: \"%s\"", said, said);
		broken(g);
		f->state = DONE;
		f->string = false;
		return;
	}
	fault_error(g->c, g->file, t->line, "'%s' cannot stand here", said);
	lost(g);
}

static void take_include(struct grammar *g, const struct token *t)
{
	(void)g;
	(void)t; /* its tokens come next */
}

static void take_end(struct grammar *g, const struct token *t)
{
	if (top(g)->state == WANT_VALUE)
		value_is_missing(g, t->line);
	else if (top(g)->state == WANT_ASSIGN)
		assign_is_missing(g, t->line);
}

static void (*const takes[TOKEN_KINDS])(struct grammar *g, const struct token *t) = {
	[TOKEN_END] = take_end,
	[TOKEN_WORD] = take_word,
	[TOKEN_NUMBER] = take_value,
	[TOKEN_STRING] = take_value,
	[TOKEN_ASSIGN] = take_assign,
	[TOKEN_COMMA] = take_comma,
	[TOKEN_SEMICOLON] = take_semicolon,
	[TOKEN_OPEN] = take_open,
	[TOKEN_CLOSE] = take_close,
	[TOKEN_INCLUDE] = take_include,
	[TOKEN_ODD] = take_odd,
};

void grammar_take(struct grammar *g, const struct token *t)
{
	if (!g->lost)
		takes[t->kind](g, t);
}

void grammar_end(struct grammar *g)
{
	if (g->lost)
		return;
	for (int i = g->depth; i > 0; i--)
		fault_error(g->c, g->frames[i].file, g->frames[i].line, "the '%c' opened here is never closed",
			    g->frames[i].open);
	if (g->depth > 0)
		broken(g);
}
