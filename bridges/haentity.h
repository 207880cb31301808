/*
 * A message of Home Assistant's MQTT discovery ("<prefix>/sensor/0x00158d/temperature/config") as points of a configuration
 * file: what is a sensor, a binary sensor, a switch, a number, a select or a light that goes on and off. Everything in the
 * message is a stranger's: it is bounded, and what is not understood for certain is left out with the reason.
 *
 * Pure; any thread. The message's own words: https://www.home-assistant.io/integrations/mqtt
 */
#pragma once

#include "core/base/err.h"
#include "core/base/text.h"

struct haentity_watch {     /* where the device says whether it is there */
	char *topic, *path; /* path: NULL: the whole payload */
	char *online, *offline;
};

struct haentity {
	char *why;                 /* NULL, or why it is left out; then only identity and device_name may be there */
	char *kind;                /* "sensor" */
	char *identity;            /* of its device, as the message has it */
	char *device_name, *model; /* NULL: not said */
	char *id;                  /* of its point */
	char *point;               /* the point as the configuration writes it, without its closing brace */
	struct haentity_watch *watches;
	size_t n_watches;
	bool strange; /* its kind is none of those that are taken */
	bool hidden;  /* diagnostic, configuration or disabled by default */
};

struct haentity_list {
	struct haentity *list;
	size_t n;
};

/* source: the topic between the prefix and "config". ret: the caller's; a message about a whole device has many. -1: it is
 * no such message at all. */
int haentity_parse(const char *source, const void *bytes, size_t size, struct haentity_list *ret, struct err *e);
size_t haentity_size(const struct haentity_list *l); /* bytes that it holds */
void haentity_free(struct haentity_list *l);
