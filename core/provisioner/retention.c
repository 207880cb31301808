#include "core/provisioner/retention.h"

#include "core/base/mem.h"
#include "core/provisioner/change.h"
#include "core/provisioner/ledger.h"

static const int64_t hour_ms = 3600000, day_ms = 86400000;
enum { PORTION = 1000 }; /* of one hour */

struct forgetting {
	struct change change;
	char *requestor;
	enum verdict verdict; /* the one that was too old */
	int64_t since;
};

static struct forgetting *forgetting_of(struct change *c)
{
	return (struct forgetting *)(void *)c;
}

/* The owner may have decided while this waited. */
static struct decision *still_old(const struct forgetting *f)
{
	struct decision *d = ledger_find(f->change.thing, f->requestor);
	return d && d->verdict == f->verdict && d->since == f->since ? d : NULL;
}

static bool run(struct change *c)
{
	const struct forgetting *f = forgetting_of(c);
	if (!still_old(f))
		return false;
	change_save(c, STORE_DECISION_DROP, (const char *[]){ c->thing->jid, f->requestor });
	return true;
}

static void done(struct change *c, const struct err *why)
{
	struct decision *d = still_old(forgetting_of(c));
	if (why || !d)
		return;
	ledger_set(&c->p->registry, d, VERDICT_NONE, 0);
	ledger_tidy(d);
}

static void free_forgetting(struct change *c)
{
	mem_free(forgetting_of(c)->requestor);
	mem_free(c);
}

static const struct change_kind forgetting_kind = { run, done, free_forgetting };

static void forget(struct provisioner *p, const struct decision *d)
{
	struct forgetting *f = mem_new(sizeof(*f));
	f->change = (struct change){ .kind = &forgetting_kind, .p = p, .thing = d->thing };
	f->requestor = mem_text(d->requestor);
	f->verdict = d->verdict;
	f->since = d->since;
	change_add(&f->change);
}

static void forget_older(struct provisioner *p, enum verdict verdict, int64_t days)
{
	int64_t before = loop_utc(p->loop) - days * day_ms;
	size_t n = 0;
	list_each (at, &p->registry.ages[verdict]) {
		const struct decision *d = list_of(at, struct decision, in_age);
		if (d->since >= before || ++n > PORTION)
			return;
		if (change_fits(p, d->thing))
			forget(p, d);
	}
}

static void sweep(void *ctx)
{
	struct provisioner *p = ctx;
	forget_older(p, VERDICT_PENDING, LIMIT_PENDING_DAYS);
	forget_older(p, VERDICT_NO, LIMIT_DENIED_DAYS);
	timer_set(p->loop, &p->sweep, hour_ms, sweep, p);
}

void retention_begin(struct provisioner *p)
{
	timer_set(p->loop, &p->sweep, hour_ms, sweep, p);
}

void retention_end(struct provisioner *p)
{
	timer_stop(p->loop, &p->sweep);
}
