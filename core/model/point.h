/*
 * One point: what is configured of it, and the last sample. raw is what the bus carries, shown is what friends see:
 * shown = raw * scale + offset. Pure: no I/O, no clock, no loop; times are handed in.
 *
 * Points belong to their device (house.h). The address belongs to the driver that owns its rows; it is freed by conf.
 */
#pragma once

#include "core/model/counter.h"
#include "core/model/names.h"
#include "core/model/value.h"

struct device;
struct past_ring;
struct thing;
struct err;

enum access { ACCESS_READ = 1, ACCESS_WRITE = 2, ACCESS_BOTH = 3 };
enum kind { KIND_MOMENTARY, KIND_COUNTER, KIND_PEAK, KIND_STATUS, KIND_IDENTITY, KIND_COMPUTED, KIND_COUNT };

/* The types of config.md. What is beyond TYPE_TIME is only for the wire of Modbus: point_value_type gives what it
 * shows. */
enum type {
	TYPE_BOOL,
	TYPE_INT,
	TYPE_REAL,
	TYPE_TEXT,
	TYPE_TIME,
	TYPE_INT16,
	TYPE_UINT16,
	TYPE_INT32,
	TYPE_UINT32,
	TYPE_INT64,
	TYPE_UINT64,
	TYPE_FLOAT32,
	TYPE_FLOAT64,
	TYPE_BCD16,
	TYPE_BCD32,
	TYPE_STRING,
	TYPE_COUNT
};

enum confirm { CONFIRM_NONE, CONFIRM_STATE, CONFIRM_READBACK, CONFIRM_RESPONSE };

struct word { /* one row of an enumeration */
	struct decimal raw;
	char *text;
};

struct point {
	/* configuration: fixed after conf built it */
	char *id;
	struct names names;
	char *unit;
	char *jid;           /* localpart chosen by the installer, or NULL */
	char *password_file; /* accounts mode */
	enum type type;
	enum kind kind;
	enum access access;
	bool hidden; /* thing = false: not in XMPP */
	bool disabled;
	bool has_scale, has_offset, has_min, has_max, has_deadband, has_wrap;
	struct decimal scale, offset;      /* shown = raw * scale + offset */
	struct decimal min, max, deadband; /* of what is shown */
	struct decimal wrap;               /* a counter's: raw readings are below it, and behind the last comes 0 */
	int decimals;                      /* digits shown behind the point; -1: those of the source */
	struct word *words;
	size_t n_words;
	struct value *choices; /* the only values of a text */
	size_t n_choices;
	struct value *nan; /* raw values that mean "no value" */
	size_t n_nan;
	int64_t poll_ms;         /* 0: not polled (the bus tells us) */
	int64_t stale_ms;        /* 0: never stale by clock */
	int64_t history_ms;      /* how long what was seen is kept; 0: not at all */
	int64_t min_interval_ms; /* between two notifications of friends */
	int64_t max_interval_ms; /* a good sample that comes later than this is told though nothing changed; 0: never */
	int64_t write_interval_ms, write_deadline_ms;
	enum confirm confirm;
	void *address; /* the driver's struct, filled by its rows */
	struct device *device;
	struct thing *thing; /* NULL if hidden */
	const char *file;    /* where it is configured, for messages; owned by the house */
	int line;

	/* state, from here to the end: loop thread */
	struct sample last;  /* shown, never raw */
	struct decimal told; /* number at the last NEWS_VALUE: the deadband is measured from it */
	int64_t told_ms;     /* monotonic time of the last news */
	int64_t taken_ms;    /* monotonic time of the last good sample, 0: never */
	struct counter counter; /* with wrap */
	bool anew;           /* the last good sample of a counter does not go on from the one before */
	int64_t written_ms;  /* monotonic time of the last write, 0: never */
	struct past_ring *past; /* what is kept of it, core/history.c's; NULL: nothing */
	bool listens;       /* the bus tells us of it: not polled */
	void *bus_data;      /* the driver's, for its own bookkeeping */
};

/* What point_take tells its caller. */
enum news {
	NEWS_NONE,    /* as before, or within the deadband */
	NEWS_VALUE,   /* friends should hear of the value */
	NEWS_QUALITY, /* friends should hear that it became good, old or bad, or bad for another reason */
};

void point_free(struct point *p); /* contents and p; not the address */

/* p, of a new configuration, takes the place of `was`, which is about to be freed: the state moves over, and what was seen stays if
 * p would have seen the same (same); else nothing is known of it yet. */
void point_inherit(struct point *p, struct point *was, bool same);

/* The type of what is shown: TYPE_BOOL -> VALUE_BOOL, numbers -> VALUE_NUMBER, words or text -> VALUE_TEXT, ... */
enum value_type point_value_type(const struct point *p);

/* Takes a raw sample from the bus (moves its value): nan, wrap, scale, words, type and range are applied and turn into
 * quality. A counter that began anew, and a good sample after max_interval, are news of the value. A bad sample keeps the last good value behind it. An old one (retained) never replaces a good one. */
enum news point_take(struct point *p, struct sample *raw, int64_t now_ms);

/* Turns good into old when stale_ms has passed; NEWS_QUALITY if it did. */
enum news point_age(struct point *p, int64_t now_ms);

/* Monotonic ms when point_age will have something to say; 0: never. */
int64_t point_age_due(const struct point *p);

/* Good and young enough to answer a read without asking the bus. */
bool point_is_fresh(const struct point *p, int64_t now_ms);

/* Shown -> raw for a write: direction, type, words, range, step of the scale. -1 with a sentence for the requestor. */
int point_to_raw(const struct point *p, const struct value *shown, struct value *ret_raw, struct err *e);

/* Text of a requestor ("true", "on", "21.5", a word) -> shown value of the point's type. -1 with a sentence. */
int point_parse(const struct point *p, const char *text, size_t size, struct value *ret_shown, struct err *e);

/* Raw as the bus would report it -> shown, as point_take does; for comparing a confirmation. -1: not a good value. */
int point_to_shown(const struct point *p, const struct value *raw, struct value *ret_shown, enum trouble *ret_why);

bool point_is_nan(const struct point *p, const struct value *raw); /* one of the raw values that mean "no value" */

const char *type_word(enum type t);
const char *kind_word(enum kind k); /* "momentary", ... as in the configuration and as XEP-0323's categories */
