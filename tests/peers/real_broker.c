#include "tests/peers/real_broker.h"

#include "tests/peers/mqtt_packet.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void die(const char *what)
{
	perror(what);
	abort();
}

/* said: -1, or a descriptor that becomes its output `as` */
static pid_t spawn(char *const *words, int said, int as)
{
	pid_t parent = getpid(), pid = fork();
	if (pid < 0)
		die("fork");
	if (pid > 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	if (said >= 0)
		dup2(said, as);
	execvp(words[0], words);
	_exit(127);
}

static void wait_for(pid_t pid)
{
	int status;
	if (waitpid(pid, &status, 0) < 0)
		die("waitpid");
}

static int free_port(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t size = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 || getsockname(fd, (struct sockaddr *)&at, &size) < 0)
		die("port");
	close(fd);
	return ntohs(at.sin_port);
}

/* mosquitto says that it runs, once it listens. */
void real_broker_start(struct real_broker *r)
{
	char file[96], line[512];
	int ends[2];
	snprintf(file, sizeof(file), "%s/mosquitto.conf", r->folder);
	if (pipe(ends) < 0)
		die("pipe");
	r->pid = spawn((char *[]){ "mosquitto", "-c", file, NULL }, ends[1], STDERR_FILENO);
	close(ends[1]);
	FILE *said = fdopen(ends[0], "r");
	while (fgets(line, sizeof(line), said))
		if (strstr(line, " running")) {
			fclose(said);
			return;
		}
	fprintf(stderr, "mosquitto does not start\n");
	abort();
}

/* The beginning of its configuration. */
static FILE *begin_file(struct real_broker *r)
{
	char path[96];
	*r = (struct real_broker){ .port = free_port() };
	snprintf(r->folder, sizeof(r->folder), "/tmp/jidgate-mosquitto-XXXXXX");
	if (!mkdtemp(r->folder))
		die(r->folder);
	snprintf(path, sizeof(path), "%s/mosquitto.conf", r->folder);
	FILE *f = fopen(path, "w");
	if (!f)
		die(path);
	fprintf(f, "listener %d 127.0.0.1\nset_tcp_nodelay true\npersistence false\nlog_dest stderr\n", r->port);
	fprintf(f, "max_queued_messages 0\n%s", geteuid() ? "" : "user root\n");
	signal(SIGPIPE, SIG_IGN);
	return f;
}

void real_broker_begin_sealed(struct real_broker *r, const char *certs)
{
	FILE *f = begin_file(r);
	fprintf(f, "allow_anonymous true\nrequire_certificate true\n");
	fprintf(f, "cafile %s/ca.pem\ncertfile %s/server.pem\nkeyfile %s/server.key\n", certs, certs, certs);
	fclose(f);
	real_broker_start(r);
}

void real_broker_begin(struct real_broker *r, const char *user, const char *password)
{
	char path[96];
	FILE *f = begin_file(r);
	fprintf(f, "allow_anonymous %s\n", user ? "false" : "true");
	if (user)
		fprintf(f, "password_file %s/passwords\n", r->folder);
	fclose(f);
	snprintf(path, sizeof(path), "%s/passwords", r->folder);
	if (user)
		wait_for(spawn((char *[]){ "mosquitto_passwd", "-c", "-b", path, (char *)(size_t)user,
					   (char *)(size_t)password, NULL },
			       -1, 0));
	real_broker_start(r);
}

void real_broker_signal(struct real_broker *r, int signum)
{
	kill(r->pid, signum);
	if (signum != SIGKILL)
		return;
	wait_for(r->pid);
	r->pid = 0;
}

void real_broker_publish(struct real_broker *r, const char *topic, const char *payload, bool retain)
{
	char port[8];
	snprintf(port, sizeof(port), "%d", r->port);
	char *words[] = { "mosquitto_pub",
			  "-h",
			  "127.0.0.1",
			  "-p",
			  port,
			  "-q",
			  "1",
			  "-t",
			  (char *)(size_t)topic,
			  "-m",
			  (char *)(size_t)payload,
			  retain ? "-r" : NULL,
			  NULL };
	wait_for(spawn(words, -1, 0));
}

static void send_packet(int fd, struct mqtt_packet *p)
{
	size_t size;
	uint8_t *bytes = mqtt_packet_end(p, &size);
	for (size_t at = 0; at < size;) {
		ssize_t n = write(fd, bytes + at, size - at);
		if (n < 0)
			die("write");
		at += (size_t)n;
	}
	free(bytes);
}

