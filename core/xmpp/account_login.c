#include "core/xmpp/account_login.h"

#include "core/base/list.h"
#include "core/base/mem.h"
#include "core/base/text.h"
#include "core/xmpp/account_starttls.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strophe.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * Happy path: account_login_new has libstrophe connect, and does not run it until we have done STARTTLS on its socket. Then,
 * as if it were a connection that begins with TLS, turns run it until its log says that SASL succeeded; then it is not run any
 * more, and the stream header that it has queued is never sent.
 *
 * libstrophe has no events for most of what goes wrong, only lines of its log (rows of `hints`). It gives its socket callback
 * no pointer of ours, but its context is memory that we gave it, so the login stands in front of it (struct block). It does not
 * give away the TLS connection it makes: OpenSSL tells us of each SSL object when it is made (on_tls).
 *
 * select() in it ends the process above descriptor 1023: low ones are kept free from the start, higher ones refused.
 */

enum {
	TURNS = 6,                /* what is answered in one turn leaves in the next */
	MEMORY_MOST = 512 * 1024, /* a login takes a tenth */
};

struct account_library {
	xmpp_ctx_t *ctx; /* the first one ever: libstrophe remembers it for its memory hooks, unprotected */
	xmpp_conn_t *conn;
	int index; /* of on_tls */
	pthread_mutex_t lock;
	struct list tls; /* struct tls of the whole process */
	int *low;        /* descriptors on /dev/null that keep numbers below FD_SETSIZE free for connections */
	size_t n_low, most_low;
};

struct tls {
	struct list link;
	pthread_t thread;
	SSL *ssl;
};

struct account_login {
	struct account_library *library;
	const struct account_who *who;
	xmpp_mem_t mem;
	xmpp_log_t log;
	xmpp_ctx_t *ctx;
	xmpp_conn_t *conn;
	struct account_starttls *starttls; /* until it is done */
	void (*on_socket)(void *ctx, int fd);
	void *on_socket_ctx;
	size_t memory;
	int fd;
	bool had_socket, done, failed;
	char word[32];
	struct err why; /* the first cause; what follows from it is not kept */
};

struct block {
	struct account_login *login;
	size_t size;
	max_align_t bytes[];
};

/* The first reason is the one. */
static void blame(struct account_login *l, const char *word, const char *sentence)
{
	if (l->why.text[0])
		return;
	err_set(&l->why, "%s", sentence);
	snprintf(l->word, sizeof(l->word), "%s", word);
}

/* Memory */

static struct block *block_of(void *bytes)
{
	return (struct block *)(void *)((char *)bytes - offsetof(struct block, bytes));
}

static void *take(size_t size, void *ctx)
{
	struct account_login *l = ctx;
	struct block *b = mem_new(sizeof(*b) + size);
	*b = (struct block){ .login = l, .size = size };
	l->memory += size;
	return b->bytes;
}

static void give_back(void *bytes, void *ctx)
{
	struct account_login *l = ctx;
	if (!bytes)
		return;
	l->memory -= block_of(bytes)->size;
	mem_free(block_of(bytes));
}

static void *resize(void *bytes, size_t size, void *ctx)
{
	void *larger = take(size, ctx);
	if (bytes) {
		size_t old = block_of(bytes)->size;
		memcpy(larger, bytes, old < size ? old : size);
	}
	give_back(bytes, ctx);
	return larger;
}

/* TLS connections of this process */

static void on_tls(void *parent, void *ptr, CRYPTO_EX_DATA *data, int index, long argl, void *argp)
{
	struct account_library *library = argp;
	struct tls *tls = mem_new(sizeof(*tls));
	(void)ptr, (void)argl;
	*tls = (struct tls){ .thread = pthread_self(), .ssl = parent };
	CRYPTO_set_ex_data(data, index, tls);
	pthread_mutex_lock(&library->lock);
	list_add(&library->tls, &tls->link);
	pthread_mutex_unlock(&library->lock);
}

