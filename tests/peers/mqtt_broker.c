#include "tests/peers/mqtt_answers.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

static const char *const words[MQTT_BROKER_FAULTS] = {
	"well", "reset",  "silent",  "refuses",     "no-mqtt",   "closes",         "half-connack", "hostile",
	"cuts", "stalls", "endless", "disconnects", "no-suback", "refuses-topics", "no-puback",    "refuses-publish",
	"remembers",
};

const char *mqtt_broker_word(enum mqtt_broker_fault fault)
{
	return words[fault];
}

static void read_client(struct mqtt_broker *b, struct client *c)
{
	c->in = realloc(c->in, c->in_size + CHUNK);
	ssize_t n = recv(c->fd, c->in + c->in_size, CHUNK, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		struct client gone = *c;
		mqtt_answers_close(c, false);
		if (*gone.will_topic)
			mqtt_answers_route(b, NULL, gone.will_topic, gone.will, strlen(gone.will), 0, gone.will_retain);
		mqtt_answers_counted(b);
		return;
	}
	c->in_size += (size_t)n;
	mqtt_answers_take(b, c);
}

static void accept_client(struct mqtt_broker *b)
{
	int fd = accept4(b->listener, NULL, NULL, SOCK_CLOEXEC), on = 1;
	struct client *c = b->clients;
	while (c < b->clients + CLIENTS && c->fd >= 0)
		c++;
	if (fd < 0 || c == b->clients + CLIENTS) {
		close(fd);
		return;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	*c = (struct client){ .fd = fd };
	b->counts.connections++;
	if (b->fault == MQTT_BROKER_RESET)
		mqtt_answers_close(c, true);
	mqtt_answers_counted(b);
}

/* --- the thread --- */

static size_t gather(struct mqtt_broker *b, struct pollfd *fds)
{
	size_t n = 0;
	fds[n++] = (struct pollfd){ b->wake, POLLIN, 0 };
	fds[n++] = (struct pollfd){ b->listener, POLLIN, 0 };
	for (size_t i = 0; i < CLIENTS; i++)
		fds[n++] = (struct pollfd){
			b->clients[i].fd,
			(short)(POLLIN | (b->clients[i].endless || b->clients[i].out_size ? POLLOUT : 0)), 0
		};
	return n;
}

static void serve(struct mqtt_broker *b, const struct pollfd *fds)
{
	static const uint8_t zeros[CHUNK];
	if (fds[1].revents && fds[1].fd == b->listener)
		accept_client(b);
	for (size_t i = 0; i < CLIENTS; i++) {
		struct client *c = &b->clients[i];
		short events = fds[2 + i].revents;
		if (!events || c->fd != fds[2 + i].fd)
			continue;
		if ((events & POLLOUT) && c->out_size)
			mqtt_answers_flush(c);
		else if ((events & POLLOUT) && c->endless &&
			 send(c->fd, zeros, sizeof(zeros), MSG_NOSIGNAL | MSG_DONTWAIT) < 0 && errno != EAGAIN)
			c->endless = false;
		if (events & ~POLLOUT)
			read_client(b, c);
	}
}

static void *run(void *ctx)
{
	struct mqtt_broker *b = ctx;
	struct pollfd fds[2 + CLIENTS];
	pthread_mutex_lock(&b->lock);
	while (!b->ending) {
		uint64_t wakes;
		size_t n = gather(b, fds);
		pthread_mutex_unlock(&b->lock);
		poll(fds, n, -1);
		pthread_mutex_lock(&b->lock);
		if (fds[0].revents && read(b->wake, &wakes, sizeof(wakes)) < 0)
			abort();
		b->turns++;
		pthread_cond_broadcast(&b->turned);
		serve(b, fds);
	}
	pthread_mutex_unlock(&b->lock);
	return NULL;
}

static void wake(struct mqtt_broker *b)
{
	uint64_t one = 1;
	if (write(b->wake, &one, sizeof(one)) < 0)
		abort();
}

static void start_listening(struct mqtt_broker *b)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)b->port) };
	socklen_t size = sizeof(at);
	int on = 1;
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	b->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(b->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(b->listener, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(b->listener, 64) < 0 ||
	    getsockname(b->listener, (struct sockaddr *)&at, &size) < 0) {
		perror("mqtt_broker");
		abort();
	}
	b->port = ntohs(at.sin_port);
}

