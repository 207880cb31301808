/* A store in a private folder, and what is asked of it in the tests of the store. */
#pragma once

#include "core/base/mem.h"
#include "core/base/text.h"
#include "core/store/store.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct place {
	char root[64], state[80], file[96];
};

static inline struct place place_new(void)
{
	struct place p;
	snprintf(p.root, sizeof(p.root), "/tmp/jidgate-store-XXXXXX");
	cr_assert(mkdtemp(p.root));
	snprintf(p.state, sizeof(p.state), "%s/state", p.root);
	snprintf(p.file, sizeof(p.file), "%s/jidgate.db", p.state);
	return p;
}

static inline void remove_all(const char *path)
{
	DIR *directory = opendir(path);
	if (directory) {
		for (struct dirent *at; (at = readdir(directory));) {
			if (at->d_name[0] == '.')
				continue;
			char *inside = mem_format("%s/%s", path, at->d_name);
			remove_all(inside);
			mem_free(inside);
		}
		closedir(directory);
	}
	remove(path);
}

static inline void place_free(struct place *p)
{
	remove_all(p->root);
}

static inline struct store *open_or_fail(const struct place *p, struct loop *loop)
{
	struct err e;
	struct store *s = store_open(p->state, loop, &e);
	cr_assert(s, "%s", s ? "" : e.text);
	return s;
}

static inline void refused(const char *directory, const char *wanted)
{
	struct err e = { "" };
	cr_assert_null(store_open(directory, NULL, &e));
	cr_assert(strstr(e.text, wanted), "'%s' is not in '%s'", wanted, e.text);
}

struct table {
	struct text text;
	int columns;
};

static inline void add_row(void *ctx, const char *const *values)
{
	struct table *t = ctx;
	for (int i = 0; i < t->columns; i++)
		text_addf(&t->text, "%s%s", i ? "|" : "", values[i] ? values[i] : "-");
	text_add(&t->text, "\n");
}

/* All rows of a table as lines of "a|b|-". */
static inline char *rows(struct store *s, enum store_read what)
{
	static const int columns[STORE_READS] = { [STORE_THINGS] = 6, [STORE_GROUPS] = 2, [STORE_FRIENDS] = 5, [STORE_PENDINGS] = 4,
						  [STORE_COUNTERS] = 6, [STORE_FOUNDS] = 3, [STORE_REGS] = 8,   [STORE_DECISIONS] = 4 };
	struct table table = { .columns = columns[what] };
	struct err e;
	text_reserve(&table.text, 1);
	table.text.data[0] = '\0';
	cr_assert_eq(store_each(s, what, add_row, &table, &e), 0);
	return table.text.data;
}

static inline void has_rows(struct store *s, enum store_read what, const char *wanted)
{
	char *got = rows(s, what);
	cr_assert_str_eq(got, wanted);
	mem_free(got);
}

struct outcome {
	int dones, failed;
	char why[320];
	struct loop *loop;
	int wanted;
};

static inline void note(void *ctx, int status, const struct err *why)
{
	struct outcome *o = ctx;
	cr_assert_eq(status < 0, why != NULL);
	o->dones++;
	o->failed += status < 0;
	if (why)
		memcpy(o->why, why->text, sizeof(o->why));
	if (o->loop && o->dones == o->wanted)
		loop_stop(o->loop);
}

#define PUT(store, what, outcome, ...) store_put(store, what, (const char *const[]){ __VA_ARGS__ }, note, outcome)
