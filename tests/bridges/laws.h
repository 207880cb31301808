/*
 * The ten laws of bridge.h as tests that any driver can be put through. A driver's author describes the driver, a peer
 * and two points in a struct laws and writes LAWS(suite, description) in a file of his own; each law is a named test.
 *
 * The real core runs above the driver; everything that the driver says and is told is watched on its way (the linker
 * wraps its calls: use the CMake function laws_of). A law fails with the sentence of what was broken.
 */
#pragma once

#include "tests/lib/rig.h"

#include <criterion/criterion.h>

struct laws_point {
	enum type type;
	const char *options; /* as in rig.h */
};

/* A configuration that check must refuse; NULL: as in the good one. */
struct laws_bad {
	const char *bus, *device;
	struct laws_point reads, writes;
};

struct laws {
	const struct bridge_driver *driver;

	/* The other side. start: one that behaves, alone in the world; NULL: there is none (sim). */
	void *(*start)(void);
	void (*stop)(void *peer);
	void (*bus)(void *peer, char *ret, size_t room);    /* options of the bus: "host=127.0.0.1; port=..." */
	void (*device)(void *peer, char *ret, size_t room); /* options of the device; NULL: none */

	struct laws_point reads;  /* read, or told of; options NULL: no such point */
	const char *raw;          /* what is said of it, as value_print shows it, before any scale */
	struct laws_point writes; /* options NULL: no such point */
	const char *shown;        /* what is written to it */
	const struct laws_bad *bad;
	size_t n_bad;

	/* What the peer can do; NULL: it cannot. */
	void (*tell)(void *peer);          /* says the value of `reads`, if nobody has to ask for it */
	void (*mute)(void *peer, bool on); /* takes everything, answers nothing; also who connects from now on */
	void (*die)(void *peer);           /* nobody is there any more, connections are broken */
	void (*revive)(void *peer);
	bool (*misbehave)(void *peer, size_t n); /* the n-th way to misbehave, from now on; false: there is no such */
	void (*behave)(void *peer);
	size_t (*attempts)(void *peer); /* how often anybody tried to reach it */
	bool connectionless;            /* the bus stays up when the peer is gone */
};

void laws_1_never_blocks_the_loop(const struct laws *l);
void laws_2_ends_every_request_once(const struct laws *l);
void laws_3_says_only_closed_after_close(const struct laws *l);
void laws_4_takes_cancel_as_a_hint(const struct laws *l);
void laws_5_delivers_raw_values(const struct laws *l);
void laws_6_keeps_no_sample(const struct laws *l);
void laws_7_does_not_retry(const struct laws *l);
void laws_8_refuses_in_check(const struct laws *l);
void laws_9_has_nothing_global(const struct laws *l);
void laws_10_survives_what_the_device_sends(const struct laws *l);

#define LAWS_ONE(suite, laws, law)                                                                                     \
	Test(suite, law, .timeout = 120)                                                                               \
	{                                                                                                              \
		laws_##law(laws);                                                                                      \
	}
#define LAWS(suite, laws)                                                                                              \
	LAWS_ONE(suite, laws, 1_never_blocks_the_loop)                                                                 \
	LAWS_ONE(suite, laws, 2_ends_every_request_once)                                                               \
	LAWS_ONE(suite, laws, 3_says_only_closed_after_close)                                                          \
	LAWS_ONE(suite, laws, 4_takes_cancel_as_a_hint)                                                                \
	LAWS_ONE(suite, laws, 5_delivers_raw_values)                                                                   \
	LAWS_ONE(suite, laws, 6_keeps_no_sample)                                                                       \
	LAWS_ONE(suite, laws, 7_does_not_retry)                                                                        \
	LAWS_ONE(suite, laws, 8_refuses_in_check)                                                                      \
	LAWS_ONE(suite, laws, 9_has_nothing_global)                                                                    \
	LAWS_ONE(suite, laws, 10_survives_what_the_device_sends)
