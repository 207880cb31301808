#include "bridges/coapfind_inside.h"

#include "core/base/limits.h"
#include "core/base/mem.h"

enum { PAGE = 50 };

const char coapfind_core[] = "/.well-known/core";

static void take_resource(struct coapfind *f, struct coapfound_device *d, const char *path,
			  const struct linkformat_link *l)
{
	struct coapfound_resource *r = coapfound_resource(&f->found, d, path);
	if (!r)
		return;
	coapread_describe(r, l);
	r->waiting = true;
	coapfound_fail(&r->why, "was not read in time");
}

/* The registration of a device: where it is, and its name. */
static void take_endpoint(struct coapfind *f, const struct linkformat_link *l)
{
	struct coaplink at = { 0 };
	char *base = coapread_word(l, "base");
	if (base && coaplink_split(base, strlen(base), &at, NULL) == 0) {
		struct coapfound_device *d = coapfound_device(&f->found, at.device.data);
		if (d && !d->name)
			d->name = coapread_word(l, "ep");
	}
	coaplink_free(&at);
	mem_free(base);
}

static void follow(struct coapfind *f, struct coapfound_device *d, const struct coaplink *to,
		   const struct linkformat_link *l, int depth)
{
	if (to->kind == COAPLINK_RESOURCE)
		take_resource(f, d, to->path.data, l);
	else if (to->kind != COAPLINK_SERVICE)
		coapfind_read_list(f, d, to->path.data, to->kind,
				   text_same(to->path.data, coapfind_core) ? 0 : depth + 1);
}

static void take_link(const struct errand *x, const struct linkformat_link *l)
{
	struct coapfound_device *from = x->device, *d = from;
	struct coaplink to = { 0 };
	if (x->kind == COAPLINK_LOOKUP_ENDPOINTS) {
		take_endpoint(x->f, l);
		return;
	}
	coaplink_take(from->uri, l, &to);
	from->directory |= to.kind > COAPLINK_LIST;
	if (to.kind != COAPLINK_NOTHING && !text_same(to.device.data, from->uri))
		d = from->directory ? coapfound_device(&x->f->found, to.device.data) : NULL;
	if (to.kind != COAPLINK_NOTHING && d)
		follow(x->f, d, &to, l, x->depth);
	coaplink_free(&to);
}

/* How many links there were; -1: none, or something else behind them. */
int coapfind_take_links(const struct errand *x, const struct coapcall_answer *a, struct err *e)
{
	struct linkformat list = linkformat_of(a->bytes, a->size);
	struct linkformat_link l;
	int n = 0, status;
	while ((status = linkformat_next(&list, &l, e)) > 0) {
		take_link(x, &l);
		n++;
	}
	list_each (at, &x->f->found.devices)
		coapfind_read_more(x->f, list_of(at, struct coapfound_device, link));
	return status < 0 ? -1 : n;
}

static void on_list(void *ctx, const struct coapcall_answer *a);

static int send_list(struct errand *x, struct err *e)
{
	bool paged = x->kind == COAPLINK_LOOKUP_RESOURCES || x->kind == COAPLINK_LOOKUP_ENDPOINTS;
	char *path = mem_text(x->path);
	if (paged) {
		mem_free(path);
		path = mem_format("%s%cpage=%d&count=%d", x->path, strchr(x->path, '?') ? '&' : '?', x->page, PAGE);
	}
	x->f->n_open++;
	int status = coapcall_get(x->f->ask, x->device->uri, path, COAPCALL_ANY, on_list, x, e);
	if (status < 0)
		x->f->n_open--;
	mem_free(path);
	return status;
}

/* A page that is full has another behind it, unless the directory knows no pages and says the same again. */
static bool is_full(const struct errand *x, const struct coapcall_answer *a, int n)
{
	bool same = x->before.size == a->size && a->size && memcmp(x->before.data, a->bytes, a->size) == 0;
	bool more = n == PAGE && !same;
	x->f->found.more |= more && x->page == LIMIT_DISCOVER_LISTS;
	return more && x->page < LIMIT_DISCOVER_LISTS;
}

static bool go_on(struct errand *x, const struct coapcall_answer *a, int n)
{
	bool paged = x->kind == COAPLINK_LOOKUP_RESOURCES || x->kind == COAPLINK_LOOKUP_ENDPOINTS;
	struct err e;
	if (!paged || !is_full(x, a, n))
		return false;
	text_clear(&x->before);
	text_add_n(&x->before, a->bytes, a->size);
	x->page++;
	return send_list(x, &e) == 0;
}

static void on_list(void *ctx, const struct coapcall_answer *a)
{
	struct errand *x = ctx;
	struct coapfind *f = x->f;
	struct coapfound_device *d = x->device;
	struct err e;
	int n = -1;
	bool links = a->format == COAPREAD_LINKS || a->format == COAPCALL_ANY || a->format == 0;
	d->n_silent = a->code ? 0 : d->n_silent + 1;
	if (a->why)
		coapfound_fail(&d->why, "%s: %s", x->path, a->why->text);
	else if (!links)
		coapfound_fail(&d->why, "%s: has content format %d, which is no list of links", x->path, a->format);
	else if ((n = coapfind_take_links(x, a, &e)) < 0)
		coapfound_fail(&d->why, "%s: %s", x->path, e.text);
	if (!go_on(x, a, n))
		coapfind_free_errand(x);
	coapfind_finish(f);
}

static bool is_new_list(struct coapfind *f, const struct coapfound_device *d, const char *path)
{
	char *key = mem_format("%s %s", d->uri, path);
	bool known = map_find(&f->lists, key) != NULL;
	f->found.more |= !known && f->lists.n == LIMIT_DISCOVER_LISTS;
	if (known || f->lists.n == LIMIT_DISCOVER_LISTS) {
		mem_free(key);
		return false;
	}
	map_put(&f->lists, key, key);
	return true;
}

void coapfind_read_list(struct coapfind *f, struct coapfound_device *d, const char *path, enum coaplink_kind kind,
			int depth)
{
	struct err e;
	d->asked |= text_same(path, coapfind_core);
	if (depth > COAPFIND_DEEPEST || !is_new_list(f, d, path))
		return;
	struct errand *x = coapfind_errand(f, d, NULL);
	x->path = mem_text(path);
	x->kind = kind;
	x->depth = depth;
	if (send_list(x, &e) == 0)
		return;
	coapfound_fail(&d->why, "%s: %s", path, e.text);
	coapfind_free_errand(x);
}
