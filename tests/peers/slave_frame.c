#include "tests/peers/slave_inside.h"

#include <string.h>

uint16_t slave_word(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static void put16(uint8_t *at, unsigned number)
{
	at[0] = (uint8_t)(number >> 8);
	at[1] = (uint8_t)number;
}

/* Nibble table, unlike the driver's: the two check each other. */
uint16_t slave_crc(const uint8_t *bytes, size_t n)
{
	static const uint16_t table[] = { 0x0000, 0xCC01, 0xD801, 0x1400, 0xF001, 0x3C00, 0x2800, 0xE401,
					  0xA001, 0x6C00, 0x7800, 0xB401, 0x5000, 0x9C01, 0x8801, 0x4400 };
	unsigned crc = 0xFFFF;
	for (size_t i = 0; i < n; i++) {
		crc = crc >> 4 ^ table[(crc ^ bytes[i]) & 15];
		crc = crc >> 4 ^ table[(crc ^ bytes[i] >> 4) & 15];
	}
	return (uint16_t)crc;
}

static uint16_t cell(const struct slave *s, enum slave_table table, uint16_t address)
{
	if (s->cells[table][address].written)
		return s->cells[table][address].value;
	if (table == SLAVE_COILS || table == SLAVE_DISCRETES)
		return address % 3 == 0;
	unsigned place = table == SLAVE_INPUTS ? 128U : 0;
	return (uint16_t)((place | (address & 127U)) << 8 | (s->asked & 255U));
}

void slave_put_cell(struct slave *s, enum slave_table table, uint16_t address, uint16_t value)
{
	s->cells[table][address].written = true;
	s->cells[table][address].value = value;
}

static size_t read_bits(struct slave *s, enum slave_table table, const uint8_t *asked, uint8_t *pdu)
{
	uint16_t first = slave_word(asked + 1), count = slave_word(asked + 3);
	pdu[1] = (uint8_t)((count + 7) / 8);
	memset(pdu + 2, 0, pdu[1]);
	for (uint16_t i = 0; i < count; i++)
		if (cell(s, table, (uint16_t)(first + i)))
			pdu[2 + i / 8] |= (uint8_t)(1 << i % 8);
	return 2U + pdu[1];
}

static size_t read_registers(struct slave *s, enum slave_table table, const uint8_t *asked, uint8_t *pdu)
{
	uint16_t first = slave_word(asked + 1), count = slave_word(asked + 3);
	count = (uint16_t)(count + (s->fault == SLAVE_OTHER_COUNT));
	pdu[1] = (uint8_t)(2 * count);
	for (uint16_t i = 0; i < count; i++)
		put16(pdu + 2 + 2 * i, cell(s, table, (uint16_t)(first + i)));
	return 2U + pdu[1];
}

static void write_cell(struct slave *s, enum slave_table table, uint16_t address, uint16_t value)
{
	if (!s->sticks[address])
		slave_put_cell(s, table, address, value);
}

static void write_cells(struct slave *s, const uint8_t *asked)
{
	uint16_t first = slave_word(asked + 1), second = slave_word(asked + 3);
	s->wrote++;
	if (asked[0] == 5)
		write_cell(s, SLAVE_COILS, first, second == 0xFF00);
	else if (asked[0] == 6)
		write_cell(s, SLAVE_HOLDINGS, first, second);
	for (uint16_t i = 0; asked[0] == 15 && i < second; i++)
		write_cell(s, SLAVE_COILS, (uint16_t)(first + i), asked[6 + i / 8] >> i % 8 & 1);
	for (uint16_t i = 0; asked[0] == 16 && i < second; i++)
		write_cell(s, SLAVE_HOLDINGS, (uint16_t)(first + i), slave_word(asked + 6 + 2 * i));
	for (uint16_t i = 0; asked[0] == 23 && i < slave_word(asked + 7); i++)
		write_cell(s, SLAVE_HOLDINGS, (uint16_t)(slave_word(asked + 5) + i), slave_word(asked + 10 + 2 * i));
}

static void mask_cell(struct slave *s, const uint8_t *asked)
{
	uint16_t address = slave_word(asked + 1), stays = slave_word(asked + 3), set = slave_word(asked + 5);
	s->wrote++;
	write_cell(s, SLAVE_HOLDINGS, address, (uint16_t)((cell(s, SLAVE_HOLDINGS, address) & stays) | (set & ~stays)));
}

/* All three objects in one answer; so it is in every device that has short ones. */
static size_t identify(const struct slave *s, const uint8_t *asked, uint8_t *pdu)
{
	size_t n = 7;
	memcpy(pdu, "\x2B\x0E\x01\x01\x00\x00\x00", 7);
	for (uint8_t i = asked[3]; i < 3; i++) {
		size_t size = strlen(s->identity[i]);
		pdu[6]++;
		pdu[n] = i;
		pdu[n + 1] = (uint8_t)size;
		memcpy(pdu + n + 2, s->identity[i], size);
		n += 2 + size;
	}
	return n;
}

static size_t report(const struct slave *s, uint8_t *pdu)
{
	size_t size = strlen(s->identity[1]);
	pdu[0] = 17;
	pdu[1] = (uint8_t)(size + 1);
	memcpy(pdu + 2, s->identity[1], size);
	pdu[2 + size] = 0xFF; /* it runs */
	return 3 + size;
}

static size_t except(uint8_t function, uint8_t code, uint8_t *pdu)
{
	pdu[0] = function | 0x80;
	pdu[1] = code;
	return 2;
}

/* The code of the first register of the question that has one: a block is refused for one of them. */
static uint8_t refuses(const struct slave *s, uint8_t function, uint16_t first, uint16_t count)
{
	bool one = function == 5 || function == 6 || function == 22;
	for (uint32_t at = first; at < ADDRESSES && at < (uint32_t)first + (one ? 1 : count); at++)
		if (s->except[at])
			return s->except[at];
	return 0;
}

/* The PDU of the answer, right as far as the fault allows. */
static size_t make_pdu(struct slave *s, const uint8_t *asked, uint8_t *pdu)
{
	uint16_t first = slave_word(asked + 1);
	if (s->fault == SLAVE_EXCEPTION)
		return except(asked[0], (uint8_t)s->argument, pdu);
	if (s->lacks[asked[0] & 127])
		return except(asked[0], 1, pdu);
	if ((asked[0] == 17 || asked[0] == 43) && s->identity[0][0])
		return asked[0] == 17 ? report(s, pdu) : identify(s, asked, pdu);
	if (asked[0] == 17 || asked[0] == 43)
		return except(asked[0], 1, pdu);
	uint8_t code = refuses(s, asked[0], first, slave_word(asked + 3));
	if (code)
		return except(asked[0], code, pdu);
	pdu[0] = asked[0];
	switch (asked[0]) {
	case 1:
	case 2:
		return read_bits(s, asked[0] == 1 ? SLAVE_COILS : SLAVE_DISCRETES, asked, pdu);
	case 3:
	case 4:
		return read_registers(s, asked[0] == 3 ? SLAVE_HOLDINGS : SLAVE_INPUTS, asked, pdu);
	case 5:
	case 6:
	case 15:
	case 16:
		write_cells(s, asked);
		memcpy(pdu, asked, 5);
		return 5;
	case 23:
		write_cells(s, asked);
		return read_registers(s, SLAVE_HOLDINGS, asked, pdu);
	case 22:
		mask_cell(s, asked);
		memcpy(pdu, asked, 7);
		return 7;
	default:
		return except(asked[0], 1, pdu);
	}
}

static void spoil_pdu(const struct slave *s, uint8_t *pdu)
{
	bool read = pdu[0] <= 4;
	if (s->fault == SLAVE_WRONG_FUNCTION)
		pdu[0] = (uint8_t)(pdu[0] == 3 ? 4 : 3);
	if (s->fault == SLAVE_LYING_COUNT && read)
		pdu[1] = (uint8_t)(pdu[1] + 2);
	if (s->fault == SLAVE_OTHER_WRITE && !read)
		pdu[2] ^= 1;
}

static size_t frame_rtu(const struct slave *s, const uint8_t *asked, const uint8_t *pdu, size_t n, uint8_t *at)
{
	at[0] = (uint8_t)(asked[0] + (s->fault == SLAVE_WRONG_UNIT));
	memcpy(at + 1, pdu, n);
	uint16_t crc = slave_crc(at, n + 1);
	if (s->fault == SLAVE_WRONG_CRC)
		crc ^= 0x0100;
	at[n + 1] = (uint8_t)crc;
	at[n + 2] = (uint8_t)(crc >> 8);
	return n + 3;
}

static size_t frame_tcp(const struct slave *s, const uint8_t *asked, const uint8_t *pdu, size_t n, uint8_t *at)
{
	memcpy(at, asked, 4);
	if (s->fault == SLAVE_WRONG_TRANSACTION)
		put16(at, slave_word(at) - 1U);
	if (s->fault == SLAVE_WRONG_PROTOCOL)
		at[3] = 1;
	put16(at + 4, (unsigned)(n + 1 - (s->fault == SLAVE_WRONG_LENGTH)));
	at[6] = (uint8_t)(asked[6] + (s->fault == SLAVE_WRONG_UNIT));
	memcpy(at + 7, pdu, n);
	return n + 7;
}

static size_t spoil_frame(const struct slave *s, const uint8_t *asked, size_t n_asked, uint8_t *frame, size_t n)
{
	if (s->fault == SLAVE_TRUNCATED || s->fault == SLAVE_CLOSING)
		return n / 2;
	if (s->fault == SLAVE_EXTRA) {
		memset(frame + n, 0xA5, 4);
		return n + 4;
	}
	if (s->fault == SLAVE_TWICE) {
		memcpy(frame + n, frame, n);
		return 2 * n;
	}
	size_t before = s->fault == SLAVE_ECHO ? n_asked : s->fault == SLAVE_NOISE ? 1 : 0;
	memmove(frame + before, frame, n);
	memcpy(frame, asked, before);
	if (s->fault == SLAVE_NOISE)
		frame[0] = 0;
	for (size_t i = 0; s->fault == SLAVE_BABBLING && i < n; i++)
		frame[i] = (uint8_t)(s->asked * 37 + i * 101 + 13);
	return n + before;
}

size_t slave_frame(struct slave *s, const uint8_t *asked, size_t n_asked, size_t unit, uint8_t frame[2 * ROOM])
{
	uint8_t pdu[ROOM];
	size_t n = make_pdu(s, asked + unit + 1, pdu);
	spoil_pdu(s, pdu);
	n = s->rtu ? frame_rtu(s, asked, pdu, n, frame) : frame_tcp(s, asked, pdu, n, frame);
	return spoil_frame(s, asked, n_asked, frame, n);
}
