/* As many of everything as there may be. */
#include "core/base/limits.h"
#include "core/base/mem.h"
#include "core/model/thing.h"

#include <criterion/criterion.h>
#include <stdio.h>

static const char *name(int n)
{
	static char jid[32];
	snprintf(jid, sizeof(jid), "f%d@x.test", n);
	return jid;
}

Test(breach_many, friends_are_found_each_and_only_while_they_are_there)
{
	struct thing *t = thing_new(mem_text("t"), NULL);
	for (int i = 0; i < LIMIT_FRIENDS; i++)
		thing_add_friend(t, name(i))->change = (uint64_t)i;
	for (int i = 0; i < LIMIT_FRIENDS; i += 2)
		thing_drop_friend(thing_find_friend(t, name(i)));
	for (int i = 0; i < LIMIT_FRIENDS; i++) {
		struct friend *f = thing_find_friend(t, name(i));
		if (i % 2)
			cr_assert(f && f->change == (uint64_t)i, "%d", i);
		else
			cr_assert_null(f, "%d", i);
	}
	cr_expect_eq(t->n_friends, LIMIT_FRIENDS / 2);
	for (int i = 0; i < LIMIT_FRIENDS; i++)
		thing_drop_friend(thing_find_friend(t, name(i)));
	cr_expect(list_empty(&t->friends));
	cr_expect_eq(t->n_friends, 0);
	cr_expect_eq(thing_add_friend(t, name(7)), thing_find_friend(t, name(7)));
	thing_free(t);
}
