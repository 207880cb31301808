#include "bridges/mqtt_rows.h"

#include "bridges/compose.h"
#include "bridges/pointer.h"
#include "bridges/tls.h"
#include "core/base/limits.h"
#include "core/base/mem.h"
#include "core/conf/secret.h"

#include <stddef.h>
#include <string.h>

enum { TOPIC_LONGEST = 65535 /* MQTT: two bytes of length */, PORT = 1883, PORT_TLS = 8883 };

static const char *const versions[] = { "3.1.1", "5", NULL };
static const char *const discoveries[] = { "none", "homeassistant", NULL };
static const char *const as_the_bus[] = { "bus", NULL }; /* kept as -1 */

#define AT(member) offsetof(struct mqtt_tls, member)
static const struct setting tls_rows[] = {
	{ "ca_file", SETTING_TEXT, AT(ca_file), NULL, 1, 4000,
	  .help = "certificates of who may have signed the broker's, PEM; default: those that the system trusts" },
	{ "ca_path", SETTING_TEXT, AT(ca_path), NULL, 1, 4000, .help = "the same as a folder made by openssl rehash" },
	{ "cert_file", SETTING_TEXT, AT(cert_file), NULL, 1, 4000,
	  .help = "our certificate, and those between it and its CA, PEM" },
	{ "key_file", SETTING_TEXT, AT(key_file), NULL, 1, 4000, .help = "its key, PEM, without a password" },
	{ 0 },
};
#undef AT

#define AT(member) offsetof(struct mqtt_status, member)
static const struct setting status_rows[] = {
	{ "topic", SETTING_TEXT, AT(topic), .flags = SETTING_REQUIRED,
	  .help = "where the broker keeps whether the gateway is there" },
	{ "online", SETTING_TEXT, AT(online), "online", 1, 256, .help = "the word for: there" },
	{ "offline", SETTING_TEXT, AT(offline), "offline", 1, 256,
	  .help = "the word for: not there; the broker says it when the gateway is gone without a word" },
	{ 0 },
};
#undef AT

#define AT(member) offsetof(struct mqtt_bus, member)
const struct setting mqtt_rows_bus[] = {
	{ "host", SETTING_TEXT, AT(host), .flags = SETTING_REQUIRED, .help = "name or address of the broker" },
	{ "port", SETTING_INT, AT(port), NULL, 1, 65535,
	  .help = "TCP port of the broker (default: 1883, with tls 8883)" },
	{ "version", SETTING_WORD, AT(version), "5", .words = versions, .help = "version of MQTT that is spoken" },
	{ "client_id", SETTING_TEXT, AT(client_id), NULL, 1, 256,
	  .help = "name at the broker, which must be nobody else's; default: a random one" },
	{ "user", SETTING_TEXT, AT(user), .help = "user name at the broker" },
	{ "password", SETTING_SECRET, AT(password), .file = AT(password_file), .help = "password of the user" },
	{ "qos", SETTING_INT, AT(qos), "1", 0, 2, .help = "quality of service of subscriptions and writes" },
	{ "keepalive", SETTING_DURATION, AT(keepalive_ms), "60s", 5000, 65535000,
	  .help = "a broker that is silent is missed after twice this time" },
	{ "tls", SETTING_GROUP, AT(tls), .rows = tls_rows, .flags = SETTING_GIVEN, .given = AT(tls.given),
	  .help = "speak TLS; the broker's certificate must be signed and for this host. May be empty: tls = { }" },
	{ "status", SETTING_GROUP, AT(status), .rows = status_rows, .flags = SETTING_GIVEN, .given = AT(status.given),
	  .help = "tells others at the broker whether the gateway is there" },
	{ "discovery", SETTING_WORD, AT(discovery), "none", .words = discoveries,
	  .help = "homeassistant: devices that tell of themselves as Home Assistant wants it become things without a "
		  "line of configuration" },
	{ "discovery_prefix", SETTING_TEXT, AT(discovery_prefix), "homeassistant", 1, 200,
	  .help = "the topic under which they do" },
	{ "discovery_filter", SETTING_VALUES, AT(discovery_filter),
	  .help = "which of them: patterns with * and ? for their topics, ids, names and models; ! in front refuses" },
	{ "discovery_limit", SETTING_INT, AT(discovery_limit), "200", 1, LIMIT_FOUND,
	  .help = "most devices that are taken" },
	{ "discovery_diagnostic", SETTING_BOOL, AT(discovery_diagnostic), "false",
	  .help = "also what they call diagnostic or configuration, or switch off by default" },
	{ 0 },
};
#undef AT

