/*
 * Configuration for what discovery found on CoAP, to be pasted or to be a file in devices.d: a device for each, a point for
 * each value that was read; what could not be read is a comment that says why.
 */
#pragma once

#include "bridges/coapfound.h"
#include "core/model/house.h"

/* bus: id of the bus. known: its ids are not used again; NULL is allowed. How many devices are in it; their list is
 * `devices = ( ... );`, and nothing but comments when there is none. */
size_t propose_devices(const struct coapfound *found, const char *bus, const struct house *known, struct text *to);
