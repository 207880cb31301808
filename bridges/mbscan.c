#include "bridges/mbscan.h"

#include "core/bridge/bridge.h"

#include <string.h>

/*
 * Happy path: the first few units, which most devices are, are asked at every setting before the others are; once somebody has
 * answered the rest is asked at his setting only, for a line has one.
 */

enum {
	FIRST = 10,
	LOST_MOST = 3, /* a device may close the connection on a unit that it does not know, but not for ever */
	NO_PATH = 10,  /* a gateway speaks for a device that is not there */
	NO_ANSWER = 11,
	IDENTITY_HEAD =
		6, /* of the answer of function 43 from its type on: more follows in [3], next in [4], objects in [5] */
	OBJECTS_MOST = 3, /* maker, product, revision */
};

enum ended { HERE, NOBODY, LOST, STOPPED };

/* Fills o. */
static enum ended ask(struct mbscan *s, const struct mbframe_question *q, struct mbtalk_outcome *o)
{
	for (int tries = 0; tries < 2; tries++) { /* once more where something came that was no answer */
		mbtalk_ask(s->talk, q, INT64_MAX, o);
		if (o->status != REQUEST_GARBLED)
			break;
		s->n_garbled++;
		s->garbled = o->why;
	}
	if (o->status == REQUEST_CANCELLED)
		return STOPPED;
	if (o->status == REQUEST_AWAY)
		return LOST;
	bool gateway = o->answer.exception == NO_PATH || o->answer.exception == NO_ANSWER;
	return o->status == REQUEST_DONE && !gateway ? HERE : NOBODY;
}

static enum ended look(struct mbscan *s, uint8_t unit, struct mbtalk_outcome *o)
{
	const struct mbframe_question q = { .unit = unit, .function = MBFRAME_READ_HOLDING, .count = 1 };
	if (s->step)
		s->step(s, unit);
	s->done++;
	return ask(s, &q, o);
}

static void keep(struct mbscan *s, uint8_t unit, const struct mbtalk_outcome *o)
{
	s->found[s->n_found++] = (struct mbscan_found){ .unit = unit, .exception = o->answer.exception };
}

static int stopped(struct mbscan *s)
{
	s->stopped = true;
	return 0;
}

/* -1 only when the line is lost for good. */
static int look_for(struct mbscan *s, size_t from, size_t to, struct err *e)
{
	int lost = 0;
	for (size_t i = from; i < to && !s->stopped; i++) {
		struct mbtalk_outcome o;
		enum ended ended = look(s, s->units[i], &o);
		lost = ended == LOST ? lost + 1 : 0;
		if (ended == STOPPED)
			return stopped(s);
		if (ended == HERE)
			keep(s, s->units[i], &o);
		if (ended == LOST && (s->serial || lost == LOST_MOST)) {
			*e = o.why;
			return -1;
		}
	}
	return 0;
}

static int use(struct mbscan *s, const struct mbscan_setting *setting, struct err *e)
{
	if (s->serial) {
		s->serial->baud = setting->baud;
		s->serial->mode = setting->mode;
	}
	return mbtalk_reopen(s->talk, e);
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Units from .. to - 1 at all settings, or at the one where somebody is. */
static int pass(struct mbscan *s, size_t from, size_t to, struct err *e)
{
	bool known = s->n_found > 0;
	for (size_t i = 0; i < s->n_settings && !s->stopped && from < to; i++) {
		if (!known && use(s, &s->settings[i], e) < 0)
			return -1;
		if (look_for(s, from, to, e) < 0)
			return -1;
		if (s->n_found)
			break;
	}
	return 0;
}

static int search_line(struct mbscan *s, struct err *e)
{
	size_t first = least(FIRST, s->n_units);
	s->all = s->n_settings * s->n_units;
	if (pass(s, 0, first, e) < 0)
		return -1;
	if (s->n_found)
		s->all = s->done + s->n_units - first;
	return pass(s, first, s->n_units, e);
}

/* A device that is alone on its connection often does not look at the number. Then all of these are answered; where a
 * gateway is, hardly both. */
static bool answers_all(struct mbscan *s)
{
	static const uint8_t unlikely[] = { 231, 198 };
	for (size_t i = 0; i < sizeof(unlikely); i++) {
		struct mbtalk_outcome o;
		enum ended ended = look(s, unlikely[i], &o);
		if (ended == STOPPED)
			stopped(s);
		if (ended != HERE)
			return false;
	}
	return true;
}

static int search_connection(struct mbscan *s, struct err *e)
{
	s->all = s->n_units + 2;
	if (mbtalk_reopen(s->talk, e) < 0)
		return -1;
	s->any = s->n_units > 1 && answers_all(s);
	return look_for(s, 0, s->any ? 1 : s->n_units, e);
}

static void add_printable(char *to, const uint8_t *bytes, size_t n)
{
	size_t at = strlen(to);
	if (at && n && at + 1 < MBSCAN_WHO)
		to[at++] = ' ';
	for (size_t i = 0; i < n && at + 1 < MBSCAN_WHO; i++)
		if (bytes[i] > ' ' && bytes[i] < 0x7F && bytes[i] != '"' && bytes[i] != '\\')
			to[at++] = (char)bytes[i];
		else if (at && to[at - 1] != ' ')
			to[at++] = ' ';
	while (at && to[at - 1] == ' ')
		at--;
	to[at] = '\0';
}

/* The frame was looked at: its objects end where it ends. Returns the first object that is still missing, 0: none. */
static uint8_t add_objects(char *to, const struct mbframe_answer *a)
{
	size_t at = IDENTITY_HEAD;
	for (uint8_t left = a->data[5]; left > 0; left--) {
		if (a->data[at] < OBJECTS_MOST)
			add_printable(to, a->data + at + 2, a->data[at + 1]);
		at += 2U + a->data[at + 1];
	}
	return a->data[3] && a->data[4] < OBJECTS_MOST ? a->data[4] : 0;
}

static enum ended identify(struct mbscan *s, struct mbscan_found *f)
{
	struct mbframe_question q = { .unit = f->unit, .function = MBFRAME_IDENTIFY };
	struct mbtalk_outcome o;
	enum ended ended = HERE;
	for (int i = 0; i < OBJECTS_MOST && ended == HERE; i++) {
		ended = ask(s, &q, &o);
		if (ended != HERE || o.answer.exception)
			break;
		q.address = add_objects(f->who, &o.answer);
		if (!q.address)
			return HERE;
	}
	if (ended == STOPPED || *f->who)
		return ended;
	q = (struct mbframe_question){ .unit = f->unit, .function = MBFRAME_REPORT };
	ended = ask(s, &q, &o);
	if (ended == HERE && !o.answer.exception)
		add_printable(f->who, o.answer.data, o.answer.size);
	return ended;
}

int mbscan_run(struct mbscan *s, struct err *e)
{
	mbtalk_search(s->talk, true);
	if ((s->serial ? search_line : search_connection)(s, e) < 0)
		return -1;
	mbtalk_search(s->talk, false);
	for (size_t i = 0; i < s->n_found && !s->stopped; i++)
		if (identify(s, &s->found[i]) == STOPPED)
			return stopped(s);
	return 0;
}
