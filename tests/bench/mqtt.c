/*
 * How many messages of a broker the driver takes, against mosquitto_sub: the same publisher says the same to each, over
 * 10 000 topics, as fast as it is read. One line of JSON for each.
 *
 *     bench_mqtt [MESSAGES]
 */
#include "core/base/mem.h"
#include "tests/lib/rig.h"
#include "tests/peers/mqtt_packet.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern const struct bridge_driver driver_mqtt;

enum { TOPICS = 10000, CONSUMER_CPU = 0, PUBLISHER_CPU = 1 };

static const struct payload_kind {
	const char *name, *format, *options; /* of each point */
} kinds[] = {
	{ "number", "%d.%d0", "" },
	{ "json", "{\"lux\": %d.%d0, \"battery\": 80, \"linkquality\": 120}", "path=/lux" },
};

/* --- the publisher --- */

struct publisher {
	int listener, port, client;
	bool v5;
	uint8_t *in, *said; /* said: one message of each topic */
	size_t in_size, said_size, topics;
};

static void need(bool well, const char *what)
{
	if (well)
		return;
	perror(what);
	exit(1);
}

static void listen_for(struct publisher *p)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t size = sizeof(at);
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	p->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	need(bind(p->listener, (struct sockaddr *)&at, sizeof(at)) == 0 && listen(p->listener, 1) == 0, "listen");
	need(getsockname(p->listener, (struct sockaddr *)&at, &size) == 0, "listen");
	p->port = ntohs(at.sin_port);
}

static void add_message(struct publisher *p, const char *topic, const char *text)
{
	size_t size;
	struct mqtt_packet m = mqtt_packet_begin(0x30);
	mqtt_packet_text(&m, topic, strlen(topic));
	if (p->v5)
		mqtt_packet_number(&m, 0, 1);
	mqtt_packet_bytes(&m, text, strlen(text));
	uint8_t *bytes = mqtt_packet_end(&m, &size);
	p->said = realloc(p->said, p->said_size + size);
	memcpy(p->said + p->said_size, bytes, size);
	p->said_size += size;
	free(bytes);
}

static void prepare(struct publisher *p, const struct payload_kind *kind)
{
	char topic[32], text[128];
	for (int i = 0; i < TOPICS; i++) {
		snprintf(topic, sizeof(topic), "bench/%d", i);
		snprintf(text, sizeof(text), kind->format, i % 100, i % 10);
		add_message(p, topic, text);
	}
}

static void say(const struct publisher *p, const uint8_t *bytes, size_t size)
{
	while (size) {
		ssize_t n = send(p->client, bytes, size, MSG_NOSIGNAL);
		need(n > 0, "the consumer is gone");
		bytes += n;
		size -= (size_t)n;
	}
}

static void answer(const struct publisher *p, struct mqtt_packet *take)
{
	size_t size;
	uint8_t *bytes = mqtt_packet_end(take, &size);
	say(p, bytes, size);
	free(bytes);
}

static void on_connect(struct publisher *p, struct mqtt_reader r)
{
	char name[8];
	(void)r;
	mqtt_reader_text(&r, name, sizeof(name));
	need((mqtt_reader_number(&r, 1) == 5) == p->v5, "version");
	struct mqtt_packet a = mqtt_packet_begin(0x20);
	mqtt_packet_number(&a, 0, p->v5 ? 3 : 2);
	answer(p, &a);
}

static void on_subscribe(struct publisher *p, struct mqtt_reader r)
{
	char topic[64];
	struct mqtt_packet a = mqtt_packet_begin(0x90);
	mqtt_packet_number(&a, mqtt_reader_number(&r, 2), 2);
	if (p->v5) {
		mqtt_reader_skip_properties(&r);
		mqtt_packet_number(&a, 0, 1);
	}
	while (r.at < r.end) {
		mqtt_reader_text(&r, topic, sizeof(topic));
		mqtt_packet_number(&a, mqtt_reader_number(&r, 1) & 3, 1);
		p->topics++;
	}
	answer(p, &a);
}

static void read_more(struct publisher *p)
{
	p->in = realloc(p->in, p->in_size + 65536);
	ssize_t n = recv(p->client, p->in + p->in_size, 65536, 0);
	need(n > 0, "the consumer is gone");
	p->in_size += (size_t)n;
}

/* Until everything is subscribed, and the end of it with it. */
static void serve(struct publisher *p)
{
	struct mqtt_reader r;
	p->client = accept4(p->listener, NULL, NULL, SOCK_CLOEXEC);
	need(p->client >= 0, "accept");
	while (p->topics < TOPICS + 1) {
		size_t used = mqtt_reader_take(&r, p->in, p->in_size);
		if (!used) {
			read_more(p);
			continue;
		}
		if (r.type >> 4 == 1)
			on_connect(p, r);
		if (r.type >> 4 == 8)
			on_subscribe(p, r);
		p->in_size -= used;
		memmove(p->in, p->in + used, p->in_size);
	}
}

