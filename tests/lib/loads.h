/* Devices that a tool or a bus has written down, read as `jidgate check` would: for unit tests. */
#pragma once

#include <stddef.h>

/* devices: blocks of a `devices` list, on an MQTT bus 'broker'. Expects that all of them are taken, without a word of reproach. */
void loads_devices(const char *devices, size_t n_devices);
