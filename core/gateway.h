/*
 * What a gateway is, in order, and the same list backwards. The only place that introduces the rooms to each other.
 *
 * Loop thread; owned by the `run` word. Roles by the sections present: devices makes it a gateway, provisioner a provisioning
 * service, both a one-box site.
 */
#pragma once

#include "core/conf/conf.h"

/* Runs until SIGTERM or SIGINT. Takes nothing: conf stays the caller's and must outlive the call; protocols are those it was loaded with, for
 * when it is loaded again. -1 with the sentence when it
 * cannot start. */
int gateway_run(struct conf *conf, const struct protocol *const *protocols, struct log *log, struct err *e);
