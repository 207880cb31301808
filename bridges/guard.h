/*
 * Looks at each packet of an MQTT broker before libmosquitto (2.0.11) sees it, because that library ends the process when
 * a packet of version 5 has a property that it does not know, takes up to 256 MB for a packet, and under 3.1.1 keeps as many
 * messages of QoS 2 as a broker leaves unfinished.
 *
 * The library's connection is one end of a socket pair (join.h), the guard has the other. What comes from the broker is put
 * in, and handed on in whole, checked packets; what the library writes is collected. A PUBLISH that is too large is cut, so
 * that it arrives as one that is larger than LIMIT_PAYLOAD.
 *
 * Member of struct broker; loop thread.
 */
#pragma once

#include "core/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	GUARD_BODY_MOST = 256 * 1024, /* of a packet that is handed on */
	GUARD_CUT_MOST =
		16 * 1024 * 1024, /* of a packet that is cut: nobody means to send more, and reading it costs time */
	GUARD_READ = 64 * 1024,   /* bytes that are put in at a time */
	GUARD_BATCH = 16 * 1024,  /* bytes of small packets that are handed on at once: the pair always has room for them */
	GUARD_UNFINISHED = 100, /* messages of QoS 2: the library keeps each, 25 MiB in all; more than brokers send at once */
};

struct guard {
	int inner; /* our end of the pair; -1: not joined yet */
	bool version_5;
	bool greeted; /* a first packet came, and it was a CONNACK */
	uint8_t *in;  /* owned; bytes from `at` to `size` are not handed on yet */
	size_t at, size, room;
	size_t feeding;      /* of these, the rest of checked packets */
	int batch;           /* how many packets these are */
	uint64_t skipping;   /* bytes to come that belong to a cut packet */
	unsigned unfinished; /* messages of QoS 2 */
	const char *why;     /* of what is bad */
};

void guard_begin(struct guard *g, bool version_5);
void guard_join(struct guard *g, int take_inner);
uint8_t *guard_room(struct guard *g); /* where up to GUARD_READ bytes of the broker may be put; NULL: feed first */
void guard_put(struct guard *g, size_t size); /* so many were put there */
/* At most so many packets to the library: how many it may read now, 0 if there is none, -1 if it is not MQTT. */
int guard_feed(struct guard *g, int most);
size_t guard_collect(struct guard *g, void *ret, size_t room); /* what the library wrote; 0: nothing */
void guard_end(struct guard *g);                               /* also when not begun, if zeroed with inner -1 */
