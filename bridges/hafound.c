#include "bridges/hafound.h"

#include "bridges/hafilter.h"
#include "bridges/haident.h"
#include "core/base/limits.h"
#include "core/base/mem.h"
#include "core/conf/repeat.h"
#include "core/conf/scalar.h"

#include <stdio.h>

struct source {
	char *name;
	uint64_t hash;             /* of the newest message */
	struct haentity_list said; /* nothing, when nothing of it is wanted */
	struct entry *entries;     /* one for each of them */
	size_t n_bytes;
};

struct entry { /* a point in its device; device NULL: left out */
	struct list link;
	struct hafound_device *device;
	const struct source *source;
	const struct haentity *entity;
};

void hafound_begin(struct hafound *f)
{
	list_init(&f->changed);
}

/* --- devices --- */

static void set_changed(struct hafound *f, struct hafound_device *d)
{
	if (d->is_changed)
		return;
	d->is_changed = true;
	list_add(&f->changed, &d->link);
	f->n_changed++;
}

static struct hafound_device *add_device(struct hafound *f, char *take_id, const char *identity)
{
	struct hafound_device *d = mem_new(sizeof(*d));
	d->id = take_id;
	d->identity = mem_text(identity);
	list_init(&d->points);
	map_put(&f->devices, d->id, d);
	return d;
}

static void free_device(struct hafound_device *d)
{
	mem_free(d->id);
	mem_free(d->identity);
	mem_free(d);
}

/* What was told and taken back does not use up the places of others. */
static void drop_empty(struct hafound *f)
{
	struct hafound_device *d;
	for (size_t at = 0; (d = map_next(&f->devices, &at));) {
		if (d->n_points || d->is_changed)
			continue;
		map_drop(&f->devices, d->id);
		free_device(d);
	}
}

static void say_full(struct hafound *f, const char *source, const char *why)
{
	if (!f->full)
		f->note(f->ctx, source, why, false);
	f->full = true;
}

/* NULL: another device has the id, or there are too many. */
static struct hafound_device *find_device(struct hafound *f, const struct source *s, const struct haentity *e)
{
	char *id = haident_of(e->identity), why[200];
	struct hafound_device *d = map_find(&f->devices, id);
	if (!d && f->devices.n >= f->rule.most)
		drop_empty(f);
	if (!d && f->devices.n >= f->rule.most) {
		say_full(f, s->name, "there are as many devices as discovery_limit allows; more are left out");
	} else if (!d) {
		return add_device(f, id, e->identity);
	} else if (strcmp(d->identity, e->identity) != 0) {
		snprintf(why, sizeof(why), "its device '%.60s' would have the id of '%.60s', which was first",
			 e->identity, d->identity);
		f->note(f->ctx, s->name, why, false);
		d = NULL;
	} else if (d->n_points == LIMIT_FOUND_POINTS) {
		f->note(f->ctx, s->name, "its device has too many points already", false);
		d = NULL;
	}
	mem_free(id);
	return d;
}

bool hafound_has(const struct hafound_device *d, const char *id)
{
	list_each (link, &d->points)
		if (strcmp(list_of(link, struct entry, link)->entity->id, id) == 0)
			return true;
	return false;
}

struct hafound_device *hafound_find(const struct hafound *f, const char *id)
{
	return map_find(&f->devices, id);
}

void hafound_change(struct hafound *f, const char *id)
{
	struct hafound_device *d = map_find(&f->devices, id);
	if (d)
		set_changed(f, d);
}

struct hafound_device *hafound_next(struct hafound *f)
{
	struct list *link = list_pop(&f->changed);
	if (!link)
		return NULL;
	struct hafound_device *d = list_of(link, struct hafound_device, link);
	d->is_changed = false;
	f->n_changed--;
	return d;
}

/* --- messages --- */