static void on_tls_end(void *parent, void *ptr, CRYPTO_EX_DATA *data, int index, long argl, void *argp)
{
	struct account_library *library = argp;
	struct tls *tls = ptr;
	(void)parent, (void)data, (void)index, (void)argl;
	if (!tls)
		return;
	pthread_mutex_lock(&library->lock);
	list_drop(&tls->link);
	pthread_mutex_unlock(&library->lock);
	mem_free(tls);
}

/* Only those of the own thread are looked at: the others may be in use. */
SSL *account_login_tls(struct account_login *l)
{
	SSL *found = NULL;
	pthread_mutex_lock(&l->library->lock);
	list_each (at, &l->library->tls) {
		struct tls *tls = list_of(at, struct tls, link);
		if (pthread_equal(tls->thread, pthread_self()) && SSL_get_fd(tls->ssl) == l->fd)
			found = tls->ssl;
	}
	pthread_mutex_unlock(&l->library->lock);
	return found;
}

/* Descriptors */

static void keep_low(struct account_library *library)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	pthread_mutex_lock(&library->lock);
	bool keep = fd >= 0 && fd < FD_SETSIZE && library->n_low < library->most_low;
	if (keep)
		library->low[library->n_low++] = fd;
	pthread_mutex_unlock(&library->lock);
	if (fd >= 0 && !keep)
		close(fd);
}

static void move_low(struct account_library *library, int *fd)
{
	pthread_mutex_lock(&library->lock);
	int low = library->n_low ? library->low[--library->n_low] : -1;
	pthread_mutex_unlock(&library->lock);
	if (low < 0)
		return;
	if (dup3(*fd, low, O_CLOEXEC) < 0) {
		close(low);
		return;
	}
	close(*fd);
	*fd = low;
}

static void set_options(int fd)
{
	static const struct {
		int level, name, value;
	} options[] = {
		{ SOL_SOCKET, SO_KEEPALIVE, 1 },   { IPPROTO_TCP, TCP_KEEPIDLE, 20 },
		{ IPPROTO_TCP, TCP_KEEPINTVL, 5 }, { IPPROTO_TCP, TCP_KEEPCNT, 3 },
		{ IPPROTO_TCP, TCP_NODELAY, 1 },   { IPPROTO_TCP, TCP_USER_TIMEOUT, 30000 },
	};
	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++)
		setsockopt(fd, options[i].level, options[i].name, &options[i].value, sizeof(options[i].value));
	fcntl(fd, F_SETFD, FD_CLOEXEC);
}

static int on_socket(xmpp_conn_t *conn, void *sock)
{
	int *fd = sock;
	struct account_login *l = block_of(xmpp_conn_get_context(conn))->login;
	move_low(l->library, fd);
	if (*fd >= FD_SETSIZE) {
		blame(l, "", "no file descriptor below 1024 is left");
		return -1;
	}
	set_options(*fd);
	l->had_socket = true;
	l->fd = *fd;
	l->on_socket(l->on_socket_ctx, *fd);
	return 0;
}

/* What libstrophe says in its log */

static void hear_done(struct account_login *l, const char *rest)
{
	if (strstr(rest, " auth successful"))
		l->done = true;
}

/* "X509_V_ERR_HOSTNAME_MISMATCH(62)" */
static void hear_certificate(struct account_login *l, const char *rest)
{
	char sentence[256];
	const char *code = strchr(rest, '(');
	snprintf(sentence, sizeof(sentence), "the server's certificate is not accepted: %s",
		 code ? X509_verify_cert_error_string(strtol(code + 1, NULL, 10)) : rest);
	blame(l, "certificate", sentence);
}

static const struct hint {
	const char *begin; /* of the line */
	void (*hear)(struct account_login *l, const char *rest);
	const char *word;
	const char *sentence;
} hints[] = {
	{ "SASL ", hear_done, NULL, NULL },
	{ "Certificate verification FAILED, result=", hear_certificate, NULL, NULL },
	{ "Connection attempt timed out", NULL, "", "no answer to the attempt to connect" },
	{ "SSL_CTX_load_verify_locations() failed", NULL, "certificate", "the ca_file cannot be read" },
	{ "Couldn't start TLS!", NULL, "", "the TLS handshake failed" },
	{ "Cannot authenticate with known methods", NULL, "refused", "the server refuses its password" },
	{ "parse error", NULL, "", "XML that is not well-formed" },
	{ "Server did not open valid stream", NULL, "", "that is no XMPP server" },
};

