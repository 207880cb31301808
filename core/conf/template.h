/*
 * Device templates: what all devices of a model have in common. NAME.conf in templates.d/ beside the configuration file, else
 * in the installed set; the first one found is the whole of it. Read once however many devices use it, kept until build_end.
 */
#pragma once

#include "core/conf/build.h"

struct template_probe { /* what tells this model from another */
	char *point;
	struct decimal min, max; /* of what is shown */
};

struct template_head { /* what a template says beside the keys of its devices and points */
	char *name;
	int64_t version;
	char *protocol; /* "modbus" is also modbus-rtu, modbus-tcp, ... */
	bool has_probe;
	struct template_probe probe;
};

struct template
{
	char *name;
	struct file *file; /* NULL: broken, and it was said */
	struct template_head head;
};

/* n: the device's `template`. NULL after having said why; at the template itself when the mistake is there. */
const struct template *template_find(struct build *b, const struct fill *f, const struct file_node *n,
				     const struct protocol *protocol);
/* Any of that name for the protocol that has no mistakes; NULL: none. What is wrong is said all the same. */
const struct template *template_try(struct build *b, const char *name, const struct protocol *protocol);
/* All names there are, beside the configuration and installed: one may come twice. */
void template_each(const struct build *b, void (*fn)(void *ctx, const char *name), void *ctx);
const struct file_node *template_point(const struct template *t, const char *id); /* NULL if there is none */
void template_free_all(struct build *b);
