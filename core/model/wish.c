#include "core/model/wish.h"

#include <stddef.h>

static const char *const outcomes[] = {
	[WISH_DONE] = "accepted",
	[WISH_ANSWERED] = "answered",
	[WISH_CONFIRMED] = "confirmed",
};
enum { GOOD = sizeof(outcomes) / sizeof(outcomes[0]) };

bool wish_is_good(enum wish_status status)
{
	return (size_t)status < GOOD;
}

const char *wish_outcome(enum wish_status status)
{
	return outcomes[status];
}
