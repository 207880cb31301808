/*
 * From blocks of the file to the house. What is wrong inside a device breaks only that device. Before the loop runs.
 */
#pragma once

#include "core/conf/fill.h"
#include "core/conf/found.h"

struct build {
	struct conf *c;
	const struct protocol *const *protocols;
	struct map devices;   /* id -> struct device */
	struct map locals;    /* localpart -> struct local, owned */
	struct map templates; /* name -> struct template, owned */
	const char *main_file;
	const struct house *known;        /* whose buses, ids and JIDs there are already; NULL: conf.house */
	const struct found_block *found; /* what is built comes from a bus, NULL: from a file */
	size_t n_spared; /* errors that do not stop the start: those inside devices */
};

struct local { /* whose JID it is */
	char *text;
	const char *file;
	int line;
};

const struct house *build_known(const struct build *b);
/* Does the device, of the house known, have to make room for what is built under this id? It came from the bus by the same key. */
bool build_replaces(const struct build *b, const struct device *there, const char *id);
const struct protocol *build_protocol(const struct protocol *const *protocols, const char *name);
void build_house(struct build *b, const struct file_node *root); /* buses and devices of one file */
void build_end(struct build *b);
