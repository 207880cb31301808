/*
 * Devices that make themselves: a block whose id has ${level} in it becomes one device for each level that its topics have where it
 * has a +. It is a `units` list that fills itself.
 *
 *   { id = "plug-${level}"; bus = "broker"; topic = "tele/+"; name = "Plug ${level}"; points = ( { topic = "~/SENSOR"; ... } ); }
 *
 * When the bus hears tele/Kitchen Lamp/SENSOR, it tells of the block { like = "plug-${level}"; level = "Kitchen Lamp"; }, and that is
 * expanded here: in the id the level is escaped by XEP-0106 and folded as servers do, plug-kitchen\20lamp; in all other texts it stands
 * as it is; what a template says of ${unit} is the level, too. Part of build.h.
 */
#pragma once

#include "core/conf/build.h"

bool pattern_is(const struct file_node *n);                               /* a pattern, in a file */
void pattern_build(struct build *b, const struct file_node *n, size_t i); /* checks and keeps it */
bool pattern_is_found(const struct build *b, const struct file_node *n);  /* what a bus tells of one */
void pattern_expand(struct build *b, const struct file_node *n, size_t i);
