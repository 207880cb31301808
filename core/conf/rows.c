#include "core/conf/rows.h"

#include "core/base/limits.h"
#include "core/base/mem.h"
#include "core/conf/template.h"

#include <stddef.h>

enum { SECOND = 1000, DAY = 86400 * SECOND, COMPONENT_PORT = 5347, CLIENT_PORT = 5222 };

#define IN(type, member)    .offset = offsetof(struct type, member)
#define GIVEN(type, member) .flags = SETTING_GIVEN, .given = offsetof(struct type, member)

static const char *const log_words[] = { "error", "warn", "info", "debug", NULL };
static const char *const mode_words[] = { "component", "accounts", NULL };
static const char *const tls_words[] = { "required", NULL };
static const char *const things_words[] = { "point", "device", NULL };
static const char *const type_words[] = { "bool",    "int",   "real",   "text",   "time",   "int16",
					  "uint16",  "int32", "uint32", "int64",  "uint64", "float32",
					  "float64", "bcd16", "bcd32",  "string", NULL };
static const char *const kind_words[] = { "momentary", "counter", "peak", "status", "identity", "computed", NULL };
static const char *const access_words[] = { "r", "w", "rw", NULL };
static const char *const confirm_words[] = { "none", "state", "readback", "response", NULL };

static const struct setting history_rows[] = {
	{ "memory", SETTING_SIZE, IN(conf_history, memory), .fallback = "16MiB", .min = 64LL << 10, .max = 4LL << 30,
	  .help = "most RAM for the history of all points; the oldest goes first" },
	{ "file", SETTING_DURATION, IN(conf_history, file_ms), .fallback = "0s", .max = 400LL * DAY, .flags = SETTING_ZERO,
	  .help = "how long it is kept on disk, in the state directory, 0s: not there. Written while XMPP is away and at the "
		  "stop, read at the start" },
	{ "size", SETTING_SIZE, IN(conf_history, size), .fallback = "64MiB", .min = 1LL << 20, .max = 16LL << 30,
	  .help = "most bytes on disk; written in an hour is no more than this divided by the hours of file" },
	{ 0 },
};

static const struct setting gateway_rows[] = {
	{ "name", SETTING_NAMES, IN(conf_gateway, names),
	  .help = "shown to people and in service discovery (default: jidgate)" },
	{ "state", SETTING_TEXT, IN(conf_gateway, state), .fallback = "/var/lib/jidgate", .min = 1, .max = 4000,
	  .help = "directory of the state database" },
	{ "control", SETTING_TEXT, IN(conf_gateway, control), .fallback = "/run/jidgate/control.sock", .min = 1,
	  .max = 107, .help = "socket of the command line" },
	{ "language", SETTING_TEXT, IN(conf_gateway, language), .fallback = "en", .min = 2, .max = 35,
	  .help = "of what is said to people" },
	{ "history", SETTING_GROUP, IN(conf_gateway, history), .rows = history_rows,
	  .help = "of the points that have it" },
	{ "log", SETTING_WORD, IN(conf_gateway, log), .fallback = "info", .words = log_words,
	  .help = "how much is logged" },
	{ 0 },
};

const struct setting rows_xmpp[] = {
	{ "mode", SETTING_WORD, IN(conf_xmpp, mode), .fallback = "component", .words = mode_words,
	  .help = "component: one connection and a JID in one domain for every thing (XEP-0114); accounts: each thing "
		  "logs in" },
	{ "domain", SETTING_TEXT, IN(conf_xmpp, domain), .min = 1, .max = LIMIT_JID_PART, .flags = SETTING_REQUIRED,
	  .help = "the part behind the @ of every thing's JID" },
	{ "host", SETTING_TEXT, IN(conf_xmpp, host), .max = 255,
	  .help = "where the server listens (default: 127.0.0.1, in accounts mode what DNS says of the domain)" },
	{ "port", SETTING_INT, IN(conf_xmpp, port), .min = 1, .max = 65535,
	  .help = "its port (default: 5347, in accounts mode 5222)" },
	{ "secret", SETTING_SECRET, IN(conf_xmpp, secret), .file = offsetof(struct conf_xmpp, secret_file),
	  .help = "component mode: the secret that the server has for this component" },
	{ "tls", SETTING_WORD, IN(conf_xmpp, tls), .fallback = "required", .words = tls_words,
	  .help = "accounts mode: encrypted, with a certificate that fits, or not at all" },
	{ "ca_file", SETTING_TEXT, IN(conf_xmpp, ca_file), .min = 1, .max = 4000,
	  .help = "accounts mode: certificates to trust, PEM (default: those of the system)" },
	{ "threads", SETTING_INT, IN(conf_xmpp, threads), .fallback = "4", .min = 1, .max = 64,
	  .help = "accounts mode: threads that the accounts are spread over" },
	{ 0 },
};

