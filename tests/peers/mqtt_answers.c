#include "tests/peers/mqtt_answers.h"

#include "tests/peers/mqtt_packet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

void mqtt_answers_counted(struct mqtt_broker *b)
{
	uint64_t one = 1;
	if (write(b->events, &one, sizeof(one)) < 0)
		abort();
}

/* Never waits: the test that reads at the other end may be in the same thread. */
void mqtt_answers_flush(struct client *c)
{
	ssize_t n = send(c->fd, c->out, c->out_size, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n <= 0)
		return; /* full, or gone: the reader of this client sees it */
	c->out_size -= (size_t)n;
	memmove(c->out, c->out + n, c->out_size);
}

void mqtt_answers_send(struct client *c, const void *bytes, size_t size)
{
	if (c->fd < 0 || size == 0)
		return;
	c->out = realloc(c->out, c->out_size + size);
	memcpy(c->out + c->out_size, bytes, size);
	c->out_size += size;
	mqtt_answers_flush(c);
}

static void send_packet(struct client *c, struct mqtt_packet *take)
{
	size_t size;
	uint8_t *bytes = mqtt_packet_end(take, &size);
	mqtt_answers_send(c, bytes, size);
	free(bytes);
}

void mqtt_answers_close(struct client *c, bool reset)
{
	struct linger now = { 1, 0 };
	if (c->fd < 0)
		return;
	if (reset)
		setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(c->fd);
	for (size_t i = 0; i < c->n_topics; i++)
		free(c->topics[i]);
	free(c->in);
	free(c->out);
	*c = (struct client){ .fd = -1 };
}

/* properties: NULL, or of version 5 without their length */
static void send_publish(struct mqtt_broker *b, struct client *c, const char *topic, const void *bytes, size_t size,
			 int qos, bool retain, const struct mqtt_packet *properties)
{
	struct mqtt_packet p = mqtt_packet_begin((uint8_t)(0x30 | qos << 1 | retain));
	mqtt_packet_text(&p, topic, strlen(topic));
	if (qos)
		mqtt_packet_number(&p, b->mid = (uint16_t)(b->mid % 60000 + 1), 2);
	if (c->v5)
		mqtt_packet_number(&p, properties ? (unsigned)properties->size : 0, 1);
	if (c->v5 && properties)
		mqtt_packet_bytes(&p, properties->bytes, properties->size);
	mqtt_packet_bytes(&p, bytes, size);
	send_packet(c, &p);
}

static bool subscribed(const struct client *c, const char *topic)
{
	for (size_t i = 0; i < c->n_topics; i++)
		if (strcmp(c->topics[i], topic) == 0)
			return true;
	return false;
}

static void retain(struct mqtt_broker *b, const char *topic, const void *bytes, size_t size)
{
	size_t i = 0;
	while (i < b->n_retained && strcmp(b->retained[i].topic, topic) != 0)
		i++;
	if (i == RETAINED)
		return;
	struct retained *r = &b->retained[i];
	if (i == b->n_retained) {
		b->n_retained++;
		r->topic = strdup(topic);
	}
	free(r->bytes);
	r->bytes = malloc(size + 1);
	memcpy(r->bytes, bytes, size);
	r->size = size;
}

void mqtt_answers_route(struct mqtt_broker *b, const struct client *from, const char *topic, const void *bytes,
			size_t size, int qos, bool keep)
{
	if (keep)
		retain(b, topic, bytes, size);
	for (size_t i = 0; i < CLIENTS; i++) {
		struct client *c = &b->clients[i];
		if (c->fd >= 0 && subscribed(c, topic) && !(c == from && c->no_local))
			send_publish(b, c, topic, bytes, size, qos, false, NULL);
	}
}

void mqtt_answers_respond(struct mqtt_broker *b, const char *topic, const void *correlation, size_t size,
			  const char *payload, const char *error)
{
	struct mqtt_packet properties = { 0 };
	if (correlation) {
		mqtt_packet_number(&properties, 0x09, 1);
		mqtt_packet_text(&properties, correlation, size);
	}
	if (error) {
		mqtt_packet_number(&properties, 0x26, 1);
		mqtt_packet_text(&properties, "error", 5);
		mqtt_packet_text(&properties, error, strlen(error));
	}
	for (size_t i = 0; i < CLIENTS; i++)
		if (b->clients[i].fd >= 0 && subscribed(&b->clients[i], topic))
			send_publish(b, &b->clients[i], topic, payload, strlen(payload), 0, false, &properties);
	mqtt_packet_drop(&properties);
}

/* --- what clients send --- */

