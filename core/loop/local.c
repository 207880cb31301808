#include "core/loop/local.h"

#include "core/base/list.h"
#include "core/base/mem.h"
#include "core/base/text.h"
#include "core/loop/inside.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/*
 * Happy path: listen → accept, looked at → on_peer → on_data, local_write straight to the kernel. What it does not take waits in the
 * peer's buffer until the descriptor is writable.
 *
 * A peer is dropped in its own callback, too: then it is freed when that callback has returned.
 */

enum { WAITING = 64, FINISH_MS = 1000, GROUPS = 256, PAUSE_MS = 500 };

struct local {
	struct loop *loop;
	struct local_events events;
	void *ctx;
	char *path;
	int fd;
	struct watch *watch;
	struct stat made; /* the file as we made it */
	struct timer pause;
	struct list peers;
	size_t n_peers, most;
};

struct local_peer {
	struct list link;
	struct local *local;
	void *ctx;
	int fd;
	struct watch *watch;
	struct text out;
	size_t sent; /* of out */
	struct timer timer;
	bool finishing, inside, dropped;
};

static int make_address(const char *path, struct sockaddr_un *ret)
{
	size_t size = strlen(path);
	if (size == 0 || size >= sizeof(ret->sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	*ret = (struct sockaddr_un){ .sun_family = AF_UNIX };
	memcpy(ret->sun_path, path, size + 1);
	return 0;
}

int local_connect(const char *path)
{
	struct sockaddr_un address;
	if (make_address(path, &address) < 0)
		return -1;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	int why = errno;
	close(fd);
	errno = why;
	return -1;
}

static void free_peer(struct local_peer *p)
{
	text_free(&p->out);
	mem_free(p);
}

void local_drop(struct local_peer *p)
{
	if (p->dropped)
		return;
	p->dropped = true;
	timer_stop(p->local->loop, &p->timer);
	list_drop(&p->link);
	p->local->n_peers--;
	watch_free(p->watch);
	close(p->fd);
	if (!p->inside)
		free_peer(p);
}

static void lost(struct local_peer *p)
{
	if (p->dropped)
		return;
	void *ctx = p->ctx;
	struct local *l = p->local;
	bool finishing = p->finishing;
	local_drop(p);
	if (!finishing)
		l->events.on_end(ctx);
}

/* -1: the peer is gone. What is gone is noticed by on_event, never on the caller's stack. */
static int push(struct local_peer *p)
{
	while (p->sent < p->out.size) {
		ssize_t n = send(p->fd, p->out.data + p->sent, p->out.size - p->sent, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0)
			return errno == EAGAIN || errno == EINTR ? 0 : -1;
		p->sent += (size_t)n;
	}
	text_clear(&p->out);
	p->sent = 0;
	return 0;
}

static void take_data(struct local_peer *p)
{
	char *buffer = p->local->loop->buffer;
	ssize_t n = recv(p->fd, buffer, LOOP_BUFFER, MSG_DONTWAIT);
	if (n > 0 && !p->finishing)
		p->local->events.on_data(p->ctx, buffer, (size_t)n);
	else if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		lost(p);
}

static void drained(struct local_peer *p)
{
	watch_set(p->watch, WATCH_READ);
	if (p->finishing)
		local_drop(p);
	else
		p->local->events.on_sent(p->ctx);
}

static void look_at(struct local_peer *p, int events)
{
	if ((events & WATCH_ERROR) || push(p) < 0) {
		lost(p);
		return;
	}
	if ((events & WATCH_WRITE) && !local_backlog(p))
		drained(p);
	if (!p->dropped && (events & (WATCH_READ | WATCH_HANGUP)))
		take_data(p);
}

static void on_event(void *ctx, int events)
{
	struct local_peer *p = ctx;
	p->inside = true;
	look_at(p, events);
	p->inside = false;
	if (p->dropped)
		free_peer(p);
}

size_t local_backlog(const struct local_peer *p)
{
	return p->out.size - p->sent;
}

static void drop_sent(struct local_peer *p)
{
	if (!p->sent)
		return;
	memmove(p->out.data, p->out.data + p->sent, p->out.size - p->sent);
	p->out.size -= p->sent;
	p->sent = 0;
}

void local_write(struct local_peer *p, const char *bytes, size_t size)
{
	drop_sent(p);
	text_add_n(&p->out, bytes, size);
	if (push(p) < 0 || local_backlog(p))
		watch_set(p->watch, WATCH_READ | WATCH_WRITE); /* an error is told there */
}

static void on_patience_over(void *ctx)
{
	local_drop(ctx);
}

void local_finish(struct local_peer *p)
{
	p->finishing = true;
	if (!local_backlog(p))
		local_drop(p);
	else
		timer_set(p->local->loop, &p->timer, FINISH_MS, on_patience_over, p);
}

static bool is_in_group(int fd, gid_t group)
{
	gid_t groups[GROUPS];
	socklen_t size = sizeof(groups);
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) < 0)
		return false;
	for (size_t i = 0; i < size / sizeof(*groups); i++)
		if (groups[i] == group)
			return true;
	return false;
}

