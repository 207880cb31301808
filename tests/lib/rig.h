/*
 * One bus with devices and points, made from short texts instead of a configuration file, and a bridge that runs it: to
 * try a driver. Options are "key=value; key=value" in the words of the configuration; "write.method=post" is a key in a
 * group; lists are filled by hand.
 *
 * The test owns the rig. RIG_UNTIL turns the loop until something holds; what never comes ends the test with
 * SIGALRM.
 */
#pragma once

#include "core/bridge/bridge.h"

struct rig {
	struct loop *loop;
	struct log log;
	struct house *house;
	struct bus *bus;
	const struct bridge_driver *driver;
	struct bridge *bridge; /* after rig_start */
	size_t n_up, n_away, n_closed;
	size_t n_samples;                                                    /* news of points */
	void (*on_sample)(struct rig *rig, struct point *p, enum news news); /* NULL: only counted */
	size_t n_found;
	void (*on_found)(struct rig *rig, const char *key, const char *block); /* NULL: only counted */
	void *ctx;
};

struct rig *rig_new(const struct bridge_driver *driver, const char *options);
struct device *rig_device(struct rig *rig, const char *id, const char *options);
struct point *rig_point(struct rig *rig, struct device *d, const char *id, enum type type, const char *options);
int rig_check(struct rig *rig, struct err *e); /* bus, devices and points, as the configuration does */
void rig_start(struct rig *rig);               /* checks, which must succeed, and starts; returns at once */
void rig_free(struct rig *rig);                /* stops and waits for the end */

#define RIG_UNTIL(rig, condition)                                                                                      \
	do {                                                                                                           \
		while (!(condition))                                                                                   \
			loop_turn((rig)->loop);                                                                        \
	} while (0)

/* A request and its end. Zero it; free it when it is done. */
struct rig_ask {
	struct request request;
	size_t n_done;
	int status;
	bool confirmed;
	struct sample shown; /* a copy */
	struct err why;
};

void rig_ask_read(struct rig *rig, struct rig_ask *a, struct point *p, int64_t deadline_ms); /* from now */
void rig_ask_write(struct rig *rig, struct rig_ask *a, struct point *p, const char *shown, int64_t deadline_ms);
void rig_ask_free(struct rig_ask *a);

/* The same, to the end: the status, and the shown value as text. */
int rig_read(struct rig *rig, struct point *p, char ret[DECIMAL_ROOM]);
int rig_write(struct rig *rig, struct point *p, const char *shown);
