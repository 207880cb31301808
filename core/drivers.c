#include "core/drivers.h"

#include "core/base/mem.h"

extern const struct bridge_driver driver_coap;
extern const struct bridge_driver driver_modbus_rtu, driver_modbus_rtu_tcp, driver_modbus_tcp;
extern const struct bridge_driver driver_mqtt;
extern const struct bridge_driver driver_sim;

const struct bridge_driver *const driver_list[] = {
	&driver_coap,
	&driver_modbus_rtu,
	&driver_modbus_rtu_tcp,
	&driver_modbus_tcp,
	&driver_mqtt,
	&driver_sim,
	NULL,
};

const struct protocol **drivers_protocols(void)
{
	size_t n = 0;
	while (driver_list[n])
		n++;
	const struct protocol **protocols = mem_array(n + 1, sizeof(*protocols));
	for (size_t i = 0; i < n; i++)
		protocols[i] = &driver_list[i]->protocol;
	return protocols;
}
