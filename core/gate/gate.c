#include "core/gate/gate.h"

#include "core/base/text.h"

const char gate_operator[] = "operator";

bool gate_is_owner(const struct thing *t, const char *jid)
{
	return t->owner && text_same(t->owner, jid);
}

bool gate_is_somebodys(const struct thing *t)
{
	list_each (at, &t->friends)
		if (list_of(at, struct friend, link)->role != ROLE_SERVICE)
			return true;
	return t->owner != NULL;
}

bool gate_is_service(const struct gate *g, const char *jid)
{
	return g->service && text_same(g->service, jid);
}

bool gate_may(const struct thing *t, const char *jid, enum right right)
{
	if (jid == gate_operator || gate_is_owner(t, jid))
		return true;
	const struct friend *f = thing_find_friend(t, jid);
	if (!f || !(f->subscription & SUBSCRIPTION_FROM))
		return false;
	return f->role == ROLE_FRIEND || (f->role == ROLE_SERVICE && right == RIGHT_SEE);
}
