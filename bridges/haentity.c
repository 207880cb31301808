#include "bridges/haentity.h"

#include "bridges/haident.h"
#include "bridges/hajson.h"
#include "bridges/hapoint.h"
#include "bridges/hatemplate.h"
#include "core/base/limits.h"
#include "core/base/mem.h"

#include <string.h>

/* A text of the message, or the fallback, as a string of its own; NULL: neither, or *bad says that it cannot be taken. */
static char *take_text(struct hajson j, const char *key, const char *fallback, int *bad, struct err *e)
{
	struct text t = { 0 };
	int has = hajson_text(j, key, &t, e);
	if (has > 0 && t.size)
		return t.data;
	text_free(&t);
	if (has < 0)
		*bad = -1;
	return has < 0 ? NULL : mem_text(fallback);
}

/* The first identifier; else the first connection, which is a pair as ["mac", "02:5b:26:a8:dc:12"]. */
static char *take_identity(struct hajson device, int *bad, struct err *e)
{
	json_t *ids = hajson_find(device, "identifiers"), *connection = hajson_find(device, "connections");
	json_t *first = json_is_array(ids) ? json_array_get(ids, 0) : ids;
	if (!first)
		first = json_array_get(json_array_get(connection, 0), 1);
	if (!json_is_string(first))
		return NULL;
	json_t *one = json_pack("{sO}", "identifiers", first);
	char *text = take_text((struct hajson){ one, NULL }, "identifiers", NULL, bad, e);
	json_decref(one);
	return text;
}

static char *take_model(struct hajson device, int *bad, struct err *e)
{
	char *maker = take_text(device, "manufacturer", "", bad, e), *model = take_text(device, "model", "", bad, e);
	char *both = *bad ? NULL : mem_format("%s%s%s", maker, *maker && *model ? " " : "", model);
	mem_free(maker);
	mem_free(model);
	return both;
}

static int take_device(struct hajson j, const char *source, struct haentity *ret, struct err *e)
{
	int bad = 0;
	json_t *group = hajson_find(j, "device");
	const struct hajson device = { group, NULL };
	if (json_is_object(group)) {
		ret->identity = take_identity(device, &bad, e);
		ret->device_name = take_text(device, "name", NULL, &bad, e);
		ret->model = take_model(device, &bad, e);
	}
	if (!bad && !ret->identity) /* it stands alone */
		ret->identity = take_text(j, "unique_id", source, &bad, e);
	return bad;
}

static int add_watch(struct hajson j, const char *topic_key, const char *template_key, struct haentity *ret,
		     struct err *e)
{
	struct text topic = { 0 };
	int bad = 0, decimals, has = hajson_topic(j, topic_key, &topic, e);
	if (has <= 0 || ret->n_watches == LIMIT_FOUND_WATCHES) {
		text_free(&topic);
		return has < 0 ? -1 : 0;
	}
	struct haentity_watch w = { .topic = topic.data };
	char *template = take_text(j, template_key, NULL, &bad, e);
	if (template)
		bad = hatemplate_value(template, &w.path, &decimals, e);
	w.online = take_text(j, "payload_available", "online", &bad, e);
	w.offline = take_text(j, "payload_not_available", "offline", &bad, e);
	ret->watches = mem_resize(ret->watches, (ret->n_watches + 1) * sizeof(w));
	ret->watches[ret->n_watches++] = w;
	mem_free(template);
	if (!bad && strcmp(w.online, w.offline) == 0)
		bad = err_set(e, "payload_available is payload_not_available");
	return bad;
}

static int take_watches(struct hajson j, struct haentity *ret, struct err *e)
{
	json_t *list = hajson_find(j, "availability");
	size_t n = json_is_object(list) ? 1 : json_array_size(list);
	int bad = add_watch(j, "availability_topic", "availability_template", ret, e);
	for (size_t i = 0; bad == 0 && i < n; i++) {
		json_t *one = json_pack("{sO?}", "~", hajson_find(j, "~"));
		json_object_update_missing(one, json_is_object(list) ? list : json_array_get(list, i));
		bad = add_watch((struct hajson){ one, NULL }, "topic", "value_template", ret, e);
		json_decref(one);
	}
	return bad;
}

static bool is_hidden(struct hajson j)
{
	return hajson_is(j, "entity_category", "diagnostic") || hajson_is(j, "entity_category", "config") ||
	       json_is_false(hajson_find(j, "enabled_by_default"));
}

