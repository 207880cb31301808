#include "bridges/broker_inside.h"
#include "bridges/reason.h"
#include "core/base/mem.h"

#include <errno.h>
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <stdio.h>
#include <string.h>

enum { REASONS = 128 /* reason codes from here on are failures (MQTT 5, 2.4) */, SESSION_PRESENT = 1 };

static void lose_rc(struct broker *b, int rc, int error)
{
	if (rc)
		broker_lose(b, reason_of_error(rc, error));
}

/* --- what the library calls --- */

static void on_connect(struct mosquitto *m, void *ctx, int code, int flags, const mosquitto_property *properties)
{
	(void)m, (void)properties;
	struct broker *b = ctx;
	char words[160];
	snprintf(words, sizeof(words), "the broker refuses: %s", reason_of_refusal(code));
	if (code)
		broker_lose(b, words);
	else if (flags & SESSION_PRESENT) /* MQTT 5, 3.2.2.1.1: what waited there would be taken for new */
		broker_lose(b, "the broker kept a session that was to end");
	else
		b->accepted = true;
}

static void on_disconnect(struct mosquitto *m, void *ctx, int code, const mosquitto_property *properties)
{
	(void)m, (void)properties;
	char words[160];
	snprintf(words, sizeof(words), "the broker ended the connection: %s", mosquitto_reason_string(code));
	if (code >= REASONS)
		broker_lose(ctx, words);
}

/* What of version 5 an answer to a write has; both are the caller's to free. */
static void read_properties(const mosquitto_property *properties, struct broker_message *ret, void **ret_correlation,
			    char **ret_error)
{
	uint16_t size = 0;
	char *name = NULL, *value = NULL;
	if (mosquitto_property_read_binary(properties, MQTT_PROP_CORRELATION_DATA, ret_correlation, &size, false)) {
		ret->correlation = *ret_correlation ? *ret_correlation : "";
		ret->correlation_size = size;
	}
	for (const mosquitto_property *p = properties;
	     !*ret_error &&
	     (p = mosquitto_property_read_string_pair(p, MQTT_PROP_USER_PROPERTY, &name, &value, p != properties));) {
		bool is_error = name && strcmp(name, "error") == 0;
		*ret_error = is_error ? value : NULL;
		mem_free(name);
		if (!is_error)
			mem_free(value);
		name = value = NULL;
	}
	ret->error = *ret_error;
}

static void on_message(struct mosquitto *m, void *ctx, const struct mosquitto_message *message,
		       const mosquitto_property *properties)
{
	(void)m;
	struct broker *b = ctx;
	void *correlation = NULL;
	char *error = NULL;
	struct broker_message told = { .topic = message->topic,
				       .bytes = message->payload ? message->payload : "",
				       .size = (size_t)message->payloadlen,
				       .retained = message->retain };
	if (b->closing)
		return;
	if (properties)
		read_properties(properties, &told, &correlation, &error);
	b->events->on_message(b->ctx, &told);
	mem_free(correlation);
	mem_free(error);
}

static void on_publish(struct mosquitto *m, void *ctx, int mid, int code, const mosquitto_property *properties)
{
	(void)m, (void)properties;
	struct broker *b = ctx;
	struct err why;
	if (code >= REASONS)
		err_set(&why, "the broker refuses: %s", mosquitto_reason_string(code));
	if (!b->closing)
		b->events->on_published(b->ctx, mid, code >= REASONS ? &why : NULL);
}

static void on_subscribe(struct mosquitto *m, void *ctx, int mid, int n, const int *codes,
			 const mosquitto_property *properties)
{
	(void)m, (void)properties;
	struct broker *b = ctx;
	bool *refused = mem_array((size_t)n, sizeof(*refused));
	for (int i = 0; i < n; i++)
		refused[i] = codes[i] >= REASONS;
	if (!b->closing)
		b->events->on_subscribed(b->ctx, mid, refused, (size_t)n);
	mem_free(refused);
}

/* --- the handle --- */

struct mosquitto *broker_handle_new(struct broker *b)
{
	char id[32];
	const struct broker_options *o = &b->options;
	snprintf(id, sizeof(id), "jidgate-%08x", loop_random(b->loop, UINT32_MAX));
	struct mosquitto *m = mosquitto_new(o->client_id ? o->client_id : id, true, b);
	must(m);
	mosquitto_int_option(m, MOSQ_OPT_PROTOCOL_VERSION, o->version_5 ? MQTT_PROTOCOL_V5 : MQTT_PROTOCOL_V311);
	mosquitto_username_pw_set(m, o->user, o->password);
	if (o->status_topic)
		must(mosquitto_will_set(m, o->status_topic, (int)strlen(o->status_offline), o->status_offline, 1,
					true) == MOSQ_ERR_SUCCESS);
	mosquitto_connect_v5_callback_set(m, on_connect);
	mosquitto_disconnect_v5_callback_set(m, on_disconnect);
	mosquitto_message_v5_callback_set(m, on_message);
	mosquitto_publish_v5_callback_set(m, on_publish);
	mosquitto_subscribe_v5_callback_set(m, on_subscribe);
	return m;
}

void broker_handle_free(struct mosquitto *m)
{
	mosquitto_destroy(m);
}