static void read_will(struct mqtt_broker *b, struct client *c, struct mqtt_reader *r, unsigned flags)
{
	if (c->v5)
		mqtt_reader_skip_properties(r);
	mqtt_reader_text(r, c->will_topic, sizeof(c->will_topic));
	mqtt_reader_text(r, c->will, sizeof(c->will));
	c->will_retain = flags & 0x20;
	b->counts.wills++;
}

static void on_connect(struct mqtt_broker *b, struct client *c, struct mqtt_reader r)
{
	char name[8];
	mqtt_reader_text(&r, name, sizeof(name));
	c->v5 = mqtt_reader_number(&r, 1) == 5;
	unsigned flags = mqtt_reader_number(&r, 1);
	mqtt_reader_number(&r, 2);
	struct mqtt_properties said = { 0 };
	b->counts.connects++;
	if (c->v5)
		mqtt_reader_properties(&r, &said);
	b->counts.maximum_packet = said.maximum_packet;
	b->counts.receive_maximum = said.receive_maximum;
	b->counts.session_expiry = said.session_expiry;
	b->counts.says_expiry = said.says_expiry;
	b->counts.clean = flags & 0x02;
	mqtt_reader_text(&r, b->counts.client_id, sizeof(b->counts.client_id));
	if (flags & 0x04)
		read_will(b, c, &r, flags);
	b->counts.user[0] = b->counts.password[0] = '\0';
	if (flags & 0x80)
		mqtt_reader_text(&r, b->counts.user, sizeof(b->counts.user));
	if (flags & 0x40)
		mqtt_reader_text(&r, b->counts.password, sizeof(b->counts.password));
	if (b->fault == MQTT_BROKER_NO_MQTT)
		mqtt_answers_send(c, "HTTP/1.1 400 Bad Request\r\n\r\n", 28);
	if (b->fault == MQTT_BROKER_HALF_CONNACK)
		mqtt_answers_send(c, "\x20\x03", 2);
	if (b->fault == MQTT_BROKER_CLOSES)
		mqtt_answers_close(c, false);
	if (c->fd < 0 || b->fault == MQTT_BROKER_NO_MQTT || b->fault == MQTT_BROKER_HALF_CONNACK)
		return;
	struct mqtt_packet p = mqtt_packet_begin(0x20);
	mqtt_packet_number(&p, b->fault == MQTT_BROKER_REMEMBERS, 1);
	mqtt_packet_number(&p, b->fault == MQTT_BROKER_REFUSES ? b->code : 0, 1);
	if (c->v5)
		mqtt_packet_number(&p, 0, 1);
	send_packet(c, &p);
	if (b->fault == MQTT_BROKER_REFUSES)
		mqtt_answers_close(c, false);
}

static void send_half(struct client *c)
{
	static const uint8_t half[] = { 0x30, 100, 0, 4, 'h', 'a', 'l', 'f', 0, 'n', 'o' };
	mqtt_answers_send(c, half, sizeof(half));
}

static void strike(struct mqtt_broker *b, struct client *c)
{
	static const uint8_t endless[] = { 0x30, 0xFF, 0xFF, 0xFF, 0x7F, 0, 1, 'x' };
	const uint8_t *bytes;
	size_t size;
	if (b->fault == MQTT_BROKER_HOSTILE && mqtt_broker_hostile(b->code, &bytes, &size))
		mqtt_answers_send(c, bytes, size);
	if (b->fault == MQTT_BROKER_CUTS || b->fault == MQTT_BROKER_STALLS)
		send_half(c);
	if (b->fault == MQTT_BROKER_CUTS)
		mqtt_answers_close(c, false);
	if (b->fault == MQTT_BROKER_ENDLESS) {
		mqtt_answers_send(c, endless, sizeof(endless));
		c->endless = true;
	}
	if (b->fault == MQTT_BROKER_DISCONNECTS)
		mqtt_answers_send(c, (const uint8_t[]){ 0xE0, 2, (uint8_t)b->code, 0 }, 4);
}

static void send_retained(struct mqtt_broker *b, struct client *c, size_t first)
{
	for (size_t i = first; i < c->n_topics; i++)
		for (size_t k = 0; k < b->n_retained; k++)
			if (strcmp(c->topics[i], b->retained[k].topic) == 0)
				send_publish(b, c, c->topics[i], b->retained[k].bytes, b->retained[k].size, 0, true,
					     NULL);
}

