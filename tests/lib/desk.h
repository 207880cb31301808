/*
 * The control socket of the stage's gateway, and clients that are plain sockets: what they are told is gathered, over all of them.
 */
#pragma once

#include "core/control/control.h"
#include "tests/lib/stage.h"

#include <sys/un.h>

struct desk {
	struct stage *stage;
	struct conf conf;
	struct control control;
	char path[100];
	struct text said;
	struct timer tick;
	void *ctx; /* the test's */
};

struct desk *desk_new(size_t more); /* with so many more things */
void desk_reopen(struct desk *d);   /* after control_end and stage_restart */
void desk_free(struct desk *d);     /* clients are the test's to close */
int desk_connect(struct desk *d);
void desk_turn(struct desk *d);
const char *desk_ask(struct desk *d, int fd, const char *line); /* all of the answer, to its end line */
const char *desk_wait(struct desk *d, int fd,
		      const char *fragment); /* what was told since the last desk_ask or desk_forget */
void desk_wait_end(struct desk *d, int fd);  /* the gateway closes; closes, too */
void desk_forget(struct desk *d);
size_t desk_count(const char *fragment, const char *said);
size_t desk_clients(const struct desk *d);
bool desk_busy(const struct desk *d); /* a word is under way */
size_t desk_backlog(const struct desk *d); /* of the slowest */
