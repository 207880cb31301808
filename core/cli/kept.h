/*
 * What is kept of the things, for words of the command line: the configuration with the state of its store, read without the
 * daemon and also beside it. New things get their keys here as they would get them from the daemon.
 */
#pragma once

#include "core/cli/cli.h"
#include "core/conf/conf.h"
#include "core/gate/gate.h"

struct kept {
	struct conf conf;
	const struct protocol **protocols;
	struct store *store;
	struct gate gate; /* loaded: keys, owners, friends are in conf.house */
};

/* Does something with it; opens before and closes after. Exit code; what is wrong was said on c->err. */
int kept_do(struct cli *c, int (*fn)(struct cli *c, struct kept *k));