#define WATCH_ROWS(at)                                                                                                 \
	{ "topic", SETTING_TEXT, (at) + offsetof(struct mqtt_watch, topic), .flags = SETTING_REQUIRED,                 \
	  .help = "where the device says whether it is there" },                                                       \
		{ "path", SETTING_TEXT, (at) + offsetof(struct mqtt_watch, path),                                      \
		  .help = "JSON Pointer to the word; none: the whole payload" },                                       \
		{ "online", SETTING_TEXT, (at) + offsetof(struct mqtt_watch, online), "online",                        \
		  .help = "the word for: there" },                                                                     \
	{                                                                                                              \
		"offline", SETTING_TEXT, (at) + offsetof(struct mqtt_watch, offline), "offline",                       \
			.help = "the word for: not there"                                                              \
	}

static const struct setting watch_rows[] = { WATCH_ROWS(0), { 0 } };

static const struct setting availability_rows[] = {
	WATCH_ROWS(offsetof(struct mqtt_availability, first)),
	{ "also", SETTING_LIST, offsetof(struct mqtt_availability, also), .rows = watch_rows,
	  .size = sizeof(struct mqtt_watch),
	  .help = "more of such topics, as that of its bridge: it is there when none says that it is not" },
	{ 0 },
};
#undef WATCH_ROWS

_Static_assert(offsetof(struct mqtt_availability, n_also) ==
		       offsetof(struct mqtt_availability, also) + offsetof(struct setting_list, n),
	       "also is a setting_list");

const struct setting mqtt_rows_device[] = {
	{ "topic", SETTING_TEXT, offsetof(struct mqtt_device, topic),
	  .help = "topic of its points, and what \"~\" means" },
	{ "availability", SETTING_GROUP, offsetof(struct mqtt_device, availability), .rows = availability_rows,
	  .flags = SETTING_GIVEN, .given = offsetof(struct mqtt_device, availability.given),
	  .help = "how the device says that it went away" },
	{ 0 },
};

#define AT(member) offsetof(struct mqtt_write, member)
static const struct setting write_rows[] = {
	{ "topic", SETTING_TEXT, AT(topic), .help = "where a new value is published" },
	{ "payload", SETTING_TEXT, AT(payload),
	  .help = "what is published: ${value} is the value as JSON, ${raw} as bare text; default: \"${raw}\"" },
	{ "on", SETTING_TEXT, AT(on), .help = "the word that is published for true; default: the point's" },
	{ "off", SETTING_TEXT, AT(off), .help = "the word that is published for false; default: the point's" },
	{ "qos", SETTING_INT, AT(qos), "bus", 0, 2, .words = as_the_bus,
	  .help = "quality of service, or \"bus\": that of the bus" },
	{ "retain", SETTING_BOOL, AT(retain), "false", .help = "the broker keeps the message" },
	{ "response_topic", SETTING_TEXT, AT(response_topic),
	  .help = "confirm = \"response\": where the device answers, with the correlation data of the write (MQTT 5)" },
	{ "response_path", SETTING_TEXT, AT(response_path),
	  .help = "JSON Pointer to the word in the answer; none: the whole payload" },
	{ "response_ok", SETTING_TEXT, AT(response_ok),
	  .help = "the word for: done; any other means that it was not. Default: any answer will do that has no user "
		  "property \"error\"" },
	{ 0 },
};
#undef AT

