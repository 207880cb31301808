/*
 * What the two halves of the slave share: slave.c listens and speaks, slave_frame.c makes answers, right or spoiled.
 * Called with the lock held.
 */
#pragma once

#include "tests/peers/slave.h"

#include <pthread.h>

enum { ROOM = 300, QUEUE = 64, ADDRESSES = 65536, TABLES = 4, UNITS = 256 };

struct answer {
	int64_t due_us;
	uint8_t bytes[2 * ROOM];
	size_t n;
	bool close_after;
};

struct slave {
	pthread_t thread;
	pthread_mutex_t lock;
	int stop, listener, fd, other_end;
	int port;
	char path[64];
	bool rtu;

	uint8_t in[ROOM];
	size_t n_in;
	int64_t heard_us;
	struct answer queue[QUEUE];
	size_t first, n_queue;

	enum slave_fault fault;
	int times, argument;
	int unit_first, unit_last, unit_missing;
	unsigned asked, wrote, connections;
	unsigned asked_unit[UNITS];
	int64_t spoke_us, shortest_gap_us;
	uint8_t except[ADDRESSES];
	bool lacks[128], sticks[ADDRESSES];
	int baud; /* 0: any */
	char parity;
	unsigned misheard;
	char identity[3][32]; /* maker, product, revision; empty: the device does not know functions 17 and 43 */
	struct {
		bool written;
		uint16_t value;
	} cells[TABLES][ADDRESSES];
};

uint16_t slave_crc(const uint8_t *bytes, size_t n);
uint16_t slave_word(const uint8_t *at);
void slave_put_cell(struct slave *s, enum slave_table table, uint16_t address, uint16_t value);
/* The whole answer to a question whose unit is at asked[unit]; returns its bytes. */
size_t slave_frame(struct slave *s, const uint8_t *asked, size_t n_asked, size_t unit, uint8_t frame[2 * ROOM]);
