/*
 * The driver of CoAP (RFC 7252) devices, over UDP or DTLS with libcoap: GET at each poll or observation, PUT or POST; text,
 * JSON, CBOR and SenML.
 *
 * Happy path: open makes a context, a peer per device and a resource per path; it says bridge_up at once, for there is
 * no connection that could fail. A read is a GET, shared by the points of a resource; a write is a PUT.
 * Failure: a device that is dead, refuses or talks nonsense is the trouble of its own points, never of the bus.
 *
 *   coap.c → coapres (a resource) → coapobs (its observation), coapvalue (what an answer means to a point)
 *                                 → coappeer (a device) → coapnet (libcoap's context) → coapmsg (one message)
 *                                                       → coapblock (a body in blocks), coapdtls (a session that is protected)
 */
#include "bridges/coapobs.h"
#include "core/base/mem.h"

struct coap { /* bridge.self */
	struct bridge *bridge;
	struct coapnet net;
	struct list peers;
};

static struct coap *self_of(struct coapnet *net)
{
	return list_of(net, struct coap, net);
}

static void on_lost(struct coappeer *peer)
{
	list_each (at, &peer->resources)
		coapobs_lost(list_of(at, struct coapres, link));
}

static struct coappeer *peer_of(struct coap *c, const struct device *d)
{
	list_each (at, &c->peers) {
		struct coappeer *peer = list_of(at, struct coappeer, link);
		if (peer->options == d->options)
			return peer;
	}
	struct coappeer *peer = coappeer_new(&c->net, c->bridge->bus->options, d->options);
	peer->on_lost = on_lost;
	list_add_first(&c->peers, &peer->link);
	return peer;
}

static struct coapres *res_of(struct coap *c, struct point *p)
{
	const struct coaprows_address *a = p->address;
	struct coappeer *peer = peer_of(c, p->device);
	list_each (at, &peer->resources) {
		struct coapres *res = list_of(at, struct coapres, link);
		if (res->address->format == a->format && text_same(res->address->path, a->path))
			return res;
	}
	struct coapres *res = coapres_new(c->bridge, peer, a);
	list_add(&peer->resources, &res->link);
	return res;
}

static void on_jump(struct coapnet *net)
{
	struct coap *c = self_of(net);
	log_info(c->bridge->log, "bus '%s': the clock was set; what waits for an answer is sent again",
		 c->bridge->bus->id);
	list_each (at, &c->peers)
		coappeer_hush(list_of(at, struct coappeer, link));
}

static void free_peer(struct coappeer *peer)
{
	while (!list_empty(&peer->resources)) {
		struct coapres *res = list_of(list_pop(&peer->resources), struct coapres, link);
		coapres_free(res);
	}
	coappeer_free(peer);
}

static void on_end(struct coapnet *net)
{
	struct coap *c = self_of(net);
	while (!list_empty(&c->peers)) {
		struct coappeer *peer = list_of(list_pop(&c->peers), struct coappeer, link);
		free_peer(peer);
	}
	coapnet_close(net);
	bridge_closed(c->bridge);
}

static int open_bus(struct bridge *b, struct err *e)
{
	struct coap *c = b->self;
	c->bridge = b;
	c->net.on_jump = on_jump;
	c->net.on_end = on_end;
	list_init(&c->peers);
	if (coapnet_open(&c->net, b->loop, e) < 0)
		return -1;
	for (size_t i = 0; i < b->n_points; i++)
		coapres_add(res_of(c, b->points[i]), b->points[i]);
	bridge_up(b);
	return 0;
}

static int listen_to(struct bridge *b, struct point *p, bool on)
{
	struct coap *c = b->self;
	const struct coaprows_address *a = p->address;
	if (!a->observe)
		return 0;
	coapnet_enter(&c->net);
	coapobs_listen(p->bus_data, on);
	coapnet_leave(&c->net);
	return 1;
}

static void read_points(struct bridge *b, struct request **r, size_t n)
{
	struct coap *c = b->self;
	coapnet_enter(&c->net);
	for (size_t i = 0; i < n; i++)
		coapres_read(r[i]->point->bus_data, r[i]);
	coapnet_leave(&c->net);
}

static void write_point(struct bridge *b, struct request *r)
{
	struct coap *c = b->self;
	coapnet_enter(&c->net);
	coapres_write(r->point->bus_data, r);
	coapnet_leave(&c->net);
}

static void cancel_request(struct bridge *b, struct request *r)
{
	struct coap *c = b->self;
	coapnet_enter(&c->net);
	coapres_cancel(r->point->bus_data, r);
	coapnet_leave(&c->net);
}

static void stop_peer(struct coappeer *peer)
{
	list_each (at, &peer->resources)
		coapobs_listen(list_of(at, struct coapres, link), false);
	coappeer_stop(peer);
}

static void close_bus(struct bridge *b)
{
	struct coap *c = b->self;
	if (!c->net.loop) { /* open failed */
		bridge_closed(b);
		return;
	}
	coapnet_enter(&c->net);
	list_each (at, &c->peers)
		stop_peer(list_of(at, struct coappeer, link));
	c->net.closing = true;
	coapnet_leave(&c->net);
}

const struct bridge_driver driver_coap = {
	.protocol = { .name = "coap",
		      .options = coaprows_bus,
		      .options_size = sizeof(struct coaprows_bus),
		      .device = coaprows_device,
		      .device_size = sizeof(struct coaprows_device),
		      .address = coaprows_address,
		      .address_size = sizeof(struct coaprows_address),
		      .poll_ms = 30000,
		      .check = coaprows_check,
		      .check_bus = coaprows_check_bus,
		      .check_device = coaprows_check_device },
	.size = sizeof(struct coap),
	.open = open_bus,
	.listen = listen_to,
	.read = read_points,
	.write = write_point,
	.cancel = cancel_request,
	.close = close_bus,
};
