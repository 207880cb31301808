/*
 * From blocks of the file to the house. What is wrong inside a device breaks only that device. Before the loop runs.
 */
#pragma once

#include "core/conf/fill.h"

struct build {
	struct conf *c;
	const struct protocol *const *protocols;
	struct map devices;   /* id -> struct device */
	struct map locals;    /* localpart -> struct local, owned */
	struct map templates; /* name -> struct template, owned */
	const char *main_file;
	size_t n_spared; /* errors that do not stop the start: those inside devices */
};

struct local { /* whose JID it is */
	char *text;
	const char *file;
	int line;
};

const struct protocol *build_protocol(const struct protocol *const *protocols, const char *name);
void build_house(struct build *b, const struct file_node *root); /* buses and devices of one file */
void build_end(struct build *b);
