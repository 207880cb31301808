#include "bridges/hajson.h"

#include "core/base/limits.h"
#include "core/conf/repeat.h"
#include "core/model/decimal.h"

#include <stdlib.h>
#include <string.h>

static const struct {
	const char *key, *brief;
} briefs[] = {
	{ "availability", "avty" },
	{ "availability_template", "avty_tpl" },
	{ "availability_topic", "avty_t" },
	{ "command_template", "cmd_tpl" },
	{ "command_topic", "cmd_t" },
	{ "components", "cmps" },
	{ "connections", "cns" },
	{ "device", "dev" },
	{ "device_class", "dev_cla" },
	{ "enabled_by_default", "en" },
	{ "entity_category", "ent_cat" },
	{ "expire_after", "exp_aft" },
	{ "identifiers", "ids" },
	{ "manufacturer", "mf" },
	{ "model", "mdl" },
	{ "off_delay", "off_dly" },
	{ "options", "ops" },
	{ "payload_available", "pl_avail" },
	{ "payload_not_available", "pl_not_avail" },
	{ "payload_off", "pl_off" },
	{ "payload_on", "pl_on" },
	{ "platform", "p" },
	{ "retain", "ret" },
	{ "state_class", "stat_cla" },
	{ "state_off", "stat_off" },
	{ "state_on", "stat_on" },
	{ "state_topic", "stat_t" },
	{ "state_value_template", "stat_val_tpl" },
	{ "suggested_display_precision", "sug_dsp_prc" },
	{ "topic", "t" },
	{ "unique_id", "uniq_id" },
	{ "unit_of_measurement", "unit_of_meas" },
	{ "value_template", "val_tpl" },
};

static const char *brief_of(const char *key)
{
	for (size_t i = 0; i < sizeof(briefs) / sizeof(briefs[0]); i++)
		if (strcmp(briefs[i].key, key) == 0)
			return briefs[i].brief;
	return key;
}

static json_t *find_in(json_t *object, const char *key)
{
	json_t *found = json_object_get(object, key);
	return found ? found : json_object_get(object, brief_of(key));
}

json_t *hajson_find(struct hajson j, const char *key)
{
	json_t *found = find_in(j.own, key);
	if (!found && j.shared)
		found = find_in(j.shared, key);
	return json_is_null(found) ? NULL : found;
}

static void add_real(double real, struct text *to)
{
	struct decimal d = { 0 };
	char room[DECIMAL_ROOM];
	if (!decimal_of_double(real, &d))
		return;
	decimal_print(d, room);
	text_add(to, room);
}

static bool add_plain(const json_t *found, struct text *to)
{
	if (json_is_string(found))
		text_add_n(to, json_string_value(found), json_string_length(found));
	else if (json_is_integer(found))
		text_addf(to, "%lld", (long long)json_integer_value(found));
	else if (json_is_real(found))
		add_real(json_real_value(found), to);
	else if (json_is_boolean(found))
		text_add(to, json_is_true(found) ? "true" : "false");
	else
		return false;
	return true;
}

int hajson_text(struct hajson j, const char *key, struct text *to, struct err *e)
{
	const json_t *found = hajson_find(j, key);
	size_t before = to->size;
	if (!found)
		return 0;
	if (!add_plain(found, to))
		return err_set(e, "%s is a list or a group", key);
	if (to->size - before > LIMIT_FOUND_TEXT)
		return err_set(e, "%s has more than %d bytes", key, LIMIT_FOUND_TEXT);
	if (to->size > before && !text_is_clean(to->data + before, to->size - before))
		return err_set(e, "%s has characters that no text has", key);
	if (to->size > before && repeat_is_any(to->data + before))
		return err_set(e, "%s has what means something else in a configuration", key);
	text_reserve(to, 1);
	to->data[to->size] = '\0';
	return 1;
}

static int expand(const char *topic, struct hajson j, struct text *to, struct err *e)
{
	size_t size = strlen(topic);
	struct text base = { 0 };
	bool begins = size && topic[0] == '~', ends = size > 1 && topic[size - 1] == '~';
	int has = begins || ends ? hajson_text(j, "~", &base, e) : 0;
	if (has > 0 && begins)
		text_addf(to, "%s%s", base.data, topic + 1);
	else if (has > 0)
		text_addf(to, "%.*s%s", (int)size - 1, topic, base.data);
	else if (has == 0)
		text_add(to, topic);
	text_free(&base);
	return has < 0 ? -1 : 0;
}

int hajson_topic(struct hajson j, const char *key, struct text *to, struct err *e)
{
	struct text topic = { 0 };
	size_t before = to->size;
	int has = hajson_text(j, key, &topic, e);
	if (has > 0 && topic.size == 0)
		has = 0;
	if (has > 0 && expand(topic.data, j, to, e) < 0)
		has = -1;
	if (has > 0 && (strpbrk(to->data + before, "+#") || to->data[before] == '$' || to->data[before] == '~'))
		has = err_set(e, "%s is no topic of a device", key);
	text_free(&topic);
	return has;
}

bool hajson_is(struct hajson j, const char *key, const char *word)
{
	const json_t *found = hajson_find(j, key);
	return json_is_string(found) && strcmp(json_string_value(found), word) == 0;
}

bool hajson_number(struct hajson j, const char *key, double *ret)
{
	const json_t *found = hajson_find(j, key);
	char *end = NULL;
	if (json_is_number(found))
		*ret = json_number_value(found);
	else if (json_is_string(found) && json_string_length(found) < DECIMAL_ROOM)
		*ret = strtod(json_string_value(found), &end);
	return json_is_number(found) || (end && end != json_string_value(found) && *end == '\0');
}
