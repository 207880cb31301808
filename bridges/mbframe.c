#include "bridges/mbframe.h"

#include <string.h>

enum {
	TCP_HEADER = 6, /* transaction, protocol, length; what follows is counted by length */
	FAILED = 0x80,  /* set in the function of an exception */
	CRC_SIZE = 2,
	RTU_MOST = 256,
	WRITTEN_SIZE = 6,
	MASKED_SIZE = 8,    /* the whole question comes back */
	WRITTEN_MOST = 246, /* bytes of 123 registers */
	IDENTITY_TYPE = 14, /* of function 43, which has others */
	IDENTITY_BASIC = 1, /* all three objects that every device has */
	IDENTITY_HEAD = 8,  /* unit, function, type, code, conformity, more, next, number of objects */
	UNKNOWN_SIZE = 64,  /* of an identity: a guess, for the time it takes */
};

enum kind { NONE, READ, WRITE_ONE, WRITE_MANY, MASK, WRITE_READ, REPORT, IDENTIFY };

static enum kind kind_of(uint8_t function)
{
	static const uint8_t kinds[] = {
		[MBFRAME_READ_COILS] = READ,        [MBFRAME_READ_DISCRETE] = READ,
		[MBFRAME_READ_HOLDING] = READ,      [MBFRAME_READ_INPUT] = READ,
		[MBFRAME_WRITE_COIL] = WRITE_ONE,   [MBFRAME_WRITE_REGISTER] = WRITE_ONE,
		[MBFRAME_WRITE_COILS] = WRITE_MANY, [MBFRAME_WRITE_REGISTERS] = WRITE_MANY,
		[MBFRAME_REPORT] = REPORT,          [MBFRAME_WRITE_MASKED] = MASK,
		[MBFRAME_WRITE_READ] = WRITE_READ,  [MBFRAME_IDENTIFY] = IDENTIFY,
	};
	return function < sizeof(kinds) ? kinds[function] : NONE;
}

static void put16(uint8_t *at, uint16_t number)
{
	at[0] = (uint8_t)(number >> 8);
	at[1] = (uint8_t)number;
}

static uint16_t take16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static bool reads_bits(uint8_t function)
{
	return function == MBFRAME_READ_COILS || function == MBFRAME_READ_DISCRETE;
}

bool mbframe_writes(uint8_t function)
{
	enum kind kind = kind_of(function);
	return kind >= WRITE_ONE && kind <= WRITE_READ;
}

static size_t bits_size(uint16_t count)
{
	return (count + 7U) / 8;
}

static size_t data_size(const struct mbframe_question *q) /* of the values, in question or answer */
{
	return reads_bits(q->function) || q->function == MBFRAME_WRITE_COILS ? bits_size(q->count) : 2U * q->count;
}

static size_t put_values(const struct mbframe_question *q, uint8_t *at)
{
	size_t size = data_size(q);
	must(size <= WRITTEN_MOST);
	at[0] = (uint8_t)size;
	memcpy(at + 1, q->data, size);
	return 1 + size;
}

static size_t put_one(const struct mbframe_question *q, uint8_t *at)
{
	if (q->function == MBFRAME_WRITE_COIL)
		put16(at + 4, q->data[0] ? 0xFF00 : 0);
	else
		memcpy(at + 4, q->data, 2);
	return WRITTEN_SIZE;
}

static size_t put_write_read(const struct mbframe_question *q, uint8_t *at)
{
	memcpy(at + 6, at + 2, 4); /* reads what it writes */
	return 10 + put_values(q, at + 10);
}

static size_t put_identify(const struct mbframe_question *q, uint8_t *at)
{
	at[2] = IDENTITY_TYPE;
	at[3] = IDENTITY_BASIC;
	at[4] = (uint8_t)q->address;
	return 5;
}

/* Unit and PDU: what RTU and TCP have in common. */
static size_t put_body(const struct mbframe_question *q, uint8_t *at)
{
	at[0] = q->unit;
	at[1] = q->function;
	put16(at + 2, q->address);
	put16(at + 4, q->count);
	switch (kind_of(q->function)) {
	case WRITE_ONE:
		return put_one(q, at);
	case WRITE_MANY:
		return 6 + put_values(q, at + 6);
	case MASK:
		memcpy(at + 4, q->data, 4);
		return MASKED_SIZE;
	case WRITE_READ:
		return put_write_read(q, at);
	case REPORT:
		return 2;
	case IDENTIFY:
		return put_identify(q, at);
	default:
		return 6;
	}
}

size_t mbframe_tcp(const struct mbframe_question *q, uint16_t transaction, uint8_t ret[MBFRAME_MOST])
{
	size_t size = put_body(q, ret + TCP_HEADER);
	put16(ret, transaction);
	put16(ret + 2, 0);
	put16(ret + 4, (uint16_t)size);
	return TCP_HEADER + size;
}

