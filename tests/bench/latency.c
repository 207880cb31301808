/*
 * How long from a message at the MQTT broker to the presence at the friend: publishes numbers to one topic, one at a time,
 * and waits until the thing's status shows each.
 *
 *	bench_latency --broker PORT [--port PORT] [--topic TOPIC] [--times N] [--gap MS]
 *
 * Without --port it is the XMPP server itself and says its port first. The thing is t0.v; it must be an int without unit.
 */
#include "tests/bench/friend.h"

#include <arpa/inet.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum { MOST = 10000, PATIENCE_MS = 10000 };

struct latency {
	struct stream stream;
	struct friend friend;
	int broker, port, mqtt;
	const char *topic;
	size_t times;
	int gap_ms;
	double ms[MOST];
};

static double now_ms(void)
{
	struct timespec at;
	clock_gettime(CLOCK_MONOTONIC, &at);
	return (double)at.tv_sec * 1e3 + (double)at.tv_nsec / 1e6;
}

static void send_packet(int fd, unsigned char type, const char *body, size_t size)
{
	char packet[256];
	if (size > 127)
		die("a packet of ours is too long");
	packet[0] = (char)type;
	packet[1] = (char)size;
	memcpy(packet + 2, body, size);
	if (send(fd, packet, size + 2, MSG_NOSIGNAL) != (ssize_t)size + 2)
		die("the broker takes nothing");
}

/* MQTT 3.1.1, as little of it as publishing with QoS 0 takes. */
static int connect_broker(int port)
{
	static const char hello[] = "\0\4MQTT\4\2\0\0\0\5bench";
	struct sockaddr_in at = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	char answer[4];
	int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&at, sizeof(at)))
		die("no broker at port %d", port);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	send_packet(fd, 0x10, hello, sizeof(hello) - 1);
	if (recv(fd, answer, sizeof(answer), MSG_WAITALL) != sizeof(answer) || answer[3] != 0)
		die("the broker refuses us");
	return fd;
}

static void publish(const struct latency *l, size_t number)
{
	char body[128];
	size_t topic = strlen(l->topic);
	body[0] = 0;
	body[1] = (char)topic;
	int n = snprintf(body + 2, sizeof(body) - 2, "%s%zu", l->topic, number);
	send_packet(l->mqtt, 0x30, body, (size_t)n + 2);
}

static bool shows(const struct stanza *st, size_t number)
{
	char wanted[48];
	snprintf(wanted, sizeof(wanted), "<status>%zu", number);
	const char *at = stanza_is(st, "<presence ") ? stanza_find(st, wanted) : NULL;
	return at && strchr(" <", at[strlen(wanted)]);
}

static bool receive(struct latency *l, size_t number, int wait_ms)
{
	size_t at = 0;
	struct stanza st;
	bool seen = false;
	if (!stream_receive(&l->stream, wait_ms))
		return false;
	while (stream_next(&l->stream, &at, &st)) {
		seen = seen || shows(&st, number);
		friend_serve(&l->friend, &st);
	}
	stream_take(&l->stream, at);
	stream_flush(&l->stream);
	return seen;
}

static double once(struct latency *l, size_t number)
{
	double begun = now_ms();
	publish(l, number);
	while (!receive(l, number, PATIENCE_MS))
		if (now_ms() - begun > PATIENCE_MS)
			die("%zu was published and never shown", number);
	return now_ms() - begun;
}

static void pause_for(struct latency *l, double ms)
{
	for (double ends = now_ms() + ms; now_ms() < ends;)
		receive(l, 0, (int)(ends - now_ms()) + 1);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static void parse(struct latency *l, int argc, char **argv)
{
	static const struct option options[] = {
		{ "broker", 1, 0, 'b' }, { "port", 1, 0, 'p' }, { "topic", 1, 0, 't' },
		{ "times", 1, 0, 'n' },  { "gap", 1, 0, 'g' },  { 0 },
	};
	for (int c; (c = getopt_long(argc, argv, "", options, NULL)) >= 0;) {
		switch (c) {
		case 'b':
			l->broker = (int)strtol(optarg, NULL, 10);
			break;
		case 'p':
			l->port = (int)strtol(optarg, NULL, 10);
			break;
		case 't':
			l->topic = optarg;
			break;
		case 'n':
			l->times = strtoul(optarg, NULL, 10);
			break;
		case 'g':
			l->gap_ms = (int)strtol(optarg, NULL, 10);
			break;
		default:
			exit(2);
		}
	}
	if (l->times == 0 || l->times > MOST)
		die("--times is 1 to %d", MOST);
}

int main(int argc, char **argv)
{
	static struct latency l = { .topic = "bench/t0", .times = 100, .gap_ms = 130 };
	parse(&l, argc, argv);
	l.friend = (struct friend){
		.stream = &l.stream, .domain = "things.localhost", .own = "load.localhost", .n_things = 1
	};
	if (l.port)
		stream_connect(&l.stream, l.port, l.friend.own, "s3cret");
	else
		stream_accept(&l.stream, l.friend.domain);
	friend_befriend(&l.friend);
	l.mqtt = connect_broker(l.broker);
	pause_for(&l, 1000);
	for (size_t i = 0; i < l.times; i++) {
		l.ms[i] = once(&l, i + 1);
		pause_for(&l, l.gap_ms);
	}
	qsort(l.ms, l.times, sizeof(l.ms[0]), compare);
	printf("{\"times\": %zu, \"p50_ms\": %.2f, \"p99_ms\": %.2f, \"most_ms\": %.2f}\n", l.times, l.ms[l.times / 2],
	       l.ms[l.times * 99 / 100], l.ms[l.times - 1]);
	return 0;
}
