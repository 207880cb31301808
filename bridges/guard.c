#include "bridges/guard.h"

#include "bridges/mqtt_check.h"
#include "core/base/mem.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	CONNACK = 0x20,
	PUBLISH = 3,
	PUBREL = 6,
	QOS = 0x06,
	QOS_2 = 0x04,
	TLS_ALERT = 0x15, /* what a server of TLS says to who speaks plainly */
	HEADER_MOST = 5,
	CUT_HEADER = 4, /* type, and GUARD_BODY_MOST in three bytes */
};

static const char no_mqtt[] = "the broker sent what is not MQTT";

void guard_begin(struct guard *g, bool version_5)
{
	*g = (struct guard){ .inner = -1, .version_5 = version_5 };
	g->room = HEADER_MOST + GUARD_BODY_MOST + GUARD_READ;
	g->in = mem_new(g->room);
}

void guard_join(struct guard *g, int take_inner)
{
	g->inner = take_inner;
}

void guard_end(struct guard *g)
{
	if (g->inner >= 0)
		close(g->inner);
	mem_free(g->in);
	g->in = NULL;
	g->inner = -1;
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

uint8_t *guard_room(struct guard *g)
{
	if (g->room - (g->size - g->at) < GUARD_READ)
		return NULL;
	make_room(g);
	return g->in + g->size;
}

void guard_put(struct guard *g, size_t size)
{
	size_t from = g->size;
	g->size += size;
	skip(g, from);
}

static int refuse(struct guard *g, const char *why)
{
	g->why = why;
	return -1;
}

/* Only the beginning of a PUBLISH goes on: its payload is then larger than anybody looks at. */
static int cut(struct guard *g, size_t header, size_t body)
{
	uint8_t *packet = g->in + g->at, *begin = packet + header - CUT_HEADER;
	if (body > GUARD_CUT_MOST)
		return refuse(g, "the broker sends more than 16 MiB in one message");
	if (g->size - g->at < header + GUARD_BODY_MOST)
		return 0;
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
	return 1;
}

static bool finishes(struct guard *g, uint8_t type)
{
	bool publish = type >> 4 == PUBLISH && (type & QOS) == QOS_2;
	if (type >> 4 == PUBREL && g->unfinished)
		g->unfinished--;
	else if (publish && ++g->unfinished > GUARD_UNFINISHED)
		return false;
	return true;
}

/* The packet behind those that are being fed: 1 if it is whole and good; then it is fed, too. */
static int judge(struct guard *g)
{
	const uint8_t *packet = g->in + g->at + g->feeding;
	size_t there = g->size - g->at - g->feeding, header, body;
	if (there > 0 && !g->greeted && packet[0] != CONNACK)
		return refuse(g, packet[0] == TLS_ALERT ? "whoever answers there wants TLS; set tls"
							: "whoever answers there does not speak MQTT");
	int whole = mqtt_check_header(packet, there, &header, &body);
	if (whole <= 0)
		return whole < 0 ? refuse(g, no_mqtt) : 0;
	if (g->feeding && g->feeding + header + body > GUARD_BATCH)
		return 0;
	if (body > GUARD_BODY_MOST)
		return cut(g, header, body);
	if (there < header + body)
		return 0;
	if (g->version_5 && !mqtt_check_properties(packet[0], packet + header, body))
		return refuse(g, no_mqtt);
	if (!finishes(g, packet[0]))
		return refuse(g, "the broker does not finish its messages of QoS 2");
	g->feeding += header + body;
	g->greeted = true;
	return 1;
}

/* What could not be handed on as a whole is told as the same packets again: reading one that is not there costs little. */
int guard_feed(struct guard *g, int most)
{
	int good = 1;
	if (!g->feeding)
		for (g->batch = 0; g->batch < most && (good = judge(g)) > 0;)
			g->batch++;
	if (!g->feeding)
		return good < 0 ? -1 : 0;
	ssize_t n = send(g->inner, g->in + g->at, g->feeding, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n > 0) {
		g->at += (size_t)n;
		g->feeding -= (size_t)n;
	}
	return g->batch;
}

size_t guard_collect(struct guard *g, void *ret, size_t room)
{
	ssize_t n = g->inner < 0 ? 0 : recv(g->inner, ret, room, MSG_DONTWAIT);
	return n > 0 ? (size_t)n : 0;
}
