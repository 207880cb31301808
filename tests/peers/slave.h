/*
 * A Modbus slave that misbehaves on demand, over TCP or on a pseudo terminal, in a thread of its own. For tests only.
 *
 * Every register says where it is and when it was read, so that a value at the wrong place or time is recognised:
 * bit 15 is 1 for input registers, bits 8..14 are the address modulo 128, bits 0..7 count the requests (modulo 256)
 * at the moment this one came in. A register or coil that was written holds what was written. Coils that were not are on where the
 * address is a multiple of 3. All functions of slave_* may be called while it runs.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum slave_fault {
	SLAVE_FAULTLESS,
	SLAVE_LATE, /* argument: ms; later answers queue behind, as in a gateway's buffer */
	SLAVE_SILENT,
	SLAVE_WRONG_UNIT,
	SLAVE_WRONG_FUNCTION,
	SLAVE_WRONG_TRANSACTION, /* TCP; so are the next two */
	SLAVE_WRONG_PROTOCOL,
	SLAVE_WRONG_LENGTH,
	SLAVE_TRUNCATED,   /* half an answer, then nothing */
	SLAVE_WRONG_CRC,   /* RTU */
	SLAVE_EXTRA,       /* four bytes too many behind the frame */
	SLAVE_LYING_COUNT, /* says two bytes more than it sends */
	SLAVE_OTHER_COUNT, /* sends one register more, all in itself right */
	SLAVE_EXCEPTION,   /* argument: code */
	SLAVE_CLOSING,     /* TCP: closes in the middle of the frame; RTU: as truncated */
	SLAVE_ECHO,        /* RTU: gives back the question before the answer */
	SLAVE_NOISE,       /* RTU: a zero byte before the answer */
	SLAVE_BABBLING,    /* random bytes instead of an answer */
	SLAVE_SLOW,        /* byte by byte; argument: ms between them */
	SLAVE_TWICE,       /* the same answer two times */
	SLAVE_OTHER_WRITE, /* confirms another address than the one written */
	SLAVE_FAULTS
};

enum slave_table { SLAVE_COILS, SLAVE_DISCRETES, SLAVE_INPUTS, SLAVE_HOLDINGS };

struct slave;

struct slave *slave_tcp(int port);     /* on 127.0.0.1; 0: any */
struct slave *slave_rtu_tcp(int port); /* frames of a serial line behind a converter */
struct slave *slave_pty(void);
struct slave *slave_tty(const char *path);     /* one end of a pair that somebody else made */
void slave_free(struct slave *s);              /* hangs up; NULL is allowed */
int slave_port(const struct slave *s);         /* TCP */
const char *slave_path(const struct slave *s); /* of the end for the master, pty */

void slave_fault(struct slave *s, enum slave_fault fault, int times, int argument); /* times -1: until told otherwise */
void slave_except(struct slave *s, uint16_t address, uint8_t code);                 /* always; 0: no more */
void slave_lacks(struct slave *s, int function);                                    /* from now on: exception 1 */
void slave_sticks(struct slave *s, uint16_t address);   /* says yes to writes there, and keeps what it has */
void slave_units(struct slave *s, int first, int last); /* others do not exist; at first all do */
void slave_units_but(struct slave *s, int unit);        /* all exist but this one; -1: all */
void slave_line(struct slave *s, int baud,
		const char *mode); /* pty: deaf while the port is set up otherwise, "9600" "8N1" */
void slave_identify(struct slave *s, const char *maker, const char *product, const char *revision);
void slave_set(struct slave *s, enum slave_table table, uint16_t address, uint16_t value);
bool slave_get(struct slave *s, enum slave_table table, uint16_t address, uint16_t *ret); /* false: never written */
unsigned slave_asked(struct slave *s);                /* requests that came in, for existing units */
unsigned slave_asked_unit(struct slave *s, int unit); /* also for those that do not exist */
unsigned slave_wrote(struct slave *s);                /* requests among them that wrote something */
unsigned slave_connections(struct slave *s);          /* TCP: accepted so far */
void slave_hang_up(struct slave *s);                  /* TCP: closes the connection there is; idle close */
int slave_shortest_gap(struct slave *s);              /* RTU: shortest us between an answer and the next question */
enum slave_fault slave_fault_named(const char *name); /* SLAVE_FAULTS: unknown */