static void on_log(void *ctx, xmpp_log_level_t level, const char *area, const char *line)
{
	(void)level, (void)area;
	for (size_t i = 0; i < sizeof(hints) / sizeof(*hints); i++) {
		const struct hint *h = &hints[i];
		if (!text_begins(line, h->begin))
			continue;
		if (h->hear)
			h->hear(ctx, line + strlen(h->begin));
		else
			blame(ctx, h->word, h->sentence);
		return;
	}
}

static const char *condition_of(xmpp_stream_error_t *error)
{
	const char *name = NULL;
	for (xmpp_stanza_t *e = xmpp_stanza_get_children(error->stanza); e && !name; e = xmpp_stanza_get_next(e))
		if (!text_same(xmpp_stanza_get_name(e), "text"))
			name = xmpp_stanza_get_name(e);
	return name ? name : "undefined-condition";
}

static void on_event(xmpp_conn_t *conn, xmpp_conn_event_t event, int error, xmpp_stream_error_t *stream_error,
		     void *ctx)
{
	struct account_login *l = ctx;
	(void)conn, (void)error;
	l->failed = true;
	if (event != XMPP_CONN_DISCONNECT || !stream_error)
		return;
	char condition[32], text[160], sentence[256];
	text_quote(condition, sizeof(condition), condition_of(stream_error), strlen(condition_of(stream_error)));
	const char *said = stream_error->text ? stream_error->text : "";
	snprintf(sentence, sizeof(sentence), "the server closed the stream (%s%s%s)", condition, *said ? ": " : "",
		 text_quote(text, sizeof(text), said, strlen(said)));
	blame(l, condition, sentence);
}

struct account_login *account_login_new(struct account_library *library, const struct account_who *who,
					void (*on_socket_fn)(void *ctx, int fd), void *ctx)
{
	struct account_login *l = mem_new(sizeof(*l));
	*l = (struct account_login){ .library = library,
				     .who = who,
				     .mem = { take, give_back, resize, l },
				     .log = { on_log, l },
				     .on_socket = on_socket_fn,
				     .on_socket_ctx = ctx,
				     .fd = -1 };
	l->ctx = xmpp_ctx_new(&l->mem, &l->log);
	l->conn = xmpp_conn_new(l->ctx);
	must(l->conn);
	must(xmpp_conn_set_flags(l->conn, XMPP_CONN_FLAG_MANDATORY_TLS | XMPP_CONN_FLAG_LEGACY_SSL |
						  XMPP_CONN_FLAG_DISABLE_SM) == 0);
	xmpp_conn_set_jid(l->conn, who->jid);
	xmpp_conn_set_pass(l->conn, who->password);
	if (who->ca_file)
		xmpp_conn_set_cafile(l->conn, who->ca_file);
	xmpp_conn_set_sockopt_callback(l->conn, on_socket);
	l->starttls = account_starttls_new(who->jid);
	if (xmpp_connect_client(l->conn, who->address, who->port, on_event, l) != XMPP_EOK) {
		l->failed = true;
		l->fd = -1;
	}
	return l;
}

static bool is_connected(const struct account_login *l)
{
	struct sockaddr_storage peer;
	socklen_t size = sizeof(peer);
	return getpeername(l->fd, (struct sockaddr *)&peer, &size) == 0;
}

static void connect_failed(struct account_login *l, int error)
{
	char room[80], sentence[160];
	snprintf(sentence, sizeof(sentence), "cannot connect to %s port %d: %s", l->who->address, l->who->port,
		 strerror_r(error, room, sizeof(room)));
	blame(l, "", sentence);
	l->failed = true;
}

