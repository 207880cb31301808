/* Every statement of the program: a write is up to three of them, a read is one. ?1 is the first value, and so on. */
#include "core/base/text.h"
#include "core/store/inside.h"

#include <string.h>

static const struct write_row {
	const char *words; /* for the sentence: "cannot store WORDS 'first value'" */
	size_t values;
	bool must_change; /* the first statement must meet a row, or else nothing was kept */
	const char *sql[STORE_STATEMENTS];
} writes[STORE_WRITES] = {
	[STORE_THING_ADD] = { "thing",
			      3,
			      false,
			      { "INSERT INTO thing (local, key, grp) VALUES (?1, ?2, ?3) ON CONFLICT (local) DO "
				"NOTHING" } },
	[STORE_THING_KEY] = { "key of",
			      3,
			      true,
			      { "UPDATE thing SET key = iif(owner IS NULL, ?2, NULL), acknowledged = ?3 WHERE local = "
				"?1" } },
	[STORE_THING_OWNER] = { "owner of",
				2,
				true,
				{ "UPDATE thing SET owner = ?2, key = iif(?2 IS NULL, key, NULL) WHERE local = ?1" } },
	[STORE_THING_RESET] = { "reset of",
				2,
				true,
				{ "UPDATE thing SET owner = NULL, key = ?2, acknowledged = 0,"
				  " want = nullif(want, 'reset') WHERE local = ?1",
				  "DELETE FROM friend WHERE local = ?1", "DELETE FROM pending WHERE local = ?1" } },
	[STORE_THING_FORGET] = { "end of",
				 1,
				 false,
				 { "DELETE FROM thing WHERE local = ?1", "DELETE FROM friend WHERE local = ?1",
				   "DELETE FROM pending WHERE local = ?1" } },
	[STORE_THING_WANT] = { "wish for", 2, true, { "UPDATE thing SET want = ?2 WHERE local = ?1" } },
	[STORE_GROUP_ADD] = { "group",
			      2,
			      false,
			      { "INSERT INTO device (grp, key) VALUES (?1, ?2) ON CONFLICT (grp) DO NOTHING" } },
	[STORE_GROUP_KEY] = { "key of group",
			      2,
			      false,
			      { "INSERT INTO device (grp, key) VALUES (?1, ?2)"
				" ON CONFLICT (grp) DO UPDATE SET key = excluded.key" } },
	[STORE_FRIEND_PUT] = { "friend of",
			       5,
			       false,
			       { "INSERT INTO friend (local, jid, subscription, role, asked) VALUES (?1, ?2, ?3, ?4, "
				 "?5)"
				 " ON CONFLICT (local, jid) DO UPDATE SET subscription = excluded.subscription,"
				 " role = excluded.role, asked = excluded.asked" } },
	[STORE_FRIEND_DROP] = { "lost friend of", 2, false, { "DELETE FROM friend WHERE local = ?1 AND jid = ?2" } },
	[STORE_PENDING_PUT] = { "request to",
				4,
				false,
				{ "INSERT INTO pending (local, jid, state, subscribed_first) VALUES (?1, ?2, ?3, ?4)"
				  " ON CONFLICT (local, jid) DO UPDATE SET state = excluded.state,"
				  " subscribed_first = excluded.subscribed_first" } },
	[STORE_PENDING_DROP] = { "end of a request to",
				 2,
				 false,
				 { "DELETE FROM pending WHERE local = ?1 AND jid = ?2" } },
	[STORE_COUNTER_PUT] = { "counter",
				6,
				false,
				{ "INSERT INTO counter (point, modulus, reading, turns, speed, utc) VALUES (?1, ?2, "
				  "?3, ?4,"
				  " ?5, ?6) ON CONFLICT (point) DO UPDATE SET modulus = excluded.modulus, reading ="
				  " excluded.reading, turns = excluded.turns, speed = excluded.speed, utc = "
				  "excluded.utc" } },
	[STORE_FOUND_PUT] = { "what was found on",
			      3,
			      false,
			      { "INSERT INTO found (bus, key, block) VALUES (?1, ?2, ?3)"
				" ON CONFLICT (bus, key) DO UPDATE SET block = excluded.block" } },
	[STORE_FOUND_DROP] = { "what was lost on", 2, false, { "DELETE FROM found WHERE bus = ?1 AND key = ?2" } },
	[STORE_REG_PUT] = { "registration of",
			    8,
			    false,
			    { "INSERT INTO registration (jid, name, names, key_hash, grp, group_key_hash, owner, since)"
			      " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (jid) DO UPDATE SET"
			      " name = excluded.name, names = excluded.names, key_hash = excluded.key_hash,"
			      " grp = excluded.grp, group_key_hash = excluded.group_key_hash, owner = excluded.owner,"
			      " since = excluded.since" } },
	[STORE_REG_DROP] = { "end of the registration of",
			     1,
			     false,
			     { "DELETE FROM registration WHERE jid = ?1", "DELETE FROM decision WHERE thing = ?1" } },
	[STORE_DECISION_PUT] = { "decision for",
				 4,
				 false,
				 { "INSERT INTO decision (thing, requestor, state, since) VALUES (?1, ?2, ?3, ?4)"
				   " ON CONFLICT (thing, requestor) DO UPDATE SET state = excluded.state,"
				   " since = excluded.since" } },
	[STORE_DECISION_DROP] = { "dropped decision for",
				  2,
				  false,
				  { "DELETE FROM decision WHERE thing = ?1 AND requestor = ?2" } },
	[STORE_DECISION_DROP_ALL] = { "dropped decisions for", 1, false, { "DELETE FROM decision WHERE thing = ?1" } },
};