static void take_entity(struct hajson j, const char *kind, const char *source, const char *unique, struct haentity *ret)
{
	struct err e;
	int bad = take_device(j, source, ret, &e);
	char *own = bad ? NULL : take_text(j, "unique_id", unique, &bad, &e);
	ret->kind = mem_text(kind);
	ret->strange = !hapoint_is_kind(kind);
	ret->hidden = is_hidden(j);
	if (!bad)
		ret->id = haident_point(own, ret->identity, kind);
	if (!bad)
		bad = take_watches(j, ret, &e);
	if (!bad)
		bad = hapoint_print(j, kind, ret->id, ret->device_name, &ret->point, &e);
	if (bad)
		ret->why = mem_text(e.text);
	mem_free(own);
}

static struct haentity *add(struct haentity_list *l)
{
	l->list = mem_resize(l->list, (l->n + 1) * sizeof(*l->list));
	l->list[l->n] = (struct haentity){ 0 };
	return &l->list[l->n++];
}

/* "device/x": what its components share stands beside them. */
static int take_components(struct hajson j, const char *source, struct haentity_list *ret, struct err *e)
{
	json_t *all = hajson_find(j, "components"), *one;
	const char *name;
	if (!json_is_object(all))
		return err_set(e, "has no components");
	json_object_foreach(all, name, one)
	{
		struct text kind = { 0 };
		const struct hajson component = { one, j.own };
		if (ret->n == LIMIT_FOUND_POINTS) {
			haentity_free(ret);
			return err_set(e, "has more than %d components", LIMIT_FOUND_POINTS);
		}
		if (json_object_size(one) == 1) /* only its platform: it was taken back */
			continue;
		struct haentity *entity = add(ret);
		if (json_is_object(one) && hajson_text(component, "platform", &kind, NULL) > 0)
			take_entity(component, kind.data, source, name, entity);
		else
			entity->why = mem_text("a component without a platform");
		text_free(&kind);
	}
	return 0;
}

int haentity_parse(const char *source, const void *bytes, size_t size, struct haentity_list *ret, struct err *e)
{
	json_error_t error;
	size_t kind = strcspn(source, "/");
	if (size > LIMIT_PAYLOAD)
		return err_set(e, "has %zu bytes, more than %d", size, LIMIT_PAYLOAD);
	json_t *root = json_loadb(bytes, size, 0, &error);
	const struct hajson j = { root, NULL };
	struct haentity_list l = { 0 };
	char *word = mem_text_n(source, kind);
	int bad = json_is_object(root) ? 0 : err_set(e, "is no JSON object");
	if (!bad && strcmp(word, "device") == 0)
		bad = take_components(j, source, &l, e);
	else if (!bad)
		take_entity(j, word, source, source + kind + (source[kind] == '/'), add(&l));
	json_decref(root);
	mem_free(word);
	if (!bad)
		*ret = l;
	return bad;
}

static size_t length(const char *text)
{
	return text ? strlen(text) + 1 : 0;
}

size_t haentity_size(const struct haentity_list *l)
{
	size_t n = l->n * sizeof(*l->list);
	for (size_t i = 0; i < l->n; i++) {
		const struct haentity *e = &l->list[i];
		n += length(e->why) + length(e->kind) + length(e->identity) + length(e->device_name) +
		     length(e->model) + length(e->id) + length(e->point) + e->n_watches * sizeof(*e->watches);
		for (size_t k = 0; k < e->n_watches; k++)
			n += length(e->watches[k].topic) + length(e->watches[k].path) + length(e->watches[k].online) +
			     length(e->watches[k].offline);
	}
	return n;
}

static void free_watches(struct haentity *e)
{
	for (size_t i = 0; i < e->n_watches; i++) {
		mem_free(e->watches[i].topic);
		mem_free(e->watches[i].path);
		mem_free(e->watches[i].online);
		mem_free(e->watches[i].offline);
	}
	mem_free(e->watches);
}

void haentity_free(struct haentity_list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		char *owned[] = { l->list[i].why,   l->list[i].kind, l->list[i].identity, l->list[i].device_name,
				  l->list[i].model, l->list[i].id,   l->list[i].point };
		for (size_t k = 0; k < sizeof(owned) / sizeof(owned[0]); k++)
			mem_free(owned[k]);
		free_watches(&l->list[i]);
	}
	mem_free(l->list);
	*l = (struct haentity_list){ 0 };
}
