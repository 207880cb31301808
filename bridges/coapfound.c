#include "bridges/coapfound.h"

#include "core/base/limits.h"
#include "core/base/mem.h"

#include <stdarg.h>
#include <stdio.h>

void coapfound_init(struct coapfound *f)
{
	list_init(&f->devices);
}

static void free_resource(struct coapfound_resource *r)
{
	mem_free(r->path);
	mem_free(r->title);
	mem_free(r->rt);
	mem_free(r->why);
	leaves_free(&r->leaves);
	mem_free(r);
}

static void free_device(struct coapfound_device *d)
{
	while (!list_empty(&d->resources))
		free_resource(list_of(list_pop(&d->resources), struct coapfound_resource, link));
	mem_free(d->uri);
	mem_free(d->name);
	mem_free(d->why);
	mem_free(d);
}

void coapfound_free(struct coapfound *f)
{
	while (!list_empty(&f->devices))
		free_device(list_of(list_pop(&f->devices), struct coapfound_device, link));
}

struct coapfound_device *coapfound_device(struct coapfound *f, const char *uri)
{
	list_each (at, &f->devices) {
		struct coapfound_device *known = list_of(at, struct coapfound_device, link);
		if (text_same(known->uri, uri))
			return known;
	}
	if (f->n_devices == LIMIT_DISCOVER_DEVICES) {
		f->more = true;
		return NULL;
	}
	struct coapfound_device *d = mem_new(sizeof(*d));
	d->uri = mem_text(uri);
	list_init(&d->resources);
	list_add(&f->devices, &d->link);
	f->n_devices++;
	return d;
}

struct coapfound_resource *coapfound_resource(struct coapfound *f, struct coapfound_device *d, const char *path)
{
	list_each (at, &d->resources)
		if (text_same(list_of(at, struct coapfound_resource, link)->path, path))
			return NULL;
	if (d->n_resources == LIMIT_DISCOVER_RESOURCES || f->n_resources == LIMIT_DISCOVER_ALL) {
		f->more = true;
		return NULL;
	}
	struct coapfound_resource *r = mem_new(sizeof(*r));
	r->path = mem_text(path);
	r->accept = -1;
	list_add(&d->resources, &r->link);
	d->n_resources++;
	f->n_resources++;
	return r;
}

void coapfound_fail(char **why, const char *format, ...)
{
	char room[400];
	va_list args;
	va_start(args, format);
	vsnprintf(room, sizeof(room), format, args);
	va_end(args);
	mem_free(*why);
	*why = mem_text(room);
}
