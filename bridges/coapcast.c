#include "bridges/coapcast.h"

#include "core/base/mem.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

static const int64_t AGAIN_MS = 1500;

enum { PORT_DEFAULT = 5683 };

/* libcoap puts the address of who answered last in the place of the group's: each sending has a session of its own. */
struct shout {
	struct list link;
	struct coapcast *cast;
	coap_address_t group, from; /* from.size 0: the system chooses */
	coap_session_t *session;
	struct coapnet_ticket ticket;
	bool again; /* it is the second */
};

struct coapcast {
	struct coapnet *net;
	struct list shouts;
	struct timer timer; /* for the second */
	void (*on_peer)(void *ctx, const char *uri);
	void *ctx;
};

static const struct uri nowhere = { .numeric = true };

static void write_uri(const coap_address_t *a, char *ret, size_t room)
{
	bool six = a->addr.sa.sa_family == AF_INET6;
	char host[INET6_ADDRSTRLEN], name[IF_NAMESIZE], zone[IF_NAMESIZE + 4] = "", port[8] = "";
	int number = ntohs(six ? a->addr.sin6.sin6_port : a->addr.sin.sin_port);
	inet_ntop(a->addr.sa.sa_family, six ? (const void *)&a->addr.sin6.sin6_addr : &a->addr.sin.sin_addr, host,
		  sizeof(host));
	if (six && a->addr.sin6.sin6_scope_id && if_indextoname(a->addr.sin6.sin6_scope_id, name))
		snprintf(zone, sizeof(zone), "%%25%s", name);
	if (number != PORT_DEFAULT)
		snprintf(port, sizeof(port), ":%d", number);
	snprintf(ret, room, six ? "coap://[%s%s]%s" : "coap://%s%s%s", host, zone, port);
}

static bool on_answer(void *ctx, const struct coapmsg_answer *a, bool matched)
{
	struct shout *s = ctx;
	char uri[128];
	(void)matched;
	write_uri(coap_session_get_addr_remote(s->session), uri, sizeof(uri));
	if (a->code / 100 == 2)
		s->cast->on_peer(s->cast->ctx, uri);
	return true; /* nobody is told with RST that he was not the first */
}

static void on_nack(void *ctx, enum coapnet_nack why)
{
	(void)ctx;
	(void)why;
}

static void free_shout(struct shout *s)
{
	coapnet_void(s->cast->net, &s->ticket);
	coap_session_release(s->session);
	list_drop(&s->link);
	mem_free(s);
}

static bool send_out(struct shout *s)
{
	const struct coapmsg_request ask = {
		.kind = COAPMSG_ASK_ALL,
		.token = s->ticket.token,
		.uri = &nowhere,
		.path = "/.well-known/core",
		.format = COAPMSG_NO_FORMAT,
	};
	coap_pdu_t *pdu = coapmsg_new(s->session, &ask);
	return pdu && coap_send(s->session, pdu) != COAP_INVALID_MID;
}

static int shout(struct coapcast *c, const coap_address_t *group, const coap_address_t *from, bool again, struct err *e)
{
	const struct coapway *way = coapnet_way(c->net, NULL, e);
	if (!way)
		return -1;
	struct shout *s = mem_new(sizeof(*s));
	coap_session_t *session =
		coap_new_client_session(way->context, from->size ? from : NULL, group, COAP_PROTO_UDP);
	*s = (struct shout){ .cast = c, .group = *group, .from = *from, .session = session, .again = again };
	s->ticket = (struct coapnet_ticket){ .session = session, .on_answer = on_answer, .on_nack = on_nack, .ctx = s };
	list_add(&c->shouts, &s->link);
	if (session)
		coapnet_issue(c->net, &s->ticket);
	if (session && send_out(s))
		return 0;
	err_set(e, "cannot be sent: %s", strerror(errno));
	free_shout(s);
	return -1;
}