#define AT(member) offsetof(struct mqtt_address, member)
const struct setting mqtt_rows_address[] = {
	{ "topic", SETTING_TEXT, AT(topic), .help = "where its values come from; default: the device's topic" },
	{ "path", SETTING_TEXT, AT(path), .help = "JSON Pointer (RFC 6901) to the value; none: the whole payload" },
	{ "on", SETTING_TEXT, AT(on), "true", .help = "the word of a bool for true" },
	{ "off", SETTING_TEXT, AT(off), "false", .help = "the word of a bool for false" },
	{ "qos", SETTING_INT, AT(qos), "bus", 0, 2, .words = as_the_bus,
	  .help = "quality of service, or \"bus\": that of the bus" },
	{ "discovered", SETTING_TEXT, AT(discovered),
	  .help = "the gateway's own: the message of discovery that told of the point" },
	{ "write", SETTING_GROUP, AT(write), .rows = write_rows, .help = "how a value is written" },
	{ 0 },
};
#undef AT

/* The one + that is a level of its own, or NULL. */
static const char *find_level(const char *topic)
{
	const char *plus = strchr(topic, '+');
	bool whole = plus && (plus == topic || plus[-1] == '/') && (plus[1] == '/' || plus[1] == '\0');
	return whole && !strpbrk(plus + 1, "+#") ? plus : NULL;
}

static int check_topic(const char *key, const char *topic, const struct device *d, struct err *e)
{
	size_t size = strlen(topic), wild = strcspn(topic, "+#");
	bool level = d && text_same(d->level, "+");
	if (size == 0 || size > TOPIC_LONGEST)
		return err_set(e, "%s: must have from 1 to %d bytes", key, TOPIC_LONGEST);
	if (wild < size && level && find_level(topic) != topic + wild)
		return err_set(e, "%s: '%.80s': one level may be a +, alone between its /", key, topic);
	if (wild < size && !level)
		return err_set(e,
			       "%s: '%.80s' has a wildcard; name one topic, or have ${level} in the id of the device",
			       key, topic);
	if (text_begins(topic, "$share/"))
		return err_set(e, "%s: a shared subscription gives each message to one client only", key);
	return 0;
}

/* A + is what ${level} is. */
static void put_level(char **topic, const struct device *d)
{
	const char *plus = d->level && strcmp(d->level, "+") != 0 ? find_level(*topic) : NULL;
	if (!plus)
		return;
	char *whole = mem_format("%.*s%s%s", (int)(plus - *topic), *topic, d->level, plus + 1);
	mem_free(*topic);
	*topic = whole;
}

/* Puts the device's topic where "~" stands, and its level where + does. */
static int resolve_topic(const char *key, char **topic, const struct device *d, struct err *e)
{
	const struct mqtt_device *o = d->options;
	if (text_same(*topic, "~") || text_begins(*topic, "~/")) {
		if (!o->topic)
			return err_set(e, "%s: '~' means the topic of the device, which has none", key);
		char *whole = mem_format("%s%s", o->topic, *topic + 1);
		mem_free(*topic);
		*topic = whole;
	}
	put_level(topic, d);
	return check_topic(key, *topic, d, e);
}

static int check_path(const char *key, const char *path, struct err *e)
{
	return path && pointer_check(path, e) < 0 ? err_wrap(e, "%s", key) : 0;
}

static int check_words(const char *key, const char *on, const char *off, struct err *e)
{
	if (strcmp(on, off) == 0)
		return err_set(e, "%s: is the same as '%s'", key, off);
	return *on && *off ? 0 : err_set(e, "%s: an empty payload cannot be a word", key);
}

/* So that it is the same file wherever the program is started, and checked again. */
static void resolve_file(char **name, const struct bus *bus)
{
	if (!*name)
		return;
	char *found = secret_find(*name, bus->file);
	mem_free(*name);
	*name = found;
}

