#include "core/provisioner/asker.h"

#include "core/base/err.h"
#include "core/base/mem.h"
#include "core/provisioner/notice.h"

struct asker asker_take(struct provisioner *p, struct incoming *in)
{
	bool iq = in->answer.armed;
	return (struct asker){
		.p = p,
		.answer = iq ? reply_later(&in->answer) : NULL,
		.to = mem_text(in->from),
		.bare = mem_text(in->from_bare),
		.language = mem_text(element_language(in->payload ? in->payload : in->stanza)),
		.chat = !iq,
	};
}

static struct answer *answer_of(struct asker *a)
{
	struct answer *answer = a->answer;
	a->answer = NULL;
	must(answer);
	return answer;
}

void asker_refuse(struct asker *a, const struct reply_error *why, const char *text)
{
	if (a->chat)
		notice_chat(a->p, a->to, text);
	else
		reply_refuse(answer_of(a), why, text);
}

void asker_say(struct asker *a, const char *text)
{
	if (a->chat)
		notice_chat(a->p, a->to, text);
	else
		reply_empty(answer_of(a));
}

void asker_free(struct asker *a)
{
	must(!a->answer);
	mem_free(a->to);
	mem_free(a->bare);
	mem_free(a->language);
	*a = (struct asker){ 0 };
}
