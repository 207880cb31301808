/*
 * As much of MQTT's wire format (3.1.1 and 5, sections 2 and 3) as it takes to know a packet that nobody should parse.
 * Pure; any thread. Never reads past the sizes it is given.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* 1: the fixed header is whole and has `header` bytes, `body` more follow; 0: not whole yet; -1: not MQTT. */
int mqtt_check_header(const uint8_t *bytes, size_t size, size_t *ret_header, size_t *ret_body);

/* All properties of a packet of version 5 are known ones and lie inside it. */
bool mqtt_check_properties(uint8_t type, const uint8_t *body, size_t size);

/* A PUBLISH whose payload begins in the first half of these first bytes of its body. */
bool mqtt_check_cut(uint8_t type, const uint8_t *body, size_t size, bool version_5);
