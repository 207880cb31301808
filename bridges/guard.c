#include "bridges/guard.h"

#include "bridges/mqtt_check.h"
#include "core/base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONNACK = 0x20, HEADER_MOST = 5, CUT_HEADER = 4 /* type, and GUARD_BODY_MOST in three bytes */ };

static const char no_mqtt[] = "the broker sent what is not MQTT";

int guard_begin(struct guard *g, int library_fd, bool version_5, struct err *e)
{
	int pair[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) < 0)
		return err_set(e, "no socket: %s", strerror(errno));
	int wire = fcntl(library_fd, F_DUPFD_CLOEXEC, 0);
	if (wire < 0 || dup3(pair[0], library_fd, O_CLOEXEC) < 0) {
		err_set(e, "no socket: %s", strerror(errno));
		close(pair[0]);
		close(pair[1]);
		if (wire >= 0)
			close(wire);
		return -1;
	}
	close(pair[0]);
	*g = (struct guard){ .wire = wire, .inner = pair[1], .version_5 = version_5 };
	g->room = HEADER_MOST + GUARD_BODY_MOST + GUARD_READ;
	g->in = mem_new(g->room);
	return 0;
}

void guard_end(struct guard *g)
{
	if (g->wire >= 0)
		close(g->wire);
	if (g->inner >= 0)
		close(g->inner);
	mem_free(g->in);
	g->in = NULL;
	g->wire = g->inner = -1;
}

bool guard_is_full(const struct guard *g)
{
	return g->room - (g->size - g->at) < GUARD_READ;
}

static void make_room(struct guard *g)
{
	if (g->at == 0 || g->room - g->size >= GUARD_READ)
		return;
	memmove(g->in, g->in + g->at, g->size - g->at);
	g->size -= g->at;
	g->at = 0;
}

/* Takes what has just come behind `from` out again, as far as it belongs to a packet that was cut. */
static void skip(struct guard *g, size_t from)
{
	size_t n = g->size - from;
	if (n > g->skipping)
		n = (size_t)g->skipping;
	memmove(g->in + from, g->in + from + n, g->size - from - n);
	g->size -= n;
	g->skipping -= n;
}

void guard_read(struct guard *g)
{
	if (g->closed || guard_is_full(g))
		return;
	make_room(g);
	ssize_t n = recv(g->wire, g->in + g->size, GUARD_READ, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		g->closed = true;
		return;
	}
	size_t from = g->size;
	g->size += (size_t)n;
	skip(g, from);
}

static enum guard_result refuse(struct guard *g, const char *why)
{
	g->why = why;
	return GUARD_BAD;
}

/* Only the beginning of a PUBLISH goes on: its payload is then larger than anybody looks at. */
static enum guard_result cut(struct guard *g, size_t header, size_t body)
{
	uint8_t *packet = g->in + g->at, *begin = packet + header - CUT_HEADER;
	if (body > GUARD_CUT_MOST)
		return refuse(g, "the broker sends more than 16 MiB in one message");
	if (g->size - g->at < header + GUARD_BODY_MOST)
		return GUARD_NOTHING;
	if (!mqtt_check_cut(packet[0], packet + header, GUARD_BODY_MOST, g->version_5))
		return refuse(g, no_mqtt);
	begin[0] = packet[0];
	begin[1] = (GUARD_BODY_MOST & 0x7F) | 0x80;
	begin[2] = (GUARD_BODY_MOST >> 7 & 0x7F) | 0x80;
	begin[3] = GUARD_BODY_MOST >> 14;
	g->at = (size_t)(begin - g->in);
	g->feeding = CUT_HEADER + GUARD_BODY_MOST;
	g->skipping = body - GUARD_BODY_MOST;
	skip(g, g->at + g->feeding);
	return GUARD_FED;
}

static enum guard_result judge(struct guard *g)
{
	const uint8_t *packet = g->in + g->at;
	size_t there = g->size - g->at, header, body;
	if (there > 0 && !g->greeted && packet[0] != CONNACK)
		return refuse(g, "whoever answers there does not speak MQTT");
	int whole = mqtt_check_header(packet, there, &header, &body);
	if (whole <= 0)
		return whole < 0 ? refuse(g, no_mqtt) : GUARD_NOTHING;
	if (body > GUARD_BODY_MOST)
		return cut(g, header, body);
	if (there < header + body)
		return GUARD_NOTHING;
	if (g->version_5 && !mqtt_check_properties(packet[0], packet + header, body))
		return refuse(g, no_mqtt);
	g->feeding = header + body;
	g->greeted = true;
	return GUARD_FED;
}

enum guard_result guard_feed(struct guard *g)
{
	enum guard_result result = g->feeding ? GUARD_FED : judge(g);
	if (result != GUARD_FED)
		return result;
	ssize_t n = send(g->inner, g->in + g->at, g->feeding, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n > 0) {
		g->at += (size_t)n;
		g->feeding -= (size_t)n;
	}
	return GUARD_FED;
}

static bool carry_out(struct guard *g)
{
	while (g->out_at < g->out_size) {
		ssize_t n = send(g->wire, g->out + g->out_at, g->out_size - g->out_at, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false; /* full, or broken: then reading tells it */
		g->out_at += (size_t)n;
	}
	return true;
}

bool guard_flush(struct guard *g)
{
	bool moved = false;
	while (carry_out(g)) {
		ssize_t n = recv(g->inner, g->out, sizeof(g->out), MSG_DONTWAIT);
		if (n <= 0)
			return moved;
		g->out_at = 0;
		g->out_size = (size_t)n;
		moved = true;
	}
	return false;
}

bool guard_has_output(const struct guard *g)
{
	return g->out_at < g->out_size;
}
