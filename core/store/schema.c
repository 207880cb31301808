/*
 * The file and its schema. A new database is built under another name and put in place complete, so a file that is there but
 * empty is never one of ours at its beginning: it is lost state, and that must not look like a factory reset.
 */
#include "core/base/mem.h"
#include "core/store/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* steps[n] leads from version n to n + 1; a step that was released is never changed. */
static const char *const steps[] = {
	"CREATE TABLE thing (local TEXT NOT NULL PRIMARY KEY, key TEXT, grp TEXT,"
	" acknowledged INTEGER NOT NULL DEFAULT 0 CHECK (acknowledged IN (0, 1)), owner TEXT,"
	" want TEXT CHECK (want IN ('reset', 'forget'))) STRICT, WITHOUT ROWID;"
	"CREATE TABLE device (grp TEXT NOT NULL PRIMARY KEY, key TEXT) STRICT, WITHOUT ROWID;"
	"CREATE TABLE friend (local TEXT NOT NULL, jid TEXT NOT NULL,"
	" subscription INTEGER NOT NULL CHECK (subscription BETWEEN 0 AND 3),"
	" role INTEGER NOT NULL CHECK (role BETWEEN 0 AND 2), asked INTEGER NOT NULL CHECK (asked IN (0, 1)),"
	" PRIMARY KEY (local, jid)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE pending (local TEXT NOT NULL, jid TEXT NOT NULL, state TEXT NOT NULL,"
	" subscribed_first INTEGER NOT NULL CHECK (subscribed_first IN (0, 1)),"
	" PRIMARY KEY (local, jid)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE registration (jid TEXT NOT NULL PRIMARY KEY, name TEXT, names TEXT, key_hash TEXT, grp TEXT,"
	" group_key_hash TEXT, owner TEXT, since TEXT) STRICT, WITHOUT ROWID;"
	"CREATE TABLE decision (thing TEXT NOT NULL, requestor TEXT NOT NULL,"
	" state TEXT NOT NULL CHECK (state IN ('yes', 'no', 'pending')), since TEXT,"
	" PRIMARY KEY (thing, requestor)) STRICT, WITHOUT ROWID;",
	"CREATE TABLE counter (point TEXT NOT NULL PRIMARY KEY, modulus TEXT NOT NULL, reading TEXT NOT NULL,"
	" turns TEXT NOT NULL, speed TEXT NOT NULL, utc TEXT NOT NULL) STRICT, WITHOUT ROWID;",
	"CREATE TABLE found (bus TEXT NOT NULL, key TEXT NOT NULL, block TEXT NOT NULL,"
	" PRIMARY KEY (bus, key)) STRICT, WITHOUT ROWID;",
};

enum { VERSION = sizeof(steps) / sizeof(*steps), APPLICATION = 0x6a646761 /* "jdga" */ };

static int trouble(sqlite3 *sql, const char *path, struct err *e)
{
	int cause = sqlite3_system_errno(sql);
	int code = sqlite3_errcode(sql);
	if (cause && (code == SQLITE_CANTOPEN || code == SQLITE_IOERR))
		return err_set(e, "cannot use %s: %s (%s)", path, sqlite3_errmsg(sql), strerror(cause));
	return err_set(e, "cannot use %s: %s", path, sqlite3_errmsg(sql));
}

static int run(sqlite3 *sql, const char *path, const char *statement, struct err *e)
{
	return sqlite3_exec(sql, statement, NULL, NULL, NULL) == SQLITE_OK ? 0 : trouble(sql, path, e);
}

static int number(sqlite3 *sql, const char *path, const char *question, int *ret, struct err *e)
{
	sqlite3_stmt *statement = NULL;
	int status = sqlite3_prepare_v2(sql, question, -1, &statement, NULL);
	if (status == SQLITE_OK)
		status = sqlite3_step(statement);
	if (status == SQLITE_ROW)
		*ret = sqlite3_column_int(statement, 0);
	else
		trouble(sql, path, e);
	sqlite3_finalize(statement);
	return status == SQLITE_ROW ? 0 : -1;
}

static int climb(sqlite3 *sql, const char *path, int version, struct err *e)
{
	for (; version < VERSION; version++) {
		if (run(sql, path, steps[version], e) < 0)
			return -1;
	}
	char *mark = mem_format("PRAGMA user_version = %d; PRAGMA application_id = %d", VERSION, APPLICATION);
	int status = run(sql, path, mark, e);
	mem_free(mark);
	return status;
}

/* Asked again inside the transaction: another process may have brought it up to date meanwhile. */
static int bring_up_to_date(sqlite3 *sql, const char *path, struct err *e)
{
	int version;
	if (run(sql, path, "BEGIN IMMEDIATE", e) < 0)
		return -1;
	if (number(sql, path, "PRAGMA user_version", &version, e) < 0 || climb(sql, path, version, e) < 0 ||
	    run(sql, path, "COMMIT", e) < 0) {
		sqlite3_exec(sql, "ROLLBACK", NULL, NULL, NULL);
		return -1;
	}
	return 0;
}

