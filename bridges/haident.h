/*
 * Ids out of what devices call themselves for Home Assistant's discovery: stable, never from names, and legal in a
 * configuration file. What an id cannot hold becomes "-", and a number made of the whole then keeps two apart that would
 * be one. Pure; any thread.
 *
 *   zigbee2mqtt_0x00158D0001A2B3C4     zigbee2mqtt_0x00158d0001a2b3c4
 *   Küche (oben)                       k-che--oben--5f1c03b2
 *   0x00158d0001a2b3c4_temperature_zigbee2mqtt, of the first:   temperature
 */
#pragma once

char *haident_of(const char *identity); /* the caller's; never empty */

/* Of a point: its unique id without the parts of it that only say which device it is. Nothing left: `kind`. */
char *haident_point(const char *unique, const char *identity, const char *kind);
