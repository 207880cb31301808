/*
 * One entity of Home Assistant's discovery as a point of the configuration: a table of the kinds that are understood. Part
 * of haentity.h. Pure; any thread.
 */
#pragma once

#include "bridges/hajson.h"

bool hapoint_is_kind(const char *kind);

/* ret: the caller's, "{ id = ...; ...;" without the closing brace. device: its device's name, or NULL. */
int hapoint_print(struct hajson j, const char *kind, const char *id, const char *device, char **ret, struct err *e);
