/*
 * sd_notify without libsystemd: one datagram to $NOTIFY_SOCKET, nothing if it is not set. Loop thread.
 */
#pragma once

#include <stdint.h>

void notify_send(const char *state); /* "READY=1", "STATUS=...", "STOPPING=1", "WATCHDOG=1" */
int64_t notify_watchdog_ms(void);    /* half of $WATCHDOG_USEC if it is meant for this process, else 0 */