static void shout_again(void *ctx)
{
	struct coapcast *c = ctx;
	coapnet_enter(c->net);
	list_each (at, &c->shouts) {
		const struct shout *s = list_of(at, struct shout, link);
		if (!s->again)
			shout(c, &s->group, &s->from, true, NULL);
	}
	coapnet_leave(c->net);
}

static bool parse_group(const char *group, int port, coap_address_t *ret)
{
	coap_address_init(ret);
	if (inet_pton(AF_INET, group, &ret->addr.sin.sin_addr) == 1) {
		ret->size = sizeof(ret->addr.sin);
		ret->addr.sin.sin_family = AF_INET;
		ret->addr.sin.sin_port = htons((uint16_t)port);
	} else if (inet_pton(AF_INET6, group, &ret->addr.sin6.sin6_addr) == 1) {
		ret->size = sizeof(ret->addr.sin6);
		ret->addr.sin6.sin6_family = AF_INET6;
		ret->addr.sin6.sin6_port = htons((uint16_t)port);
	} else {
		return false;
	}
	return coap_is_mcast(ret);
}

/* Of IPv4 the sender's address chooses the interface, of IPv6 the scope of the group. */
static void aim(coap_address_t *group, coap_address_t *from, const struct ifaddrs *at)
{
	coap_address_init(from);
	if (group->addr.sa.sa_family == AF_INET6) {
		from->size = 0;
		group->addr.sin6.sin6_scope_id = if_nametoindex(at->ifa_name);
		return;
	}
	from->size = sizeof(from->addr.sin);
	memcpy(&from->addr.sin, at->ifa_addr, sizeof(from->addr.sin));
	from->addr.sin.sin_port = 0;
}

static bool is_wanted(const struct ifaddrs *at, int family, const char *zone)
{
	const unsigned able = IFF_UP | IFF_MULTICAST;
	if (!at->ifa_addr || at->ifa_addr->sa_family != family)
		return false;
	if (zone)
		return strcmp(zone, at->ifa_name) == 0;
	return (at->ifa_flags & (able | IFF_LOOPBACK)) == able;
}

/* An interface may have several addresses. */
static bool is_first(const struct ifaddrs *all, const struct ifaddrs *at, int family)
{
	while (!is_wanted(all, family, at->ifa_name))
		all = all->ifa_next;
	return all == at;
}

int coapcast_ask(struct coapcast *c, const char *group, const char *zone, int port, struct err *e)
{
	struct ifaddrs *all;
	coap_address_t to, from;
	int sent = 0;
	if (!parse_group(group, port, &to))
		return err_set(e, "'%s' is no multicast address", group);
	if (getifaddrs(&all) < 0)
		return err_set(e, "the interfaces cannot be listed: %s", strerror(errno));
	int family = to.addr.sa.sa_family;
	coapnet_enter(c->net);
	err_set(e, zone ? "interface '%s' has no address for it" : "%s", zone ? zone : "no interface can multicast");
	for (const struct ifaddrs *at = all; at; at = at->ifa_next) {
		if (!is_wanted(at, family, zone) || !is_first(all, at, family))
			continue;
		aim(&to, &from, at);
		if (shout(c, &to, &from, false, e) == 0)
			sent++;
		else
			err_wrap(e, "%s", at->ifa_name);
	}
	coapnet_leave(c->net);
	freeifaddrs(all);
	timer_set(c->net->loop, &c->timer, AGAIN_MS, shout_again, c);
	return sent ? 0 : -1;
}

struct coapcast *coapcast_new(struct coapnet *net, void (*on_peer)(void *ctx, const char *uri), void *ctx)
{
	struct coapcast *c = mem_new(sizeof(*c));
	*c = (struct coapcast){ .net = net, .on_peer = on_peer, .ctx = ctx };
	list_init(&c->shouts);
	return c;
}

void coapcast_free(struct coapcast *c)
{
	if (!c)
		return;
	timer_stop(c->net->loop, &c->timer);
	while (!list_empty(&c->shouts))
		free_shout(list_of(c->shouts.next, struct shout, link));
	mem_free(c);
}
