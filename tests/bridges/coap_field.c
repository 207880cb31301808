#include "tests/bridges/coap_field.h"

#include "bridges/coaprows.h"
#include "core/base/mem.h"

#include <stdlib.h>
#include <string.h>

extern const struct bridge_driver driver_coap;

static const struct coapd_resource *resource_of(const struct coapd *d, const struct point *p)
{
	const struct coaprows_address *a = p->address;
	for (size_t i = 0; i < COAPD_RESOURCES; i++)
		if (strcmp(d->resources[i].path, a->path) == 0)
			return &d->resources[i];
	return NULL;
}

static int64_t number_of(const struct point *p)
{
	int64_t n = -1;
	if (p->last.value.type == VALUE_NUMBER)
		decimal_integer(p->last.value.number, &n);
	return n;
}

/* No wrong value, ever: it is of its own resource, and it was there. */
static void check_value(struct rig *rig, struct point *p, enum news news)
{
	const struct coapd *d = rig->ctx;
	const struct coapd_resource *r = d ? resource_of(d, p) : NULL;
	(void)news;
	if (!r || d->faults.body || r->written[0] || p->last.quality != QUALITY_GOOD || p->type == TYPE_TEXT)
		return;
	int64_t counter = number_of(p) - (int64_t)r->number * COAPD_STEP;
	if (counter < 0 || counter > r->counter) {
		fprintf(stderr, "point '%s' shows %lld, which resource %d never had\n", p->id, (long long)number_of(p),
			r->number);
		abort();
	}
}

struct coap_field coap_field_new(const char *options)
{
	struct coap_field f;
	char *all = mem_format("ack_timeout=1s; timeout=8s; %s", options);
	f.rig = rig_new(&driver_coap, all);
	f.d = coapd_new(f.rig->loop);
	char *uri = mem_format("uri=coap://127.0.0.1:%d", f.d->port);
	f.device = rig_device(f.rig, "dev", uri);
	f.rig->on_sample = check_value;
	f.rig->ctx = f.d;
	mem_free(all);
	mem_free(uri);
	return f;
}

struct point *coap_field_point(struct coap_field *f, enum type type, const char *options)
{
	struct point *p = rig_point(f->rig, f->device, "p", type, options);
	p->poll_ms = 0;
	return p;
}

void coap_field_free(struct coap_field *f)
{
	f->rig->ctx = NULL;
	coapd_free(f->d);
	rig_free(f->rig);
}

bool coap_field_is_current(const struct point *p, const struct coapd_resource *r)
{
	return p->last.quality == QUALITY_GOOD && number_of(p) == (int64_t)r->number * COAPD_STEP + r->counter;
}
