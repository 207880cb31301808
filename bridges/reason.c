#include "bridges/reason.h"

#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <string.h>

#define N(table) (sizeof(table) / sizeof((table)[0]))

const char *reason_of_error(int code, int error)
{
	static const struct {
		int code;
		const char *words;
	} rows[] = {
		{ MOSQ_ERR_CONN_LOST, "the broker closed the connection" },
		{ MOSQ_ERR_PROTOCOL, "the broker sent what is not MQTT" },
		{ MOSQ_ERR_MALFORMED_PACKET, "the broker sent what is not MQTT" },
		{ MOSQ_ERR_MALFORMED_UTF8, "the broker sent what is not MQTT" },
		{ MOSQ_ERR_DUPLICATE_PROPERTY, "the broker sent what is not MQTT" },
		{ MOSQ_ERR_KEEPALIVE, "the broker is silent" },
		{ MOSQ_ERR_EAI, "the name of the broker is not known" },
	};
	for (size_t i = 0; i < N(rows); i++)
		if (rows[i].code == code)
			return rows[i].words;
	return code == MOSQ_ERR_ERRNO && error ? strerror(error) : mosquitto_strerror(code);
}

const char *reason_of_refusal(int code)
{
	static const struct {
		int code_3, code_5;
		const char *words;
	} rows[] = {
		{ 1, MQTT_RC_UNSUPPORTED_PROTOCOL_VERSION, "it does not speak this version of MQTT; change version" },
		{ 2, MQTT_RC_CLIENTID_NOT_VALID, "it does not like the client_id" },
		{ 3, MQTT_RC_SERVER_UNAVAILABLE, "it is not available" },
		{ 4, MQTT_RC_BAD_USERNAME_OR_PASSWORD, "wrong user or password" },
		{ 5, MQTT_RC_NOT_AUTHORIZED, "not authorized: wrong user or password, or client_id not allowed" },
	};
	for (size_t i = 0; i < N(rows); i++)
		if (rows[i].code_3 == code || rows[i].code_5 == code)
			return rows[i].words;
	return mosquitto_reason_string(code);
}