static const char *const reads[STORE_READS] = {
	[STORE_THINGS] = "SELECT local, key, grp, acknowledged, owner, want FROM thing ORDER BY local",
	[STORE_GROUPS] = "SELECT grp, key FROM device ORDER BY grp",
	[STORE_FRIENDS] = "SELECT local, jid, subscription, role, asked FROM friend ORDER BY local, jid",
	[STORE_PENDINGS] = "SELECT local, jid, state, subscribed_first FROM pending ORDER BY local, jid",
	[STORE_COUNTERS] = "SELECT point, modulus, reading, turns, speed, utc FROM counter",
	[STORE_FOUNDS] = "SELECT bus, key, block FROM found ORDER BY bus, key",
	[STORE_REGS] =
		"SELECT jid, name, names, key_hash, grp, group_key_hash, owner, since FROM registration ORDER BY jid",
	[STORE_DECISIONS] = "SELECT thing, requestor, state, since FROM decision ORDER BY thing, requestor",
};

size_t statements_values(enum store_write what)
{
	return writes[what].values;
}

int statements_prepare(struct database *db, struct err *e)
{
	for (size_t w = 0; w < STORE_WRITES; w++) {
		for (size_t i = 0; i < STORE_STATEMENTS && writes[w].sql[i]; i++) {
			if (sqlite3_prepare_v3(db->sql, writes[w].sql[i], -1, SQLITE_PREPARE_PERSISTENT,
					       &db->writes[w][i], NULL) != SQLITE_OK)
				return err_set(e, "cannot use %s: %s", db->path, sqlite3_errmsg(db->sql));
		}
	}
	return 0;
}

void statements_free(struct database *db)
{
	for (size_t w = 0; w < STORE_WRITES; w++) {
		for (size_t i = 0; i < STORE_STATEMENTS; i++)
			sqlite3_finalize(db->writes[w][i]);
	}
}

static int write_one(sqlite3_stmt *statement, const struct put *put)
{
	int n = sqlite3_bind_parameter_count(statement);
	for (int i = 0; i < n; i++)
		sqlite3_bind_text(statement, i + 1, put->values[i], -1, SQLITE_STATIC); /* NULL binds null */
	int status = sqlite3_step(statement);
	sqlite3_reset(statement);
	sqlite3_clear_bindings(statement);
	return status == SQLITE_DONE ? 0 : -1;
}

static int refuse(const struct database *db, const struct put *put, const char *why, struct err *e)
{
	char who[128];
	const char *first = put->values[0] ? put->values[0] : "";
	text_quote(who, sizeof(who), first, strlen(first));
	return err_set(e, "%s: cannot store %s '%s': %s", db->path, writes[put->what].words, who, why);
}

int statements_write(struct database *db, const struct put *put, struct err *e)
{
	const struct write_row *row = &writes[put->what];
	for (size_t i = 0; i < STORE_STATEMENTS && row->sql[i]; i++) {
		if (write_one(db->writes[put->what][i], put) < 0)
			return refuse(db, put, sqlite3_errmsg(db->sql), e);
		if (i == 0 && row->must_change && sqlite3_changes(db->sql) == 0)
			return refuse(db, put, "it is not there", e);
	}
	return 0;
}

int statements_read(struct database *db, enum store_read what, void (*row)(void *ctx, const char *const *values),
		    void *ctx, struct err *e)
{
	sqlite3_stmt *statement = NULL;
	int status = sqlite3_prepare_v2(db->sql, reads[what], -1, &statement, NULL);
	while (status == SQLITE_OK && (status = sqlite3_step(statement)) == SQLITE_ROW) {
		const char *values[STORE_VALUES] = { NULL };
		for (int i = 0; i < sqlite3_column_count(statement); i++)
			values[i] = (const char *)sqlite3_column_text(statement, i);
		row(ctx, values);
		status = SQLITE_OK;
	}
	if (status != SQLITE_DONE)
		err_set(e, "cannot read %s: %s", db->path, sqlite3_errmsg(db->sql));
	sqlite3_finalize(statement);
	return status == SQLITE_DONE ? 0 : -1;
}
