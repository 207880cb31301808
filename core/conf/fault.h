/*
 * Collects what is wrong in a configuration, so that the installer sees all of it at once. Lines are kept in the order
 * in which they were found, at most LIMIT_CONF_ERRORS of them; the rest is counted. Before the loop runs.
 */
#pragma once

#include "core/conf/conf.h"

void fault_error(struct conf *c, const char *file, int line, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
void fault_warn(struct conf *c, const char *file, int line, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
void fault_end(struct conf *c); /* says how many were not shown */
