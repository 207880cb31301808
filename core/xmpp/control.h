/*
 * XEP-0325 control, the thing's side: set by iq, answered in the form that old and new clients understand (wire.md 1.4, 2.6),
 * and by message, never answered. Everything is checked before anything is done.
 */
#pragma once

#include "core/xmpp/things.h"

#define CONTROL_NS "urn:xmpp:iot:control"

void control_take_set(void *self, struct incoming *in);
void control_take_message(void *self, struct incoming *in);
bool control_refuse(struct incoming *in); /* "forbidden" in the form all clients see, if it is a set */