/* A session that outlives the connection would bring what waited at the broker, of unknown age, as new: it must not. */
int broker_handle_connect(struct broker *b, struct err *e)
{
	mosquitto_property *properties = NULL;
	if (b->options.version_5) {
		mosquitto_property_add_int32(&properties, MQTT_PROP_MAXIMUM_PACKET_SIZE, GUARD_BODY_MOST);
		mosquitto_property_add_int16(&properties, MQTT_PROP_RECEIVE_MAXIMUM, GUARD_UNFINISHED);
		mosquitto_property_add_int32(&properties, MQTT_PROP_SESSION_EXPIRY_INTERVAL, 0);
	}
	errno = 0;
	int rc = mosquitto_connect_bind_v5(b->m, "127.0.0.1", b->join.port, b->options.keepalive_s, NULL, properties);
	int error = errno;
	mosquitto_property_free_all(&properties);
	return rc ? err_set(e, "%s", reason_of_error(rc, error)) : join_end(&b->join, mosquitto_socket(b->m), e);
}

bool broker_is_connected(const struct broker *b)
{
	return mosquitto_socket(b->m) >= 0;
}

void broker_read_packets(struct broker *b, int n)
{
	for (int i = 0; i < n && !b->lost && !b->closing; i++) {
		b->inside++;
		int rc = mosquitto_loop_read(b->m, 1);
		b->inside--;
		lose_rc(b, rc, errno);
	}
}

bool broker_write_more(struct broker *b)
{
	if (!mosquitto_want_write(b->m))
		return false;
	b->inside++;
	int rc = mosquitto_loop_write(b->m, 1);
	b->inside--;
	lose_rc(b, rc, errno);
	return !rc;
}

void broker_keep_alive(struct broker *b)
{
	b->inside++;
	lose_rc(b, mosquitto_loop_misc(b->m), errno);
	b->inside--;
}

static void say(struct broker *b, const char *word)
{
	if (!b->options.status_topic)
		return;
	b->inside++;
	lose_rc(b, mosquitto_publish(b->m, NULL, b->options.status_topic, (int)strlen(word), word, 1, true), errno);
	b->inside--;
}

void broker_say_online(struct broker *b)
{
	say(b, b->options.status_online);
}

/* The broker forgets the will of who takes his leave, so we say it ourselves. */
void broker_take_leave(struct broker *b)
{
	say(b, b->options.status_offline);
	b->inside++;
	mosquitto_disconnect(b->m);
	b->inside--;
}

/* --- what the driver asks --- */

/* An answer that is about this one message does not end the connection. */
static int judge(struct broker *b, int rc, int error, struct err *e)
{
	static const int about_message[] = {
		MOSQ_ERR_INVAL,           MOSQ_ERR_PAYLOAD_SIZE,      MOSQ_ERR_MALFORMED_UTF8,
		MOSQ_ERR_OVERSIZE_PACKET, MOSQ_ERR_QOS_NOT_SUPPORTED, MOSQ_ERR_RETAIN_NOT_SUPPORTED,
		MOSQ_ERR_NOT_SUPPORTED
	};
	b->inside--;
	if (rc != MOSQ_ERR_SUCCESS)
		err_set(e, "the broker cannot take it: %s", reason_of_error(rc, error));
	for (size_t i = 0; i < sizeof(about_message) / sizeof(about_message[0]); i++)
		if (about_message[i] == rc)
			return BROKER_REFUSED;
	lose_rc(b, rc, error);
	broker_settle_soon(b);
	return rc == MOSQ_ERR_SUCCESS ? BROKER_TAKEN : BROKER_LOST;
}

static bool enter(struct broker *b, struct err *e)
{
	if (b->state != BROKER_UP || b->lost || b->closing) {
		err_set(e, "not connected to the broker");
		return false;
	}
	b->inside++;
	return true;
}

int broker_publish(struct broker *b, const struct broker_publication *p, int *ret_mid, struct err *e)
{
	mosquitto_property *properties = NULL;
	if (!enter(b, e))
		return BROKER_LOST;
	if (p->response_topic) {
		mosquitto_property_add_string(&properties, MQTT_PROP_RESPONSE_TOPIC, p->response_topic);
		mosquitto_property_add_binary(&properties, MQTT_PROP_CORRELATION_DATA, p->correlation,
					      (uint16_t)p->correlation_size);
	}
	int rc = mosquitto_publish_v5(b->m, ret_mid, p->topic, (int)p->size, p->bytes, p->qos, p->retain, properties);
	int error = errno;
	mosquitto_property_free_all(&properties);
	return judge(b, rc, error, e);
}

/* A topic that we write to ourselves must not echo: version 5 has an option for that. */
int broker_subscribe(struct broker *b, char *const *topics, size_t n, int qos, int *ret_mid, struct err *e)
{
	if (!enter(b, e))
		return BROKER_LOST;
	int options = b->options.version_5 ? MQTT_SUB_OPT_NO_LOCAL : 0;
	int rc = mosquitto_subscribe_multiple(b->m, ret_mid, (int)n, topics, qos, options, NULL);
	return judge(b, rc, errno, e);
}

int broker_unsubscribe(struct broker *b, const char *topic, struct err *e)
{
	if (!enter(b, e))
		return BROKER_LOST;
	int rc = mosquitto_unsubscribe(b->m, NULL, topic);
	return judge(b, rc, errno, e);
}
