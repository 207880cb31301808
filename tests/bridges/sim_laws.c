#include "tests/bridges/laws.h"

extern const struct bridge_driver driver_sim;

static const struct laws sim = {
	.driver = &driver_sim,
	.reads = { TYPE_REAL, "wave=constant; mean=21.50" },
	.raw = "21.50",
	.writes = { TYPE_INT, "wave=held; mean=5" },
	.shown = "7",
};

LAWS(sim_laws, &sim)
