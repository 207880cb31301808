/*
 * Modbus frames: a question to bytes, and bytes to an answer that is looked at until nothing is left to doubt. Why not
 * libmodbus's own: over TCP it takes a wrong unit, a lying length and a foreign protocol for good data, and it sends raw
 * requests with transaction 0 only, so that a late answer cannot be told from the right one.
 *
 * Pure, any thread; nothing is owned. Modbus Application Protocol V1.1b3 sections 6.1-6.13, 6.16, 6.17 and 6.21, Modbus Messaging on
 * TCP/IP V1.0b section 3.1, Modbus over Serial Line V1.02 section 2.5.1.
 */
#pragma once

#include "core/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	MBFRAME_READ_COILS = 1,
	MBFRAME_READ_DISCRETE = 2,
	MBFRAME_READ_HOLDING = 3,
	MBFRAME_READ_INPUT = 4,
	MBFRAME_WRITE_COIL = 5,
	MBFRAME_WRITE_REGISTER = 6,
	MBFRAME_WRITE_COILS = 15,
	MBFRAME_WRITE_REGISTERS = 16,
	MBFRAME_REPORT = 17, /* what the device says it is: bytes of its own */
	MBFRAME_WRITE_MASKED = 22,
	MBFRAME_WRITE_READ = 23, /* registers, which the answer gives back as they are then */
	MBFRAME_IDENTIFY = 43,   /* with type 14, basic: maker, product, revision; address is the first object */
	MBFRAME_DATA = 252,      /* bytes of the longest PDU behind its function */
	MBFRAME_MOST = 260,      /* bytes of a whole frame, TCP */
};

struct mbframe_question {
	uint8_t unit, function;
	uint16_t address, count;    /* coils or registers */
	uint8_t data[MBFRAME_DATA]; /* writes: registers as on the wire, coils packed; function 5: one byte, 0 or 1;
				       function 22: the mask of what stays and that of what is set */
};

struct mbframe_answer {
	uint8_t exception; /* 0: none; then data is not there */
	uint8_t size;      /* of data; 0 for writes but function 23. Function 43: from its type on */
	uint8_t data[MBFRAME_DATA];
};

enum mbframe_look {
	MBFRAME_MORE,    /* nothing wrong so far, bytes are missing */
	MBFRAME_GOOD,    /* the answer to this question, or its exception */
	MBFRAME_FOREIGN, /* RTU: a whole frame, but not of this question: late, or another unit's */
	MBFRAME_BAD,     /* no frame */
};

bool mbframe_writes(uint8_t function);

/* Bytes of the frame that was put together. */
size_t mbframe_tcp(const struct mbframe_question *q, uint16_t transaction, uint8_t ret[MBFRAME_MOST]);
size_t mbframe_rtu(const struct mbframe_question *q, uint8_t ret[MBFRAME_MOST]);
size_t mbframe_answer_size(const struct mbframe_question *q); /* of the RTU answer, for its time on the wire */

/* What the n bytes at the head of the input are. ret_size (GOOD, FOREIGN): bytes of the frame; ret_answer: only for GOOD.
 * The sentence is set for FOREIGN and BAD. */
enum mbframe_look mbframe_look_tcp(const struct mbframe_question *q, uint16_t transaction, const uint8_t *bytes,
				   size_t n, size_t *ret_size, struct mbframe_answer *ret_answer, struct err *e);
enum mbframe_look mbframe_look_rtu(const struct mbframe_question *q, const uint8_t *bytes, size_t n, size_t *ret_size,
				   struct mbframe_answer *ret_answer, struct err *e);

uint16_t mbframe_crc(const uint8_t *bytes, size_t n);
const char *mbframe_exception_word(uint8_t exception);
