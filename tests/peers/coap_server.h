/*
 * A CoAP server that misbehaves on demand: plain UDP on a loop, with an encoder of its own, so that it also sends what
 * libcoap refuses to. In a test it shares the loop of what is tested: virtual time holds for both.
 *
 * Values prove where they come from: resource n of counter c shows n * 1000000 + c, as text, or as {"v": ..., "r": n}
 * when it is JSON; a long one ends with "w": ..., which is the same as "v", and has it many times in between. What was
 * written is shown instead until the next change.
 */
#pragma once

#include "core/loop/loop.h"

#include <netinet/in.h>

enum { COAPD_RESOURCES = 8, COAPD_OBSERVERS = 8, COAPD_STEP = 1000000 };

struct coapd_observer {
	bool used;
	struct sockaddr_in to;
	uint8_t token[8];
	size_t token_size;
	uint16_t mid; /* of the last notification */
};

struct coapd_resource {
	char path[32]; /* "/t"; "" is free */
	bool json;
	int number, counter;
	char written[8192], part[8192]; /* part: blocks of what is being written */
	size_t part_size;
	size_t n_gets, n_writes; /* also of repeated messages */
	size_t n_parts;          /* blocks that were written, but the last */
	int64_t last_write_ms;
	bool last_was_post;
	int last_format;
	uint32_t sequence;
	struct coapd_observer observers[COAPD_OBSERVERS];
};

struct coapd_faults {          /* zero is a good server */
	int lose_in, lose_out; /* so many of the next datagrams */
	int lose_percent;      /* of both directions, at random */
	bool duplicate;        /* each datagram is sent twice */
	bool swap;             /* every other datagram is sent after the one behind it */
	bool silent;           /* takes requests, and answers nothing */
	bool reset;            /* answers RST */
	bool wrong_token, wrong_mid;
	bool garbage; /* bytes that are no CoAP, and some that nearly are */
	bool block;   /* the first block of more, and of another size than it says */
	int length;   /* JSON has at least so many bytes */
	int szx;      /* + 1; bodies go out in blocks; 0: whole, of any size */
	bool no_etag; /* ... which may change, and nobody can tell */
	int changes;  /* so many times the value changes when a block behind the first is asked for */
	bool block_skips, block_is_short, block_is_endless, block_grows, block_shrinks, block_vanishes;
	bool block_has_no_option; /* behind the first */
	int take_szx;             /* + 1; writes are taken in blocks of at most this size */
	bool refuses_size;        /* ... 4.13 says so, not 2.31 */
	int forgets;              /* so many times 4.08 behind the first block */
	bool takes_a_part;        /* says 2.04 to the first block */
	bool observe_refused;     /* leaves Observe out of its answers */
	bool confirm;             /* notifications are CON */
	int huge;                 /* bytes of the body */
	int64_t slow_ms;          /* answers so much later, piggybacked */
	int64_t separate_ms;      /* acknowledges at once, answers so much later as CON */
	int code;                 /* 404: answers 4.04 with diagnostic words */
	int format;               /* Content-Format of its answers + 1; 0: the right one */
	int max_age_s;            /* + 1; 0: not said */
	const char *body;         /* of all answers; NULL: the right one */
	size_t body_size;         /* 0: body is a string */
};

struct coapd {
	struct loop *loop;
	struct watch *watch; /* NULL: killed */
	int fd;
	uint32_t address; /* where it is after the next restart; host order */
	uint16_t port, mid;
	struct coapd_faults faults;
	struct coapd_resource resources[COAPD_RESOURCES];
	size_t n_in, n_resets, n_registers, n_deregisters, n_acks; /* what came in */
	size_t token_size;                                         /* of the last request */
	bool had_host;                                             /* the last request had Uri-Host */
	int accept;                                                /* of the last request; -1: none */
	uint8_t kept[2048];                                        /* swap: what waits for the next */
	size_t kept_size;
	struct sockaddr_in kept_to;
	struct coapd_later *later; /* answers that wait */
	uint32_t random;
};

/* The n-th way to misbehave, by its word; NULL: there are no more. */
const char *coapd_misbehaviour(size_t n, struct coapd_faults *ret);

struct coapd *coapd_new(struct loop *loop);
void coapd_free(struct coapd *d);
struct coapd_resource *coapd_add(struct coapd *d, const char *path, bool json); /* the n-th has number n, from 1 */
void coapd_change(struct coapd *d, struct coapd_resource *r);                   /* counts on, and notifies */
void coapd_notify(struct coapd *d, struct coapd_resource *r);                   /* the same value again */
void coapd_kill(struct coapd *d);                                               /* as kill -9 does */
void coapd_restart(struct coapd *d); /* on the same port; observers are forgotten, sequence numbers begin anew */
size_t coapd_observers(const struct coapd_resource *r);
