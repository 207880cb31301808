/*
 * Which of the things that discovery tells of are wanted: patterns with * and ?, those with ! in front refuse. One that
 * refuses wins; if there is one that wants, something must fit it. Upper and lower case are the same. Pure; any thread.
 *
 *   "zigbee2mqtt_*"               what has such an id, topic, name or model
 *   "*Aqara*", "!*_linkquality"   all of one maker, but for one of their values
 */
#pragma once

#include "core/conf/setting.h"

bool hafilter_wants(const struct setting_values *patterns, const char *const *texts, size_t n); /* texts may be NULL */
