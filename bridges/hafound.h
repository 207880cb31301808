/*
 * What Home Assistant's discovery has told of in this session: messages by their topic, gathered into devices. A message
 * that says what it said before changes nothing; an empty one takes back what it said.
 *
 * Owned by its user, who asks for the devices that changed and prints them. Strangers fill it: limits.h. Loop thread.
 */
#pragma once

#include "bridges/haentity.h"
#include "core/base/list.h"
#include "core/base/map.h"
#include "core/conf/setting.h"

struct hafound_rule {       /* borrowed */
	const char *prefix; /* "homeassistant" */
	const struct setting_values *filter;
	size_t most;  /* devices */
	bool hidden;  /* also what is diagnostic or configuration */
	bool sources; /* each point says which message told of it */
};

struct hafound {
	struct hafound_rule rule;
	/* Something is left out, and why. strange: it is of a kind that is never taken. */
	void (*note)(void *ctx, const char *source, const char *why, bool strange);
	void *ctx;
	struct map sources, devices; /* topic between prefix and "config" -> source; id -> device */
	struct list changed;         /* devices */
	size_t n_changed;
	size_t n_bytes; /* of what is kept of the messages */
	bool full; /* a limit was said to be reached */
};

struct hafound_device {
	struct list link; /* in changed */
	char *id, *identity;
	struct list points;
	size_t n_points;
	bool is_changed;
};

void hafound_begin(struct hafound *f);
bool hafound_take(struct hafound *f, const char *topic, const void *bytes, size_t size); /* false: not of discovery */
struct hafound_device *hafound_next(struct hafound *f);          /* one that changed since it was last given, or NULL */
bool hafound_knows(const struct hafound *f, const char *source); /* it was told of, wanted or not */
bool hafound_has(const struct hafound_device *d, const char *id);             /* a point */
struct hafound_device *hafound_find(const struct hafound *f, const char *id); /* NULL: nothing was told of it */
void hafound_change(struct hafound *f,
		    const char *id); /* the device of this id, if there is one, is to be given again */

/* Its block without "points" and what follows, then its points, each ", "-separated. bus: NULL: the block does not say it. */
void hafound_print_head(const struct hafound_device *d, const char *bus, struct text *to);
size_t hafound_print_points(const struct hafound *f, const struct hafound_device *d, const char *between,
			    struct text *to);
void hafound_end(struct hafound *f);