static int check(sqlite3 *sql, const char *path, struct err *e)
{
	int version, application;
	if (number(sql, path, "PRAGMA user_version", &version, e) < 0 ||
	    number(sql, path, "PRAGMA application_id", &application, e) < 0)
		return -1;
	if (application != APPLICATION)
		return err_set(
			e,
			"%s is not a database of jidgate's, or its content was lost; restore it from a backup, or "
			"move it away to begin anew with new keys and without owners",
			path);
	if (version > VERSION)
		return err_set(e, "%s is of a newer jidgate (schema %d, this one knows %d)", path, version, VERSION);
	return version < VERSION ? bring_up_to_date(sql, path, e) : 0;
}

static sqlite3 *open_file(const char *path, int flags, struct err *e)
{
	sqlite3 *sql = NULL;
	int status = sqlite3_open_v2(path, &sql, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | flags, NULL);
	must(sql);
	if (status == SQLITE_OK) {
		sqlite3_busy_timeout(sql, STORE_BUSY_MS);
		return sql;
	}
	trouble(sql, path, e);
	sqlite3_close(sql);
	return NULL;
}

/* An administrator's `jidgate labels` before the first start must not leave a file that the daemon cannot open. */
static void give_to_owner_of(const char *directory, int fd)
{
	struct stat at;
	if (geteuid() == 0 && stat(directory, &at) == 0 && fchown(fd, at.st_uid, at.st_gid) < 0)
		return;
}

static int make_private_file(const char *directory, const char *path, struct err *e)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_set(e, "cannot create %s: %s", path, strerror(errno));
	give_to_owner_of(directory, fd);
	close(fd);
	return 0;
}

static int build(const char *path, struct err *e)
{
	sqlite3 *sql = open_file(path, 0, e);
	if (!sql)
		return -1;
	int status = run(sql, path, "PRAGMA synchronous = FULL", e);
	if (status == 0)
		status = bring_up_to_date(sql, path, e);
	sqlite3_close(sql);
	return status;
}

static void sync_directory(const char *directory)
{
	int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return;
	fsync(fd);
	close(fd);
}

/* When two processes begin at once, the first one's stays. */
static int put_in_place(const char *directory, const char *made, const char *path, struct err *e)
{
	if (renameat2(AT_FDCWD, made, AT_FDCWD, path, RENAME_NOREPLACE) < 0 && errno != EEXIST)
		return err_set(e, "cannot create %s: %s", path, strerror(errno));
	sync_directory(directory);
	return 0;
}

static int create(const char *directory, const char *path, struct err *e)
{
	char *made = mem_format("%s/new-%d.db", directory, (int)getpid());
	unlink(made);
	int status = make_private_file(directory, made, e);
	if (status == 0)
		status = build(made, e);
	if (status == 0)
		status = put_in_place(directory, made, path, e);
	unlink(made);
	mem_free(made);
	if (status < 0)
		err_wrap(e, "cannot create %s", path);
	return status;
}

/* SQLite would play a write-ahead log that was left behind into a new file that it does not belong to. */
static int refuse_orphan(const char *path, struct err *e)
{
	char *log = mem_format("%s-wal", path);
	struct stat at;
	int status = stat(log, &at) == 0 && at.st_size > 0 ? -1 : 0;
	if (status < 0)
		err_set(e, "%s is there but %s is not: restore both, or move it away to begin anew", log, path);
	mem_free(log);
	return status;
}

static int make_if_missing(const char *directory, const char *path, struct err *e)
{
	struct stat at;
	if (mkdir(directory, 0700) < 0 && errno != EEXIST)
		return err_set(e, "cannot create the state directory %s: %s", directory, strerror(errno));
	if (stat(path, &at) < 0 && errno != ENOENT)
		return err_set(e, "cannot open %s: %s", path, strerror(errno));
	if (stat(path, &at) < 0)
		return refuse_orphan(path, e) < 0 ? -1 : create(directory, path, e);
	if ((at.st_mode & 077) && chmod(path, 0600) < 0)
		return err_set(e, "%s can be read by others: %s", path, strerror(errno));
	return 0;
}

static int check_access(const char *directory, const char *path, struct err *e)
{
	if (faccessat(AT_FDCWD, path, R_OK | W_OK, AT_EACCESS) < 0)
		return err_set(e, "cannot write %s: %s", path, strerror(errno));
	if (faccessat(AT_FDCWD, directory, W_OK | X_OK, AT_EACCESS) < 0)
		return err_set(e, "cannot write into %s: %s", directory, strerror(errno));
	return 0;
}

static int open_checked(const char *directory, const char *path, sqlite3 **ret, struct err *e)
{
	if (make_if_missing(directory, path, e) < 0 || check_access(directory, path, e) < 0)
		return -1;
	sqlite3 *sql = open_file(path, 0, e);
	if (!sql)
		return -1;
	if (check(sql, path, e) < 0 ||
	    run(sql, path,
		"PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = OFF;"
		"PRAGMA trusted_schema = OFF; PRAGMA journal_size_limit = 1048576",
		e) < 0) {
		sqlite3_close(sql);
		return -1;
	}
	*ret = sql;
	return 0;
}

int schema_open(const char *directory, sqlite3 **ret, struct err *e)
{
	char *path = mem_format("%s/jidgate.db", directory);
	int status = open_checked(directory, path, ret, e);
	mem_free(path);
	return status;
}
