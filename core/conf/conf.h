/*
 * A configuration file with everything it says: errors with file, line, what is wrong, why and the nearest right word,
 * all at once. Owned by main until gateway takes house out of it; before the loop runs.
 *
 * A mistake inside a device disables that device (conf.n_broken), a mistake anywhere else makes conf_load return -1.
 */
#pragma once

#include "core/base/log.h"
#include "core/conf/protocol.h"

struct conf_history {
	int64_t memory;  /* bytes */
	int64_t file_ms; /* 0: not on disk */
	int64_t size;    /* bytes on disk */
};

struct conf_gateway {
	struct names names;
	char *state;
	char *control;
	char *language;
	int log; /* enum log_level */
	struct conf_history history;
};

enum xmpp_mode { MODE_COMPONENT, MODE_ACCOUNTS };

struct conf_xmpp { /* also the provisioner's, which is always a component */
	bool given;
	int mode;
	char *domain;
	char *host;
	int64_t port;
	char *secret;
	char *secret_file; /* where it came from, or NULL */
	char *ca_file;
	int tls;         /* 0 "required"; there is no other word yet */
	int64_t threads; /* accounts mode: threads the accounts are spread over */
};

struct conf_provisioning {
	char *service; /* JID of the service, or NULL: things are not claimed */
};

struct conf {
	char *file; /* the main one, as it was named */
	struct conf_gateway gateway;
	struct conf_xmpp xmpp;
	struct conf_provisioning provisioning;
	struct conf_xmpp provisioner;
	struct house *house; /* NULL when no devices section is there */
	size_t n_broken;     /* devices left out */
	struct text errors;  /* lines "file:line: sentence\n", errors and warnings */
	size_t n_errors;
	size_t n_warnings;
};

/* protocols: NULL at the end. Always fills errors; -1 if it must not start. */
int conf_load(struct conf *c, const char *file, const struct protocol *const *protocols);
/* The same of a text that stands in no file: names in it are looked for beside `file`, which need not be there. */
int conf_parse(struct conf *c, const char *file, const char *text, const struct protocol *const *protocols);
char *conf_control(const char *file); /* the name of the control socket, or its default when the file says none; mem_free it */
void conf_show(const struct conf *c, const struct protocol *const *protocols,
	       struct text *to); /* `jidgate show-config` */
void conf_log(const struct conf *c, struct log *log); /* errors and warnings, line by line */
void conf_free(struct conf *c);
