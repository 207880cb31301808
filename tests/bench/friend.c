#include "tests/bench/friend.h"

#include <stdio.h>
#include <string.h>

enum { QUIET_MS = 30000 };

static const struct {
	const char *fragment;
	const char *payload;
} answers[] = {
	{ "<is-friend-query ", "<is-friend-result xmlns='urn:xmpp:siot:1' friend='yes'/>" },
	{ "<register ", "" },
	{ "<", "" }, /* whatever else is asked */
};

static void answer(struct friend *f, const struct stanza *st)
{
	size_t from_size, id_size, i = 0;
	const char *from = stanza_get(st, " from=", &from_size), *id = stanza_get(st, " id=", &id_size);
	while (!stanza_find(st, answers[i].fragment))
		i++;
	f->n_registered += i == 1;
	stream_add(f->stream, "<iq type='result' from='%s' to='%.*s' id='%.*s'>%s</iq>", f->own, (int)from_size, from,
		   (int)id_size, id, answers[i].payload);
}

bool friend_serve(struct friend *f, const struct stanza *st)
{
	size_t size;
	const char *type = stanza_get(st, " type=", &size);
	if (stanza_is(st, "<iq ") && size == 3) { /* get or set */
		answer(f, st);
		return true;
	}
	if (!stanza_is(st, "<presence "))
		return false;
	f->n_subscribed += size == strlen("subscribed") && strncmp(type, "subscribed", size) == 0;
	return true;
}

void friend_befriend(struct friend *f)
{
	for (size_t i = 0; i < f->n_things; i++)
		stream_add(f->stream, "<presence type='subscribe' from='r@%s' to='t%zu.v@%s'/>", f->own, i, f->domain);
	stream_flush(f->stream);
	while (f->n_subscribed < f->n_things) {
		size_t at = 0;
		struct stanza st;
		if (!stream_receive(f->stream, QUIET_MS))
			die("%zu of %zu things have said yes, then nothing came", f->n_subscribed, f->n_things);
		while (stream_next(f->stream, &at, &st))
			friend_serve(f, &st);
		stream_take(f->stream, at);
		stream_flush(f->stream);
	}
}
