/* A new configuration for a bus that runs. */
#include "tests/lib/rig.h"
#include "tests/peers/slave.h"

#include <criterion/criterion.h>
#include <stdio.h>

extern const struct bridge_driver driver_modbus_tcp;

TestSuite(modbus_change, .timeout = 30);

static void on_quiet(void *ctx, struct bridge *b)
{
	(void)b;
	*(bool *)ctx = true;
}

static struct point *join(struct rig *rig, int unit)
{
	char text[64];
	snprintf(text, sizeof(text), "unit_id=%d; addressing=protocol", unit);
	struct device *d = rig_device(rig, "d", text);
	struct point *p = rig_point(rig, d, "p", TYPE_UINT16, "table=holding; address=7");
	d->joining = true;
	p->poll_ms = 20;
	return p;
}

static void change(struct rig *rig, struct device *leaves, int unit, struct point **ret)
{
	bool quiet = false;
	struct house *h = rig->house;
	if (leaves)
		leaves->leaving = true;
	bridge_hold(rig->bridge, false, on_quiet, &quiet);
	RIG_UNTIL(rig, quiet);
	for (size_t i = 0; leaves && i < h->n_devices; i++)
		if (h->devices[i] == leaves)
			h->devices[i--] = h->devices[--h->n_devices];
	if (leaves)
		house_free_device(h, leaves);
	*ret = unit ? join(rig, unit) : NULL;
	if (*ret) {
		struct err e = { "" };
		cr_assert_eq(rig_check(rig, &e), 0, "%s", e.text);
	}
	bridge_resume(rig->bridge, h);
	if (*ret)
		(*ret)->device->joining = false;
}

Test(modbus_change, who_stays_is_read_on_over_the_same_connection)
{
	struct slave *s = slave_tcp(0);
	char text[64];
	struct point *first, *second, *none;
	snprintf(text, sizeof(text), "host=127.0.0.1; port=%d; timeout=150ms", slave_port(s));
	struct rig *rig = rig_new(&driver_modbus_tcp, text);
	slave_units(s, 1, 2);
	first = join(rig, 1);
	rig_start(rig);
	RIG_UNTIL(rig, first->taken_ms > 0);
	change(rig, NULL, 2, &second);
	RIG_UNTIL(rig, second->last.quality == QUALITY_GOOD);
	cr_assert_eq(slave_connections(s), 1);
	slave_units(s, 1, 1); /* now there are several units: one that is silent is not the connection */
	RIG_UNTIL(rig, second->last.quality == QUALITY_BAD);
	cr_assert_eq(rig->n_away, 0);
	int64_t was = first->taken_ms;
	change(rig, second->device, 0, &none);
	RIG_UNTIL(rig, first->taken_ms > was);
	cr_assert_eq(rig->n_away, 0);
	rig_free(rig);
	slave_free(s);
}