static void publish(struct publisher *p, size_t rounds)
{
	for (size_t i = 0; i < rounds; i++)
		say(p, p->said, p->said_size);
	p->said_size = 0;
	add_message(p, "bench/end", "1");
	say(p, p->said, p->said_size);
}

/* --- who takes it --- */

static void pin(int cpu)
{
	cpu_set_t set;
	CPU_ZERO(&set);
	CPU_SET((size_t)cpu, &set);
	if (sysconf(_SC_NPROCESSORS_ONLN) > 1)
		sched_setaffinity(0, sizeof(set), &set);
}

static void take_by_driver(int port, bool v5, const struct payload_kind *kind)
{
	char text[128];
	snprintf(text, sizeof(text), "host=127.0.0.1; port=%d; qos=0; version=%s", port, v5 ? "5" : "3.1.1");
	struct rig *rig = rig_new(&driver_mqtt, text);
	struct device *d = rig_device(rig, "bench", "");
	for (int i = 0; i < TOPICS; i++) {
		snprintf(text, sizeof(text), "topic=bench/%d; %s", i, kind->options);
		rig_point(rig, d, "p", TYPE_REAL, text);
	}
	const struct point *end = rig_point(rig, d, "end", TYPE_INT, "topic=bench/end");
	rig_start(rig);
	alarm(0);
	RIG_UNTIL(rig, end->last.quality == QUALITY_GOOD);
	for (size_t i = 0; i < rig->bridge->n_points; i++)
		need(rig->bridge->points[i]->last.quality == QUALITY_GOOD, "a value is missing");
	_exit(0);
}

static void take_by_mosquitto_sub(int port, bool v5, size_t messages)
{
	char words[2][24], **args = mem_array(2 * (TOPICS + 1) + 32, sizeof(*args));
	size_t n = 0;
	snprintf(words[0], sizeof(words[0]), "%d", port);
	snprintf(words[1], sizeof(words[1]), "%zu", messages + 1);
	const char *const first[] = { "mosquitto_sub", "-h",	 "127.0.0.1", "-p", words[0], "-V",
				      v5 ? "5" : "311", "-q", "0",	"-C", words[1] };
	for (size_t i = 0; i < sizeof(first) / sizeof(first[0]); i++)
		args[n++] = mem_text(first[i]);
	for (int i = 0; i <= TOPICS; i++) {
		args[n++] = mem_text("-t");
		args[n++] = i < TOPICS ? mem_format("bench/%d", i) : mem_text("bench/end");
	}
	dup2(open("/dev/null", O_WRONLY), STDOUT_FILENO);
	execvp(args[0], args);
	_exit(127);
}

static double now_s(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Of all its threads, so far. */
static double cpu_s(pid_t pid)
{
	char path[64], line[1024];
	unsigned long user = 0, system = 0;
	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	FILE *f = fopen(path, "r");
	need(f && fgets(line, sizeof(line), f), path);
	fclose(f);
	sscanf(strrchr(line, ')'), ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system);
	return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

static void measure(bool driver, bool v5, const struct payload_kind *kind, size_t messages)
{
	struct publisher p = { .v5 = v5 };
	struct rusage used;
	int status;
	listen_for(&p);
	prepare(&p, kind);
	fflush(stdout);
	pid_t pid = fork();
	need(pid >= 0, "fork");
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		pin(CONSUMER_CPU);
		if (driver)
			take_by_driver(p.port, v5, kind);
		else
			take_by_mosquitto_sub(p.port, v5, messages);
	}
	pin(PUBLISHER_CPU);
	serve(&p);
	double before = cpu_s(pid), begun = now_s();
	publish(&p, messages / TOPICS);
	need(wait4(pid, &status, 0, &used) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0, "the consumer failed");
	double seconds = now_s() - begun;
	double cpu = (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
		     (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6 - before;
	printf("{\"who\": \"%s\", \"version\": \"%s\", \"payload\": \"%s\", \"messages\": %zu, \"rate\": %.0f, "
	       "\"cpu_us\": %.3f, \"peak_mib\": %.1f}\n",
	       driver ? "jidgate" : "mosquitto_sub", v5 ? "5" : "3.1.1", kind->name, messages,
	       (double)messages / seconds, cpu * 1e6 / (double)messages, (double)used.ru_maxrss / 1024);
	close(p.client);
	close(p.listener);
	free(p.in);
	free(p.said);
}

int main(int argc, char **argv)
{
	size_t messages = argc > 1 ? strtoul(argv[1], NULL, 10) / TOPICS * TOPICS : 1000000;
	for (size_t kind = 0; kind < sizeof(kinds) / sizeof(kinds[0]); kind++)
		for (int v5 = 0; v5 < 2; v5++)
			for (int driver = 0; driver < 2; driver++)
				measure(driver, v5, &kinds[kind], messages);
	return 0;
}
