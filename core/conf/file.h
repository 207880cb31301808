/*
 * A configuration file as a tree, read by libconfig after scan.h has looked at it: the only door to libconfig. Nodes belong
 * to the file and live until file_free; before the loop runs.
 */
#pragma once

#include "core/conf/fault.h"

struct file;
struct file_node;

enum file_kind { FILE_GROUP, FILE_LIST, FILE_BOOL, FILE_INTEGER, FILE_REAL, FILE_TEXT };

/* NULL after having said why. A file with wrong numbers is still given, so that the rest of it can be checked. */
struct file *file_load(struct conf *c, const char *name);
struct file *file_parse(struct conf *c, const char *name, const char *text); /* as if the file of that name said this */
struct file *file_of_text(struct conf *c, const char *name, const char *text); /* the same from memory; it includes nothing */
/* The first text behind that key, in a file that is perhaps no configuration at the moment: somebody edits it. Without its escapes
 * undone. NULL: none; mem_free it. */
char *file_guess(const char *name, const char *key);
void file_free(struct file *f); /* and gives the pages back to the system; NULL is allowed */
const struct file_node *file_root(const struct file *f);

enum file_kind file_kind(const struct file_node *n);
const char *file_key(const struct file_node *n); /* NULL in a list */
int file_line(const struct file_node *n);
const char *file_name(const struct file_node *n); /* of the file it is in, as shown in messages; until file_free */
size_t file_length(const struct file_node *n);    /* of a group or list; 0 for others */
const struct file_node *file_at(const struct file_node *n, size_t i);
const struct file_node *file_find(const struct file_node *group, const char *key); /* NULL if not there or no group */

bool file_bool(const struct file_node *n);
int64_t file_integer(const struct file_node *n);
double file_real(const struct file_node *n);
const char *file_text(const struct file_node *n);

const char *file_text_of(const struct file_node *group, const char *key); /* NULL: not there or no text */
