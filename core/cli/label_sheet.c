#include "core/cli/label_sheet.h"

#include "core/cli/qr.h"

/* All in tenths of a millimetre, so that there are no fractions. */
enum { COLUMNS = 3, WIDTH = 700, HEIGHT = 370, CODE = 290, EDGE = 40, BESIDE = EDGE + CODE + 20, LINE = 40 };

static void put_text(FILE *out, const char *text)
{
	static const struct {
		char character;
		const char *instead;
	} marks[] = { { '&', "&amp;" }, { '<', "&lt;" }, { '>', "&gt;" }, { '"', "&quot;" }, { '\'', "&#39;" } };
	for (; *text; text++) {
		const char *instead = NULL;
		for (size_t i = 0; i < sizeof(marks) / sizeof(*marks); i++)
			if (marks[i].character == *text)
				instead = marks[i].instead;
		if (instead)
			fputs(instead, out);
		else
			fputc(*text, out);
	}
}

/* A long one is set narrower instead of leaving the label. */
static void put_line(FILE *out, int x, int y, int size, const char *family, const char *text)
{
	int room = WIDTH - EDGE - x, wide = (int)strlen(text) * size * 6 / 10;
	fprintf(out, "<text x=\"%d\" y=\"%d\" font-size=\"%d\" font-family=\"%s\"", x, y, size, family);
	if (wide > room)
		fprintf(out, " textLength=\"%d\" lengthAdjust=\"spacingAndGlyphs\"", room);
	fputc('>', out);
	put_text(out, text);
	fputs("</text>\n", out);
}

static void put_code(FILE *out, const struct label *l)
{
	struct text claim = { 0 }, path = { 0 };
	labels_claim(l, &claim);
	int side = claim.size ? qr_path(claim.data, &path) : -1;
	if (side > 0)
		fprintf(out,
			"<svg x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" "
			"shape-rendering=\"crispEdges\"><path d=\"%s\"/></svg>\n",
			EDGE / 2, EDGE, CODE, CODE, side, side, path.data);
	text_free(&claim);
	text_free(&path);
}

/* A key is read off by people, too: its six groups in two lines. */
static void put_key(FILE *out, const char *key, int y)
{
	enum { HALF = 15 }; /* three groups, each with its hyphen */
	char first[HALF + 1] = "";
	size_t size = strlen(key) > HALF ? HALF : strlen(key);
	memcpy(first, key, size);
	put_line(out, BESIDE, y, 34, "monospace", first);
	put_line(out, BESIDE, y + LINE, 34, "monospace", key + size);
}

static void put_label(FILE *out, const struct label *l)
{
	int y = EDGE + 50;
	put_code(out, l);
	put_line(out, BESIDE, y, 38, "sans-serif", l->name);
	put_line(out, BESIDE, y += 50, 26, "sans-serif", *l->jid ? l->jid : "all things of this device");
	if (*l->key)
		put_key(out, l->key, y += 60);
	else
		put_line(out, BESIDE, y += 60, 30, "sans-serif", "(claimed)");
	if (*l->key && *l->service) {
		put_line(out, BESIDE, y += LINE + 50, 22, "sans-serif", "to own it, send claim and the key to");
		put_line(out, BESIDE, y += 30, 22, "sans-serif", l->service);
	}
}

static int rows_of(const struct labels *labels)
{
	return ((int)labels->n + COLUMNS - 1) / COLUMNS;
}

void label_sheet_svg(FILE *out, const struct labels *labels)
{
	int rows = rows_of(labels);
	fprintf(out,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%dmm\" height=\"%dmm\" viewBox=\"0 0 %d %d\">\n"
		"<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n",
		COLUMNS * WIDTH / 10, rows * HEIGHT / 10, COLUMNS * WIDTH, rows * HEIGHT);
	for (int i = 0; i < (int)labels->n; i++) {
		fprintf(out, "<g transform=\"translate(%d %d)\">\n", i % COLUMNS * WIDTH, i / COLUMNS * HEIGHT);
		put_label(out, &labels->list[i]);
		fputs("</g>\n", out);
	}
	fputs("</svg>\n", out);
}

void label_sheet_html(FILE *out, const struct labels *labels, const char *title)
{
	fputs("<!DOCTYPE html>\n<html><head><meta charset=\"utf-8\"><title>", out);
	put_text(out, title);
	fprintf(out,
		"</title>\n<style>\n@page { size: A4; margin: 0; }\nbody { margin: 0; }\n"
		"svg.label { display: inline-block; vertical-align: top; width: %dmm; height: %dmm; break-inside: "
		"avoid; }\n"
		"</style></head><body style=\"font-size: 0\">",
		WIDTH / 10, HEIGHT / 10);
	for (size_t i = 0; i < labels->n; i++) {
		fprintf(out, "<svg class=\"label\" xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\">\n",
			WIDTH, HEIGHT);
		put_label(out, &labels->list[i]);
		fputs("</svg>", out);
	}
	fputs("</body></html>\n", out);
}
