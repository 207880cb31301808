/* How the file is made, refused and protected. */
#include "tests/unit/store_place.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>

Test(store, is_private)
{
	struct place p = place_new();
	struct stat at;
	umask(0);
	struct store *s = open_or_fail(&p, NULL);
	char *log = mem_format("%s-wal", p.file);
	store_put(s, STORE_GROUP_ADD, (const char *const[]){ "g", "k" }, NULL, NULL);
	cr_assert_eq(stat(p.state, &at), 0);
	cr_assert_eq(at.st_mode & 0777, 0700);
	cr_assert_eq(stat(p.file, &at), 0);
	cr_assert_eq(at.st_mode & 0777, 0600);
	cr_assert_eq(stat(log, &at), 0, "it works in WAL mode");
	cr_assert_eq(at.st_mode & 0777, 0600);
	store_close(s);
	cr_assert_eq(chmod(p.file, 0644), 0);
	store_close(open_or_fail(&p, NULL));
	cr_assert_eq(stat(p.file, &at), 0);
	cr_assert_eq(at.st_mode & 0777, 0600);
	mem_free(log);
	place_free(&p);
}

Test(store, that_cannot_be_made_complete_is_not_made)
{
	struct place p = place_new();
	struct rlimit limit = { .rlim_cur = 5000, .rlim_max = RLIM_INFINITY };
	signal(SIGXFSZ, SIG_IGN);
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	refused(p.state, "cannot create ");
	cr_assert_eq(rmdir(p.state), 0, "something is left");
	limit.rlim_cur = RLIM_INFINITY;
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	store_close(open_or_fail(&p, NULL));
	place_free(&p);
}

Test(store, made_by_root_belongs_to_the_owner_of_its_directory)
{
	if (geteuid() != 0)
		cr_skip_test("needs root");
	struct place p = place_new();
	struct stat at;
	cr_assert_eq(mkdir(p.state, 0700), 0);
	cr_assert_eq(chown(p.state, 65534, 65534), 0);
	store_close(open_or_fail(&p, NULL));
	cr_assert_eq(stat(p.file, &at), 0);
	cr_assert_eq(at.st_uid, 65534);
	place_free(&p);
}

static void write_file(const char *path, off_t at, const void *bytes, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT, 0600);
	cr_assert_geq(fd, 0);
	cr_assert_eq(pwrite(fd, bytes, size, at), (ssize_t)size);
	close(fd);
}

Test(store, refuses_the_database_of_a_newer_version)
{
	struct place p = place_new();
	const unsigned char version[4] = { 0, 0, 0, 99 };
	store_close(open_or_fail(&p, NULL));
	write_file(p.file, 60, version, sizeof(version)); /* user_version in the file format of SQLite */
	refused(p.state, "is of a newer jidgate (schema 99, this one knows 3)");
	place_free(&p);
}

Test(store, refuses_what_is_not_its_database)
{
	struct place p = place_new();
	char *bytes = mem_new(8192);
	memset(bytes, 'x', 8192);
	cr_assert_eq(mkdir(p.state, 0700), 0);
	write_file(p.file, 0, bytes, 8192);
	refused(p.state, "file is not a database");
	cr_assert_eq(truncate(p.file, 0), 0);
	refused(p.state, "its content was lost");
	mem_free(bytes);
	struct stat at;
	cr_assert(stat(p.file, &at) == 0 && at.st_size == 0, "it is left as it was found");
	place_free(&p);
}

Test(store, refuses_a_log_without_its_database)
{
	struct place p = place_new();
	char *log = mem_format("%s-wal", p.file);
	cr_assert_eq(mkdir(p.state, 0700), 0);
	write_file(log, 0, "frames", 6);
	refused(p.state, "restore both");
	mem_free(log);
	place_free(&p);
}

Test(store, says_why_it_cannot_be_written)
{
	struct place p = place_new();
	char *nowhere = mem_format("%s/a/b", p.root), *in_file = mem_format("%s/file", p.root);
	refused(nowhere, "No such file or directory");
	write_file(in_file, 0, "", 0);
	refused(in_file, "Not a directory");
	store_close(open_or_fail(&p, NULL));
	if (geteuid() == 0) { /* a user who may look but not write */
		cr_assert_eq(chmod(p.root, 0755) | chmod(p.state, 0755), 0);
		cr_assert_eq(chmod(p.file, 0600) | chown(p.file, 65534, 65534), 0);
		cr_assert_eq(seteuid(65534), 0);
		refused(p.state, "Permission denied");
		refused("/proc/jidgate", "cannot create the state directory");
		cr_assert_eq(seteuid(0), 0);
	}
	mem_free(nowhere);
	mem_free(in_file);
	place_free(&p);
}