static const struct setting provisioning_rows[] = {
	{ "service", SETTING_TEXT, IN(conf_provisioning, service), .min = 1, .max = LIMIT_JID,
	  .help = "JID of the provisioning service where things register and whom they ask; without it, the one that "
		  "service discovery of the server finds" },
	{ 0 },
};

const struct setting rows_provisioner[] = {
	{ "domain", SETTING_TEXT, IN(conf_xmpp, domain), .min = 1, .max = LIMIT_JID_PART, .flags = SETTING_REQUIRED,
	  .help = "JID of the service, a component's domain" },
	{ "host", SETTING_TEXT, IN(conf_xmpp, host), .fallback = "127.0.0.1", .min = 1, .max = 255,
	  .help = "where the server listens" },
	{ "port", SETTING_INT, IN(conf_xmpp, port), .fallback = "5347", .min = 1, .max = 65535, .help = "its port" },
	{ "secret", SETTING_SECRET, IN(conf_xmpp, secret), .file = offsetof(struct conf_xmpp, secret_file),
	  .flags = SETTING_REQUIRED, .help = "the secret that the server has for this component" },
	{ 0 },
};

const struct setting rows_bus[] = {
	{ "id", SETTING_TEXT, IN(rows_bus, id), .flags = SETTING_REQUIRED, .help = "what devices call it" },
	{ "protocol", SETTING_TEXT, IN(rows_bus, protocol), .flags = SETTING_REQUIRED, .help = "what is spoken on it" },
	{ 0 },
};

static const struct setting word_rows[] = {
	{ "raw", SETTING_DECIMAL, IN(word, raw), .flags = SETTING_REQUIRED, .help = "the number on the bus" },
	{ "text", SETTING_TEXT, IN(word, text), .min = 1, .max = LIMIT_NAME, .flags = SETTING_REQUIRED,
	  .help = "the word for it" },
	{ 0 },
};

static const struct setting write_rows[] = {
	{ "confirm", SETTING_WORD, IN(point, confirm), .fallback = "none", .words = confirm_words,
	  .help = "a write is done when the bus took it (none), the state shows it (state), it was read again "
		  "(readback), the device answered (response, MQTT 5)" },
	{ "min_interval", SETTING_DURATION, IN(point, write_interval_ms), .fallback = "0s", .max = DAY,
	  .help = "least time between two writes; sooner ones are refused" },
	{ "deadline", SETTING_DURATION, IN(point, write_deadline_ms), .fallback = "5s", .min = 10,
	  .max = 3600LL * SECOND, .help = "a write that is not done by then has failed" },
	{ 0 },
};