static void on_subscribe(struct mqtt_broker *b, struct client *c, struct mqtt_reader r)
{
	char topic[256];
	size_t first = c->n_topics;
	struct mqtt_packet p = mqtt_packet_begin(0x90);
	mqtt_packet_number(&p, mqtt_reader_number(&r, 2), 2);
	if (c->v5) {
		mqtt_reader_skip_properties(&r);
		mqtt_packet_number(&p, 0, 1);
	}
	while (!r.bad && r.at < r.end && c->n_topics < TOPICS) {
		mqtt_reader_text(&r, topic, sizeof(topic));
		unsigned options = mqtt_reader_number(&r, 1);
		bool refused = b->fault == MQTT_BROKER_REFUSES_TOPICS;
		b->counts.no_local = c->no_local = (options & 4) != 0;
		b->counts.topics++;
		mqtt_packet_number(&p, refused ? 0x80 : options & 3, 1);
		if (!refused)
			c->topics[c->n_topics++] = strdup(topic);
	}
	if (b->fault == MQTT_BROKER_NO_SUBACK) {
		mqtt_packet_drop(&p);
		return;
	}
	send_packet(c, &p);
	send_retained(b, c, first);
	strike(b, c);
}

static void on_publish(struct mqtt_broker *b, struct client *c, struct mqtt_reader r)
{
	unsigned qos = r.type >> 1 & 3, mid = 0;
	bool refused = b->fault == MQTT_BROKER_REFUSES_PUBLISH;
	mqtt_reader_text(&r, b->counts.topic, sizeof(b->counts.topic));
	if (qos)
		mid = mqtt_reader_number(&r, 2);
	struct mqtt_properties said = { 0 };
	if (c->v5)
		mqtt_reader_properties(&r, &said);
	snprintf(b->counts.response_topic, sizeof(b->counts.response_topic), "%s", said.response_topic);
	memcpy(b->counts.correlation, said.correlation, sizeof(said.correlation));
	b->counts.correlation_size = said.correlation_size;
	size_t size = (size_t)(r.end - r.at);
	snprintf(b->counts.payload, sizeof(b->counts.payload), "%.*s", (int)size, (const char *)r.at);
	b->counts.mid = mid;
	b->counts.publishes++;
	if (qos && b->fault != MQTT_BROKER_NO_PUBACK) {
		struct mqtt_packet p = mqtt_packet_begin(qos == 1 ? 0x40 : 0x50);
		mqtt_packet_number(&p, mid, 2);
		if (refused)
			mqtt_packet_number(&p, b->code, 1);
		send_packet(c, &p);
	}
	if (!refused)
		mqtt_answers_route(b, c, b->counts.topic, r.at, size, 0, r.type & 1);
}

static void on_pubrec(struct mqtt_broker *b, struct client *c, struct mqtt_reader r)
{
	(void)b;
	struct mqtt_packet p = mqtt_packet_begin(0x62);
	mqtt_packet_number(&p, mqtt_reader_number(&r, 2), 2);
	send_packet(c, &p);
}

static void on_pubrel(struct mqtt_broker *b, struct client *c, struct mqtt_reader r)
{
	(void)b;
	struct mqtt_packet p = mqtt_packet_begin(0x70);
	mqtt_packet_number(&p, mqtt_reader_number(&r, 2), 2);
	send_packet(c, &p);
}

static void on_ping(struct mqtt_broker *b, struct client *c, struct mqtt_reader r)
{
	(void)r;
	b->counts.pings++;
	mqtt_answers_send(c, "\xD0\x00", 2);
}

static void on_disconnect(struct mqtt_broker *b, struct client *c, struct mqtt_reader r)
{
	(void)r;
	b->counts.disconnects++;
	c->will_topic[0] = '\0'; /* who takes his leave has no will */
	mqtt_answers_close(c, false);
}

static void on_packet(struct mqtt_broker *b, struct client *c, struct mqtt_reader r)
{
	static void (*const rows[16])(struct mqtt_broker *, struct client *, struct mqtt_reader) = {
		[1] = on_connect,   [3] = on_publish, [5] = on_pubrec,      [6] = on_pubrel,
		[8] = on_subscribe, [12] = on_ping,   [14] = on_disconnect,
	};
	if (b->fault != MQTT_BROKER_SILENT && rows[r.type >> 4])
		rows[r.type >> 4](b, c, r);
	mqtt_answers_counted(b);
}

void mqtt_answers_take(struct mqtt_broker *b, struct client *c)
{
	struct mqtt_reader r;
	size_t used;
	while (c->fd >= 0 && (used = mqtt_reader_take(&r, c->in, c->in_size))) {
		on_packet(b, c, r);
		if (c->fd < 0)
			return;
		c->in_size -= used;
		memmove(c->in, c->in + used, c->in_size);
	}
}