static int check_tls(const struct bus *bus, struct mqtt_tls *t, struct err *e)
{
	resolve_file(&t->ca_file, bus);
	resolve_file(&t->ca_path, bus);
	resolve_file(&t->cert_file, bus);
	resolve_file(&t->key_file, bus);
	if (!t->cert_file != !t->key_file)
		return err_set(e, "tls.%s: is missing; a certificate and its key belong together",
			       t->cert_file ? "key_file" : "cert_file");
	struct tls_trust *trust =
		tls_trust_load(&(struct tls_files){ t->ca_file, t->ca_path, t->cert_file, t->key_file }, e);
	tls_trust_free(trust);
	return trust ? 0 : -1;
}

static int check_status(const struct mqtt_status *status, struct err *e)
{
	if (check_topic("status.topic", status->topic, NULL, e) < 0)
		return -1;
	return check_words("status.online", status->online, status->offline, e);
}

int mqtt_rows_check_bus(struct bus *bus, struct err *e)
{
	struct mqtt_bus *o = bus->options;
	if (!*o->host)
		return err_set(e, "host: is empty");
	if (o->password && !o->user)
		return err_set(e, "password: needs a user");
	if (check_topic("discovery_prefix", o->discovery_prefix, NULL, e) < 0)
		return -1;
	if (o->port == 0)
		o->port = o->tls.given ? PORT_TLS : PORT;
	if (o->tls.given && check_tls(bus, &o->tls, e) < 0)
		return -1;
	return o->status.given ? check_status(&o->status, e) : 0;
}

static int check_watch(struct mqtt_watch *w, const struct device *d, struct err *e)
{
	if (resolve_topic("availability.topic", &w->topic, d, e) < 0 || check_path("availability.path", w->path, e) < 0)
		return -1;
	return check_words("availability.online", w->online, w->offline, e);
}

int mqtt_rows_check_device(struct device *d, struct err *e)
{
	struct mqtt_device *o = d->options;
	struct mqtt_availability *a = &o->availability;
	int bad = 0;
	if (o->topic && *o->topic == '~')
		return err_set(e, "topic: '~' is for points; it means this topic");
	if (o->topic && resolve_topic("topic", &o->topic, d, e) < 0)
		return -1;
	if (a->given)
		bad = check_watch(&a->first, d, e);
	for (size_t i = 0; bad == 0 && i < a->n_also; i++)
		bad = check_watch(&a->also[i], d, e);
	return bad;
}

static int check_heard(struct point *p, struct mqtt_address *a, struct err *e)
{
	const struct mqtt_device *device = p->device->options;
	if (p->poll_ms)
		return err_set(e, "poll: nothing is polled, the broker tells; leave it out");
	if (!a->topic)
		a->topic = mem_text(device->topic);
	if (!(p->access & ACCESS_READ) && p->confirm != CONFIRM_STATE) {
		mem_free(a->topic);
		a->topic = NULL;
		return 0;
	}
	if (!a->topic)
		return err_set(e, "topic: is missing, in the point and in its device");
	return resolve_topic("topic", &a->topic, p->device, e);
}

static int check_template(const struct point *p, struct mqtt_address *a, struct err *e)
{
	if (!a->write.payload && a->path)
		return err_set(e, "write.payload: is missing; with path \"%s\" perhaps \"{\\\"%s\\\": ${value}}\"",
			       a->path, *a->path ? a->path + 1 : "value");
	if (!a->write.payload)
		a->write.payload = mem_text("${raw}");
	if (!a->write.on)
		a->write.on = mem_text(a->on);
	if (!a->write.off)
		a->write.off = mem_text(a->off);
	if (p->type == TYPE_BOOL && check_words("write.on", a->write.on, a->write.off, e) < 0)
		return -1;
	struct compose_rule rule = { a->write.payload, a->write.on, a->write.off };
	return compose_check(&rule, p->type, e) < 0 ? err_wrap(e, "write.payload") : 0;
}