static bool is_wanted(const struct hafound *f, const struct source *s, const struct haentity *e)
{
	char *id = haident_of(e->identity);
	const char *const texts[] = { s->name, id, e->identity, e->device_name, e->model, e->id };
	bool wanted = hafilter_wants(f->rule.filter, texts, sizeof(texts) / sizeof(texts[0]));
	mem_free(id);
	return wanted && (f->rule.hidden || !e->hidden);
}

/* By id: the same points make the same text, in whatever order they come. */
static struct list *place_of(struct hafound_device *d, const char *id)
{
	list_each (link, &d->points)
		if (strcmp(list_of(link, struct entry, link)->entity->id, id) > 0)
			return link;
	return &d->points;
}

static void link_entry(struct hafound *f, struct source *s, size_t i)
{
	struct entry *entry = &s->entries[i];
	const struct haentity *e = &s->said.list[i];
	*entry = (struct entry){ .source = s, .entity = e };
	if (e->identity && e->id && !is_wanted(f, s, e))
		return;
	if (e->why) {
		f->note(f->ctx, s->name, e->why, e->strange);
		return;
	}
	struct hafound_device *d = find_device(f, s, e);
	if (d && hafound_has(d, e->id)) {
		f->note(f->ctx, s->name, "its device has a point of this id already", false);
		d = NULL;
	}
	if (!d)
		return;
	entry->device = d;
	list_add(place_of(d, e->id), &entry->link);
	d->n_points++;
	set_changed(f, d);
}

static void forget_said(struct hafound *f, struct source *s)
{
	for (size_t i = 0; i < s->said.n; i++) {
		struct hafound_device *d = s->entries[i].device;
		if (!d)
			continue;
		list_drop(&s->entries[i].link);
		d->n_points--;
		set_changed(f, d);
	}
	mem_free(s->entries);
	s->entries = NULL;
	haentity_free(&s->said);
	f->n_bytes -= s->n_bytes;
	s->n_bytes = 0;
}

static bool is_used(const struct source *s)
{
	for (size_t i = 0; i < s->said.n; i++)
		if (s->entries[i].device)
			return true;
	return false;
}

static void take_said(struct hafound *f, struct source *s, struct haentity_list *take)
{
	size_t n_bytes = haentity_size(take);
	forget_said(f, s);
	if (f->n_bytes + n_bytes > LIMIT_FOUND_BYTES) {
		say_full(f, s->name, "discovery tells of too much; the rest is left out");
		haentity_free(take);
		return;
	}
	s->said = *take;
	s->n_bytes = n_bytes;
	f->n_bytes += n_bytes;
	s->entries = mem_array(take->n, sizeof(*s->entries));
	for (size_t i = 0; i < take->n; i++)
		link_entry(f, s, i);
	if (!is_used(s))
		forget_said(f, s);
}

static struct source *find_source(struct hafound *f, const char *name)
{
	struct source *s = map_find(&f->sources, name);
	if (s)
		return s;
	if (f->sources.n == LIMIT_FOUND_SOURCES) {
		say_full(f, name, "discovery tells of too much; the rest is left out");
		return NULL;
	}
	s = mem_new(sizeof(*s));
	s->name = mem_text(name);
	map_put(&f->sources, s->name, s);
	return s;
}

/* "prefix/KIND/.../config"; the caller's copy of what is between, or NULL. */
static char *source_of(const struct hafound *f, const char *topic)
{
	static const char last[] = "/config";
	size_t prefix = strlen(f->rule.prefix), size = strlen(topic), end = sizeof(last) - 1;
	bool fits = size > prefix + 1 + end && strncmp(topic, f->rule.prefix, prefix) == 0 && topic[prefix] == '/' &&
		    strcmp(topic + size - end, last) == 0;
	if (!fits || size - prefix - 1 - end > LIMIT_FOUND_TEXT)
		return NULL;
	char *source = mem_text_n(topic + prefix + 1, size - prefix - 1 - end);
	if (strchr(source, '/') && text_is_clean(source, strlen(source)) && !repeat_is_any(source))
		return source;
	mem_free(source);
	return NULL;
}

