/*
 * What an installer writes about MQTT: the rows of a bus, of its devices and of their points, and what can be refused
 * before anything runs. In topics "~" at the beginning is the device's topic; the checks resolve it.
 *
 *   device's topic          point's topic    the topic that counts
 *   zigbee2mqtt/lamp        none             zigbee2mqtt/lamp
 *   zigbee2mqtt/lamp        ~                zigbee2mqtt/lamp
 *   zigbee2mqtt/lamp        ~/set            zigbee2mqtt/lamp/set
 *   zigbee2mqtt/lamp        attic/lux        attic/lux
 *   none                    ~/set            refused
 *   tele/+                  ~/SENSOR         tele/Hall/SENSOR, when the level of the device is Hall
 */
#pragma once

#include "bridges/broker.h"
#include "core/base/err.h"
#include "core/conf/setting.h"
#include "core/model/house.h"

enum mqtt_version { MQTT_VERSION_3_1_1, MQTT_VERSION_5 };

enum mqtt_discovery { MQTT_DISCOVERY_NONE, MQTT_DISCOVERY_HOMEASSISTANT };

struct mqtt_tls { /* the group is there: TLS is spoken */
	bool given;
	char *ca_file, *ca_path, *cert_file, *key_file;
};

struct mqtt_status {
	bool given;
	char *topic;
	char *online, *offline;
};

struct mqtt_bus {
	char *host;
	int64_t port;
	int version; /* enum mqtt_version */
	char *client_id;
	char *user;
	char *password, *password_file;
	int64_t qos;
	int64_t keepalive_ms;
	struct mqtt_tls tls;
	struct mqtt_status status;
	int discovery; /* enum mqtt_discovery */
	char *discovery_prefix;
	struct setting_values discovery_filter; /* hafilter.h */
	int64_t discovery_limit;
	bool discovery_diagnostic;
};

struct mqtt_watch { /* where the device says whether it is there */
	char *topic;
	char *path;
	char *online, *offline;
};

struct mqtt_availability {
	bool given;
	struct mqtt_watch first;
	struct mqtt_watch *also;
	size_t n_also;
};

struct mqtt_device {
	char *topic;
	struct mqtt_availability availability;
};

struct mqtt_write {
	char *topic;
	char *payload;  /* template, see compose.h */
	char *on, *off; /* NULL: the point's */
	int64_t qos;    /* -1: the bus's */
	bool retain;
	char *response_topic, *response_path, *response_ok;
};

struct mqtt_address {
	char *topic; /* NULL after the check: nothing is heard of the point */
	char *path;
	char *on, *off;
	int64_t qos;      /* -1: the bus's */
	char *discovered; /* NULL, or what told of it (hafound.h) */
	struct mqtt_write write;
};

/* How the broker of a bus is reached; all of it is borrowed. */
struct broker_options mqtt_rows_broker(const struct mqtt_bus *bus, struct tls_files *files);

extern const struct setting mqtt_rows_bus[], mqtt_rows_device[], mqtt_rows_address[];

int mqtt_rows_check_bus(struct bus *bus, struct err *e);
bool mqtt_rows_finds(const struct bus *bus);
int mqtt_rows_check_device(struct device *d, struct err *e);
int mqtt_rows_check(struct point *p, struct err *e);
int mqtt_rows_filters(const struct device *d, char ***ret, size_t *ret_n, struct err *e); /* see struct protocol */