static void expect_answer(int fd, uint8_t type, size_t size)
{
	uint8_t bytes[4];
	for (size_t at = 0; at < size;) {
		ssize_t n = read(fd, bytes + at, size - at);
		if (n <= 0)
			die("read");
		at += (size_t)n;
	}
	if (bytes[0] != type)
		die("answer");
}

static int connect_raw(const struct real_broker *r)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)r->port) };
	struct mqtt_packet hello = mqtt_packet_begin(0x10);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (connect(fd, (struct sockaddr *)&at, sizeof(at)) < 0)
		die("connect");
	mqtt_packet_text(&hello, "MQTT", 4);
	mqtt_packet_bytes(&hello, "\x04\x02\x00\x3c", 4); /* 3.1.1, clean session, keep alive */
	mqtt_packet_text(&hello, "", 0);
	send_packet(fd, &hello);
	expect_answer(fd, 0x20, 4);
	return fd;
}

void real_broker_keep(struct real_broker *r, size_t n,
		      void (*message)(void *ctx, size_t i, char topic[256], char payload[2048]), void *ctx)
{
	int fd = connect_raw(r);
	for (size_t i = 0; i < n; i++) {
		char topic[256], payload[2048];
		struct mqtt_packet p = mqtt_packet_begin(0x31); /* retain, QoS 0 */
		message(ctx, i, topic, payload);
		mqtt_packet_text(&p, topic, strlen(topic));
		mqtt_packet_bytes(&p, payload, strlen(payload));
		send_packet(fd, &p);
	}
	struct mqtt_packet ping = mqtt_packet_begin(0xc0);
	send_packet(fd, &ping);
	expect_answer(fd, 0xd0, 2);
	close(fd);
}

void real_broker_listen(struct real_broker *r, const char *topic, void (*cause)(void *ctx), void *ctx, char *ret,
			size_t room)
{
	char port[8], line[1024];
	int ends[2];
	ret[0] = '\0';
	snprintf(port, sizeof(port), "%d", r->port);
	if (pipe(ends) < 0)
		die("pipe");
	char *words[] = {
		"stdbuf", "-oL", "mosquitto_sub", "-h", "127.0.0.1",           "-p", port, "-q", "1", "-d", "-C",
		"1",      "-F",  "> %q %r %p",    "-t", (char *)(size_t)topic, NULL
	};
	pid_t pid = spawn(words, ends[1], STDOUT_FILENO);
	close(ends[1]);
	FILE *said = fdopen(ends[0], "r");
	while (fgets(line, sizeof(line), said)) {
		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, "Subscribed", 10) == 0)
			cause(ctx);
		if (strncmp(line, "> ", 2) == 0)
			snprintf(ret, room, "%s", line + 2);
	}
	fclose(said);
	wait_for(pid);
}

/* mosquitto_sub prints response topic and correlation data, mosquitto_pub sends with them. */
pid_t real_broker_answer(struct real_broker *r, const char *topic, const char *payload)
{
	char script[512], line[256];
	int ends[2];
	snprintf(script, sizeof(script),
		 "stdbuf -oL mosquitto_sub -V 5 -h 127.0.0.1 -p %d -q 1 -d -C 1 -F '> %%R %%D' -t %s | while read mark to data; do "
		 "case $mark in Subscribed) echo listens;; '>') exec mosquitto_pub -V 5 -h 127.0.0.1 -p %d -q 1 -t $to "
		 "-D publish correlation-data $data -m '%s';; esac; done",
		 r->port, topic, r->port, payload);
	if (pipe(ends) < 0)
		die("pipe");
	pid_t pid = spawn((char *[]){ "sh", "-c", script, NULL }, ends[1], STDOUT_FILENO);
	close(ends[1]);
	FILE *said = fdopen(ends[0], "r");
	if (!fgets(line, sizeof(line), said))
		die("mosquitto_sub");
	fclose(said);
	return pid;
}

void real_broker_wait(pid_t device)
{
	wait_for(device);
}

void real_broker_end(struct real_broker *r)
{
	char path[96];
	if (r->pid) {
		kill(r->pid, SIGCONT);
		real_broker_signal(r, SIGKILL);
	}
	snprintf(path, sizeof(path), "%s/mosquitto.conf", r->folder);
	unlink(path);
	snprintf(path, sizeof(path), "%s/passwords", r->folder);
	unlink(path);
	rmdir(r->folder);
}
