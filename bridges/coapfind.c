#include "bridges/coapfind_inside.h"

#include "bridges/coapwhere.h"
#include "core/base/mem.h"

struct errand *coapfind_errand(struct coapfind *f, struct coapfound_device *d, struct coapfound_resource *r)
{
	struct errand *x = mem_new(sizeof(*x));
	x->f = f;
	x->device = d;
	x->resource = r;
	list_add(&f->errands, &x->link);
	return x;
}

void coapfind_free_errand(struct errand *x)
{
	list_drop(&x->link);
	mem_free(x->path);
	text_free(&x->before);
	mem_free(x);
}

/* Devices that a directory only named, and that nobody has asked yet. */
static void ask_the_named(struct coapfind *f)
{
	list_each (at, &f->found.devices) {
		struct coapfound_device *d = list_of(at, struct coapfound_device, link);
		if (!d->asked && !d->n_resources)
			coapfind_read_list(f, d, coapfind_core, COAPLINK_LIST, 0);
	}
}

static void on_quiet(void *ctx)
{
	struct coapfind *f = ctx;
	if (!f->n_open)
		ask_the_named(f);
	if (!f->n_open)
		f->on_quiet(f->ctx);
}

void coapfind_finish(struct coapfind *f)
{
	if (--f->n_open == 0)
		timer_set(f->loop, &f->quiet, 0, on_quiet, f);
}

static void end_cast(void *ctx)
{
	struct coapfind *f = ctx;
	f->casting = false;
	coapfind_finish(f);
}

static void on_peer(void *ctx, const char *uri)
{
	struct coapfind *f = ctx;
	struct coapfound_device *d = f->casting ? coapfound_device(&f->found, uri) : NULL;
	if (d)
		coapfind_read_list(f, d, coapfind_core, COAPLINK_LIST, 0);
}

static int look_for_group(struct coapfind *f, const struct coapwhere *w, const char *group, struct err *e)
{
	return coapcall_all(f->ask, group, *w->zone ? w->zone : NULL, w->port, on_peer, f, e);
}

static int look_for_all(struct coapfind *f, const struct coapwhere *w, int64_t wait_ms, struct err *e)
{
	static const char *const groups[] = { "224.0.1.187", "ff02::fd" };
	int sent = 0;
	if (w->group)
		sent += look_for_group(f, w, w->host, e) == 0;
	for (size_t i = 0; w->everybody && i < sizeof(groups) / sizeof(groups[0]); i++)
		sent += look_for_group(f, w, groups[i], e) == 0;
	if (!sent)
		return -1;
	f->n_open += !f->casting;
	f->casting = true;
	timer_set(f->loop, &f->cast, wait_ms, end_cast, f);
	return 0;
}

static int look_at_device(struct coapfind *f, const char *uri, struct err *e)
{
	struct coaplink at = { 0 };
	struct coapfound_device *d = NULL;
	int status = coaplink_split(uri, strlen(uri), &at, e);
	if (status == 0 && !(d = coapfound_device(&f->found, at.device.data)))
		status = err_set(e, "there are too many devices");
	if (status == 0) {
		d->asked = true;
		coapfind_read_list(f, d, text_same(at.path.data, "/") ? coapfind_core : at.path.data, COAPLINK_LIST, 0);
	}
	coaplink_free(&at);
	return status;
}

int coapfind_look(struct coapfind *f, const char *where, int64_t wait_ms, struct err *e)
{
	struct coapwhere w;
	if (coapwhere_parse(where, &w, e) < 0)
		return -1;
	if ((w.everybody || w.group ? look_for_all(f, &w, wait_ms, e) : look_at_device(f, w.uri, e)) < 0)
		return -1;
	if (!f->n_open) /* what cannot even be asked is quiet, too */
		timer_set(f->loop, &f->quiet, 0, on_quiet, f);
	return 0;
}

const struct coapfound *coapfind_found(const struct coapfind *f)
{
	return &f->found;
}

struct coapfind *coapfind_new(struct loop *loop, struct bus *bus, void (*on_quiet_of)(void *ctx), void *ctx,
			      struct err *e)
{
	struct coapfind *f = mem_new(sizeof(*f));
	f->loop = loop;
	f->on_quiet = on_quiet_of;
	f->ctx = ctx;
	coapfound_init(&f->found);
	list_init(&f->errands);
	f->ask = coapcall_new(loop, bus, e);
	if (f->ask)
		return f;
	mem_free(f);
	return NULL;
}

static void on_closed(void *ctx)
{
	struct coapfind *f = ctx;
	void (*tell)(void *) = f->on_closed;
	void *tell_ctx = f->closed_ctx;
	char *key;
	while (!list_empty(&f->errands))
		coapfind_free_errand(list_of(f->errands.next, struct errand, link));
	for (size_t i = 0; (key = map_next(&f->lists, &i));)
		mem_free(key);
	map_free(&f->lists);
	coapfound_free(&f->found);
	mem_free(f);
	tell(tell_ctx);
}

void coapfind_close(struct coapfind *f, void (*on_closed_of)(void *ctx), void *ctx)
{
	f->on_closed = on_closed_of;
	f->closed_ctx = ctx;
	timer_stop(f->loop, &f->quiet);
	timer_stop(f->loop, &f->cast);
	coapcall_close(f->ask, on_closed, f);
}
