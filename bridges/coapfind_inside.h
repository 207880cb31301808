/* What the files of coapfind share: one search, and one question of it under way. Not for others. */
#pragma once

#include "bridges/coapfind.h"
#include "bridges/coaplink.h"
#include "bridges/coapread.h"
#include "core/base/map.h"

enum { COAPFIND_DEEPEST = 2 /* lists, one named by the other */ };

struct coapfind {
	struct loop *loop;
	struct coapcall *ask;
	struct coapfound found;
	struct map lists; /* "uri path" of those that were read -> the same */
	size_t n_open;    /* what is under way */
	struct timer quiet, cast;
	bool casting;
	void (*on_quiet)(void *ctx);
	void *ctx;
	void (*on_closed)(void *ctx);
	void *closed_ctx;
	struct list errands;
};

struct errand { /* one GET under way */
	struct list link;
	struct coapfind *f;
	struct coapfound_device *device;
	struct coapfound_resource *resource; /* NULL: a list */
	enum coaplink_kind kind;
	char *path;        /* of a list, without the page */
	struct text before; /* the page before */
	int page, depth;
};

struct errand *coapfind_errand(struct coapfind *f, struct coapfound_device *d, struct coapfound_resource *r);
void coapfind_free_errand(struct errand *x);
void coapfind_finish(struct coapfind *f); /* one thing less is under way */

/* coapfind_list.c */
extern const char coapfind_core[]; /* "/.well-known/core" */
void coapfind_read_list(struct coapfind *f, struct coapfound_device *d, const char *path, enum coaplink_kind kind,
			int depth); /* unless it was read already */
/* How many links there were; -1: none, or something else behind them. */
int coapfind_take_links(const struct errand *x, const struct coapcall_answer *a, struct err *e);

/* coapfind_read.c */
void coapfind_read_more(struct coapfind *f, struct coapfound_device *d); /* what waits to be read */
