#include "core/drivers.h"

extern const struct bridge_driver driver_modbus_rtu, driver_modbus_tcp;
extern const struct bridge_driver driver_sim;

const struct bridge_driver *const driver_list[] = {
	&driver_modbus_rtu,
	&driver_modbus_tcp,
	&driver_sim,
	NULL,
};
