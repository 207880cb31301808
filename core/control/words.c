#include "core/base/limits.h"
#include "core/control/inside.h"

static int begin_nothing(struct client *c, struct err *e)
{
	(void)c, (void)e;
	return 0;
}

const struct command control_commands[] = {
	{ "status", 0, 0, begin_nothing, status_more, NULL },
	{ "things", 0, 1, listing_begin_things, listing_more_things, NULL },
	{ "friends", 0, 1, listing_begin_friends, listing_more_friends, NULL },
	{ "labels", 0, 0, listing_begin_labels, listing_more_labels, NULL },
	{ "log", 0, 2, follow_begin, follow_more, NULL },
	{ "read", 1, 1, operate_begin_read, operate_more, operate_end },
	{ "write", 2, 2, operate_begin_write, operate_more, operate_end },
	{ "watch", 1, LIMIT_CONTROL_ARGS, watching_begin, watching_more, watching_end },
	{ "reset", 1, 1, order_begin_reset, order_more_reset, NULL },
	{ "forget", 1, 1, order_begin_forget, order_more_forget, NULL },
	{ "reload", 0, 0, order_begin_reload, order_more_reload, order_end_reload },
	{ NULL, 0, 0, NULL, NULL, NULL },
};
