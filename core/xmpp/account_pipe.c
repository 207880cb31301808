#include "core/xmpp/account_pipe.h"

#include "core/base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * Bytes are read until the socket has no more, until PIPE_READ wait for the loop thread, or until one buffer was filled: then
 * the others of this thread have their turn first.
 */

enum { KEEP_ROOM = 64 * 1024 }; /* a buffer that grew beyond it is given back when it is empty */

bool account_pipe_logs_in(const struct account_pipe *p)
{
	return !p->tls;
}

int account_pipe_fd(const struct account_pipe *p)
{
	return p->login ? account_login_fd(p->login) : -1;
}

short account_pipe_events(const struct account_pipe *p)
{
	if (!p->tls)
		return account_login_events(p->login);
	short reads = p->paused || p->full ? 0 : POLLIN;
	short writes = p->out.size > p->out_at || p->read_waits ? POLLOUT : 0;
	return (short)(reads | writes);
}

/* A turn may hang in a handshake; this is what account_thread_cut can shut then, whatever becomes of the number `fd`. */
static void on_socket(void *ctx, int fd)
{
	struct account_pipe *p = ctx;
	account_thread_lock(p->thread);
	p->guard = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (p->orders.cut)
		shutdown(fd, SHUT_RDWR);
	account_thread_unlock(p->thread);
}

static void drop_guard(struct account_pipe *p)
{
	account_thread_lock(p->thread);
	if (p->guard >= 0)
		close(p->guard);
	p->guard = -1;
	account_thread_unlock(p->thread);
}

static bool log_in(struct account_pipe *p)
{
	if (!p->login)
		p->login = account_login_new(p->library, p->who, on_socket, p);
	enum account_login_state state = account_login_turn(p->login);
	if (state != LOGIN_DONE)
		return state == LOGIN_GOES_ON;
	drop_guard(p);
	p->tls = account_login_tls(p->login);
	SSL_set_mode(p->tls, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_ENABLE_PARTIAL_WRITE);
	account_thread_lock(p->thread);
	p->news.up = true;
	account_thread_tell(p);
	return true;
}

static void blame(struct account_pipe *p, const char *sentence)
{
	account_thread_lock(p->thread);
	if (!p->news.why.text[0])
		err_set(&p->news.why, "%s", sentence);
	account_thread_unlock(p->thread);
}

/* false: the connection is over */
static bool goes_on(struct account_pipe *p, int status, int error_number)
{
	char room[120];
	int error = SSL_get_error(p->tls, status);
	unsigned long code = ERR_peek_error();
	if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE)
		return true;
	if (error == SSL_ERROR_SYSCALL && error_number)
		blame(p, strerror_r(error_number, room, sizeof(room)));
	else if (error == SSL_ERROR_SSL && ERR_GET_REASON(code) != SSL_R_UNEXPECTED_EOF_WHILE_READING)
		blame(p, ERR_reason_error_string(code) ? ERR_reason_error_string(code) : "a TLS error");
	else
		blame(p, "the server closed the connection");
	ERR_clear_error();
	return false;
}

static bool send_some(struct account_pipe *p)
{
	size_t sent = 0;
	int status = 1;
	while (status > 0 && p->out_at < p->out.size) {
		size_t n = 0;
		ERR_clear_error();
		errno = 0;
		status = SSL_write_ex(p->tls, p->out.data + p->out_at, p->out.size - p->out_at, &n);
		p->out_at += n;
		sent += n;
	}
	int error_number = errno;
	if (p->out_at == p->out.size) {
		p->out_at = 0;
		text_clear(&p->out);
		if (p->out.room > KEEP_ROOM)
			text_free(&p->out);
	}
	if (sent) {
		account_thread_lock(p->thread);
		p->news.sent += sent;
		account_thread_tell(p);
	}
	return status > 0 || goes_on(p, status, error_number);
}

static void hand_over(struct account_pipe *p, const char *bytes, size_t size)
{
	account_thread_lock(p->thread);
	text_add_n(&p->news.bytes, bytes, size);
	p->full = p->news.bytes.size >= PIPE_READ;
	account_thread_tell(p);
}

static bool read_some(struct account_pipe *p, char buffer[PIPE_READ])
{
	size_t size = 0;
	int status = 1, error_number = 0;
	while (status > 0 && size < PIPE_READ) {
		size_t n = 0;
		ERR_clear_error();
		errno = 0;
		status = SSL_read_ex(p->tls, buffer + size, PIPE_READ - size, &n);
		error_number = errno;
		size += n;
	}
	p->due = status > 0;
	p->read_waits = status <= 0 && SSL_want_write(p->tls);
	bool alive = status > 0 || goes_on(p, status, error_number);
	if (size)
		hand_over(p, buffer, size);
	return alive;
}

bool account_pipe_step(struct account_pipe *p, char buffer[PIPE_READ])
{
	p->due = false;
	if (p->cut)
		return false;
	if (!p->tls)
		return log_in(p);
	if (p->out.size > p->out_at && !send_some(p))
		return false;
	return p->paused || p->full || read_some(p, buffer);
}

void account_pipe_end(struct account_pipe *p)
{
	struct err why = { "" };
	const char *word = "";
	drop_guard(p);
	if (p->login && !p->tls)
		word = account_login_why(p->login, &why);
	account_thread_lock(p->thread);
	if (p->login && !p->tls)
		p->news.why = why;
	snprintf(p->news.word, sizeof(p->news.word), "%s", word);
	account_thread_unlock(p->thread);
	if (p->login)
		account_login_free(p->login);
	text_free(&p->out);
	account_thread_lock(p->thread);
	list_drop(&p->orders.link);
	p->news.ended = true;
	account_thread_tell(p);
}