/* FNV-1a; never 0, which is no message. */
static uint64_t hash_of(const void *bytes, size_t size)
{
	const unsigned char *at = bytes;
	uint64_t hash = 14695981039346656037U;
	for (size_t i = 0; i < size; i++)
		hash = (hash ^ at[i]) * 1099511628211U;
	return hash ? hash : 1;
}

bool hafound_take(struct hafound *f, const char *topic, const void *bytes, size_t size)
{
	char *name = source_of(f, topic);
	struct haentity_list said = { 0 };
	struct err why;
	if (!name)
		return false;
	struct source *s = find_source(f, name);
	uint64_t hash = hash_of(bytes, size);
	bool news = s && s->hash != hash;
	if (news && size && haentity_parse(name, bytes, size, &said, &why) < 0)
		f->note(f->ctx, name, why.text, false);
	if (news) {
		s->hash = hash;
		take_said(f, s, &said);
	}
	mem_free(name);
	return true;
}

bool hafound_knows(const struct hafound *f, const char *source)
{
	return map_find(&f->sources, source) != NULL;
}

/* --- as configuration --- */

static void print_watch(const struct haentity_watch *w, struct text *to)
{
	scalar_put(to, "topic", w->topic);
	scalar_put(to, "path", w->path);
	scalar_put(to, "online", w->online);
	scalar_put(to, "offline", w->offline);
}

static bool is_before(const struct haentity_watch *const *list, size_t n, const struct haentity_watch *w)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i]->topic, w->topic) == 0)
			return true;
	return false;
}

/* All that any of its points names: too many could only say too often that it is away. */
static void print_watches(const struct hafound_device *d, struct text *to)
{
	const struct haentity_watch *list[LIMIT_FOUND_WATCHES];
	size_t n = 0;
	list_each (link, &d->points) {
		const struct haentity *e = list_of(link, struct entry, link)->entity;
		for (size_t i = 0; i < e->n_watches && n < LIMIT_FOUND_WATCHES; i++)
			if (!is_before(list, n, &e->watches[i]))
				list[n++] = &e->watches[i];
	}
	for (size_t i = 0; i < n; i++) {
		text_add(to, i == 0 ? " availability = {" : i == 1 ? " also = ( {" : ", {");
		print_watch(list[i], to);
		text_add(to, i ? " }" : "");
	}
	text_add(to, n > 1 ? " ); };" : n ? " };" : "");
}

static const char *name_of(const struct hafound_device *d)
{
	const char *name = NULL;
	list_each (link, &d->points) {
		const struct haentity *e = list_of(link, struct entry, link)->entity;
		if (!name && e->device_name && strlen(e->device_name) <= LIMIT_NAME)
			name = e->device_name;
	}
	return name;
}

void hafound_print_head(const struct hafound_device *d, const char *bus, struct text *to)
{
	text_add(to, "{");
	scalar_put(to, "id", d->id);
	scalar_put(to, "bus", bus);
	scalar_put(to, "name", name_of(d));
	print_watches(d, to);
}

size_t hafound_print_points(const struct hafound *f, const struct hafound_device *d, const char *between,
			    struct text *to)
{
	size_t n = 0;
	list_each (link, &d->points) {
		const struct entry *entry = list_of(link, struct entry, link);
		text_addf(to, "%s%s", n++ ? between : "", entry->entity->point);
		if (f->rule.sources)
			scalar_put(to, "discovered", entry->source->name);
		text_add(to, " }");
	}
	return n;
}

void hafound_end(struct hafound *f)
{
	struct source *s;
	struct hafound_device *d;
	for (size_t i = 0; (s = map_next(&f->sources, &i));) {
		haentity_free(&s->said);
		mem_free(s->entries);
		mem_free(s->name);
		mem_free(s);
	}
	for (size_t i = 0; (d = map_next(&f->devices, &i));)
		free_device(d);
	map_free(&f->sources);
	map_free(&f->devices);
}
