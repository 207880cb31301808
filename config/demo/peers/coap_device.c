/*
 * A CoAP device to try the gateway on: a garden node with a thermometer and a lamp.
 *
 *	coap_device PORT       on 127.0.0.1
 *
 *	/sensors/temp   text/plain, observable: 21.5
 *	/sensors/json   application/json: {"temperature": 21.5, "humidity": 48}
 *	/lamp           text/plain, observable: on | off
 *	/moving         text/plain: on | off; on lets the temperature move by itself
 *
 * Each can be changed from outside with coap-client -m put, so a test decides what the sensors see. One thread.
 */
#include <coap3/coap.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

#define BODY_SIZE 256 /* a body is one small datagram: no blockwise here */
#define DRIFT_MS  1000

enum { TEMPERATURE = 0, MOVING = 3 }; /* rows of the table in main */

struct resource {
	const char *path;
	uint16_t format;
	bool (*accepts)(const char *body);
	char body[BODY_SIZE];
	coap_resource_t *resource;
};

static bool any(const char *body)
{
	return body[0] != '\0';
}

static bool on_or_off(const char *body)
{
	return !strcmp(body, "on") || !strcmp(body, "off");
}

static struct resource *resource_of(coap_resource_t *r)
{
	return coap_resource_get_userdata(r);
}

static void get(coap_resource_t *r, coap_session_t *session, const coap_pdu_t *request, const coap_string_t *query,
		coap_pdu_t *response)
{
	struct resource *it = resource_of(r);
	unsigned char format[4];

	(void)session, (void)request, (void)query;
	coap_pdu_set_code(response, COAP_RESPONSE_CODE_CONTENT);
	coap_add_option(response, COAP_OPTION_CONTENT_FORMAT, coap_encode_var_safe(format, sizeof format, it->format),
			format);
	coap_add_data(response, strlen(it->body), (const uint8_t *)it->body);
}

static void put(coap_resource_t *r, coap_session_t *session, const coap_pdu_t *request, const coap_string_t *query,
		coap_pdu_t *response)
{
	struct resource *it = resource_of(r);
	const uint8_t *data = NULL;
	size_t size = 0;
	char body[BODY_SIZE] = "";

	(void)session, (void)query;
	if (coap_get_data(request, &size, &data) && size < sizeof body)
		memcpy(body, data, size);
	if (!it->accepts(body)) {
		coap_pdu_set_code(response, COAP_RESPONSE_CODE_BAD_REQUEST);
		return;
	}
	memcpy(it->body, body, sizeof body);
	coap_pdu_set_code(response, COAP_RESPONSE_CODE_CHANGED);
	coap_resource_notify_observers(r, NULL);
	printf("/%s = %s\n", it->path, it->body);
}

static void offer(coap_context_t *context, struct resource *it)
{
	it->resource = coap_resource_init(coap_make_str_const(it->path), 0);
	coap_resource_set_userdata(it->resource, it);
	coap_resource_set_get_observable(it->resource, 1);
	coap_register_request_handler(it->resource, COAP_REQUEST_GET, get);
	coap_register_request_handler(it->resource, COAP_REQUEST_PUT, put);
	coap_add_resource(context, it->resource);
}

/* A triangle between 20.5 and 22.5, a tenth a second: it is seen to move, and every value is plausible. */
static void drift(struct resource *temperature)
{
	int phase = (int)(time(NULL) % 40);
	char body[BODY_SIZE];

	snprintf(body, sizeof body, "%.1f", 20.5 + 0.1 * (phase < 20 ? phase : 40 - phase));
	if (!strcmp(body, temperature->body))
		return; /* else every acknowledgement would be answered by a notification */
	memcpy(temperature->body, body, sizeof body);
	coap_resource_notify_observers(temperature->resource, NULL);
}

static coap_context_t *listen_on(unsigned long port)
{
	coap_address_t address;
	coap_context_t *context = coap_new_context(NULL);

	coap_address_init(&address);
	address.addr.sin.sin_family = AF_INET;
	address.addr.sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	address.addr.sin.sin_port = htons((uint16_t)port);
	address.size = sizeof address.addr.sin;
	if (context && coap_new_endpoint(context, &address, COAP_PROTO_UDP))
		return context;
	coap_free_context(context);
	return NULL;
}

int main(int argc, char **argv)
{
	struct resource resources[] = {
		{ .path = "sensors/temp", .format = COAP_MEDIATYPE_TEXT_PLAIN, .accepts = any, .body = "21.5" },
		{ .path = "sensors/json",
		  .format = COAP_MEDIATYPE_APPLICATION_JSON,
		  .accepts = any,
		  .body = "{\"temperature\": 21.5, \"humidity\": 48}" },
		{ .path = "lamp", .format = COAP_MEDIATYPE_TEXT_PLAIN, .accepts = on_or_off, .body = "off" },
		{ .path = "moving", .format = COAP_MEDIATYPE_TEXT_PLAIN, .accepts = on_or_off, .body = "off" },
	};
	coap_context_t *context;

	if (argc != 2) {
		fprintf(stderr, "usage: coap_device PORT\n");
		return 2;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setvbuf(stdout, NULL, _IOLBF, 0);
	coap_startup();
	context = listen_on(strtoul(argv[1], NULL, 10));
	if (!context) {
		fprintf(stderr, "port %s: %s\n", argv[1], strerror(errno));
		return 1;
	}
	for (size_t i = 0; i < sizeof resources / sizeof resources[0]; i++)
		offer(context, &resources[i]);
	printf("ready on port %s\n", argv[1]);
	while (coap_io_process(context, DRIFT_MS) >= 0) {
		if (!strcmp(resources[MOVING].body, "on"))
			drift(&resources[TEMPERATURE]);
	}
	coap_free_context(context);
	return 1;
}
