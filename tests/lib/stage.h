/*
 * A gateway in a test: one device "boiler" with points temp (read), set (read and write, 30 to 75, step 0.1) and alarm (status),
 * on a bus that the test plays by hand; things on a fake link; a store in a private folder. Friends: none. Service: prov.test.
 * The service has acknowledged the keys once. Each point is a thing, boiler.temp and so on; of stage_new_device the device is one, boiler.
 */
#pragma once

#include "core/request.h"
#include "core/xmpp/things.h"
#include "tests/lib/fake_link.h"

#define SERVICE  "prov.test"
#define OWNER    "owner@x.test"
#define FRIEND   "friend@x.test"
#define STRANGER "stranger@y.test"

struct stage {
	struct loop *loop;
	struct log log;
	char folder[64];
	struct store *store;
	struct house *house;
	struct gate gate;
	struct fake_link *link;
	struct things things;
	struct requests requests;
	struct bridge *bridge;
	struct request *asked[64]; /* what the bus was asked and has not answered */
	size_t n_asked;
	bool hears_nothing; /* the bus takes requests and loses them until it is closed */
	bool accounts;
	enum gathering gathering;
	size_t more;
	const char *without; /* this point is no thing after the next restart */
	bool fresh; /* begun for the first time */
	void (*hear)(void *ctx, struct point *p, enum news news); /* samples, too; NULL: nobody */
	void *hear_ctx;
	FILE *log_file;
	char *said; /* the log so far */
	size_t n_said;
};

struct stage *stage_new(bool accounts);      /* the link is down; the bus is up */
struct stage *stage_new_device(size_t more); /* things = "device", with so many more points p0, p1, ... */
struct stage *stage_new_large(size_t more);  /* with so many more things boiler.p0, boiler.p1, ... */
void stage_free(struct stage *s);
void stage_restart(struct stage *s); /* as after a kill -9: only the store is left */
struct thing *stage_thing(struct stage *s, const char *local);

/* Turns the loop until a sent stanza contains the fragment; takes and returns it. Fails after a few seconds. */
const char *stage_wait(struct stage *s, const char *fragment);
size_t stage_count_log(struct stage *s, const char *fragment); /* lines of the log that contain it */
void stage_settle(struct stage *s); /* until the store has nothing to do: then what was not sent is not coming */
void stage_befriend(struct stage *s, const char *local,
		    const char *jid); /* as the service would; forgets what was sent */
void stage_sample(struct stage *s, const char *local,
		  const char *number); /* the bus tells a value of the thing's first point */
void stage_answer(struct stage *s, int status, const char *number); /* the oldest thing asked of the bus ends */
