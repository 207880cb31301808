/*
 * Fills structs from one block of the file by rows, and says everything that is wrong with it: unknown keys with the nearest
 * right one, wrong types, values out of range, what is missing. A block may have several layers: the core's rows and a
 * driver's (setting.h). Before the loop runs.
 */
#pragma once

#include "core/conf/file.h"
#include "core/conf/repeat.h"

struct fill_layer {
	const struct setting *rows;
	void *filled; /* with its defaults in it */
};

struct fill_part {
	const struct file_node *group; /* a FILE_GROUP */
	const struct setting *others;  /* keys that may stand there too and are read by somebody else, or NULL */
};

enum { FILL_LAYERS = 4, FILL_PARTS = 4, FILL_PATH = 128 };

struct fill {
	struct conf *c;
	const char *subject; /* "device 'lamp': point 'state'"; "" for the file as a whole */
	const char *block;   /* the last part of it, for "unknown key 'x' in point 'state'" */
	const char *path;    /* of the keys inside: "", "write." */
	const struct repeat_mark *mark; /* what ${unit} or ${level} is here, or NULL: they mean nothing */
};

/* at: where it is said that something is missing */
void fill_parts(const struct fill *f, const struct fill_part *parts, size_t n_parts, const struct file_node *at,
		const struct fill_layer *layers, size_t n);
void fill_block(const struct fill *f, const struct file_node *group, const struct fill_layer *layers, size_t n);

/* "site.conf:4: device 'x': point 'p': key: sentence"; key may be NULL. */
void fill_fault(const struct fill *f, const struct file_node *at, const char *key, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
