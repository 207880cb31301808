#include "bridges/coapfind_inside.h"

enum { SILENT_MOST = 3, FLYING_MOST = 4 };

static void on_value(void *ctx, const struct coapcall_answer *a);

static void send_read(struct coapfind *f, struct coapfound_device *d, struct coapfound_resource *r)
{
	struct err e;
	struct errand *x = coapfind_errand(f, d, r);
	r->waiting = false;
	d->n_flying++;
	f->n_open++;
	if (coapcall_get(f->ask, d->uri, r->path, r->accept, on_value, x, &e) == 0)
		return;
	coapfound_fail(&r->why, "%s", e.text);
	d->n_flying--;
	f->n_open--;
	coapfind_free_errand(x);
}

/* A few at a time, so that a device that falls silent does not cost the time of all its resources. */
void coapfind_read_more(struct coapfind *f, struct coapfound_device *d)
{
	list_each (at, &d->resources) {
		struct coapfound_resource *r = list_of(at, struct coapfound_resource, link);
		if (!r->waiting)
			continue;
		if (d->n_silent >= SILENT_MOST)
			coapfound_fail(&r->why, "was not read: the device is silent");
		else if (d->n_flying < FLYING_MOST)
			send_read(f, d, r);
	}
}

static void on_value(void *ctx, const struct coapcall_answer *a)
{
	struct errand *x = ctx;
	struct coapfind *f = x->f;
	struct coapfound_device *d = x->device;
	d->n_flying--;
	d->n_silent = a->code ? 0 : d->n_silent + 1;
	enum coapread_result result = coapread_take(x->resource, a);
	x->resource->waiting = result == COAPREAD_AGAIN;
	x->depth = COAPFIND_DEEPEST;
	if (result == COAPREAD_LIST)
		coapfind_take_links(x, a, NULL);
	coapfind_read_more(f, d);
	coapfind_free_errand(x);
	coapfind_finish(f);
}
