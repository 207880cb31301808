#include "bridges/coappeer.h"

#include "core/base/limits.h"
#include "core/base/mem.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

enum { LIBCOAP_NSTART = 200 }; /* we count ourselves: what waits in libcoap cannot be taken back singly */

static void pump(void *ctx);

static void on_dtls(void *ctx);

static void go_on(struct coappeer *peer)
{
	coapnet_send(peer->net, &peer->pump);
}

struct coappeer *coappeer_new(struct coapnet *net, const struct coaprows_bus *bus,
			      const struct coaprows_device *options)
{
	struct coappeer *peer = mem_new(sizeof(*peer));
	*peer = (struct coappeer){ .net = net, .bus = bus, .options = options, .uri = &options->uri };
	peer->n_addresses = 1;
	peer->heard_at_end = UINT64_MAX;
	peer->dtls.on_change = on_dtls;
	peer->dtls.ctx = peer;
	peer->pump.run = pump;
	peer->pump.ctx = peer;
	list_init(&peer->resources);
	list_init(&peer->queue);
	list_init(&peer->flying);
	list_init(&peer->ending);
	return peer;
}

static void on_dtls(void *ctx)
{
	go_on(ctx);
}

static unsigned szx_of(int64_t block)
{
	unsigned szx = 0;
	while (szx < COAPMSG_SZX && 16 << szx < block)
		szx++;
	return szx;
}

struct coappeer_exchange *coappeer_exchange(struct coappeer *peer, enum coapmsg_kind kind, bool *busy, void *ctx)
{
	struct coappeer_exchange *x = mem_new(sizeof(*x));
	x->peer = peer;
	x->ask = (struct coapmsg_request){ .kind = kind, .uri = peer->uri, .format = COAPMSG_NO_FORMAT };
	x->write = kind == COAPMSG_PUT || kind == COAPMSG_POST;
	x->busy = busy;
	x->ctx = ctx;
	coapblock_init(&x->block, szx_of(peer->options->block));
	list_init(&x->requests);
	return x;
}

static void free_exchange(struct coappeer_exchange *x)
{
	list_drop(&x->link);
	text_free(&x->body);
	coapblock_free(&x->block);
	mem_free(x);
}

/* Out of the air, and out of its list. */
static void take_down(struct coappeer_exchange *x)
{
	list_drop(&x->link);
	coapnet_void(x->peer->net, &x->own);
	if (!x->flying)
		return;
	x->flying = false;
	*x->busy = false;
	x->peer->n_flying--;
	timer_stop(x->peer->net->loop, &x->timer);
}

void coappeer_end(struct coappeer_exchange *x, int status, const struct coapmsg_answer *a, const struct err *why)
{
	struct coappeer *peer = x->peer;
	take_down(x);
	x->ended = true;
	list_add(&peer->ending, &x->link);
	x->on_end(x, status, a, why);
	free_exchange(x);
	go_on(peer);
}

static int64_t flew_for(const struct coappeer_exchange *x)
{
	return loop_now(x->peer->net->loop) - x->sent_ms;
}

/* Later, when libcoap is not in the middle of it. */
static void give_up_session(struct coappeer *peer, const char *why)
{
	if (peer->session && !peer->dtls.down)
		err_set(&peer->dtls.why, "%s", why);
	peer->dtls.down = peer->session != NULL;
	go_on(peer);
}

/* coaps: the device did not answer this, and perhaps does not know the session any more. */
static void count_silence(struct coappeer *peer, const struct coappeer_exchange *x)
{
	peer->lost = peer->heard == x->heard ? peer->lost + 1 : 0;
	if (peer->lost >= peer->bus->max_lost)
		give_up_session(peer, "the device was silent, and may have been restarted");
}

void coappeer_drop(struct coappeer_exchange *x)
{
	struct coappeer *peer = x->peer;
	bool repeated = x->flying, write = x->write;
	if (repeated && peer->uri->secure && flew_for(x) >= peer->bus->ack_timeout_ms * 3 / 2)
		count_silence(peer, x); /* it was sent again at least once */
	take_down(x);
	free_exchange(x);
	if (repeated && (write || (!peer->uri->secure && list_empty(&peer->flying))))
		coappeer_hush(peer); /* a GET may be repeated: its answer goes nowhere */
	go_on(peer);
}

/* Not writes: nobody knows whether they were done. */
static void queue_reads_again(struct coappeer *peer)
{
	list_each (at, &peer->flying) {
		struct coappeer_exchange *x = list_of(at, struct coappeer_exchange, link);
		if (x->write)
			continue;
		take_down(x);
		list_add_first(&peer->queue, &x->link);
	}
}

