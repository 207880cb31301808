#include "core/draft.h"

#include "core/base/mem.h"
#include "core/conf/build.h"
#include "core/conf/rows.h"
#include "core/gate/gate.h"
#include "core/xmpp/account.h"

/* --- what buses have told of --- */

static void forget_text(struct found_block *b)
{
	mem_free(b->text);
	b->text = NULL;
}

void draft_build(struct conf *c, const struct house *known, struct found_block *blocks, bool *bad, size_t n,
		 const struct protocol *const *protocols)
{
	for (size_t i = 0; i < n; i++) {
		const struct bus *bus = house_find_bus(known, blocks[i].bus);
		const struct protocol *protocol = bus ? build_protocol(protocols, bus->protocol) : NULL;
		if (protocol && protocol->finds && !protocol->finds(bus))
			forget_text(&blocks[i]);
		else if (protocol && blocks[i].text)
			bad[i] = found_build(c, known, &blocks[i], protocols) < 0;
	}
}

/* --- the store --- */

static void note_failure(void *ctx, int status, const struct err *why)
{
	struct draft *d = ctx;
	if (status == 0 || d->refused)
		return;
	d->refused = true;
	d->why = *why;
}

static void store_blocks(struct draft *d, struct store *store)
{
	store_begin(store);
	for (size_t i = 0; i < d->n_blocks; i++) {
		const struct found_block *b = &d->blocks[i];
		const char *const put[] = { b->bus, b->key, b->text };
		if (!b->text)
			store_put(store, STORE_FOUND_DROP, put, note_failure, d);
		else if (!d->whole && !d->bad[i])
			store_put(store, STORE_FOUND_PUT, put, note_failure, d);
	}
	store_end(store);
}

/* New things get their keys; those that were there before a while ago get what is theirs. */
static int bring_up(struct draft *d, struct store *store, struct err *e)
{
	struct gate gate = { .house = d->fresh.house,
			     .store = store,
			     .service = mem_text(d->service),
			     .server_roster = d->live->xmpp.mode == MODE_ACCOUNTS };
	list_init(&gate.retries);
	int status = gate_prepare(d->fresh.house, store, e);
	if (status == 0)
		status = gate_load(&gate, e);
	gate_end(&gate);
	return status;
}

static void use_store(struct draft *d)
{
	struct store *store = store_open(d->live->gateway.state, NULL, &d->why);
	if (!store) {
		d->refused = true;
		return;
	}
	store_blocks(d, store);
	if (!d->refused && bring_up(d, store, &d->why) < 0)
		d->refused = true;
	store_close(store);
}

/* --- the whole --- */

static void refuse(struct draft *d, const char *why)
{
	if (d->refused)
		return;
	d->refused = true;
	err_set(&d->why, "%s", why);
}

static void read_files(struct draft *d)
{
	if (conf_load(&d->fresh, d->live->file, d->protocols) < 0)
		refuse(d, "there are mistakes in it");
	else if (!d->fresh.house)
		refuse(d, "there are no buses and no devices any more: that needs a restart");
	else if (d->live->xmpp.mode == MODE_ACCOUNTS && account_check(d->fresh.house->things.n, &d->why) < 0)
		d->refused = true;
}

static void begin_blocks(struct draft *d)
{
	d->fresh = (struct conf){ .file = mem_text(d->live->file), .house = house_new() };
	d->fresh.house->free_options = setting_drop;
	d->fresh.xmpp.given = d->live->xmpp.given;
	d->fresh.xmpp.mode = d->live->xmpp.mode;
}

/* What a bus told wrongly changes nothing; of what it told rightly all that is not there any more is gone. */
struct concerned {
	bool whole;
	struct map bad, good; /* found_name -> the block */
	struct list names;
};

struct key {
	struct list link;
	char *text;
};

static bool concerns(const void *ctx, const struct device *live)
{
	const struct concerned *c = ctx;
	if (!live->found)
		return c->whole;
	char *name = found_name(live->bus->id, live->found);
	bool does = c->whole ? !map_find(&c->bad, name) : map_find(&c->good, name) != NULL;
	mem_free(name);
	return does;
}

static void sort(struct concerned *c, struct draft *d)
{
	list_init(&c->names);
	for (size_t i = 0; i < d->n_blocks; i++) {
		struct key *name = mem_new(sizeof(*name));
		name->text = found_name(d->blocks[i].bus, d->blocks[i].key);
		list_add(&c->names, &name->link);
		map_put(d->bad[i] ? &c->bad : &c->good, name->text, &d->blocks[i]);
	}
}

static void compare(struct draft *d)
{
	struct concerned c = { .whole = d->whole };
	struct list *at;
	sort(&c, d);
	plan_make(&d->plan, d->live, &d->fresh, d->whole, concerns, &c, d->protocols);
	map_free(&c.bad);
	map_free(&c.good);
	while ((at = list_pop(&c.names))) {
		struct key *name = list_of(at, struct key, link);
		mem_free(name->text);
		mem_free(name);
	}
}

void draft_make(struct draft *d)
{
	d->bad = mem_array(d->n_blocks, sizeof(*d->bad));
	if (d->whole)
		read_files(d);
	else
		begin_blocks(d);
	if (d->refused)
		return;
	draft_build(&d->fresh, d->whole ? d->fresh.house : d->live->house, d->blocks, d->bad, d->n_blocks,
		    d->protocols);
	use_store(d);
	if (!d->refused)
		compare(d);
}

void draft_free(struct draft *d)
{
	found_free(d->blocks, d->n_blocks);
	mem_free(d->bad);
	mem_free(d->service);
	plan_free(&d->plan);
	conf_free(&d->fresh);
	mem_trim();
}
