/*
 * The wire of one Modbus bus: a serial port or a TCP connection, opened, written, read and waited for with a limit in time.
 *
 * Worker thread of the bus, which may block here; only mbline_new_*, mbline_addresses (while nothing runs), mbline_stop and
 * mbline_free are for the loop thread. Times are microseconds of mbline_now. Waiting is poll(), not libmodbus's select(),
 * which ends the process above 1023 file descriptors; libmodbus opens the serial port and sets it up.
 */
#pragma once

#include "bridges/mbaddress.h"

#include <sys/socket.h>

enum mbline_status {
	MBLINE_OK = 0,
	MBLINE_TIMEOUT = -1,
	MBLINE_LOST = -2, /* closed by the other side, unplugged: shut it, with the sentence */
	MBLINE_STOPPED = -3,
};

struct mbline;

struct mbline *mbline_new_rtu(const struct mbaddress_rtu *options); /* both borrow the options */
struct mbline *mbline_new_tcp(const struct mbaddress_tcp *options);
void mbline_free(struct mbline *l); /* shut; NULL is allowed */

/* TCP: where to connect to, in order of preference; copied. */
void mbline_addresses(struct mbline *l, const struct sockaddr_storage *list, size_t n);

int mbline_open(struct mbline *l, struct err *e); /* at most the timeout for each address; -1 with a sentence */
void mbline_shut(struct mbline *l);               /* also when it is not open */
bool mbline_is_open(const struct mbline *l);

/* Any thread: whatever waits here now or later returns MBLINE_STOPPED. For good. */
void mbline_stop(struct mbline *l);
bool mbline_is_stopped(const struct mbline *l);

int mbline_send(struct mbline *l, const uint8_t *bytes, size_t n, int64_t until_us, struct err *e);
/* At least one byte, *ret_n says how many. */
int mbline_receive(struct mbline *l, uint8_t *bytes, size_t room, int64_t until_us, size_t *ret_n, struct err *e);
int mbline_discard(struct mbline *l, struct err *e); /* what has come in unasked; notices a closed connection */
int mbline_pause(struct mbline *l, int64_t until_us);

int64_t mbline_now(void); /* monotonic */
