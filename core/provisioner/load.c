#include "core/provisioner/load.h"

#include "core/base/mem.h"
#include "core/provisioner/keyring.h"
#include "core/provisioner/ledger.h"
#include "core/provisioner/record.h"

#include <stdlib.h>

enum { COLUMNS = 8 };

struct row {
	char *values[COLUMNS]; /* in the order of store.h; owned */
	int64_t since;
};

struct rows {
	struct row *list;
	size_t n, room;
	size_t columns; /* the last one is the time */
};

static void take_row(void *ctx, const char *const *values)
{
	struct rows *rows = ctx;
	if (rows->n == rows->room) {
		rows->room = rows->room ? 2 * rows->room : 64;
		rows->list = mem_resize(rows->list, rows->room * sizeof(*rows->list));
	}
	struct row *row = &rows->list[rows->n++];
	*row = (struct row){ .since = record_time_parse(values[rows->columns - 1]) };
	for (size_t i = 0; i < rows->columns; i++)
		row->values[i] = mem_text(values[i]);
}

static int by_age(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	return (x->since > y->since) - (x->since < y->since);
}

static void free_rows(struct rows *rows)
{
	for (size_t i = 0; i < rows->n; i++)
		for (size_t j = 0; j < rows->columns; j++)
			mem_free(rows->list[i].values[j]);
	mem_free(rows->list);
}

static int each_by_age(struct provisioner *p, enum store_read what, size_t columns,
		       void (*take)(struct provisioner *, char *const *, int64_t), struct err *e)
{
	struct rows rows = { .columns = columns };
	int status = store_each(p->store, what, take_row, &rows, e);
	if (rows.n > 1)
		qsort(rows.list, rows.n, sizeof(*rows.list), by_age);
	for (size_t i = 0; status == 0 && i < rows.n; i++)
		take(p, rows.list[i].values, rows.list[i].since);
	free_rows(&rows);
	return status;
}

static bool is_jid(const char *text)
{
	char bare[2 * LIMIT_JID_PART + 2];
	return text && jid_bare(text, bare) == 0 && text_same(text, bare);
}

static void load_key(struct provisioner *p, struct registration *thing, const char *hex)
{
	struct fingerprint print;
	if (!hex)
		return;
	if (fingerprint_parse(&print, hex) && !keyring_find(&p->registry, &print))
		keyring_set_key(&p->registry, thing, &print);
	else
		log_warn(p->log, "provisioner: %s: its key in the store cannot be right, left out", thing->jid);
}

static void load_group(struct provisioner *p, struct registration *thing, const char *id, const char *hex)
{
	struct fingerprint print;
	if (!id || !hex)
		return;
	bool spent = hex[0] == '-';
	struct group *group = NULL;
	if (fingerprint_parse(&print, hex + spent))
		group = keyring_use(&p->registry, thing->jid, id, &print);
	if (!group) {
		log_warn(p->log, "provisioner: %s: its group in the store cannot be right, left out", thing->jid);
		return;
	}
	keyring_set_group(&p->registry, thing, group);
	keyring_leave(&p->registry, group);
	group->spent |= spent;
	if (spent && thing->owner && !group->claimant)
		group->claimant = mem_text(thing->owner->jid);
}

static void load_registration(struct provisioner *p, char *const *values, int64_t since)
{
	bool fits = is_jid(values[0]) && !registry_find(&p->registry, values[0]) && (!values[6] || is_jid(values[6]));
	struct registration *thing = fits ? registry_add(&p->registry, values[0]) : NULL;
	if (!thing) {
		log_warn(p->log, "provisioner: a thing in the store cannot be right, left out");
		return;
	}
	thing->stored = true;
	thing->name = mem_text(values[1]);
	record_names_parse(&thing->names, values[2]);
	registry_set_owner(&p->registry, thing, values[6], since);
	load_key(p, thing, values[3]);
	load_group(p, thing, values[4], values[5]);
}

static void load_decision(struct provisioner *p, char *const *values, int64_t since)
{
	struct registration *thing = is_jid(values[0]) ? registry_find(&p->registry, values[0]) : NULL;
	enum verdict verdict = values[2] ? ledger_parse(values[2]) : VERDICT_NONE;
	if (!thing || verdict == VERDICT_NONE || !is_jid(values[1])) {
		log_warn(p->log, "provisioner: a decision in the store cannot be right, left out");
		return;
	}
	ledger_set(&p->registry, ledger_add(thing, values[1]), verdict, since);
}

int load_all(struct provisioner *p, struct err *e)
{
	if (each_by_age(p, STORE_REGS, 8, load_registration, e) < 0 ||
	    each_by_age(p, STORE_DECISIONS, 4, load_decision, e) < 0)
		return err_wrap(e, "provisioner");
	return 0;
}
