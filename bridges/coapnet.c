#include "bridges/coapnet.h"

#include "bridges/coapdtls.h"
#include "core/base/mem.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

static const int64_t CLOCK_STEP_MS = 1000;

static int64_t clock_ms(const struct coapnet *net)
{
	return loop_utc(net->loop) - loop_now(net->loop);
}

void coapnet_check_clock(struct coapnet *net)
{
	int64_t moved_ms = clock_ms(net) - net->clock_ms;
	if (moved_ms > -CLOCK_STEP_MS && moved_ms < CLOCK_STEP_MS)
		return;
	net->clock_ms += moved_ms;
	net->on_jump(net);
}

void coapnet_enter(struct coapnet *net)
{
	net->inside++;
}

void coapnet_leave(struct coapnet *net)
{
	struct list *first;
	while (net->inside == 1 && !net->closing && (first = list_pop(&net->errands))) {
		struct coapnet_errand *errand = list_of(first, struct coapnet_errand, link);
		errand->run(errand->ctx);
	}
	if (--net->inside == 0 && net->closing && net->holds == 0)
		net->on_end(net);
}

void coapnet_send(struct coapnet *net, struct coapnet_errand *errand)
{
	must(net->inside > 0);
	if (!list_in(&errand->link))
		list_add(&net->errands, &errand->link);
}

void coapnet_hold(struct coapnet *net)
{
	net->holds++;
}

void coapnet_release(struct coapnet *net)
{
	must(net->inside > 0);
	net->holds--;
}

static void write_key(const uint8_t *token, char *ret)
{
	for (size_t i = 0; i < COAPMSG_TOKEN; i++)
		snprintf(ret + 2 * i, 3, "%02x", token[i]);
}

void coapnet_issue(struct coapnet *net, struct coapnet_ticket *t)
{
	coapnet_void(net, t);
	must(getrandom(t->token, sizeof(t->token), 0) == sizeof(t->token));
	write_key(t->token, t->key);
	map_put(&net->tickets, t->key, t);
}

void coapnet_void(struct coapnet *net, struct coapnet_ticket *t)
{
	if (t->key[0])
		map_drop(&net->tickets, t->key);
	t->key[0] = '\0';
}

static struct coapnet_ticket *ticket_of(const struct coapnet *net, const coap_session_t *session, const coap_pdu_t *pdu)
{
	char key[2 * COAPMSG_TOKEN + 1];
	coap_bin_const_t token = coap_pdu_get_token(pdu);
	if (token.length != COAPMSG_TOKEN || net->closing)
		return NULL;
	write_key(token.s, key);
	struct coapnet_ticket *t = map_find(&net->tickets, key);
	return t && t->session == session ? t : NULL;
}

/* `sent` is NULL for notifications and separate answers, and may be a stranger for what came as NON: only an
 * acknowledgement with the same token proves that this answers that. */
static bool is_match(const coap_pdu_t *sent, const coap_pdu_t *received)
{
	if (!sent || coap_pdu_get_type(received) != COAP_MESSAGE_ACK)
		return false;
	coap_bin_const_t asked = coap_pdu_get_token(sent), got = coap_pdu_get_token(received);
	return asked.length == got.length && memcmp(asked.s, got.s, got.length) == 0;
}

static coap_response_t on_response(coap_session_t *session, const coap_pdu_t *sent, const coap_pdu_t *received,
				   const coap_mid_t mid)
{
	struct coapnet *net = coap_get_app_data(coap_session_get_context(session));
	struct coapnet_ticket *t = ticket_of(net, session, received);
	(void)mid;
	if (t) {
		struct coapmsg_answer a = coapmsg_read(received);
		if (t->on_answer(t->ctx, &a, is_match(sent, received)))
			return COAP_RESPONSE_OK;
	}
	/* libcoap would also reset an acknowledgement, by the number of our own message: the device might take it for one
	 * of its notifications. */
	return coap_pdu_get_type(received) == COAP_MESSAGE_ACK ? COAP_RESPONSE_OK : COAP_RESPONSE_FAIL;
}

