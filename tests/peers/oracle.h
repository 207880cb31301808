/*
 * libmodbus's own server, to test our client against somebody else's understanding of the protocol; and a serial line made
 * of two pseudo terminals by socat. For tests only; each has a thread or process of its own.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

struct oracle;

struct oracle *oracle_tcp(void);
struct oracle *oracle_rtu(const char *path, int unit); /* 9600 8N1 */
void oracle_free(struct oracle *o);
int oracle_port(const struct oracle *o);

/* Tables of 200 cells. Registers that are read while they are written may be torn: set them before they are asked for. */
uint16_t *oracle_holdings(struct oracle *o);
uint16_t *oracle_inputs(struct oracle *o);
uint8_t *oracle_coils(struct oracle *o);
uint8_t *oracle_discretes(struct oracle *o);

struct line {
	pid_t pid;
	char ends[2][64];
};

void line_make(struct line *l);
void line_cut(struct line *l); /* as if unplugged; also when it is cut already */
