/*
 * Happy path: BEGIN, a savepoint around each group, COMMIT: one sync for all that waited. A statement that fails takes back
 * its own group only. When the whole fails (a full disk shows in the commit, or rolls everything back under our hands), the
 * groups are tried again one by one: what fits is kept, and exactly what does not is told to have failed.
 */
#include "core/base/mem.h"
#include "core/store/inside.h"

static int sql(struct database *db, const char *statement, struct err *e)
{
	if (sqlite3_exec(db->sql, statement, NULL, NULL, NULL) == SQLITE_OK)
		return 0;
	return err_set(e, "%s: cannot store: %s", db->path, sqlite3_errmsg(db->sql));
}

static void roll_back(struct database *db)
{
	if (!sqlite3_get_autocommit(db->sql))
		sqlite3_exec(db->sql, "ROLLBACK", NULL, NULL, NULL);
}

static void fail(struct group *group, const struct err *why)
{
	if (!group->why)
		group->why = mem_copy(why, sizeof(*why));
}

static void forgive(struct list *groups)
{
	list_each (link, groups) {
		struct group *group = list_of(link, struct group, link);
		mem_free(group->why);
		group->why = NULL;
	}
}

static int write_puts(struct database *db, const struct group *group, struct err *e)
{
	list_each (link, &group->puts) {
		if (statements_write(db, list_of(link, struct put, link), e) < 0)
			return -1;
	}
	return 0;
}

/* -1 when the whole transaction is lost, not when this group is. */
static int write_group(struct database *db, struct group *group)
{
	struct err why;
	if (sql(db, "SAVEPOINT one", &why) < 0)
		return -1;
	if (write_puts(db, group, &why) == 0)
		return sql(db, "RELEASE one", &why);
	fail(group, &why);
	return sql(db, "ROLLBACK TO one; RELEASE one", &why);
}

static int write_all(struct database *db, struct list *groups)
{
	if (sql(db, "BEGIN IMMEDIATE", NULL) < 0)
		return -1;
	list_each (link, groups) {
		if (write_group(db, list_of(link, struct group, link)) < 0)
			return -1;
	}
	return sql(db, "COMMIT", NULL);
}

static void write_alone(struct database *db, struct group *group)
{
	struct err why;
	if (write_puts(db, group, &why) < 0 || sql(db, "COMMIT", &why) < 0)
		fail(group, &why);
	roll_back(db);
}

/* When not even a transaction can begin, the rest is not tried: each try may wait for another process's lock. */
static void write_each(struct database *db, struct list *groups)
{
	struct err why;
	bool lost = false;
	list_each (link, groups) {
		struct group *group = list_of(link, struct group, link);
		lost = lost || sql(db, "BEGIN IMMEDIATE", &why) < 0;
		if (lost)
			fail(group, &why);
		else
			write_alone(db, group);
	}
}

void batch_run(struct database *db, struct list *groups)
{
	if (write_all(db, groups) == 0)
		return;
	roll_back(db);
	forgive(groups);
	write_each(db, groups);
}
