/*
 * Looks at each packet of an MQTT broker before libmosquitto (2.0.11) sees it, because that library ends the process when
 * a packet of version 5 has a property that it does not know, and takes up to 256 MB for a packet.
 *
 * After the library has connected, guard_begin puts one end of a socket pair in the place of the library's socket and
 * keeps the connection itself. What comes in is handed on in whole, checked packets; what the library writes is carried
 * out. A PUBLISH that is too large is cut, so that it arrives as one that is larger than LIMIT_PAYLOAD. Not for TLS: there
 * the library must have the connection.
 *
 * Member of struct broker; loop thread.
 */
#pragma once

#include "core/base/err.h"

#include <stdbool.h>
#include <stdint.h>

enum {
	GUARD_BODY_MOST = 256 * 1024, /* of a packet that is handed on */
	GUARD_CUT_MOST =
		16 * 1024 * 1024, /* of a packet that is cut: nobody means to send more, and reading it costs time */
	GUARD_READ = 64 * 1024,   /* bytes taken from the connection at a time */
	GUARD_WRITE = 16 * 1024,
};

struct guard {
	int wire, inner; /* the connection; our end of the pair; -1: not begun */
	bool version_5;
	bool greeted; /* a first packet came, and it was a CONNACK */
	bool closed;  /* the broker closed the connection: nothing more will come */
	uint8_t *in;  /* owned; bytes from `at` to `size` are not handed on yet */
	size_t at, size, room;
	size_t feeding;    /* of these, the rest of a checked packet */
	uint64_t skipping; /* bytes to come that belong to a cut packet */
	uint8_t out[GUARD_WRITE];
	size_t out_at, out_size;
	const char *why; /* of GUARD_BAD */
};

enum guard_result { GUARD_BAD = -1, GUARD_NOTHING = 0, GUARD_FED = 1 };

int guard_begin(struct guard *g, int library_fd, bool version_5, struct err *e);
void guard_read(struct guard *g);
enum guard_result guard_feed(struct guard *g); /* one packet, or a part of it, to the library */
bool guard_is_full(const struct guard *g);     /* feed before reading more */
bool guard_flush(struct guard *g);             /* carries out what the library wrote; true: it may write more */
bool guard_has_output(const struct guard *g);  /* call guard_flush when the connection can be written */
void guard_end(struct guard *g);               /* closes; also when not begun */