void coappeer_hush(struct coappeer *peer)
{
	if (!peer->session)
		return;
	if (peer->uri->secure) {
		give_up_session(peer, "what was sent had to be taken back");
		return;
	}
	coap_session_disconnected(peer->session, COAP_NACK_NOT_DELIVERABLE); /* libcoap's word for: forget your queue */
	queue_reads_again(peer);
	go_on(peer);
}

static void drop_session(struct coappeer *peer)
{
	timer_stop(peer->net->loop, &peer->handshake);
	coap_session_set_app_data(peer->session, NULL);                      /* what comes of it is of no interest */
	coap_session_disconnected(peer->session, COAP_NACK_NOT_DELIVERABLE); /* its queue would keep it alive */
	coap_session_release(peer->session);
	peer->session = NULL;
	peer->dtls.up = peer->dtls.down = false;
}

/* Nothing was heard of the address of this session: the next one has its turn. True: not all of them had it. */
static bool turns_elsewhere(struct coappeer *peer)
{
	bool mute = peer->heard == peer->heard_at_begin;
	peer->which += mute;
	peer->tried = mute ? (peer->tried + 1) % peer->n_addresses : 0;
	return peer->tried > 0;
}

/* A device with a name that does not answer at all may have moved. Not while somebody counts on notifications to the
 * port of this session: their own silence ends that first. */
static void consider_moving(struct coappeer *peer, const struct coappeer_exchange *x)
{
	bool silent = peer->heard == x->heard;
	if (!silent || peer->uri->numeric || peer->n_registered || !list_empty(&peer->flying))
		return;
	turns_elsewhere(peer);
	drop_session(peer);
}

/* It was silent: what it would get late must not be sent any more, and it may be another one by now. */
static void take_back(struct coappeer *peer, const struct coappeer_exchange *x)
{
	if (!peer->uri->secure) {
		coappeer_hush(peer);
		consider_moving(peer, x);
		return;
	}
	count_silence(peer, x);
	if (x->write)
		give_up_session(peer, "a write came too late");
}

static void on_timer(void *ctx)
{
	struct coappeer_exchange *x = ctx;
	struct coappeer *peer = x->peer;
	struct coapnet *net = peer->net;
	struct err why;
	err_set(&why, "%sno answer in %lld ms", x->suspect ? "unreachable, " : "", (long long)peer->bus->timeout_ms);
	coapnet_enter(net);
	take_down(x);
	take_back(peer, x);
	coappeer_end(x, x->suspect ? REQUEST_AWAY : REQUEST_TIMEOUT, NULL, &why);
	coapnet_leave(net);
}

/* Before all others: a body should be read before it changes. */
static void ask_for_more(struct coappeer_exchange *x)
{
	int64_t now_ms = loop_now(x->peer->net->loop);
	struct err why;
	x->begun_ms = x->rest ? x->begun_ms : now_ms;
	if (now_ms - x->begun_ms > LIMIT_BODY_MS) {
		err_set(&why, "not all blocks in %lld s", (long long)LIMIT_BODY_MS / 1000);
		coappeer_end(x, REQUEST_TIMEOUT, NULL, &why);
		return;
	}
	take_down(x);
	x->rest = true;
	x->ticket = &x->own;
	x->ask.kind = x->write ? x->ask.kind : COAPMSG_GET;
	list_add_first(&x->peer->queue, &x->link);
	go_on(x->peer);
}

void coappeer_take(struct coappeer_exchange *x, const struct coapmsg_answer *a)
{
	struct coapmsg_answer whole = *a;
	struct err why;
	enum coapblock_step step = x->write ? coapblock_put(&x->block, a, x->ask.body_size, &why)
					    : coapblock_got(&x->block, a, &whole, &why);
	if (step == COAPBLOCK_MORE)
		ask_for_more(x);
	else if (step == COAPBLOCK_WHOLE)
		coappeer_end(x, REQUEST_DONE, &whole, NULL);
	else
		coappeer_end(x, REQUEST_GARBLED, NULL, &why);
}

static bool on_answer(void *ctx, const struct coapmsg_answer *a, bool matched)
{
	struct coappeer_exchange *x = ctx;
	(void)matched; /* the token is enough: nobody else ever had it */
	x->peer->heard++;
	coappeer_take(x, a);
	return true;
}

