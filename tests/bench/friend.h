/*
 * What the load generator is besides a reader: a provisioning service that says yes to everything, so that things let it in.
 */
#pragma once

#include "tests/bench/stream.h"

struct friend
{
	struct stream *stream;
	const char *domain; /* of the things, t0.v@domain and so on */
	const char *own;    /* ours: the service; r@own/x reads */
	size_t n_things;
	size_t n_subscribed, n_registered;
};

void friend_befriend(struct friend *f); /* subscribes to all things and waits until each has said yes */
bool friend_serve(struct friend *f, const struct stanza *st); /* true if it was something for the service */