static bool may_come_in(int fd)
{
	struct ucred who;
	socklen_t size = sizeof(who);
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) < 0)
		return false;
	return who.uid == 0 || who.uid == geteuid() || who.gid == getegid() || is_in_group(fd, getegid());
}

/* In one call that cannot block: he may never read it. */
static void send_away(int fd, const char *why)
{
	char line[128];
	int n = snprintf(line, sizeof(line), "{\"end\": \"failed\", \"why\": \"%s\"}\n", why);
	send(fd, line, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL);
	close(fd);
}

static void take_peer(struct local *l, int fd)
{
	if (!may_come_in(fd)) {
		send_away(fd, "only root, the user of the daemon and his group may ask");
		return;
	}
	if (l->n_peers >= l->most) {
		send_away(fd, "too many ask at once; try again");
		return;
	}
	struct local_peer *p = mem_new(sizeof(*p));
	*p = (struct local_peer){ .local = l, .fd = fd };
	p->watch = watch_new(l->loop, fd, WATCH_READ, on_event, p);
	list_add(&l->peers, &p->link);
	l->n_peers++;
	p->ctx = l->events.on_peer(l->ctx, p);
}

static void go_on(void *ctx)
{
	struct local *l = ctx;
	watch_set(l->watch, WATCH_READ);
}

/* So many a turn: who connects again and again does not keep the loop from its work; nor does a lack of descriptors. */
static void on_connect(void *ctx, int events)
{
	struct local *l = ctx;
	(void)events;
	for (int i = 0; i < WAITING; i++) {
		int fd = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd >= 0) {
			take_peer(l, fd);
			continue;
		}
		if (errno != EMFILE && errno != ENFILE)
			return;
		watch_set(l->watch, 0);
		timer_set(l->loop, &l->pause, PAUSE_MS, go_on, l);
		return;
	}
}

/* What is there from before: nothing, a socket that nobody listens on, or something that is not ours. */
static int make_way(const char *path, struct err *e)
{
	struct stat there;
	if (lstat(path, &there) < 0)
		return 0; /* bind says what is wrong */
	if (!S_ISSOCK(there.st_mode))
		return err_set(e, "%s: is there and no socket", path);
	int fd = local_connect(path);
	if (fd >= 0)
		close(fd);
	if (fd >= 0 || errno == EAGAIN) {
		err_set(e, "%s: another jidgate answers there", path);
		return LOCAL_TAKEN;
	}
	if (errno == ECONNREFUSED && unlink(path) < 0)
		return err_set(e, "%s: %s", path, strerror(errno));
	return 0;
}

static int bind_to(int fd, const char *path, struct stat *ret_made, struct err *e)
{
	struct sockaddr_un address;
	if (make_address(path, &address) < 0 || bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return err_set(e, "%s: %s", path, strerror(errno));
	if (chmod(path, 0660) < 0 || lstat(path, ret_made) < 0 || listen(fd, WAITING) < 0) {
		err_set(e, "%s: %s", path, strerror(errno));
		unlink(path);
		return -1;
	}
	return 0;
}

int local_listen(struct loop *loop, const char *path, size_t most, const struct local_events *events, void *ctx,
		 struct local **ret, struct err *e)
{
	struct stat made;
	int fault = make_way(path, e);
	if (fault)
		return fault;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_set(e, "%s: %s", path, strerror(errno));
	if (bind_to(fd, path, &made, e) < 0) {
		close(fd);
		return LOCAL_FAILED;
	}
	struct local *l = mem_new(sizeof(*l));
	*l = (struct local){ .loop = loop,
			     .events = *events,
			     .ctx = ctx,
			     .path = mem_text(path),
			     .fd = fd,
			     .made = made,
			     .most = most };
	list_init(&l->peers);
	l->watch = watch_new(loop, fd, WATCH_READ, on_connect, l);
	*ret = l;
	return 0;
}

void local_close(struct local *l)
{
	struct stat there;
	if (!l)
		return;
	list_each (at, &l->peers) /* those that are being finished */
		local_drop(list_of(at, struct local_peer, link));
	timer_stop(l->loop, &l->pause);
	watch_free(l->watch);
	close(l->fd);
	if (lstat(l->path, &there) == 0 && there.st_ino == l->made.st_ino && there.st_dev == l->made.st_dev)
		unlink(l->path);
	mem_free(l->path);
	mem_free(l);
}
