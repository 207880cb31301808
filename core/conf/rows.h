/*
 * The core's own rows: every key of the file that is not a driver's, and the structs they fill. protocol.h names them for
 * driver authors; a test finds drivers that take one of them.
 */
#pragma once

#include "core/conf/conf.h"

struct rows_bus { /* what a bus block says beside the driver's options */
	char *id;
	char *protocol;
};

struct rows_device { /* what a device block says that struct device holds in another form */
	char *bus;
	char *template;
	char *units;
};

extern const struct setting rows_file[];        /* struct conf */
extern const struct setting rows_devices_d[];   /* a file in devices.d: nothing but devices */
extern const struct setting rows_xmpp[];        /* struct conf_xmpp */
extern const struct setting rows_provisioner[]; /* struct conf_xmpp */
extern const struct setting rows_bus[];         /* struct rows_bus */
extern const struct setting rows_device[];      /* struct device */
extern const struct setting rows_device_bus[];  /* struct rows_device */
extern const struct setting rows_point[];       /* struct point */
extern const struct setting rows_template[];    /* struct template_head */

void rows_complete(struct conf *c); /* defaults that follow from something else: host and port from mode */
