/* `jidgate labels`: what is printed for the owner to claim a thing with: JID, key, name. */
#pragma once

#include "core/cli/cli.h"

int labels_run(struct cli *c);
