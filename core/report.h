/*
 * The river up: bridge -> point -> thing -> friends. A sample has become news of a point; here it becomes news of a thing.
 * Loop thread.
 */
#pragma once

#include "core/bridge/bridge.h"
#include "core/xmpp/things.h"

void report_sample(struct things *things, struct point *p, enum news news);