uint16_t mbframe_crc(const uint8_t *bytes, size_t n)
{
	uint16_t crc = 0xFFFF;
	for (size_t i = 0; i < n; i++) {
		crc ^= bytes[i];
		for (int bit = 0; bit < 8; bit++)
			crc = (uint16_t)(crc & 1 ? crc >> 1 ^ 0xA001 : crc >> 1);
	}
	return crc;
}

size_t mbframe_rtu(const struct mbframe_question *q, uint8_t ret[MBFRAME_MOST])
{
	size_t size = put_body(q, ret);
	uint16_t crc = mbframe_crc(ret, size);
	ret[size] = (uint8_t)crc; /* the only little-endian number in Modbus */
	ret[size + 1] = (uint8_t)(crc >> 8);
	return size + CRC_SIZE;
}

static size_t written_size(uint8_t function)
{
	return function == MBFRAME_WRITE_MASKED ? MASKED_SIZE : WRITTEN_SIZE;
}

/* The answer gives back the question, or what was written. */
static bool is_confirmed(uint8_t function)
{
	return mbframe_writes(function) && function != MBFRAME_WRITE_READ;
}

static bool says_who(uint8_t function)
{
	return function == MBFRAME_REPORT || function == MBFRAME_IDENTIFY;
}

static size_t answer_body_size(const struct mbframe_question *q)
{
	if (says_who(q->function))
		return UNKNOWN_SIZE;
	return is_confirmed(q->function) ? written_size(q->function) : 3 + data_size(q);
}

size_t mbframe_answer_size(const struct mbframe_question *q)
{
	return answer_body_size(q) + CRC_SIZE;
}

static int check_unit(const struct mbframe_question *q, const uint8_t *body, struct err *e)
{
	if (body[0] != q->unit)
		return err_set(e, "unit %u answered instead of unit %u", body[0], q->unit);
	return 0;
}

static int check_function(const struct mbframe_question *q, const uint8_t *body, struct err *e)
{
	if ((body[1] & ~FAILED) != q->function)
		return err_set(e, "unit %u answered with function %u instead of %u", q->unit, body[1] & ~FAILED,
			       q->function);
	return 0;
}

static int check_read(const struct mbframe_question *q, const uint8_t *body, size_t size, struct err *e)
{
	size_t wanted = data_size(q);
	if (size < 3 || body[2] != wanted || size != 3 + wanted)
		return err_set(e, "unit %u answered with %u bytes of values (%zu came) instead of %zu", q->unit,
			       size < 3 ? 0 : body[2], size < 3 ? 0 : size - 3, wanted);
	return 0;
}

/* A write is answered with its own address and value, or its number of values. */
static int check_written(const struct mbframe_question *q, const uint8_t *body, size_t size, struct err *e)
{
	uint8_t asked[MBFRAME_MOST];
	put_body(q, asked);
	if (size != written_size(q->function) || memcmp(body, asked, size) != 0)
		return err_set(e, "unit %u confirmed another write than the one of address %u", q->unit, q->address);
	return 0;
}

/* Bytes of the body; 0: it is none; SIZE_MAX: more of them are needed. */
static size_t identity_size(const uint8_t *body, size_t n)
{
	if (n < IDENTITY_HEAD)
		return SIZE_MAX;
	if (body[2] != IDENTITY_TYPE)
		return 0;
	size_t size = IDENTITY_HEAD;
	for (uint8_t left = body[IDENTITY_HEAD - 1]; left > 0 && size <= RTU_MOST; left--) {
		if (n < size + 2)
			return SIZE_MAX;
		size += 2U + body[size + 1];
	}
	return size <= RTU_MOST ? size : 0;
}

static int check_who(const struct mbframe_question *q, const uint8_t *body, size_t size, struct err *e)
{
	bool whole =
		q->function == MBFRAME_IDENTIFY ? identity_size(body, size) == size : size >= 3 && size == 3U + body[2];
	return whole ? 0 : err_set(e, "unit %u: the answer that says what it is has another length", q->unit);
}

static int check_data(const struct mbframe_question *q, const uint8_t *body, size_t size, struct err *e)
{
	if (says_who(q->function))
		return check_who(q, body, size, e);
	return (is_confirmed(q->function) ? check_written : check_read)(q, body, size, e);
}

static size_t data_begin(uint8_t function)
{
	return function == MBFRAME_IDENTIFY ? 2 : 3;
}

