#include "core/conf/secret.h"

#include "core/base/mem.h"
#include "core/base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_SECRET = 4096 };

static int open_file(const char *file)
{
	return open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
}

static char *name_beside(const char *file, const char *beside)
{
	const char *slash = beside && file[0] != '/' ? strrchr(beside, '/') : NULL;
	return slash ? mem_format("%.*s/%s", (int)(slash - beside), beside, file) : mem_text(file);
}

static int open_beside(const char *file, const char *beside)
{
	char *name = name_beside(file, beside);
	int fd = open_file(name);
	int error = errno;
	mem_free(name);
	errno = error;
	return fd;
}

static char *name_of_credential(const char *file)
{
	const char *directory = getenv("CREDENTIALS_DIRECTORY");
	const char *slash = strrchr(file, '/');
	return directory ? mem_format("%s/%s", directory, slash ? slash + 1 : file) : NULL;
}

static int open_credential(const char *file)
{
	char *name = name_of_credential(file);
	int fd = name ? open_file(name) : -1;
	mem_free(name);
	return fd;
}

/* A link stays one: what it points to may be changed. */
static char *make_absolute(char *take_name)
{
	char folder[PATH_MAX];
	if (take_name[0] == '/' || !getcwd(folder, sizeof(folder)))
		return take_name;
	char *whole = mem_format("%s/%s", folder, take_name);
	mem_free(take_name);
	return whole;
}

char *secret_find(const char *file, const char *beside)
{
	char *name = name_beside(file, beside);
	char *other = access(name, F_OK) == 0 ? NULL : name_of_credential(file);
	if (!other || access(other, F_OK) != 0) {
		mem_free(other);
		return make_absolute(name);
	}
	mem_free(name);
	return make_absolute(other);
}

static int secret_of(const char *file, const char *bytes, size_t size, char **ret, struct err *e)
{
	while (size > 0 && (bytes[size - 1] == '\n' || bytes[size - 1] == '\r'))
		size--;
	if (size == 0)
		return err_set(e, "'%.200s' is empty", file);
	if (size > MOST_SECRET)
		return err_set(e, "'%.200s' has more than %d bytes", file, MOST_SECRET);
	if (!text_is_clean(bytes, size))
		return err_set(e, "'%.200s' has control characters or is not UTF-8", file);
	*ret = mem_text_n(bytes, size);
	return 0;
}

static int read_secret(int fd, const char *file, char **ret, struct err *e)
{
	char bytes[MOST_SECRET + 3];
	size_t size = 0;
	ssize_t n;
	do {
		n = read(fd, bytes + size, sizeof(bytes) - size);
		size += n > 0 ? (size_t)n : 0;
	} while (n > 0 && size < sizeof(bytes));
	int result = n < 0 ? err_set(e, "cannot read '%.200s': %s", file, strerror(errno))
			   : secret_of(file, bytes, size, ret, e);
	explicit_bzero(bytes, sizeof(bytes));
	return result;
}

int secret_read(const char *file, const char *beside, char **ret, struct err *e)
{
	int fd = open_beside(file, beside);
	int error = errno;
	if (fd < 0)
		fd = open_credential(file);
	if (fd < 0)
		return err_set(e, "cannot read '%.200s': %s", file, strerror(error));
	int result = read_secret(fd, file, ret, e);
	close(fd);
	return result;
}

void secret_free(char *secret)
{
	if (secret)
		explicit_bzero(secret, strlen(secret));
	mem_free(secret);
}

bool secret_is_open(const char *file)
{
	struct stat st;
	return stat(file, &st) == 0 && (st.st_mode & S_IROTH);
}
