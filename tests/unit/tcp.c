#include "core/loop/tcp.h"

#include "core/base/mem.h"
#include "tests/unit/names.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A peer is played on the same loop: a listening socket and the one connection it accepts. */
struct scene {
	struct loop *loop;
	struct tcp *tcp;
	struct watch *listening, *peer;
	int listen_fd, peer_fd, port;
	int ups, ends, sents;
	size_t got, sum; /* by on_data */
	size_t peer_got;
	unsigned char next; /* that the peer expects: bytes count up */
	bool peer_echoes, close_on_data, close_on_up, write_on_up;
	struct err why;
};

/* Bytes that go on counting from `from`. */
static char *counting(size_t from, size_t size)
{
	char *bytes = mem_new(size);
	for (size_t i = 0; i < size; i++)
		bytes[i] = (char)(unsigned char)(from + i);
	return bytes;
}

static void on_up(void *ctx)
{
	struct scene *s = ctx;
	s->ups++;
	if (s->write_on_up)
		tcp_write(s->tcp, counting(100, 100), 100);
	if (s->close_on_up)
		tcp_close(s->tcp);
}

static void on_data(void *ctx, const char *bytes, size_t size)
{
	struct scene *s = ctx;
	cr_assert_leq(size, 64 * 1024);
	for (size_t i = 0; i < size; i++)
		s->sum += (unsigned char)bytes[i];
	s->got += size;
	if (s->close_on_data)
		tcp_close(s->tcp);
}

static void on_sent(void *ctx)
{
	struct scene *s = ctx;
	s->sents++;
}

static void on_end(void *ctx, const struct err *why)
{
	struct scene *s = ctx;
	s->ends++;
	s->why = *why;
	s->tcp = NULL;
}

static const struct tcp_events events = { on_up, on_data, on_sent, on_end };

static void on_peer(void *ctx, int what)
{
	struct scene *s = ctx;
	char bytes[32768];
	(void)what;
	ssize_t size = read(s->peer_fd, bytes, sizeof(bytes));
	for (ssize_t i = 0; i < size; i++)
		must((unsigned char)bytes[i] == s->next++);
	s->peer_got += size > 0 ? (size_t)size : 0;
	if (size > 0 && s->peer_echoes)
		must(write(s->peer_fd, bytes, (size_t)size) == size);
	if (size <= 0)
		watch_set(s->peer, 0);
}

