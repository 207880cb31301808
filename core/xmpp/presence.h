/*
 * What friends see of a thing without asking: available from local@domain/thing, the value in <status/>, away for an old
 * value, dnd for a fault, xa for one never seen (wire.md 3.2, 3.3). Rate limited per thing by min_interval, newest wins.
 */
#pragma once

#include "core/xmpp/things.h"

void presence_begin(struct things *t);
void presence_up(struct things *t, const char *local);
void presence_down(struct things *t);
void presence_down_one(struct things *t, const char *local); /* accounts mode */
void presence_news(struct things *t, struct thing *thing);
void presence_leave(struct things *t);
void presence_join(struct things *t, struct thing *thing); /* a thing that has come while the link is up */
void presence_gone(struct things *t, struct thing *thing); /* one that leaves for good */
void presence_take_probe(void *self, struct incoming *in);

void presence_state(struct things *t, struct thing *thing, const char *to); /* the current one, to one friend */
void presence_unavailable(struct things *t, struct thing *thing, const char *to);
void presence_say(struct things *t, const struct thing *thing, const char *type,
		  const char *to); /* subscribed, ... from bare */