const struct setting rows_point[] = {
	{ "id", SETTING_TEXT, IN(point, id), .flags = SETTING_REQUIRED,
	  .help = "its identity: part of the JID and key of what is stored; a-z 0-9 _ -" },
	{ "name", SETTING_NAMES, IN(point, names), .help = "for people, free to change (default: the id)" },
	{ "type", SETTING_WORD, IN(point, type), .words = type_words, .flags = SETTING_REQUIRED,
	  .help = "of the value: bool int real text time; for Modbus also int16 ... string" },
	{ "unit", SETTING_TEXT, IN(point, unit), .min = 1, .max = 64, .help = "of what is shown" },
	{ "decimals", SETTING_INT32, IN(point, decimals), .fallback = "-1", .min = -1, .max = 18,
	  .help = "digits shown behind the point; -1: as they come" },
	{ "scale", SETTING_DECIMAL, IN(point, scale), GIVEN(point, has_scale),
	  .help = "shown = raw x scale + offset (default: 1)" },
	{ "offset", SETTING_DECIMAL, IN(point, offset), GIVEN(point, has_offset), .help = "see scale (default: 0)" },
	{ "kind", SETTING_WORD, IN(point, kind), .fallback = "momentary", .words = kind_words,
	  .help = "what sort of value it is" },
	{ "access", SETTING_WORD, IN(point, access), .fallback = "r", .words = access_words, .min = ACCESS_READ,
	  .help = "r: read, w: write, rw: both; a writable number needs min and max" },
	{ "min", SETTING_DECIMAL, IN(point, min), GIVEN(point, has_min), .help = "least value shown or written" },
	{ "max", SETTING_DECIMAL, IN(point, max), GIVEN(point, has_max), .help = "greatest value shown or written" },
	{ "deadband", SETTING_DECIMAL, IN(point, deadband), GIVEN(point, has_deadband),
	  .help = "friends hear only of changes of at least this much (default: of every change)" },
	{ "min_interval", SETTING_DURATION, IN(point, min_interval_ms), .fallback = "10s", .max = DAY,
	  .help = "least time between two notifications of friends" },
	{ "max_interval", SETTING_DURATION, IN(point, max_interval_ms), .max = 30LL * DAY,
	  .help = "a value that is read again is told at least this often though it did not change (default: only "
		  "changes)" },
	{ "wrap", SETTING_DECIMAL, IN(point, wrap), GIVEN(point, has_wrap),
	  .help = "of a counter: the raw reading begins at 0 again when it reaches this, as 65536; the total goes on "
		  "(default: what the device says is shown)" },
	{ "poll", SETTING_DURATION, IN(point, poll_ms), .min = 10, .max = 30LL * DAY,
	  .help = "how often it is read (default: see the protocol)" },
	{ "stale", SETTING_DURATION, IN(point, stale_ms), .max = 400LL * DAY, .flags = SETTING_ZERO,
	  .help = "a value is old after this time, 0s: never (default: the device's, else 3 x poll + 1 s, never if not "
		  "polled)" },
	{ "history", SETTING_DURATION, IN(point, history_ms), .max = 400LL * DAY, .flags = SETTING_ZERO,
	  .help = "how long what was seen is kept for friends who ask for it, 0s: not at all (default: the device's, else "
		  "0s)" },
	{ "words", SETTING_LIST, IN(point, words), .rows = word_rows, .size = sizeof(struct word),
	  .help = "names for the values of an enumeration" },
	{ "choices", SETTING_VALUES, IN(point, choices), .help = "of a text: the only words that it shows and takes" },
	{ "nan", SETTING_VALUES, IN(point, nan), .help = "raw values that mean \"no value\"" },
	{ "thing", SETTING_BOOL, IN(point, hidden), .fallback = "true", .flags = SETTING_NOT,
	  .help = "false keeps it out of XMPP" },
	{ "jid", SETTING_TEXT, IN(point, jid), .min = 1, .max = LIMIT_JID_PART,
	  .help = "part before the @ of its JID (default: device.point)" },
	{ "disable", SETTING_BOOL, IN(point, disabled), .fallback = "false", .help = "true leaves it out" },
	{ "password_file", SETTING_TEXT, IN(point, password_file), .min = 1, .max = 4000,
	  .help = "accounts mode: file with the password of the thing's account" },
	{ "write", SETTING_GROUP, .rows = write_rows, .help = "how it is written; the protocol adds its own keys" },
	{ 0 },
};

_Static_assert(offsetof(struct point, n_words) == offsetof(struct point, words) + offsetof(struct setting_list, n),
	       "words are a setting_list");
_Static_assert(offsetof(struct point, n_choices) == offsetof(struct point, choices) + offsetof(struct setting_values, n),
	       "choices are a setting_values");
_Static_assert(offsetof(struct point, n_nan) == offsetof(struct point, nan) + offsetof(struct setting_values, n),
	       "nan is a setting_values");

const struct setting rows_device_bus[] = {
	{ "bus", SETTING_TEXT, IN(rows_device, bus), .flags = SETTING_REQUIRED, .help = "id of the bus it is on" },
	{ "template", SETTING_TEXT, IN(rows_device, template),
	  .help = "name of the template that its points and options come from" },
	{ "units", SETTING_TEXT, IN(rows_device, units),
	  .help = "makes one device of this block for each number, range or word, as \"1-30\": `${unit}` stands for it "
		  "in "
		  "every text" },
	{ 0 },
};

