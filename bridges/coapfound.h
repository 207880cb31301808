/*
 * What discovery has found on CoAP: devices, their resources, and what these say. Bounded by LIMIT_DISCOVER_*. Owned by
 * who zeroes it and calls coapfound_init; ends with coapfound_free. Loop thread.
 */
#pragma once

#include "bridges/leaves.h"
#include "core/base/list.h"
#include "core/base/text.h"

struct coapfound_resource {
	struct list link;
	char *path;  /* "/sensors/t?u=c" */
	char *title; /* of its link, or NULL */
	char *rt;    /* resource type, or NULL */
	bool observable, waiting; /* waiting: to be read */
	int accept;           /* Content-Format to ask for, or -1 */
	const char *format;   /* the word for it in the configuration, when it must be asked for; NULL: it need not */
	struct leaves leaves; /* none: it could not be read, and why */
	char *why;
};

struct coapfound_device {
	struct list link;
	char *uri;             /* "coap://192.0.2.7" */
	char *name;            /* at a directory, or NULL */
	struct list resources; /* in the order of the links */
	size_t n_resources;
	char *why;      /* its list cannot be read; NULL: it can, or nobody asked */
	bool asked;     /* for its list */
	bool directory; /* it knows others */
	size_t n_silent; /* requests without an answer, one behind the other */
	size_t n_flying; /* reads under way */
};

struct coapfound {
	struct list devices; /* in the order in which they were found */
	size_t n_devices, n_resources;
	bool more; /* something was left out because of a bound */
};

void coapfound_init(struct coapfound *f);
void coapfound_free(struct coapfound *f);

/* The device with that uri, made if it is new; NULL: there are too many. */
struct coapfound_device *coapfound_device(struct coapfound *f, const char *uri);

/* A new resource of it; NULL: it is known already, or there are too many. */
struct coapfound_resource *coapfound_resource(struct coapfound *f, struct coapfound_device *d, const char *path);

void coapfound_fail(char **why, const char *format, ...) __attribute__((format(printf, 2, 3))); /* replaces it */