static int check_response(const struct point *p, struct mqtt_address *a, struct err *e)
{
	const struct mqtt_bus *bus = p->device->bus->options;
	struct mqtt_write *w = &a->write;
	if (p->confirm != CONFIRM_RESPONSE)
		return w->response_topic || w->response_path || w->response_ok
			       ? err_set(e, "write.response_topic: needs confirm = \"response\"")
			       : 0;
	if (bus->version != MQTT_VERSION_5)
		return err_set(e, "write.confirm: \"response\" needs version = \"5\" on the bus");
	if (!w->response_topic)
		return err_set(e, "write.response_topic: is missing; often it is \"~/response\"");
	if (resolve_topic("write.response_topic", &w->response_topic, p->device, e) < 0)
		return -1;
	if (text_same(w->response_topic, w->topic))
		return err_set(e, "write.response_topic: is where the write goes");
	return check_path("write.response_path", w->response_path, e);
}

static int check_written(const struct point *p, struct mqtt_address *a, struct err *e)
{
	const struct mqtt_bus *bus = p->device->bus->options;
	if (!a->write.topic)
		return err_set(e, "write.topic: is missing; often it is \"~/set\"");
	if (resolve_topic("write.topic", &a->write.topic, p->device, e) < 0)
		return -1;
	if (text_begins(a->write.topic, "$SYS/"))
		return err_set(e, "write.topic: $SYS is the broker's own");
	if (p->confirm == CONFIRM_READBACK)
		return err_set(e, "write.confirm: nothing can be read back from a broker; use \"state\" or \"none\"");
	if (text_same(a->topic, a->write.topic) && bus->version != MQTT_VERSION_5)
		return err_set(e, "write.topic: what is written would come back as if the device had said it; use "
				  "another topic, or version = \"5\" on the bus");
	return check_response(p, a, e) < 0 ? -1 : check_template(p, a, e);
}

int mqtt_rows_check(struct point *p, struct err *e)
{
	struct mqtt_address *a = p->address;
	if (check_heard(p, a, e) < 0 || check_path("path", a->path, e) < 0)
		return -1;
	if (p->type == TYPE_BOOL && check_words("on", a->on, a->off, e) < 0)
		return -1;
	if (p->access & ACCESS_WRITE)
		return check_written(p, a, e);
	return a->write.topic || a->write.payload || a->write.on || a->write.off
		       ? err_set(e, "write: the point is read-only; access = \"rw\"?")
		       : 0;
}

static bool has_filter(char *const *filters, size_t n, const char *topic)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(filters[i], topic) == 0)
			return true;
	return false;
}

int mqtt_rows_filters(const struct device *d, char ***ret, size_t *ret_n, struct err *e)
{
	char **filters = mem_array(d->n_points, sizeof(char *));
	size_t n = 0;
	for (size_t i = 0; i < d->n_points; i++) {
		const struct mqtt_address *a = d->points[i]->address;
		if (a->topic && find_level(a->topic) && !has_filter(filters, n, a->topic))
			filters[n++] = mem_text(a->topic);
	}
	if (n == 0) {
		mem_free(filters);
		return err_set(e, "topic: write + where ${level} stands, as in \"tele/+\"");
	}
	*ret = filters;
	*ret_n = n;
	return 0;
}

struct broker_options mqtt_rows_broker(const struct mqtt_bus *o, struct tls_files *files)
{
	const struct mqtt_status *status = &o->status;
	*files = (struct tls_files){ o->tls.ca_file, o->tls.ca_path, o->tls.cert_file, o->tls.key_file };
	return (struct broker_options){ .host = o->host,
					.port = (int)o->port,
					.version_5 = o->version == MQTT_VERSION_5,
					.client_id = o->client_id,
					.user = o->user,
					.password = o->password,
					.keepalive_s = (int)(o->keepalive_ms / 1000),
					.tls = o->tls.given ? files : NULL,
					.status_topic = status->given ? status->topic : NULL,
					.status_online = status->online,
					.status_offline = status->offline };
}

bool mqtt_rows_finds(const struct bus *bus)
{
	return ((const struct mqtt_bus *)bus->options)->discovery != MQTT_DISCOVERY_NONE || bus->n_patterns;
}
