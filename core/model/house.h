/*
 * Everything of one site: buses, devices with their points, things by localpart. Built by core/conf, owned by main,
 * house_free frees all of it but the driver structs, for which conf gives the free function. Loop thread.
 */
#pragma once

#include "core/base/map.h"
#include "core/model/thing.h"

struct bridge;

struct pattern { /* a device that makes itself, once for each level of a topic: core/conf/pattern.h */
	char *id;       /* "plug-${level}" */
	char *text;     /* its block */
	char **filters; /* what its bus listens to: topics with one + */
	size_t n_filters;
};

struct bus { /* configuration of one; the running one is struct bridge */
	struct bridge *bridge; /* set by core/gateway.c while it runs, not owned */
	char *id;
	const char *protocol; /* the driver's own word */
	void *options;        /* the driver's struct, filled by its rows */
	const char *file;
	int line;
	struct pattern *patterns;
	size_t n_patterns;
};

enum gathering { GATHER_POINTS, GATHER_DEVICE }; /* things = "point" or "device" */

struct device {
	char *id;
	struct bus *bus;
	struct names names;
	enum gathering gathering;
	int64_t stale_ms;      /* default for its points; below 0: not given */
	int64_t history_ms;    /* default for its points */
	char *password_file;   /* accounts mode, GATHER_DEVICE */
	void *options;         /* the driver's struct of device options */
	struct point **points; /* owned */
	size_t n_points;
	char *group_key; /* one key that claims all its things; kept by the store */
	enum trouble told; /* the silence that the log has a line of: its other points need none; loop thread */
	bool leaving; /* it is taken out of the running house: nothing is asked of it any more */
	bool joining; /* it has just come into the running house: its bus does not know it yet */
	char *found;  /* the bus's own word for it; NULL: it stands in a file */
	char *level;  /* what ${level} is in it (core/conf/pattern.h), or NULL */
	bool broken; /* a mistake in its configuration: it is left out; then bus, options and points may be missing */
	const char *file;
	int line;
};

struct house {
	struct bus **buses;
	size_t n_buses;
	struct device **devices;
	size_t n_devices;
	struct map by_id;  /* id -> struct device, the first of each id that is not broken */
	struct map things; /* localpart -> struct thing */
	char **files;      /* names of configuration files, for the `file` members */
	size_t n_files;
	void (*free_options)(void *options); /* conf's, for what drivers' rows filled */
};

struct house *house_new(void);
void house_free(struct house *h);
const char *house_file(struct house *h, const char *file); /* the house's own copy of the name */
struct bus *house_find_bus(const struct house *h, const char *id);
struct thing *house_find_thing(const struct house *h, const char *local, size_t size);
struct device *house_find_device(const struct house *h, const char *id); /* not one that is broken */
struct point *house_find_point(const struct house *h, const char *name); /* DEVICE.POINT; also one that is disabled */
void house_add_bus(struct house *h, struct bus *bus);
void house_add_device(struct house *h, struct device *d);
void house_free_device(const struct house *h, struct device *d); /* in no house any more; with its points, not its things */

int house_make_things_of(struct house *h, struct device *d, struct err *e); /* of one; some may be made when it fails */
/* Makes the things of all devices that are not broken; -1 on two things with one localpart, with the sentence. */
int house_make_things(struct house *h, struct err *e);
