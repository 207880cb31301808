#include "core/conf/file.h"

#include "core/base/limits.h"
#include "core/base/mem.h"
#include "core/conf/scan.h"
#include "core/conf/token.h"

#include <errno.h>
#include <fcntl.h>
#include <libconfig.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct source {        /* one file on disk */
	char *written; /* in the @include, as libconfig names it; NULL for the main file */
	char *name;
	char *text;
	size_t size;
};

struct file {
	config_t config;
	char *directory;
	struct source *sources;
	size_t n_sources;
};

static const char *const byte_order_mark = "\xEF\xBB\xBF";

static int read_all(int fd, struct source *s)
{
	size_t room = 0;
	ssize_t n;
	do {
		if (s->size + 1 >= room) {
			room = room ? room * 2 : 4096;
			s->text = mem_resize(s->text, room);
		}
		n = read(fd, s->text + s->size, room - s->size - 1);
		s->size += n > 0 ? (size_t)n : 0;
		if (s->size > LIMIT_CONF_FILE)
			errno = EFBIG;
	} while (n > 0 && s->size <= LIMIT_CONF_FILE);
	s->text[s->size] = '\0';
	return n < 0 || s->size > LIMIT_CONF_FILE ? -1 : 0;
}

/* libconfig stumbles over a comment that ends with the file. */
static void finish_source(struct source *s)
{
	s->text = mem_resize(s->text, s->size + 2);
	memcpy(s->text + s->size, "\n", 2);
	if (text_begins(s->text, byte_order_mark))
		memset(s->text, ' ', strlen(byte_order_mark));
}