static int check_body(const struct mbframe_question *q, const uint8_t *body, size_t size, struct mbframe_answer *ret,
		      struct err *e)
{
	if (check_unit(q, body, e) < 0 || check_function(q, body, e) < 0)
		return -1;
	if (body[1] & FAILED) {
		if (size != 3 || body[2] == 0)
			return err_set(e, "unit %u answered with a malformed exception", q->unit);
		*ret = (struct mbframe_answer){ .exception = body[2] };
		return 0;
	}
	if (check_data(q, body, size, e) < 0)
		return -1;
	size_t begin = is_confirmed(q->function) ? size : data_begin(q->function);
	*ret = (struct mbframe_answer){ .size = (uint8_t)(size - begin) };
	memcpy(ret->data, body + begin, ret->size);
	return 0;
}

/* As many of the header's fields as have come are checked, so that a liar is found out before the timeout. */
static int check_header(const uint8_t *bytes, size_t n, uint16_t transaction, struct err *e)
{
	if (n >= 2 && take16(bytes) != transaction)
		return err_set(e, "the answer is of transaction %u instead of %u", take16(bytes), transaction);
	if (n >= 4 && take16(bytes + 2) != 0)
		return err_set(e, "the answer is of protocol %u, not of Modbus", take16(bytes + 2));
	if (n >= TCP_HEADER && (take16(bytes + 4) < 3 || take16(bytes + 4) > MBFRAME_MOST - TCP_HEADER))
		return err_set(e, "the answer says that it is %u bytes long", take16(bytes + 4));
	return 0;
}

enum mbframe_look mbframe_look_tcp(const struct mbframe_question *q, uint16_t transaction, const uint8_t *bytes,
				   size_t n, size_t *ret_size, struct mbframe_answer *ret_answer, struct err *e)
{
	if (check_header(bytes, n, transaction, e) < 0)
		return MBFRAME_BAD;
	size_t size = n < TCP_HEADER ? SIZE_MAX : take16(bytes + 4);
	if (n < TCP_HEADER || n - TCP_HEADER < size)
		return MBFRAME_MORE;
	if (check_body(q, bytes + TCP_HEADER, size, ret_answer, e) < 0)
		return MBFRAME_BAD;
	*ret_size = TCP_HEADER + size;
	return MBFRAME_GOOD;
}

/* RTU says its length nowhere: it follows from the function. 0: unknown function; SIZE_MAX: more bytes are needed. */
static size_t rtu_body_size(const uint8_t *bytes, size_t n)
{
	if (bytes[1] & FAILED)
		return 3;
	switch (kind_of(bytes[1])) {
	case NONE:
		return 0;
	case READ:
	case WRITE_READ:
	case REPORT:
		return n < 3 ? SIZE_MAX : 3U + bytes[2];
	case IDENTIFY:
		return identity_size(bytes, n);
	default:
		return written_size(bytes[1]);
	}
}

static bool is_echo(const struct mbframe_question *q, const uint8_t *bytes, size_t n)
{
	uint8_t asked[MBFRAME_MOST];
	size_t size = mbframe_rtu(q, asked);
	return n >= size && memcmp(bytes, asked, size) == 0;
}

static enum mbframe_look say_bad(const struct mbframe_question *q, const uint8_t *bytes, size_t n, const char *what,
				 struct err *e)
{
	if (is_echo(q, bytes, n))
		err_set(e, "the line gives back what we send: switch off the adapter's echo");
	else
		err_set(e, "unit %u: %s", q->unit, what);
	return MBFRAME_BAD;
}

enum mbframe_look mbframe_look_rtu(const struct mbframe_question *q, const uint8_t *bytes, size_t n, size_t *ret_size,
				   struct mbframe_answer *ret_answer, struct err *e)
{
	if (n < 2)
		return MBFRAME_MORE;
	size_t size = rtu_body_size(bytes, n);
	if (size == SIZE_MAX)
		return MBFRAME_MORE;
	if (size == 0 || size + CRC_SIZE > RTU_MOST)
		return say_bad(q, bytes, n, "garbled answer", e);
	if (n < size + CRC_SIZE)
		return MBFRAME_MORE;
	uint16_t crc = mbframe_crc(bytes, size);
	if (bytes[size] != (crc & 0xFF) || bytes[size + 1] != crc >> 8)
		return say_bad(q, bytes, n, "wrong checksum", e);
	*ret_size = size + CRC_SIZE;
	return check_body(q, bytes, size, ret_answer, e) < 0 ? MBFRAME_FOREIGN : MBFRAME_GOOD;
}

const char *mbframe_exception_word(uint8_t exception)
{
	static const char *const words[] = {
		[1] = "illegal function",
		[2] = "illegal address",
		[3] = "illegal value",
		[4] = "failure in the device",
		[5] = "acknowledged, not yet done",
		[6] = "busy",
		[7] = "negative acknowledge",
		[8] = "memory parity error",
		[10] = "no path from the gateway",
		[11] = "the device behind the gateway does not answer",
	};
	bool known = exception < sizeof(words) / sizeof(words[0]) && words[exception];
	return known ? words[exception] : "unknown exception";
}
