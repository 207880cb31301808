#include "tests/peers/tls_front.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONNECTIONS = 256, PIECE = 16384 };

struct connection {
	struct tls_front *front;
	pthread_t thread;
	int fd;
	enum tls_front_fault fault;
	SSL_CTX *context;
};

struct tls_front {
	struct certs certs;
	char certificate[32];
	bool wants;
	enum tls_front_fault fault;
	int listener, port, upstream;
	pthread_t thread;
	pthread_mutex_t lock;
	struct connection connections[CONNECTIONS];
	unsigned n;
};

static void need(bool well, const char *what)
{
	if (well)
		return;
	perror(what);
	abort();
}

static SSL_CTX *context_of(struct tls_front *f)
{
	char name[40], path[128];
	SSL_CTX *c = SSL_CTX_new(TLS_server_method());
	snprintf(name, sizeof(name), "%s.pem", f->certificate);
	need(SSL_CTX_use_certificate_file(c, certs_file(&f->certs, name, path), SSL_FILETYPE_PEM) == 1, path);
	snprintf(name, sizeof(name), "%s.key", f->certificate);
	need(SSL_CTX_use_PrivateKey_file(c, certs_file(&f->certs, name, path), SSL_FILETYPE_PEM) == 1, path);
	need(SSL_CTX_load_verify_locations(c, certs_file(&f->certs, "ca.pem", path), NULL) == 1, path);
	SSL_CTX_set_security_level(c, 0);
	if (f->wants)
		SSL_CTX_set_verify(c, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	if (f->fault == TLS_FRONT_OLD)
		SSL_CTX_set_max_proto_version(c, TLS1_1_VERSION);
	return c;
}

static int connect_to(int port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0) {
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		return fd;
	}
	close(fd);
	return -1;
}

static bool pass_in(SSL *ssl, int up)
{
	char piece[PIECE];
	do {
		int n = SSL_read(ssl, piece, sizeof(piece));
		if (n <= 0 || send(up, piece, (size_t)n, MSG_NOSIGNAL) != n)
			return false;
	} while (SSL_pending(ssl));
	return true;
}

static bool pass_out(SSL *ssl, int up)
{
	char piece[PIECE];
	ssize_t n = recv(up, piece, sizeof(piece), 0);
	return n > 0 && SSL_write(ssl, piece, (int)n) == n;
}

static void relay(SSL *ssl, int fd, int up)
{
	struct pollfd fds[] = { { fd, POLLIN, 0 }, { up, POLLIN, 0 } };
	bool open = true;
	while (open && poll(fds, 2, -1) > 0) {
		open = !fds[0].revents || pass_in(ssl, up);
		open = open && (!fds[1].revents || pass_out(ssl, up));
	}
	SSL_shutdown(ssl);
}

static void wait_for_the_end(int fd)
{
	char piece[PIECE];
	while (recv(fd, piece, sizeof(piece), 0) > 0)
		continue;
}

/* The server's first flight, of which only the first half goes out. */
static void say_half(const struct connection *c)
{
	char piece[PIECE];
	SSL *ssl = SSL_new(c->context);
	BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());
	SSL_set_bio(ssl, in, out);
	SSL_set_accept_state(ssl);
	ssize_t n = recv(c->fd, piece, sizeof(piece), 0);
	if (n > 0)
		BIO_write(in, piece, (int)n);
	SSL_do_handshake(ssl);
	int size = BIO_read(out, piece, sizeof(piece));
	if (size > 0)
		send(c->fd, piece, (size_t)size / 2, MSG_NOSIGNAL);
	SSL_free(ssl);
	if (c->fault == TLS_FRONT_STALLS)
		wait_for_the_end(c->fd);
}

static void shake_hands(const struct connection *c)
{
	static const unsigned char garbage[] = { 0x17, 3, 3, 0, 20, 1, 2,  3,  4,  5,  6,  7, 8,
						 9,    1, 2, 3, 4,  5, 6, 7,  8,  9,  10, 11 };
	SSL *ssl = SSL_new(c->context);
	SSL_set_fd(ssl, c->fd);
	bool well = SSL_accept(ssl) == 1;
	if (well && (c->fault == TLS_FRONT_GARBLES || c->fault == TLS_FRONT_BREAKS)) {
		send(c->fd, garbage, c->fault == TLS_FRONT_BREAKS ? 9 : sizeof(garbage), MSG_NOSIGNAL);
		if (c->fault == TLS_FRONT_GARBLES)
			wait_for_the_end(c->fd);
	} else if (well) {
		int up = connect_to(c->front->upstream);
		if (up >= 0)
			relay(ssl, c->fd, up);
		close(up);
	}
	SSL_free(ssl);
}