struct mqtt_broker *mqtt_broker_new(void)
{
	struct mqtt_broker *b = calloc(1, sizeof(*b));
	for (size_t i = 0; i < CLIENTS; i++)
		b->clients[i].fd = -1;
	b->wake = eventfd(0, EFD_CLOEXEC);
	b->events = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	start_listening(b);
	pthread_mutex_init(&b->lock, NULL);
	pthread_cond_init(&b->turned, NULL);
	if (pthread_create(&b->thread, NULL, run, b) != 0)
		abort();
	return b;
}

static void forget_all(struct mqtt_broker *b)
{
	for (size_t i = 0; i < CLIENTS; i++)
		mqtt_answers_close(&b->clients[i], true);
	for (size_t i = 0; i < b->n_retained; i++) {
		free(b->retained[i].topic);
		free(b->retained[i].bytes);
		b->retained[i] = (struct retained){ 0 };
	}
	b->n_retained = 0;
	if (b->listener >= 0)
		close(b->listener);
	b->listener = -1;
}

void mqtt_broker_free(struct mqtt_broker *b)
{
	if (!b)
		return;
	pthread_mutex_lock(&b->lock);
	b->ending = true;
	pthread_mutex_unlock(&b->lock);
	wake(b);
	pthread_join(b->thread, NULL);
	forget_all(b);
	pthread_cond_destroy(&b->turned);
	pthread_mutex_destroy(&b->lock);
	close(b->wake);
	close(b->events);
	free(b);
}

int mqtt_broker_port(const struct mqtt_broker *b)
{
	return b->port;
}

int mqtt_broker_fd(const struct mqtt_broker *b)
{
	return b->events;
}

void mqtt_broker_fault(struct mqtt_broker *b, enum mqtt_broker_fault fault, unsigned code)
{
	pthread_mutex_lock(&b->lock);
	b->fault = fault;
	b->code = code;
	pthread_mutex_unlock(&b->lock);
}

void mqtt_broker_die(struct mqtt_broker *b)
{
	pthread_mutex_lock(&b->lock);
	forget_all(b);
	wake(b);
	for (unsigned turns = b->turns;
	     turns == b->turns;) /* as long as its poll knows the listener, the port is taken */
		pthread_cond_wait(&b->turned, &b->lock);
	pthread_mutex_unlock(&b->lock);
}

void mqtt_broker_revive(struct mqtt_broker *b)
{
	pthread_mutex_lock(&b->lock);
	start_listening(b);
	pthread_mutex_unlock(&b->lock);
	wake(b);
}

void mqtt_broker_publish(struct mqtt_broker *b, const char *topic, const void *bytes, size_t size, int qos, bool keep)
{
	pthread_mutex_lock(&b->lock);
	mqtt_answers_route(b, NULL, topic, bytes, size, qos, keep);
	pthread_mutex_unlock(&b->lock);
	wake(b);
}

void mqtt_broker_respond(struct mqtt_broker *b, const char *topic, const void *correlation, size_t size,
			 const char *payload, const char *error)
{
	pthread_mutex_lock(&b->lock);
	mqtt_answers_respond(b, topic, correlation, size, payload, error);
	pthread_mutex_unlock(&b->lock);
	wake(b);
}

void mqtt_broker_kept(struct mqtt_broker *b, const char *topic, char *ret, size_t room)
{
	ret[0] = '\0';
	pthread_mutex_lock(&b->lock);
	for (size_t i = 0; i < b->n_retained; i++)
		if (strcmp(b->retained[i].topic, topic) == 0)
			snprintf(ret, room, "%.*s", (int)b->retained[i].size, (const char *)b->retained[i].bytes);
	pthread_mutex_unlock(&b->lock);
}

void mqtt_broker_send(struct mqtt_broker *b, const void *bytes, size_t size)
{
	pthread_mutex_lock(&b->lock);
	for (size_t i = 0; i < CLIENTS; i++)
		mqtt_answers_send(&b->clients[i], bytes, size);
	pthread_mutex_unlock(&b->lock);
	wake(b);
}

struct mqtt_broker_counts mqtt_broker_counts(struct mqtt_broker *b)
{
	pthread_mutex_lock(&b->lock);
	struct mqtt_broker_counts counts = b->counts;
	pthread_mutex_unlock(&b->lock);
	return counts;
}
