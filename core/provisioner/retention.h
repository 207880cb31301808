/*
 * What is too old is forgotten, once an hour: requests nobody decided, refusals. Neither lets anybody in. Loop thread.
 */
#pragma once

#include "core/provisioner/inside.h"

void retention_begin(struct provisioner *p);
void retention_end(struct provisioner *p);