static void misbehave(const struct connection *c)
{
	static const char http[] = "HTTP/1.1 400 Bad Request\r\n\r\n";
	static const unsigned char alert[] = { 0x15, 3, 3, 0, 2, 2, 40 };
	struct linger now = { 1, 0 };
	if (c->fault == TLS_FRONT_RESET)
		setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	else if (c->fault == TLS_FRONT_SILENT)
		wait_for_the_end(c->fd);
	else if (c->fault == TLS_FRONT_NO_TLS)
		send(c->fd, http, sizeof(http) - 1, MSG_NOSIGNAL);
	else if (c->fault == TLS_FRONT_ALERT)
		send(c->fd, alert, sizeof(alert), MSG_NOSIGNAL);
	else
		say_half(c);
	if (c->fault == TLS_FRONT_NO_TLS || c->fault == TLS_FRONT_ALERT)
		wait_for_the_end(c->fd);
}

/* Its descriptor is closed under the lock, so that nobody shuts down another one of the same number. */
static void *serve(void *ctx)
{
	struct connection *c = ctx;
	bool shakes = c->fault == TLS_FRONT_WELL || c->fault == TLS_FRONT_OLD || c->fault >= TLS_FRONT_GARBLES;
	(shakes ? shake_hands : misbehave)(c);
	pthread_mutex_lock(&c->front->lock);
	SSL_CTX_free(c->context);
	close(c->fd);
	c->fd = -1;
	pthread_mutex_unlock(&c->front->lock);
	return NULL;
}

static void *run(void *ctx)
{
	struct tls_front *f = ctx;
	int fd, on = 1;
	while ((fd = accept4(f->listener, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		pthread_mutex_lock(&f->lock);
		need(f->n < CONNECTIONS, "tls_front: too many connections");
		struct connection *c = &f->connections[f->n++];
		*c = (struct connection){ .front = f, .fd = fd, .fault = f->fault, .context = context_of(f) };
		need(pthread_create(&c->thread, NULL, serve, c) == 0, "thread");
		pthread_mutex_unlock(&f->lock);
	}
	return NULL;
}

void tls_front_revive(struct tls_front *f)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)f->port) };
	socklen_t size = sizeof(at);
	int on = 1;
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	f->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(f->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	need(bind(f->listener, (struct sockaddr *)&at, sizeof(at)) == 0 && listen(f->listener, 64) == 0, "tls_front");
	need(getsockname(f->listener, (struct sockaddr *)&at, &size) == 0, "tls_front");
	f->port = ntohs(at.sin_port);
	need(pthread_create(&f->thread, NULL, run, f) == 0, "thread");
}

void tls_front_die(struct tls_front *f)
{
	if (f->listener < 0)
		return;
	shutdown(f->listener, SHUT_RDWR);
	pthread_join(f->thread, NULL);
	close(f->listener);
	f->listener = -1;
	pthread_mutex_lock(&f->lock);
	for (unsigned i = 0; i < f->n; i++)
		if (f->connections[i].fd >= 0)
			shutdown(f->connections[i].fd, SHUT_RDWR);
	pthread_mutex_unlock(&f->lock);
}

struct tls_front *tls_front_new(const struct certs *certs, int upstream)
{
	struct tls_front *f = calloc(1, sizeof(*f));
	signal(SIGPIPE, SIG_IGN);
	f->certs = *certs;
	f->upstream = upstream;
	pthread_mutex_init(&f->lock, NULL);
	tls_front_certificate(f, "server");
	tls_front_revive(f);
	return f;
}

void tls_front_free(struct tls_front *f)
{
	if (!f)
		return;
	tls_front_die(f);
	for (unsigned i = 0; i < f->n; i++)
		pthread_join(f->connections[i].thread, NULL);
	pthread_mutex_destroy(&f->lock);
	free(f);
}

int tls_front_port(const struct tls_front *f)
{
	return f->port;
}

void tls_front_fault(struct tls_front *f, enum tls_front_fault fault)
{
	pthread_mutex_lock(&f->lock);
	f->fault = fault;
	pthread_mutex_unlock(&f->lock);
}

void tls_front_certificate(struct tls_front *f, const char *name)
{
	pthread_mutex_lock(&f->lock);
	snprintf(f->certificate, sizeof(f->certificate), "%s", name);
	pthread_mutex_unlock(&f->lock);
}

void tls_front_wants(struct tls_front *f, bool certificate)
{
	pthread_mutex_lock(&f->lock);
	f->wants = certificate;
	pthread_mutex_unlock(&f->lock);
}

unsigned tls_front_connections(struct tls_front *f)
{
	pthread_mutex_lock(&f->lock);
	unsigned n = f->n;
	pthread_mutex_unlock(&f->lock);
	return n;
}
