#include "core/conf/secret.h"

#include "core/base/mem.h"
#include "core/base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_SECRET = 4096 };

static int open_beside(const char *file, const char *beside)
{
	const char *slash = beside && file[0] != '/' ? strrchr(beside, '/') : NULL;
	if (!slash)
		return open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char *name = mem_format("%.*s/%s", (int)(slash - beside), beside, file);
	int fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int error = errno;
	mem_free(name);
	errno = error;
	return fd;
}

static int open_credential(const char *file)
{
	const char *directory = getenv("CREDENTIALS_DIRECTORY");
	const char *slash = strrchr(file, '/');
	if (!directory)
		return -1;
	char *name = mem_format("%s/%s", directory, slash ? slash + 1 : file);
	int fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	mem_free(name);
	return fd;
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