/* Not in the list: what we took back ourselves. */
static const struct {
	coap_nack_reason_t reason;
	enum coapnet_nack why;
} nacks[] = {
	{ COAP_NACK_ICMP_ISSUE, COAPNET_UNREACHABLE },
	{ COAP_NACK_TOO_MANY_RETRIES, COAPNET_SILENT },
	{ COAP_NACK_RST, COAPNET_RESET },
};

static void on_nack(coap_session_t *session, const coap_pdu_t *sent, const coap_nack_reason_t reason,
		    const coap_mid_t mid)
{
	struct coapnet *net = coap_get_app_data(coap_session_get_context(session));
	struct coapnet_ticket *t = sent ? ticket_of(net, session, sent) : NULL;
	(void)mid;
	for (size_t i = 0; t && i < sizeof(nacks) / sizeof(nacks[0]); i++)
		if (nacks[i].reason == reason) {
			t->on_nack(t->ctx, nacks[i].why);
			return;
		}
}

static void on_watch(void *ctx, int events)
{
	struct coapway *way = ctx;
	struct coapnet *net = way->net;
	(void)events;
	coapnet_enter(net);
	coapnet_check_clock(net);
	coap_io_process(way->context, COAP_IO_NO_WAIT);
	coapnet_leave(net);
}

static void free_way(struct coapway *way)
{
	watch_free(way->watch);
	coap_free_context(way->context);
	coapdtls_forget(way);
	mem_free(way);
}

static struct coapway *new_way(struct coapnet *net, const struct coaprows_secure *secure, struct err *e)
{
	struct coapway *way = mem_new(sizeof(*way));
	way->net = net;
	way->secure = secure;
	way->context = coap_new_context(NULL);
	if (!way->context || (secure && coapdtls_prepare(way, e) < 0)) {
		if (!way->context)
			err_set(e, "libcoap has no context for us");
		free_way(way);
		return NULL;
	}
	coap_set_app_data(way->context, net);
	coap_register_response_handler(way->context, on_response);
	coap_register_nack_handler(way->context, on_nack);
	way->watch = watch_new(net->loop, coap_context_get_coap_fd(way->context), WATCH_READ, on_watch, way);
	list_add(&net->ways, &way->link);
	return way;
}

static bool is_same(const struct coaprows_secure *a, const struct coaprows_secure *b)
{
	if (!a || !b)
		return a == b;
	return text_same(a->psk_identity, b->psk_identity) && text_same(a->psk, b->psk) &&
	       a->tls.given == b->tls.given && text_same(a->tls.ca_file, b->tls.ca_file) &&
	       text_same(a->tls.cert_file, b->tls.cert_file) && text_same(a->tls.key_file, b->tls.key_file);
}

const struct coapway *coapnet_way(struct coapnet *net, const struct coaprows_secure *secure, struct err *e)
{
	list_each (at, &net->ways) {
		struct coapway *way = list_of(at, struct coapway, link);
		if (is_same(way->secure, secure))
			return way;
	}
	return new_way(net, secure, e);
}

int coapnet_open(struct coapnet *net, struct loop *loop, struct err *e)
{
	coap_set_log_level(LOG_EMERG); /* it would write to stderr by itself */
	coap_dtls_set_log_level(LOG_EMERG);
	net->loop = loop;
	net->closing = false;
	list_init(&net->errands);
	list_init(&net->ways);
	net->clock_ms = clock_ms(net);
	if (coapnet_way(net, NULL, e))
		return 0;
	net->loop = NULL;
	return -1;
}

void coapnet_close(struct coapnet *net)
{
	struct list *first;
	while ((first = list_pop(&net->ways)))
		free_way(list_of(first, struct coapway, link));
	map_free(&net->tickets);
	net->loop = NULL;
}
