/*
 * What a new configuration changes of the one that runs: compared by id, device by device. Pure; reads of the running house only what
 * was configured, so that it may work on a thread of its own while nobody else changes the configuration.
 */
#pragma once

#include "core/conf/conf.h"

struct plan_bus { /* live NULL: comes; fresh NULL: goes; both: its options change */
	struct bus *live, *fresh;
};

struct plan_device { /* the same; a device that changes goes and comes at once */
	struct device *live, *fresh;
};

struct plan {
	struct plan_bus *buses;
	struct plan_device *devices;
	size_t n_buses, n_devices;
	size_t n_added, n_changed, n_gone, n_same; /* devices */
	struct text notes;                         /* lines: what cannot be taken over, and why */
};

/* whole: fresh is all there is, with its buses; else some devices on the buses that run. concerns: may this running device be changed by
 * it? What stands there with a mistake stays as it runs, too. */
void plan_make(struct plan *p, const struct conf *live, const struct conf *fresh, bool whole,
	       bool (*concerns)(const void *ctx, const struct device *d), const void *ctx,
	       const struct protocol *const *protocols);
void plan_free(struct plan *p);
