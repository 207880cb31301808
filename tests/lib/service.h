/*
 * A provisioning service at "prov.example" with a fake link and a store in a private folder, and the sentences of its tests.
 * Everything that was said is taken one by one; ids are the test's. Dies where an expectation is not met.
 */
#pragma once

#include "core/provisioner/inside.h"
#include "tests/lib/fake_link.h"

#include <criterion/criterion.h>

#define KEY_1 "TWNK-KD5Y-MT3T-E2GS-DRDB-KVTW"
#define KEY_2 "ABCD-EFGH-JKLM-NPQR-STUV-WXYZ"
#define KEY_3 "2345-6789-2345-6789-2345-6789"
#define KEY_4 "ZZZZ-YYYY-XXXX-WWWW-VVVV-UUUU"

struct service {
	char directory[64];
	struct loop *loop;
	struct log log;
	struct store *store;
	struct provisioner *p;
	struct fake_link *link;
	unsigned n_ids;
	bool over; /* on_closed came */
	struct timer tick;
};

struct service *service_place(void);  /* the folder only */
void service_wake(struct service *s); /* with a loop, up */
struct service *service_new(void);    /* both */
void service_free(struct service *s);
void service_stop(struct service *s);    /* closes it, and the store */
void service_begin(struct service *s);   /* again, from what the store has; up */
void service_restart(struct service *s); /* stop and begin; what was said is forgotten */

void service_settle(struct service *s); /* until everything is on disk and nothing is due at once */
void service_skip(struct service *s, int64_t ms);
void service_limit_disk(struct service *s, bool full);

/* An iq; the answer is the text of the stanza, which was taken. */
const char *service_set(struct service *s, const char *from, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
const char *service_get(struct service *s, const char *from, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
const char *service_give_set(struct service *s, const char *from, const char *payload); /* the id; does not settle */
const char *service_give_get(struct service *s, const char *from, const char *payload);
const char *service_answer(struct service *s, const char *id);
void service_chat(struct service *s, const char *from, const char *body);
void service_presence(struct service *s, const char *from, const char *type); /* type NULL: available */

const char *service_expect(struct service *s, const char *fragment); /* it was said; takes and gives it */
void service_expect_not(struct service *s, const char *fragment);
void service_expect_silence(struct service *s);

void service_is_result(const char *answer);
void service_is_error(const char *answer, const char *type, const char *condition);
void service_has(const char *text, const char *fragment);
void service_has_not(const char *text, const char *fragment);

/* What must go well; nothing of it stays in what was said. */
void service_register(struct service *s, const char *thing, const char *key, const char *name);
void service_register_group(struct service *s, const char *thing, const char *key, const char *group,
			    const char *group_key);
void service_claim(struct service *s, const char *owner, const char *key);
void service_let_in(struct service *s, const char *owner, const char *thing, const char *friend);
void service_ask(struct service *s, const char *thing, const char *requestor,
		 const char *wanted); /* "yes", "no", "pending" */