const struct setting rows_device[] = {
	{ "id", SETTING_TEXT, IN(device, id), .flags = SETTING_REQUIRED,
	  .help = "its identity: part of the JID and key of what is stored; a-z 0-9 _ -" },
	{ "name", SETTING_NAMES, IN(device, names), .help = "for people, free to change (default: the id)" },
	{ "things", SETTING_WORD, IN(device, gathering), .fallback = "point", .words = things_words,
	  .help = "point: each point is a thing, device.point@domain; device: one thing with the points as its "
		  "fields" },
	{ "stale", SETTING_DURATION, IN(device, stale_ms), .max = 400LL * DAY, .flags = SETTING_ZERO,
	  .help = "a value is old after this time: for points that do not say it" },
	{ "history", SETTING_DURATION, IN(device, history_ms), .fallback = "0s", .max = 400LL * DAY, .flags = SETTING_ZERO,
	  .help = "how long what was seen is kept: for points that do not say it" },
	{ "password_file", SETTING_TEXT, IN(device, password_file), .min = 1, .max = 4000,
	  .help = "accounts mode, things = \"device\": file with the password of its account" },
	{ "points", SETTING_BLOCKS, .rows = rows_point,
	  .help = "what it measures and takes; required without a template" },
	{ "override", SETTING_BLOCKS, .rows = rows_point,
	  .help = "over the template: a point with the id of one of its points changes that, with a new id adds one" },
	{ 0 },
};

static const struct setting probe_rows[] = {
	{ "point", SETTING_TEXT, IN(template_probe, point), .flags = SETTING_REQUIRED,
	  .help = "id of the point to read" },
	{ "min", SETTING_DECIMAL, IN(template_probe, min), .flags = SETTING_REQUIRED, .help = "least plausible value" },
	{ "max", SETTING_DECIMAL, IN(template_probe, max), .flags = SETTING_REQUIRED,
	  .help = "greatest plausible value" },
	{ 0 },
};

const struct setting rows_template[] = {
	{ "template", SETTING_TEXT, IN(template_head, name), .flags = SETTING_REQUIRED,
	  .help = "its name, that of the file without .conf" },
	{ "version", SETTING_INT, IN(template_head, version), .min = 1, .max = 1000000, .flags = SETTING_REQUIRED,
	  .help = "grows with each change" },
	{ "protocol", SETTING_TEXT, IN(template_head, protocol), .min = 1, .max = 40, .flags = SETTING_REQUIRED,
	  .help = "of the bus; modbus is every protocol that begins with modbus-" },
	{ "probe", SETTING_GROUP, IN(template_head, probe), .rows = probe_rows, GIVEN(template_head, has_probe),
	  .help = "what a scan reads to know the model, and what is plausible" },
	{ "things", SETTING_LATER,
	  .help = "what its devices say when they do not say it; so may each key that the protocol has for "
		  "devices" },
	{ "stale", SETTING_LATER,
	  .help = "what its devices say when they do not say it; so may each key that the protocol has for "
		  "devices" },
	{ "defaults", SETTING_LATER, .help = "group: what its points say when they do not say it" },
	{ "points", SETTING_BLOCKS, .rows = rows_point, .flags = SETTING_REQUIRED,
	  .help = "what it measures and takes" },
	{ 0 },
};

const struct setting rows_file[] = {
	{ "gateway", SETTING_GROUP, IN(conf, gateway), .rows = gateway_rows, .help = "the program" },
	{ "xmpp", SETTING_GROUP, IN(conf, xmpp), .rows = rows_xmpp, GIVEN(conf, xmpp.given),
	  .help = "the server that carries the things" },
	{ "provisioning", SETTING_GROUP, IN(conf, provisioning), .rows = provisioning_rows,
	  .help = "who decides about owners and friends" },
	{ "provisioner", SETTING_GROUP, IN(conf, provisioner), .rows = rows_provisioner, GIVEN(conf, provisioner.given),
	  .help = "this process is a provisioning service too" },
	{ "buses", SETTING_BLOCKS, .rows = rows_bus, .help = "what devices are reached by" },
	{ "devices", SETTING_BLOCKS, .rows = rows_device, .help = "what is on the buses; more in devices.d/*.conf" },
	{ 0 },
};

const struct setting rows_devices_d[] = {
	{ "devices", SETTING_BLOCKS, .rows = rows_device, .help = "what is on the buses" },
	{ 0 },
};

void rows_complete(struct conf *c)
{
	bool accounts = c->xmpp.mode == MODE_ACCOUNTS;
	if (!c->xmpp.host)
		c->xmpp.host = mem_text(accounts ? "" : "127.0.0.1");
	if (c->xmpp.port == 0)
		c->xmpp.port = accounts ? CLIENT_PORT : COMPONENT_PORT;
	if (c->gateway.names.n == 0)
		names_add(&c->gateway.names, "", "jidgate");
}
