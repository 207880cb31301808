/* What the files of this room share: one client, and how a word works for him. Not for other rooms. */
#pragma once

#include "core/base/json.h"
#include "core/control/control.h"
#include "core/loop/local.h"

struct question { /* one request; the texts are its own */
	char *word;
	char **args;
	size_t n_args;
};

/* Untrusted. -1 with the sentence; ret is to be freed in any case. */
int control_parse(const char *line, size_t size, struct question *ret, struct err *e);
void control_free_question(struct question *q);

enum progress {
	PROGRESS_MORE, /* has written a line, or might: ask again while there is room */
	PROGRESS_WAIT, /* until control_wake */
	PROGRESS_END,
};

struct client;

struct command {
	const char *name;
	size_t least, most;                            /* arguments */
	int (*begin)(struct client *c, struct err *e); /* looks at client.question; -1: refused, that is the end */
	enum progress (*more)(struct client *c);
	void (*end)(struct client *c); /* also when the client is gone; NULL: frees client.job */
};

extern const struct command control_commands[]; /* NULL name at the end */

struct client {
	struct list link;
	struct control *control;
	struct local_peer *peer;
	struct text in; /* what is not a whole line yet, or has to wait */
	struct question question;
	const struct command *word; /* under way; NULL: none */
	void *job;                  /* the word's own */
	size_t at, at_inner;        /* for words that walk */
	size_t said;                /* bytes in this turn */
	struct err why;             /* set by a word that ends badly */
	struct timer again, patience;
};

void control_say(struct client *c, struct text *line); /* adds the newline, writes and clears it */
void control_wake(struct client *c, int64_t in_ms);
const char *control_arg(const struct client *c, size_t i); /* NULL: not given */

struct point *control_find_point(const struct control *c, const char *name, struct err *e); /* DEVICE.POINT */
size_t control_count_friends(const struct thing *t); /* people who are let in */
void control_add_utc(struct text *to, const char *key, int64_t utc_ms);

/* listing.c */
int listing_begin_things(struct client *c, struct err *e);
enum progress listing_more_things(struct client *c);
int listing_begin_friends(struct client *c, struct err *e);
enum progress listing_more_friends(struct client *c);
int listing_begin_labels(struct client *c, struct err *e);
enum progress listing_more_labels(struct client *c);

/* status.c */
enum progress status_more(struct client *c);

/* follow.c */
int follow_begin(struct client *c, struct err *e);
enum progress follow_more(struct client *c);
void follow_news(struct control *c);

/* operate.c */
int operate_begin_read(struct client *c, struct err *e);
int operate_begin_write(struct client *c, struct err *e);
enum progress operate_more(struct client *c);
void operate_end(struct client *c);

/* watching.c */
int watching_begin(struct client *c, struct err *e);
enum progress watching_more(struct client *c);
void watching_end(struct client *c);

/* order.c */
int order_begin_reset(struct client *c, struct err *e);
enum progress order_more_reset(struct client *c);
int order_begin_forget(struct client *c, struct err *e);
enum progress order_more_forget(struct client *c);
int order_begin_reload(struct client *c, struct err *e);
enum progress order_more_reload(struct client *c);
void order_end_reload(struct client *c);