void coappeer_nack(struct coappeer_exchange *x, enum coapnet_nack nack)
{
	static const struct {
		int status;
		const char *why;
	} ends[] = {
		[COAPNET_SILENT] = { REQUEST_TIMEOUT, "no answer to any of the retransmissions" },
		[COAPNET_RESET] = { REQUEST_REFUSED, "the device rejects the message (RST)" },
	};
	struct err why;
	if (nack == COAPNET_UNREACHABLE) {
		x->suspect = true;
		if (x->peer->heard == x->peer->heard_at_begin && x->peer->tried + 1 < x->peer->n_addresses)
			give_up_session(x->peer, "nobody is there");
		return;
	}
	err_set(&why, "%s", ends[nack].why);
	x->peer->heard += nack == COAPNET_RESET;
	if (nack == COAPNET_SILENT && x->peer->uri->secure)
		take_back(x->peer, x);
	coappeer_end(x, nack == COAPNET_SILENT && x->suspect ? REQUEST_AWAY : ends[nack].status, NULL, &why);
}

static void on_nack(void *ctx, enum coapnet_nack nack)
{
	coappeer_nack(ctx, nack);
}

/* The error of an earlier message (ICMP) is reported to the next one, which is then not sent: once more. */
static int launch(struct coappeer_exchange *x, struct err *e)
{
	struct coapmsg_request ask = x->ask;
	coapblock_ask(&x->block, &ask);
	for (int tries = 0; tries < 2; tries++) {
		coap_pdu_t *pdu = coapmsg_new(x->peer->session, &ask);
		if (!pdu) {
			err_set(e, "the value is too large for one message");
			return REQUEST_REFUSED;
		}
		if (coap_send(x->peer->session, pdu) != COAP_INVALID_MID)
			return REQUEST_DONE;
		x->suspect = true;
	}
	err_set(e, "cannot be sent: %s", strerror(errno));
	return REQUEST_AWAY;
}

static void fly(struct coappeer_exchange *x)
{
	struct coappeer *peer = x->peer;
	struct err why;
	list_drop(&x->link);
	list_add(&peer->flying, &x->link);
	x->flying = *x->busy = true;
	x->suspect = false;
	x->heard = peer->heard;
	x->sent_ms = loop_now(peer->net->loop);
	peer->n_flying++;
	if (x->on_fly && !x->rest)
		x->on_fly(x);
	if (!x->ticket || x->ticket == &x->own) {
		x->ticket = &x->own;
		x->own.on_answer = on_answer;
		x->own.on_nack = on_nack;
		x->own.ctx = x;
		coapnet_issue(peer->net, &x->own);
	}
	x->ticket->session = peer->session;
	x->ask.token = x->ticket->token;
	timer_set(peer->net->loop, &x->timer, peer->bus->timeout_ms, on_timer, x);
	int status = launch(x, &why);
	if (status != REQUEST_DONE)
		coappeer_end(x, status, NULL, &why);
}

static struct coappeer_exchange *next_of(const struct coappeer *peer)
{
	struct coappeer_exchange *first = NULL;
	list_each (at, &peer->queue) {
		struct coappeer_exchange *x = list_of(at, struct coappeer_exchange, link);
		if (*x->busy)
			continue;
		if (x->write)
			return x;
		if (!first)
			first = x;
	}
	return first;
}

static void end_queued(struct coappeer *peer, const struct err *why)
{
	size_t n = 0;
	list_each (at, &peer->queue)
		n++;
	while (n-- && !list_empty(&peer->queue))
		coappeer_end(list_of(peer->queue.next, struct coappeer_exchange, link), REQUEST_AWAY, NULL, why);
}

static void on_handshake_late(void *ctx)
{
	struct coappeer *peer = ctx;
	struct coapnet *net = peer->net;
	coapnet_enter(net);
	give_up_session(peer, coaprows_secure(peer->bus, peer->options)->tls.given
				      ? "no DTLS handshake in time"
				      : "no DTLS handshake in time: nobody is there, or he does not know this identity "
					"with this key");
	coapnet_leave(net);
}

/* A write under way may have been done or not: it ends when it is late. All others are asked for in the next session, unless
 * the one before heard nothing either and there is no other address. */
static void end_session(struct coappeer *peer)
{
	struct err why = peer->dtls.why;
	bool useful = peer->dtls.up && peer->heard != peer->heard_at_end;
	bool elsewhere = turns_elsewhere(peer);
	peer->heard_at_end = peer->heard;
	peer->lost = 0;
	drop_session(peer);
	queue_reads_again(peer);
	if (!useful && !elsewhere)
		end_queued(peer, &why);
	if (peer->on_lost)
		peer->on_lost(peer);
}

