#include "bridges/note.h"

static const unsigned LINES_MOST = 6;
static const int64_t WINDOW_MS = 3600000;

bool note_change(struct note *n, int state, int64_t now_ms, const char **ret_more)
{
	if (n->state == state)
		return false;
	n->state = state;
	if (n->lines == 0 || now_ms - n->since_ms >= WINDOW_MS) {
		n->lines = 0;
		n->since_ms = now_ms;
	}
	if (n->lines >= LINES_MOST)
		return false;
	n->lines++;
	*ret_more = n->lines == LINES_MOST ? " (it changes often: no more lines for an hour)" : "";
	return true;
}
