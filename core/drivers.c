#include "core/drivers.h"

extern const struct bridge_driver driver_sim;

const struct bridge_driver *const driver_list[] = {
	&driver_sim,
	NULL,
};