static void on_accept(void *ctx, int what)
{
	struct scene *s = ctx;
	(void)what;
	s->peer_fd = accept4(s->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	cr_assert_geq(s->peer_fd, 0);
	s->peer = watch_new(s->loop, s->peer_fd, 0, on_peer, s);
}

static int listen_on_any_port(int *ret_port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	cr_assert_eq(bind(fd, (struct sockaddr *)&address, size), 0);
	cr_assert_eq(listen(fd, 4), 0);
	cr_assert_eq(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	*ret_port = ntohs(address.sin_port);
	return fd;
}

static struct scene *scene_new(const char *host)
{
	struct scene *s = mem_new(sizeof(*s));
	s->loop = loop_new();
	s->peer_fd = -1;
	s->listen_fd = listen_on_any_port(&s->port);
	s->listening = watch_new(s->loop, s->listen_fd, WATCH_READ, on_accept, s);
	s->tcp = tcp_open(s->loop, host, s->port, &events, s);
	return s;
}

static void drop_peer(struct scene *s)
{
	watch_free(s->peer);
	s->peer = NULL;
	if (s->peer_fd >= 0)
		close(s->peer_fd);
	s->peer_fd = -1;
}

static void scene_free(struct scene *s)
{
	if (s->tcp)
		tcp_close(s->tcp);
	while (s->tcp)
		loop_turn(s->loop);
	cr_assert_eq(s->ends, 1);
	drop_peer(s);
	watch_free(s->listening);
	close(s->listen_fd);
	loop_free(s->loop);
	mem_free(s);
}

static void let_time_pass(void *ctx)
{
	*(bool *)ctx = true;
}

static void turn_for(struct loop *loop, int64_t ms)
{
	struct timer timer = { 0 };
	bool passed = false;
	timer_set(loop, &timer, ms, let_time_pass, &passed);
	while (!passed)
		loop_turn(loop);
}

static void turn_until_up(struct scene *s)
{
	while (!s->ups || !s->peer)
		loop_turn(s->loop);
}

Test(tcp, sends_and_reads)
{
	struct scene *s = scene_new("127.0.0.1");
	s->peer_echoes = true;
	tcp_write(s->tcp, counting(0, 100), 100);
	cr_assert_eq(tcp_backlog(s->tcp), 100, "queued until it is up");
	turn_until_up(s);
	watch_set(s->peer, WATCH_READ);
	tcp_write(s->tcp, counting(100, 100), 100);
	cr_assert_eq(tcp_backlog(s->tcp), 0, "given to the kernel at once");
	while (s->got < 200)
		loop_turn(s->loop);
	cr_assert_eq(s->sum, 199 * 200 / 2);
	tcp_close(s->tcp);
	cr_assert_eq(s->ends, 0, "never inside tcp_close");
	while (s->tcp)
		loop_turn(s->loop);
	cr_assert(strstr(s->why.text, "closed"));
	scene_free(s);
}

Test(tcp, sends_first_what_was_written_before_it_was_up)
{
	struct scene *s = scene_new("127.0.0.1");
	s->write_on_up = true;
	tcp_write(s->tcp, counting(0, 50), 50);
	tcp_write(s->tcp, counting(50, 50), 50);
	turn_until_up(s);
	watch_set(s->peer, WATCH_READ);
	while (s->peer_got < 200)
		loop_turn(s->loop);
	scene_free(s);
}

Test(tcp, queues_what_a_slow_peer_does_not_take_and_keeps_the_order)
{
	enum { PIECE = 100003, N = 200 };
	struct scene *s = scene_new("127.0.0.1");
	turn_until_up(s);
	size_t wrote = 0;
	for (int i = 0; i < N; i++, wrote += PIECE)
		tcp_write(s->tcp, counting(wrote, PIECE), PIECE);
	cr_assert_gt(tcp_backlog(s->tcp), 1000000);
	cr_assert_eq(s->sents, 0);
	watch_set(s->peer, WATCH_READ);
	size_t backlog = tcp_backlog(s->tcp);
	while (s->peer_got < wrote) {
		loop_turn(s->loop);
		cr_assert_leq(tcp_backlog(s->tcp), backlog);
		backlog = tcp_backlog(s->tcp);
	}
	cr_assert_eq(s->peer_got, wrote);
	cr_assert_eq(tcp_backlog(s->tcp), 0);
	cr_assert_gt(s->sents, 6, "told while it drains: %d", s->sents);
	scene_free(s);
}

Test(tcp, closed_with_a_full_queue_frees_it)
{
	struct scene *s = scene_new("127.0.0.1");
	turn_until_up(s);
	for (size_t i = 0; i < 100; i++)
		tcp_write(s->tcp, counting(i * 100000, 100000), 100000);
	cr_assert_gt(tcp_backlog(s->tcp), 0);
	tcp_close(s->tcp);
	tcp_close(s->tcp);
	tcp_write(s->tcp, counting(0, 10), 10);
	scene_free(s);
}

Test(tcp, paused_reads_nothing_until_it_goes_on)
{
	struct scene *s = scene_new("127.0.0.1");
	turn_until_up(s);
	tcp_pause(s->tcp, true);
	cr_assert_eq(write(s->peer_fd, "hello", 5), 5);
	turn_for(s->loop, 30);
	cr_assert_eq(s->got, 0);
	tcp_pause(s->tcp, false);
	while (s->got < 5)
		loop_turn(s->loop);
	scene_free(s);
}

Test(tcp, ends_with_a_sentence_when_the_peer_closes)
{
	struct scene *s = scene_new("127.0.0.1");
	turn_until_up(s);
	drop_peer(s);
	while (s->tcp)
		loop_turn(s->loop);
	char wanted[128];
	snprintf(wanted, sizeof(wanted), "connection to 127.0.0.1 port %d lost: closed by the other side", s->port);
	cr_assert_str_eq(s->why.text, wanted);
	scene_free(s);
}

Test(tcp, ends_when_a_write_meets_a_reset)
{
	struct scene *s = scene_new("127.0.0.1");
	struct linger reset = { .l_onoff = 1 };
	turn_until_up(s);
	tcp_pause(s->tcp, true);
	setsockopt(s->peer_fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	drop_peer(s);
	while (s->tcp) {
		tcp_write(s->tcp, counting(0, 100), 100);
		if (s->tcp)
			loop_turn(s->loop);
	}
	cr_assert(strstr(s->why.text, "lost: "), "%s", s->why.text);
	scene_free(s);
}

/* A service that refuses says why, and closes with our next words unread: the reset must not eat the reason. */
Test(tcp, reads_the_last_words_of_a_peer_that_resets)
{
	struct scene *s = scene_new("127.0.0.1");
	turn_until_up(s);
	cr_assert_eq(write(s->peer_fd, "sorry", 5), 5);
	tcp_write(s->tcp, counting(0, 100), 100);
	drop_peer(s); /* unread: a reset */
	for (int i = 0; i < 10; i++)
		tcp_write(s->tcp, counting(0, 100), 100);
	cr_expect_eq(tcp_backlog(s->tcp), 0);
	while (s->tcp)
		loop_turn(s->loop);
	cr_expect_eq(s->got, 5);
	cr_expect(strstr(s->why.text, "lost: "), "%s", s->why.text);
	scene_free(s);
}

Test(tcp, ends_at_once_when_a_write_met_a_reset_and_nobody_reads)
{
	struct scene *s = scene_new("127.0.0.1");
	turn_until_up(s);
	tcp_write(s->tcp, counting(0, 100), 100);
	drop_peer(s);
	tcp_write(s->tcp, counting(0, 100), 100);
	tcp_pause(s->tcp, true);
	while (s->tcp)
		loop_turn(s->loop);
	scene_free(s);
}

Test(tcp, may_be_closed_inside_its_callbacks)
{
	struct scene *s = scene_new("127.0.0.1");
	s->close_on_up = true;
	tcp_write(s->tcp, counting(0, 10), 10);
	while (s->tcp)
		loop_turn(s->loop);
	cr_assert_eq(s->ups, 1);
	scene_free(s);
	s = scene_new("127.0.0.1");
	s->close_on_data = true;
	turn_until_up(s);
	char many[200000] = { 0 };
	cr_assert_gt(write(s->peer_fd, many, sizeof(many)), 65536);
	while (s->tcp)
		loop_turn(s->loop);
	cr_assert_leq(s->got, 65536, "nothing comes after the close");
	scene_free(s);
}

Test(tcp, closed_at_once_still_ends_once)
{
	const char *hosts[] = { "127.0.0.1", "localhost", "no such host" };
	for (int i = 0; i < 3; i++) {
		struct scene *s = scene_new(hosts[i]);
		tcp_close(s->tcp);
		cr_assert_eq(s->ends, 0);
		scene_free(s);
	}
}

Test(tcp, closed_while_a_name_is_looked_up_ends_without_waiting_for_it)
{
	struct scene *s = scene_new("slow.example");
	turn_for(s->loop, 5);
	tcp_close(s->tcp);
	while (s->tcp)
		loop_turn(s->loop);
	names_release(1);
	scene_free(s);
}

Test(tcp, closed_while_it_connects_ends_once)
{
	struct scene *s = scene_new("127.0.0.1");
	loop_turn(s->loop);
	cr_assert_eq(s->ends, 0);
	scene_free(s);
}

static struct err end_of(const char *host, int port)
{
	struct scene s = { .loop = loop_new() };
	s.tcp = tcp_open(s.loop, host, port, &events, &s);
	while (s.tcp)
		loop_turn(s.loop);
	cr_assert_eq(s.ups, 0);
	cr_assert_eq(s.ends, 1);
	loop_free(s.loop);
	return s.why;
}

Test(tcp, says_why_it_cannot_connect)
{
	int port;
	char wanted[128];
	close(listen_on_any_port(&port));
	snprintf(wanted, sizeof(wanted), "cannot connect to 127.0.0.1 port %d: connection refused", port);
	cr_assert_str_eq(end_of("127.0.0.1", port).text, wanted);
	cr_assert(strstr(end_of("no such host", port).text, "cannot resolve 'no such host'"));
}

Test(tcp, tries_every_address_of_a_name)
{
	struct scene *s = scene_new("two.example");
	turn_until_up(s);
	scene_free(s);
}

Test(tcp, gives_up_on_an_address_that_does_not_answer)
{
	enum { N = 8 };
	struct scene *s = scene_new("127.0.0.1"), others[N] = { 0 };
	watch_set(s->listening, 0);
	listen(s->listen_fd, 0); /* one or two may wait there; the kernel drops the packets of the others */
	for (int i = 0; i < N; i++) {
		others[i].loop = s->loop;
		others[i].tcp = tcp_open(s->loop, "127.0.0.1", s->port, &events, &others[i]);
	}
	turn_for(s->loop, 20);
	loop_skip(s->loop, 10001);
	turn_for(s->loop, 1);
	int ends = 0;
	for (int i = 0; i < N; i++) {
		ends += others[i].ends;
		cr_assert(!others[i].ends || strstr(others[i].why.text, ": no answer"), "%s", others[i].why.text);
		if (others[i].tcp)
			tcp_close(others[i].tcp);
		while (others[i].tcp)
			loop_turn(s->loop);
	}
	cr_assert_geq(ends, N - 3);
	scene_free(s);
}

/* The descriptor is found as the other end of the peer's connection. */
static int own_fd(const struct scene *s)
{
	struct sockaddr_in peer, own;
	socklen_t size = sizeof(peer);
	cr_assert_eq(getpeername(s->peer_fd, (struct sockaddr *)&peer, &size), 0);
	for (int fd = 3; fd < 256; fd++) {
		size = sizeof(own);
		if (getsockname(fd, (struct sockaddr *)&own, &size) == 0 && size == sizeof(own) && fd != s->peer_fd &&
		    own.sin_family == AF_INET && own.sin_port == peer.sin_port)
			return fd;
	}
	return -1;
}

static int option(int fd, int level, int name)
{
	int value = -1;
	socklen_t size = sizeof(value);
	cr_assert_eq(getsockopt(fd, level, name, &value, &size), 0);
	return value;
}

Test(tcp, notices_a_dead_line_by_its_socket_options)
{
	struct scene *s = scene_new("127.0.0.1");
	turn_until_up(s);
	int fd = own_fd(s);
	cr_assert_geq(fd, 0);
	cr_assert_eq(option(fd, SOL_SOCKET, SO_KEEPALIVE), 1);
	cr_assert_eq(option(fd, IPPROTO_TCP, TCP_KEEPIDLE), 20);
	cr_assert_eq(option(fd, IPPROTO_TCP, TCP_KEEPINTVL), 5);
	cr_assert_eq(option(fd, IPPROTO_TCP, TCP_KEEPCNT), 3);
	cr_assert_eq(option(fd, IPPROTO_TCP, TCP_NODELAY), 1);
	cr_assert_eq(option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT), 30000);
	cr_assert(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	scene_free(s);
}
