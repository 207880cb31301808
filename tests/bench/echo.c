/*
 * The limit: a component of a blocking socket and expat and nothing else, which answers each read with the bytes that
 * jidgate answers, one write per read of the socket. With --single it answers one iq only, for reference.
 *
 *	bench_echo PORT DOMAIN SECRET [--single]
 */
#include "tests/bench/stream.h"

#include <expat.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct request {
	char from[256], to[256], id[64], seqnr[64];
	bool read;
};

struct echo {
	struct stream stream;
	struct request now;
	int depth;
	bool single;
};

static void copy(char *to, size_t room, const char *from)
{
	size_t n = strlen(from);
	n = n < room ? n : room - 1;
	memcpy(to, from, n);
	to[n] = '\0';
}

static void note(struct request *r, const char *name, const char *value)
{
	if (strcmp(name, "from") == 0)
		copy(r->from, sizeof(r->from), value);
	else if (strcmp(name, "to") == 0)
		copy(r->to, sizeof(r->to), value);
	else if (strcmp(name, "id") == 0)
		copy(r->id, sizeof(r->id), value);
	else if (strcmp(name, "seqnr") == 0)
		copy(r->seqnr, sizeof(r->seqnr), value);
}

static void on_start(void *ctx, const char *name, const char **pairs)
{
	struct echo *e = ctx;
	e->depth++;
	if (e->depth == 2)
		e->now.read = false;
	if (e->depth == 3 && strcmp(name, "req") == 0)
		e->now.read = true;
	for (; e->depth <= 3 && *pairs; pairs += 2)
		note(&e->now, pairs[0], pairs[1]);
}

static void add_fields(struct stream *s, const struct request *r, const char *local)
{
	stream_join(s, "<fields xmlns='urn:xmpp:iot:sensordata' seqnr='", r->seqnr, "' done='true'><node nodeId='",
		    local,
		    "'><timestamp value='2026-01-01T00:00:00.000Z'><numeric name='v' momentary='true' "
		    "automaticReadout='true' value='21.5' unit='°C'/></timestamp></node></fields>",
		    NULL);
}

static void on_end(void *ctx, const char *name)
{
	struct echo *e = ctx;
	struct stream *s = &e->stream;
	struct request *r = &e->now;
	char local[256];
	(void)name;
	if (e->depth-- != 2 || !r->read)
		return;
	copy(local, sizeof(local), r->to);
	local[strcspn(local, "@")] = '\0';
	stream_join(s, "<iq type='result' from='", r->to, "' to='", r->from, "' id='", r->id, "'>", NULL);
	if (e->single) {
		add_fields(s, r, local);
		stream_join(s, "</iq>", NULL);
		return;
	}
	r->to[strcspn(r->to, "/")] = '\0';
	stream_join(s, "<accepted xmlns='urn:xmpp:iot:sensordata' seqnr='", r->seqnr,
		    "'/></iq><message type='headline' from='", r->to, "/gate' to='", r->from, "'>", NULL);
	add_fields(s, r, local);
	stream_join(s, "</message>", NULL);
}

int main(int argc, char **argv)
{
	struct echo e = { 0 };
	if (argc < 4)
		die("bench_echo PORT DOMAIN SECRET [--single]");
	e.single = argc > 4;
	stream_connect(&e.stream, (int)strtol(argv[1], NULL, 10), argv[2], argv[3]);
	printf("ready\n");
	fflush(stdout);
	XML_Parser parser = XML_ParserCreate("UTF-8");
#ifdef JIDGATE_EXPAT_DEFERRAL
	XML_SetReparseDeferralEnabled(parser, XML_FALSE);
#endif
	XML_SetUserData(parser, &e);
	XML_SetElementHandler(parser, on_start, on_end);
	XML_Parse(parser, "<s>", 3, 0);
	for (;; stream_receive(&e.stream, -1)) {
		if (XML_Parse(parser, e.stream.in, (int)e.stream.in_size, 0) != XML_STATUS_OK)
			die("XML: %s", XML_ErrorString(XML_GetErrorCode(parser)));
		stream_take(&e.stream, e.stream.in_size);
		if (e.stream.out_size)
			stream_flush(&e.stream);
	}
}