/* -1 with errno */
static int read_source(struct source *s)
{
	int fd = open(s->name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return -1;
	int result = read_all(fd, s);
	int error = errno;
	close(fd);
	errno = error;
	finish_source(s);
	return result;
}

static struct source *add_source(struct file *f, const char *written, char *take_name)
{
	f->sources = mem_resize(f->sources, (f->n_sources + 1) * sizeof(*f->sources));
	struct source *s = &f->sources[f->n_sources++];
	*s = (struct source){ .written = mem_text(written) };
	s->name = take_name;
	return s;
}

static char *directory_of(const char *name)
{
	const char *slash = strrchr(name, '/');
	return slash ? mem_text_n(name, slash == name ? 1 : (size_t)(slash - name)) : mem_text(".");
}

struct opening {
	struct file *file;
	struct conf *c;
};

/* libconfig puts the directory in front of every name, also of an absolute one, and so must we. */
static bool open_include(void *ctx, const char *name, const char *from, int line, struct scan_file *ret)
{
	struct opening *o = ctx;
	if (!o->file->directory) {
		fault_error(o->c, from, line, "'%s' cannot be included here", name);
		return false;
	}
	struct source *s = add_source(o->file, name, mem_format("%s/%s", o->file->directory, name));
	if (read_source(s) < 0) {
		fault_error(o->c, from, line, "cannot read '%s': %s", s->name, strerror(errno));
		return false;
	}
	*ret = (struct scan_file){ s->name, s->text, s->size };
	return true;
}

/* The sentences of libconfig that are left once scan.h has found nothing. */
static void say_parse_error(struct conf *c, struct file *f)
{
	const char *file = config_error_file(&f->config);
	const char *text = config_error_text(&f->config);
	if (strcmp(text, "duplicate setting name") == 0)
		text = "this name stands twice in one group";
	else if (strcmp(text, "mismatched element type in array") == 0)
		text = "[ ] holds values of one type only; write ( ) for mixed ones";
	for (size_t i = 0; i < f->n_sources; i++)
		if (text_same(f->sources[i].written, file))
			file = f->sources[i].name;
	fault_error(c, file ? file : f->sources[0].name, config_error_line(&f->config), "%s", text);
}

static bool parse(struct conf *c, struct file *f)
{
	struct source *s = &f->sources[0];
	struct opening o = { f, c };
	const struct scan_file main_file = { s->name, s->text, s->size };
	const char *nul = memchr(s->text, '\0', s->size);
	if (nul)
		fault_error(c, s->name, 0, "byte %zu is zero: this is no text file", (size_t)(nul - s->text));
	if (nul || scan_file(c, &main_file, open_include, &o) == SCAN_BROKEN)
		return false;
	if (f->directory)
		config_set_include_dir(&f->config, f->directory);
	if (!config_read_string(&f->config, f->sources[0].text)) { /* the scan may have moved the sources */
		say_parse_error(c, f);
		return false;
	}
	return true;
}

static void drop_texts(struct file *f)
{
	for (size_t i = 0; i < f->n_sources; i++) {
		mem_free(f->sources[i].text);
		f->sources[i].text = NULL;
	}
}

static struct file *file_new(const char *name)
{
	struct file *f = mem_new(sizeof(*f));
	config_init(&f->config);
	f->directory = directory_of(name);
	add_source(f, NULL, mem_text(name));
	return f;
}

/* The file, or NULL and it is gone. */
static struct file *parsed(struct conf *c, struct file *f, bool good)
{
	good = good && parse(c, f);
	drop_texts(f);
	if (good)
		return f;
	file_free(f);
	return NULL;
}

struct file *file_load(struct conf *c, const char *name)
{
	struct file *f = file_new(name);
	bool good = read_source(&f->sources[0]) == 0;
	if (!good)
		fault_error(c, name, 0, "cannot read it: %s", strerror(errno));
	return parsed(c, f, good);
}

static struct file *parse_text(struct conf *c, struct file *f, const char *text)
{
	struct source *s = &f->sources[0];
	s->text = mem_text(text);
	s->size = strlen(text);
	finish_source(s);
	return parsed(c, f, true);
}

struct file *file_parse(struct conf *c, const char *name, const char *text)
{
	return parse_text(c, file_new(name), text);
}

struct file *file_of_text(struct conf *c, const char *name, const char *text)
{
	struct file *f = file_new(name);
	mem_free(f->directory);
	f->directory = NULL;
	return parse_text(c, f, text);
}

static bool is_key(const struct token *t, const char *key)
{
	return t->kind == TOKEN_WORD && t->size == strlen(key) && memcmp(t->at, key, t->size) == 0;
}

/* The quote that begins it is a part of the token. */
static char *find_text(const struct source *s, const char *key)
{
	struct token_source from = { .start = s->text, .at = s->text, .end = s->text + s->size, .line = 1 };
	struct token before = { 0 }, last = { 0 }, t;
	while ((t = token_next(&from)).kind != TOKEN_END) {
		if (t.kind == TOKEN_STRING && t.flaw == FLAW_NONE && last.kind == TOKEN_ASSIGN && is_key(&before, key))
			return mem_text_n(t.at + 1, t.size - 1);
		before = last;
		last = t;
	}
	return NULL;
}

char *file_guess(const char *name, const char *key)
{
	struct source s = { .name = mem_text(name) };
	char *found = read_source(&s) == 0 ? find_text(&s, key) : NULL;
	mem_free(s.text);
	mem_free(s.name);
	return found;
}

void file_free(struct file *f)
{
	if (!f)
		return;
	config_destroy(&f->config);
	drop_texts(f);
	for (size_t i = 0; i < f->n_sources; i++) {
		mem_free(f->sources[i].written);
		mem_free(f->sources[i].name);
	}
	mem_free(f->sources);
	mem_free(f->directory);
	mem_free(f);
	mem_trim();
}

/* A node is libconfig's setting under another name, so that nobody else needs its header. */
static const config_setting_t *setting_of(const struct file_node *n)
{
	return (const config_setting_t *)(const void *)n;
}

static const struct file_node *node_of(const config_setting_t *s)
{
	return (const struct file_node *)(const void *)s;
}

const struct file_node *file_root(const struct file *f)
{
	return node_of(config_root_setting(&f->config));
}

static const enum file_kind kinds[] = {
	[CONFIG_TYPE_GROUP] = FILE_GROUP, [CONFIG_TYPE_INT] = FILE_INTEGER, [CONFIG_TYPE_INT64] = FILE_INTEGER,
	[CONFIG_TYPE_FLOAT] = FILE_REAL,  [CONFIG_TYPE_STRING] = FILE_TEXT, [CONFIG_TYPE_BOOL] = FILE_BOOL,
	[CONFIG_TYPE_ARRAY] = FILE_LIST,  [CONFIG_TYPE_LIST] = FILE_LIST,
};

enum file_kind file_kind(const struct file_node *n)
{
	return kinds[setting_of(n)->type];
}

const char *file_key(const struct file_node *n)
{
	return config_setting_name(setting_of(n));
}

int file_line(const struct file_node *n)
{
	return (int)setting_of(n)->line;
}

const char *file_name(const struct file_node *n)
{
	const struct file *f = (const struct file *)(const void *)setting_of(n)->config; /* its first member */
	const char *written = setting_of(n)->file;
	for (size_t i = 1; written && i < f->n_sources; i++)
		if (strcmp(f->sources[i].written, written) == 0)
			return f->sources[i].name;
	return f->sources[0].name;
}

size_t file_length(const struct file_node *n)
{
	return config_setting_is_aggregate(setting_of(n)) ? (size_t)config_setting_length(setting_of(n)) : 0;
}

const struct file_node *file_at(const struct file_node *n, size_t i)
{
	return node_of(config_setting_get_elem(setting_of(n), (unsigned)i));
}

const struct file_node *file_find(const struct file_node *group, const char *key)
{
	for (size_t i = 0; file_kind(group) == FILE_GROUP && i < file_length(group); i++)
		if (strcmp(file_key(file_at(group, i)), key) == 0)
			return file_at(group, i);
	return NULL;
}

bool file_bool(const struct file_node *n)
{
	return config_setting_get_bool(setting_of(n)) != 0;
}

int64_t file_integer(const struct file_node *n)
{
	return config_setting_get_int64(setting_of(n));
}

double file_real(const struct file_node *n)
{
	return config_setting_get_float(setting_of(n));
}

const char *file_text(const struct file_node *n)
{
	return config_setting_get_string(setting_of(n));
}

const char *file_text_of(const struct file_node *group, const char *key)
{
	const struct file_node *n = file_find(group, key);
	return n && file_kind(n) == FILE_TEXT ? file_text(n) : NULL;
}