static int open_session(struct coappeer *peer, const struct sockaddr_storage *address, struct err *e)
{
	const struct coaprows_bus *o = peer->bus;
	coap_address_t to;
	coap_address_init(&to);
	to.size = resolve_size(address);
	memcpy(&to.addr, address, to.size);
	const struct coaprows_secure *secure = coaprows_secure(o, peer->options);
	const struct coapway *way = coapnet_way(peer->net, secure, e);
	if (!way)
		return -1;
	peer->dtls.name = secure && secure->tls.server_name ? secure->tls.server_name : peer->uri->host;
	if (secure)
		timer_set(peer->net->loop, &peer->handshake, o->handshake_ms, on_handshake_late, peer);
	peer->session = secure ? coapdtls_begin(&peer->dtls, way, &to)
			       : coap_new_client_session(way->context, NULL, &to, COAP_PROTO_UDP);
	if (!peer->session)
		return err_set(e, "no socket for %s: %s", peer->uri->host, strerror(errno));
	coap_session_set_ack_timeout(peer->session, (coap_fixed_point_t){ (uint16_t)(o->ack_timeout_ms / 1000),
									  (uint16_t)(o->ack_timeout_ms % 1000) });
	coap_session_set_max_retransmit(peer->session, (uint16_t)o->max_retransmit);
	coap_session_set_nstart(peer->session, LIBCOAP_NSTART);
	coap_session_set_mtu(peer->session,
			     COAP_RXBUFFER_SIZE); /* else it drops what is larger, and nobody knows why */
	peer->heard_at_begin = peer->heard;
	return 0;
}

static void on_resolved(void *ctx, const struct sockaddr_storage *list, size_t n, const struct err *why)
{
	struct coappeer *peer = ctx;
	struct coapnet *net = peer->net;
	struct err e;
	coapnet_enter(net);
	coapnet_release(net);
	peer->resolve = NULL;
	peer->n_addresses = n ? n : 1;
	if (!net->closing && n && open_session(peer, &list[peer->which % n], &e) < 0)
		why = &e;
	if (!net->closing && !peer->session)
		end_queued(peer, why);
	go_on(peer);
	coapnet_leave(net);
}

static void find_address(struct coappeer *peer)
{
	if (peer->resolve)
		return;
	coapnet_hold(peer->net); /* until on_resolved, which also comes after a cancel */
	peer->resolve = resolve_all(peer->net->loop, peer->uri->host, peer->uri->port, SOCK_DGRAM, on_resolved, peer);
}

static void pump(void *ctx)
{
	struct coappeer *peer = ctx;
	struct coappeer_exchange *x;
	if (peer->session && peer->dtls.down)
		end_session(peer);
	if (!peer->session && !list_empty(&peer->queue)) {
		find_address(peer);
		return;
	}
	if (peer->uri->secure && !peer->dtls.up)
		return;
	timer_stop(peer->net->loop, &peer->handshake);
	coapnet_check_clock(peer->net);
	while (!peer->net->closing && peer->session && !peer->dtls.down && peer->n_flying < (size_t)peer->bus->nstart &&
	       (x = next_of(peer)))
		fly(x);
}

void coappeer_post(struct coappeer_exchange *x)
{
	list_add(&x->peer->queue, &x->link);
	go_on(x->peer);
}

void coappeer_unobserve(struct coappeer *peer, const struct coapmsg_request *ask)
{
	bool open = peer->session && (!peer->uri->secure || (peer->dtls.up && !peer->dtls.down));
	coap_pdu_t *pdu = open ? coapmsg_new(peer->session, ask) : NULL;
	if (pdu)
		coap_send(peer->session, pdu);
}

static void forget(struct coappeer *peer, struct list *exchanges)
{
	list_each (at, exchanges) {
		struct coappeer_exchange *x = list_of(at, struct coappeer_exchange, link);
		list_init(&x->requests); /* they are the core's now */
		coapnet_void(peer->net, &x->own);
		timer_stop(peer->net->loop, &x->timer);
	}
}

void coappeer_stop(struct coappeer *peer)
{
	forget(peer, &peer->queue);
	forget(peer, &peer->flying);
	forget(peer, &peer->ending);
	timer_stop(peer->net->loop, &peer->handshake);
	if (peer->resolve)
		resolve_cancel(peer->resolve);
}

void coappeer_free(struct coappeer *peer)
{
	if (peer->session)
		drop_session(peer);
	while (!list_empty(&peer->queue))
		free_exchange(list_of(peer->queue.next, struct coappeer_exchange, link));
	while (!list_empty(&peer->flying))
		free_exchange(list_of(peer->flying.next, struct coappeer_exchange, link));
	mem_free(peer);
}
