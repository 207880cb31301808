#include "bridges/coapread.h"

#include "bridges/cbor.h"
#include "core/base/limits.h"
#include "core/base/mem.h"

#include <stdio.h>

/* Content-Formats that are understood; of a choice the first one that says most. */
static const struct format {
	int number;
	const char *word;
	enum leaves_kind kind;
	bool cbor;
} formats[] = {
	{ 112, "senml+cbor", LEAVES_SENML, true }, { 110, "senml+json", LEAVES_SENML, false },
	{ 50, "json", LEAVES_JSON, false },        { 60, "cbor", LEAVES_JSON, true },
	{ 0, "text", LEAVES_TEXT, false },
};
enum { N_FORMATS = sizeof(formats) / sizeof(formats[0]) };

static const struct format *format_of(int number)
{
	for (size_t i = 0; i < N_FORMATS; i++)
		if (formats[i].number == number)
			return &formats[i];
	return NULL;
}

static int accept_of(const struct linkformat_link *l)
{
	char word[8];
	for (size_t i = 0; i < N_FORMATS; i++) {
		snprintf(word, sizeof(word), "%d", formats[i].number);
		if (linkformat_has_word(l, "ct", word))
			return formats[i].number;
	}
	return COAPCALL_ANY;
}

char *coapread_word(const struct linkformat_link *l, const char *name)
{
	struct text t = { 0 };
	char room[LIMIT_NAME + 1];
	bool found = linkformat_value(l, name, &t) && t.size;
	char *value = found ? mem_text(text_quote(room, sizeof(room), t.data, t.size)) : NULL;
	text_free(&t);
	return value;
}

void coapread_describe(struct coapfound_resource *r, const struct linkformat_link *l)
{
	r->title = coapread_word(l, "title");
	r->rt = coapread_word(l, "rt");
	r->observable = linkformat_has(l, "obs");
	r->accept = accept_of(l);
}

static enum leaves_kind guess_kind(const struct coapcall_answer *a)
{
	size_t at = 0;
	while (at < a->size && strchr(" \t\r\n", a->bytes[at]) && a->bytes[at])
		at++;
	return at < a->size && (a->bytes[at] == '{' || a->bytes[at] == '[') ? LEAVES_JSON : LEAVES_TEXT;
}

static int take_value(struct coapfound_resource *r, const struct coapcall_answer *a, struct err *e)
{
	const struct format *format = format_of(a->format);
	struct text json = { 0 };
	if (!format && a->format != COAPCALL_ANY)
		return err_set(e, "has content format %d, which only its maker understands", a->format);
	if (!format || !format->cbor)
		return leaves_take(a->bytes, a->size, format ? format->kind : guess_kind(a), &r->leaves, e);
	int status = cbor_to_json(a->bytes, a->size, &json, e);
	if (status == 0)
		status = leaves_take(json.data, json.size, format->kind, &r->leaves, e);
	text_free(&json);
	return status;
}

/* Some devices know nothing of the option that says what is wanted. */
static bool is_refused_for_its_format(const struct coapfound_resource *r, const struct coapcall_answer *a)
{
	return r->accept != COAPCALL_ANY && (a->code == 400 || a->code == 402 || a->code == 406);
}

enum coapread_result coapread_take(struct coapfound_resource *r, const struct coapcall_answer *a)
{
	struct err e;
	if (is_refused_for_its_format(r, a)) {
		r->accept = COAPCALL_ANY;
		return COAPREAD_AGAIN;
	}
	if (a->why)
		coapfound_fail(&r->why, "%s", a->why->text);
	else if (a->format == COAPREAD_LINKS)
		coapfound_fail(&r->why, "is a list of links");
	else if (take_value(r, a, &e) < 0)
		coapfound_fail(&r->why, "%s", e.text);
	else
		mem_free(r->why), r->why = NULL;
	if (!r->why && r->accept != COAPCALL_ANY && r->accept == a->format)
		r->format = format_of(a->format)->word;
	return !a->why && a->format == COAPREAD_LINKS ? COAPREAD_LIST : COAPREAD_DONE;
}
