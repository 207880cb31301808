/*
 * The server's side of XEP-0114 inside the test's own loop, so that virtual time works: it does what a server does for one
 * component, or only what the test says, and keeps all it hears.
 *
 * Owned by the test. Waiting turns the loop and gives up after 10 s without the event.
 */
#pragma once

#include "core/base/text.h"
#include "core/loop/loop.h"

#include <stdbool.h>
#include <stddef.h>

struct server {
	struct loop *loop;
	const char *secret;
	int port;             /* on 127.0.0.1, given by the kernel */
	bool scripted;        /* says nothing by itself */
	bool deaf;            /* does not read; set it by server_listen */
	bool silent;          /* does not route stanzas to the component's own domain back to it */
	bool up;              /* the handshake was right */
	size_t n_connections; /* since the beginning */
	struct text heard;    /* of the connection that is there, or was there last */
	struct text unsent;
	int listener, fd; /* fd -1: nobody is connected */
	struct watch *accepting, *watching;
	size_t understood; /* bytes of heard that were acted on */
};

struct server *server_new(struct loop *loop, const char *secret);
void server_free(struct server *s);
void server_listen(struct server *s, bool listen); /* reads or not what comes */
void server_hang_up(struct server *s);
void server_close_port(struct server *s); /* who connects now is refused */

void server_say(struct server *s, const char *text);
void server_say_n(struct server *s, const char *bytes, size_t size);
void server_sayf(struct server *s, const char *format, ...) __attribute__((format(printf, 2, 3)));

bool server_wait(struct server *s, bool (*happened)(void *ctx), void *ctx);
bool server_wait_connection(struct server *s, size_t n); /* the nth, from 1 */
bool server_wait_up(struct server *s);
bool server_hears(struct server *s, const char *fragment); /* waits until it was heard since server_forget */
size_t server_count(const struct server *s, const char *fragment);
size_t server_count_from(const struct server *s, size_t from, const char *fragment); /* of heard, from that byte on */
void server_forget(struct server *s);
void server_settle(struct server *s); /* some turns, so that what is under way arrives */
