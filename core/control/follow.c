#include "core/base/limits.h"
#include "core/control/inside.h"

#include <stdlib.h>

/* client.at is the number of the next line; a reader who is slower than the log is told what he missed. */

enum { USUAL = 50 };

static bool follows(const struct client *c)
{
	return c->question.n_args && text_same(c->question.args[c->question.n_args - 1], "follow");
}

/* "", "N", "follow", "N follow" */
int follow_begin(struct client *c, struct err *e)
{
	const struct log *log = c->control->log;
	size_t n_numbers = c->question.n_args - follows(c);
	const char *number = n_numbers ? control_arg(c, 0) : NULL;
	char *end = NULL;
	long n = number ? strtol(number, &end, 10) : USUAL;
	if (n_numbers > 1 || (number && (*number < '0' || *number > '9' || *end || n > LIMIT_LOG_KEPT)))
		return err_set(e, "log takes how many lines, at most %d, and the word follow", LIMIT_LOG_KEPT);
	uint64_t first = log->n_kept > (uint64_t)n ? log->n_kept - (uint64_t)n : 0;
	c->at = (size_t)(first > log_oldest(log) ? first : log_oldest(log));
	return 0;
}

static void say_missed(struct client *c, uint64_t oldest)
{
	struct text line = { 0 };
	json_begin(&line, NULL, '{');
	json_put_number(&line, "missed", (int64_t)(oldest - c->at));
	json_end(&line, '}');
	control_say(c, &line);
	c->at = (size_t)oldest;
}

enum progress follow_more(struct client *c)
{
	const struct log *log = c->control->log;
	struct text line = { 0 };
	if (c->at < log_oldest(log))
		say_missed(c, log_oldest(log));
	const struct log_line *l = log_kept(log, c->at);
	if (!l)
		return follows(c) ? PROGRESS_WAIT : PROGRESS_END;
	c->at++;
	json_begin(&line, NULL, '{');
	control_add_utc(&line, "time", l->utc_ms);
	json_put(&line, "level", log_word(l->level));
	json_put(&line, "text", l->text);
	json_end(&line, '}');
	control_say(c, &line);
	return PROGRESS_MORE;
}

/* Only the alarm is set: who logs may be in the middle of anything. */
void follow_news(struct control *c)
{
	list_each (at, &c->clients) {
		struct client *client = list_of(at, struct client, link);
		if (client->word && client->word->more == follow_more && !client->again.place)
			control_wake(client, 0);
	}
}