static void turn_unencrypted(struct account_login *l)
{
	int error = 0;
	socklen_t size = sizeof(error);
	struct err why;
	getsockopt(l->fd, SOL_SOCKET, SO_ERROR, &error, &size);
	if (error)
		connect_failed(l, error);
	if (error || !is_connected(l))
		return;
	enum account_starttls_state state = account_starttls_turn(l->starttls, l->fd);
	if (state == STARTTLS_GOES_ON)
		return;
	if (state == STARTTLS_FAILED) {
		const char *word = account_starttls_why(l->starttls, &why);
		blame(l, word, why.text);
		l->failed = true;
	}
	account_starttls_free(l->starttls);
	l->starttls = NULL;
}

enum account_login_state account_login_turn(struct account_login *l)
{
	if (l->starttls && !l->failed)
		turn_unencrypted(l);
	if (l->starttls && !l->failed)
		return LOGIN_GOES_ON;
	for (int i = 0; i < TURNS && !l->failed && !l->done; i++) {
		xmpp_run_once(l->ctx, 0);
		if (l->memory > MEMORY_MOST) {
			blame(l, "", "the server says too much before the login");
			l->failed = true;
		}
	}
	if (l->done && !(xmpp_conn_is_secured(l->conn) && account_login_tls(l))) {
		blame(l, "no-tls", "libstrophe does not use OpenSSL");
		l->failed = true;
	}
	return l->failed ? LOGIN_FAILED : l->done ? LOGIN_DONE : LOGIN_GOES_ON;
}

int account_login_fd(const struct account_login *l)
{
	return l->fd;
}

short account_login_events(const struct account_login *l)
{
	return l->starttls && !is_connected(l) ? POLLOUT : POLLIN;
}

const char *account_login_why(const struct account_login *l, struct err *ret)
{
	if (l->why.text[0])
		*ret = l->why;
	else if (l->fd < 0)
		err_set(ret, "cannot connect to %s port %d", l->who->address, l->who->port);
	else
		err_set(ret, "the server closed the connection during the login");
	return l->word;
}

/* Shut first: libstrophe's TLS goodbye would wait up to a second for an answer. */
void account_login_free(struct account_login *l)
{
	if (!xmpp_conn_is_disconnected(l->conn))
		shutdown(l->fd, SHUT_RDWR);
	xmpp_conn_release(l->conn);
	xmpp_ctx_free(l->ctx);
	account_starttls_free(l->starttls);
	if (l->had_socket)
		keep_low(l->library);
	mem_free(l);
}

/* Otherwise OpenSSL reads all certificates of the system for every connection, 0.9 MB each. With a ca_file nothing else is
 * trusted; without one the system's directory is, of which only the certificates in question are read. */
static void choose_certificates(const char *ca_file)
{
	setenv("SSL_CERT_FILE", "/dev/null", ca_file != NULL);
	if (ca_file)
		setenv("SSL_CERT_DIR", "/dev/null", 1);
}

struct account_library *account_login_library(size_t accounts, const char *ca_file)
{
	struct account_library *library = mem_new(sizeof(*library));
	list_init(&library->tls);
	must(pthread_mutex_init(&library->lock, NULL) == 0);
	choose_certificates(ca_file);
	xmpp_initialize();
	library->ctx = xmpp_ctx_new(NULL, NULL);
	library->conn = xmpp_conn_new(library->ctx);
	must(library->conn);
	library->index = SSL_get_ex_new_index(0, library, on_tls, NULL, on_tls_end);
	library->low = mem_array(accounts, sizeof(int));
	library->most_low = accounts;
	for (size_t i = 0; i < accounts; i++)
		keep_low(library);
	return library;
}

void account_login_library_free(struct account_library *library)
{
	if (!library)
		return;
	CRYPTO_free_ex_index(CRYPTO_EX_INDEX_SSL, library->index);
	for (struct list *at; (at = list_pop(&library->tls));)
		mem_free(list_of(at, struct tls, link));
	while (library->n_low)
		close(library->low[--library->n_low]);
	xmpp_conn_release(library->conn);
	xmpp_ctx_free(library->ctx);
	xmpp_shutdown();
	pthread_mutex_destroy(&library->lock);
	mem_free(library->low);
	mem_free(library);
}
