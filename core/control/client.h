/*
 * One who asks: his lines in, his lines out, one word under way. Owned by the control's list; loop thread.
 */
#pragma once

#include "core/control/inside.h"

void *client_new(struct control *control, struct local_peer *peer);
void client_take(void *client, const char *bytes, size_t size); /* the events of local.h */
void client_sent(void *client);
void client_gone(void *client);
void client_drop(struct client *c);
