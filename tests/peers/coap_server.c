#include "tests/peers/coap_server.h"

#include "tests/peers/coap_packet.h"

#include "core/base/err.h"
#include "core/base/mem.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct coapd_later {
	struct coapd_later *next;
	struct coapd *d;
	struct timer timer;
	struct sockaddr_in to;
	size_t size;
	uint8_t bytes[2048];
};

static uint32_t next_random(struct coapd *d)
{
	d->random = d->random * 1664525 + 1013904223;
	return d->random >> 8;
}

/* On the way out: lost, doubled, swapped. */

static void put_on_wire(struct coapd *d, const struct sockaddr_in *to, const uint8_t *bytes, size_t size)
{
	if (d->faults.lose_out > 0 && d->faults.lose_out-- > 0)
		return;
	if ((int)(next_random(d) % 100) < d->faults.lose_percent || !d->watch)
		return;
	for (int i = 0; i <= d->faults.duplicate; i++)
		sendto(d->fd, bytes, size, 0, (const struct sockaddr *)to, sizeof(*to));
}

static void send_out(struct coapd *d, const struct sockaddr_in *to, const uint8_t *bytes, size_t size)
{
	if (d->faults.swap && !d->kept_size && size <= sizeof(d->kept)) {
		memcpy(d->kept, bytes, size);
		d->kept_size = size;
		d->kept_to = *to;
		return;
	}
	put_on_wire(d, to, bytes, size);
	if (d->kept_size)
		put_on_wire(d, &d->kept_to, d->kept, d->kept_size);
	d->kept_size = 0;
}

static void on_later(void *ctx)
{
	struct coapd_later *l = ctx;
	struct coapd_later **at = &l->d->later;
	while (*at != l)
		at = &(*at)->next;
	*at = l->next;
	send_out(l->d, &l->to, l->bytes, l->size);
	mem_free(l);
}

static void send_later(struct coapd *d, const struct sockaddr_in *to, const struct coap_packet *p, int64_t in_ms)
{
	struct coapd_later *l = mem_new(sizeof(*l));
	must(p->size <= sizeof(l->bytes));
	l->next = d->later;
	d->later = l;
	l->d = d;
	l->to = *to;
	l->size = p->size;
	memcpy(l->bytes, p->bytes, p->size);
	timer_set(d->loop, &l->timer, in_ms, on_later, l);
}

/* What a resource shows. */

static size_t write_long(int value, int number, int length, char *to, size_t room)
{
	size_t size = (size_t)snprintf(to, room, "{\"v\": %d, \"r\": %d, \"all\": [%d", value, number, value);
	while (size < (size_t)length && size + 100 < room)
		size += (size_t)snprintf(to + size, room - size, ", %d", value);
	return size + (size_t)snprintf(to + size, room - size, "], \"w\": %d}", value);
}

static size_t write_body(const struct coapd *d, const struct coapd_resource *r, char *to, size_t room)
{
	int value = r->number * COAPD_STEP + r->counter;
	if (d->faults.huge) {
		memset(to, '7', (size_t)d->faults.huge);
		return (size_t)d->faults.huge;
	}
	if (d->faults.body && d->faults.body_size) {
		size_t size = d->faults.body_size < room ? d->faults.body_size : room;
		memcpy(to, d->faults.body, size);
		return size;
	}
	if (d->faults.body)
		return (size_t)snprintf(to, room, "%s", d->faults.body);
	if (r->written[0])
		return (size_t)snprintf(to, room, "%s", r->written);
	if (d->faults.length && r->json)
		return write_long(value, r->number, d->faults.length, to, room);
	return (size_t)snprintf(to, room, r->json ? "{\"v\": %d, \"r\": %d}" : "%d", value, r->number);
}

struct slice {
	int option; /* value of Block2, -1: none */
	size_t from, size;
};

/* asked: value of Block2, -1: none. */
static struct slice slice_of(const struct coapd_faults *f, size_t size, int asked)
{
	int szx = f->szx - 1, number = asked < 0 ? 0 : asked >> 4;
	if (f->block)
		return (struct slice){ 0x0a, 0, size }; /* block 0, more, 64 bytes */
	if (f->szx && asked >= 0 && (asked & 7) < szx)
		szx = asked & 7;
	if (!f->szx || (asked < 0 && size <= (size_t)16 << szx) || (f->block_has_no_option && number))
		return (struct slice){ -1, 0, size };
	size_t from = (size_t)number << ((asked < 0 ? szx : asked & 7) + 4);
	szx += f->block_grows && number ? 1 : 0;
	szx -= f->block_shrinks && number && szx ? 1 : 0;
	from += f->block_skips && number ? (size_t)16 << szx : 0;
	size_t block = (size_t)16 << szx;
	from = f->block_is_endless ? 0 : from < size ? from : size;
	size_t left = size - from, n = left < block ? left : block;
	bool more = f->block_is_endless || left > block;
	number = f->block_is_endless ? number : (int)(from / block);
	return (struct slice){ number << 4 | more << 3 | szx, from, n - (f->block_is_short && more) };
}

static void encode(struct coapd *d, struct coap_packet *p, const struct coapd_resource *r, int observe, int asked)
{
	static char body[66000];
	const struct coapd_faults *f = &d->faults;
	struct slice s = slice_of(f, write_body(d, r, body, sizeof(body)), asked);
	if (!f->no_etag && s.option >= 0)
		coap_packet_option(p, COAP_PACKET_ETAG, (uint32_t)(r->counter + 1));
	if (observe >= 0)
		coap_packet_option(p, COAP_PACKET_OBSERVE, (uint32_t)observe);
	coap_packet_option(p, COAP_PACKET_FORMAT, (uint32_t)(f->format ? f->format - 1 : r->json ? 50 : 0));
	if (f->max_age_s)
		coap_packet_option(p, COAP_PACKET_MAX_AGE, (uint32_t)(f->max_age_s - 1));
	if (s.option >= 0)
		coap_packet_option(p, COAP_PACKET_BLOCK2, (uint32_t)s.option);
	coap_packet_body(p, body + s.from, s.size);
}

static void send_garbage(struct coapd *d, const struct coap_packet_request *r)
{
	uint8_t bytes[64];
	for (int round = 0; round < 20; round++) {
		size_t size = 1 + next_random(d) % sizeof(bytes);
		for (size_t i = 0; i < size; i++)
			bytes[i] = (uint8_t)next_random(d);
		if (round % 2 && size > 4 + r->token_size) { /* nearly right: header and token, then anything */
			bytes[0] = (uint8_t)(0x60 | r->token_size);
			bytes[2] = (uint8_t)(r->mid >> 8);
			bytes[3] = (uint8_t)r->mid;
			memcpy(bytes + 4, r->token, r->token_size);
		}
		send_out(d, &r->from, bytes, size);
	}
}

/* Requests. */

static void send_empty(struct coapd *d, const struct coap_packet_request *r, int type)
{
	struct coap_packet p;
	coap_packet_begin(&p, type, 0, r->mid, r->token, 0);
	send_out(d, &r->from, p.bytes, p.size);
}

static void start_answer(struct coapd *d, struct coap_packet *p, const struct coap_packet_request *r, int code)
{
	const struct coapd_faults *f = &d->faults;
	bool apart = f->separate_ms || r->type == COAP_PACKET_NON;
	uint8_t token[16];
	memcpy(token, r->token, r->token_size);
	if (f->wrong_token)
		token[0] ^= 1;
	coap_packet_begin(p, apart ? (r->type == COAP_PACKET_NON ? COAP_PACKET_NON : COAP_PACKET_CON) : COAP_PACKET_ACK,
			  code, (uint16_t)(apart ? ++d->mid : r->mid + (f->wrong_mid ? 1 : 0)), token, r->token_size);
}

static void finish_answer(struct coapd *d, const struct coap_packet *p, const struct coap_packet_request *r)
{
	const struct coapd_faults *f = &d->faults;
	if (f->separate_ms && r->type == COAP_PACKET_CON)
		send_empty(d, r, COAP_PACKET_ACK);
	if (f->slow_ms || f->separate_ms)
		send_later(d, &r->from, p, f->slow_ms + f->separate_ms);
	else
		send_out(d, &r->from, p->bytes, p->size);
}

static struct coapd_observer *observer_of(struct coapd_resource *res, const struct coap_packet_request *r, bool add)
{
	struct coapd_observer *free_one = NULL;
	for (size_t i = 0; i < COAPD_OBSERVERS; i++) {
		struct coapd_observer *o = &res->observers[i];
		if (!o->used)
			free_one = o;
		else if (memcmp(&o->to, &r->from, sizeof(o->to)) == 0 && o->token_size == r->token_size &&
			 memcmp(o->token, r->token, r->token_size) == 0)
			return o;
	}
	if (!add || !free_one)
		return NULL;
	*free_one = (struct coapd_observer){ .used = true, .to = r->from, .token_size = r->token_size };
	memcpy(free_one->token, r->token, r->token_size);
	return free_one;
}

static int take_observe(struct coapd *d, struct coapd_resource *res, const struct coap_packet_request *r)
{
	struct coapd_observer *o = observer_of(res, r, r->observe == 0 && !d->faults.observe_refused);
	d->n_registers += r->observe == 0;
	d->n_deregisters += r->observe == 1;
	if (o && r->observe == 1)
		o->used = false;
	return o && r->observe == 0 ? (int)++res->sequence : -1;
}

static void answer_get(struct coapd *d, struct coapd_resource *res, const struct coap_packet_request *r)
{
	static struct coap_packet p;
	int observe = take_observe(d, res, r);
	res->n_gets++;
	if (r->block2 >= 16 && d->faults.changes > 0 && d->faults.changes--)
		res->counter++;
	start_answer(d, &p, r, d->faults.block_vanishes && r->block2 >= 16 ? 404 : 205);
	encode(d, &p, res, observe, r->block2);
	finish_answer(d, &p, r);
}

/* Of what is written in blocks: 204, it is whole; or what is answered to this block. */
static int take_part(struct coapd *d, struct coapd_resource *res, const struct coap_packet_request *r)
{
	struct coapd_faults *f = &d->faults;
	int option = r->block1 < 0 ? 6 : r->block1;
	size_t from = (size_t)(option >> 4) << ((option & 7) + 4);
	if (f->refuses_size && (!f->take_szx || (option & 7) > f->take_szx - 1))
		return 413;
	res->part_size = from ? res->part_size : 0;
	if (from != res->part_size || (from && f->forgets > 0 && f->forgets--))
		return 408;
	if (from + r->body_size >= sizeof(res->part))
		return 413;
	memcpy(res->part + from, r->body, r->body_size);
	res->part_size += r->body_size;
	res->part[res->part_size] = '\0';
	res->n_parts += option >> 3 & 1;
	return option & 8 && !f->takes_a_part ? 231 : 204;
}

static int block1_of(const struct coapd *d, const struct coap_packet_request *r)
{
	int take = d->faults.take_szx ? d->faults.take_szx - 1 : 6, option = r->block1 < 0 ? 6 : r->block1;
	return (option & ~7) | ((option & 7) < take ? option & 7 : take);
}

static void answer_write(struct coapd *d, struct coapd_resource *res, const struct coap_packet_request *r)
{
	static struct coap_packet p;
	int code = r->block1 >= 0 || d->faults.refuses_size ? take_part(d, res, r) : 204;
	if (code != 204 || d->faults.takes_a_part) {
		start_answer(d, &p, r, code);
		if (code == 231 || (code == 413 && d->faults.take_szx))
			coap_packet_option(&p, COAP_PACKET_BLOCK1, (uint32_t)block1_of(d, r));
		finish_answer(d, &p, r);
		return;
	}
	res->n_writes++;
	res->last_write_ms = loop_now(d->loop);
	res->last_was_post = r->code == 2;
	res->last_format = r->format;
	if (r->block1 >= 0)
		snprintf(res->written, sizeof(res->written), "%s", res->part);
	else
		snprintf(res->written, sizeof(res->written), "%.*s", (int)r->body_size, (const char *)r->body);
	start_answer(d, &p, r, 204);
	if (r->block1 >= 0)
		coap_packet_option(&p, COAP_PACKET_BLOCK1, (uint32_t)r->block1);
	finish_answer(d, &p, r);
	coapd_notify(d, res);
}

static void answer_error(struct coapd *d, const struct coap_packet_request *r, int code)
{
	static struct coap_packet p;
	start_answer(d, &p, r, code);
	coap_packet_body(&p, "words of the device", 19);
	finish_answer(d, &p, r);
}

static struct coapd_resource *find(struct coapd *d, const char *path)
{
	for (size_t i = 0; i < COAPD_RESOURCES; i++)
		if (d->resources[i].path[0] && strcmp(d->resources[i].path, path) == 0)
			return &d->resources[i];
	return NULL;
}

static void answer(struct coapd *d, const struct coap_packet_request *r)
{
	struct coapd_resource *res = find(d, r->path);
	d->token_size = r->token_size;
	d->had_host = r->host;
	d->accept = r->accept;
	if (d->faults.silent)
		return;
	if (d->faults.reset)
		send_empty(d, r, COAP_PACKET_RST);
	else if (d->faults.garbage)
		send_garbage(d, r);
	else if (d->faults.code || !res)
		answer_error(d, r, d->faults.code ? d->faults.code : 404);
	else if (r->code == 1)
		answer_get(d, res, r);
	else
		answer_write(d, res, r);
}

static void forget_observer(struct coapd *d, uint16_t mid)
{
	for (size_t i = 0; i < COAPD_RESOURCES; i++)
		for (size_t j = 0; j < COAPD_OBSERVERS; j++)
			if (d->resources[i].observers[j].mid == mid)
				d->resources[i].observers[j].used = false;
}

static void on_readable(void *ctx, int events)
{
	struct coapd *d = ctx;
	uint8_t bytes[2048];
	struct sockaddr_in from;
	socklen_t from_size = sizeof(from);
	(void)events;
	memset(&from, 0, sizeof(from));
	ssize_t size = recvfrom(d->fd, bytes, sizeof(bytes), MSG_DONTWAIT, (struct sockaddr *)&from, &from_size);
	if (size < 4)
		return;
	if (d->faults.lose_in > 0 && d->faults.lose_in-- > 0)
		return;
	if ((int)(next_random(d) % 100) < d->faults.lose_percent)
		return;
	struct coap_packet_request r = coap_packet_decode(bytes, (size_t)size);
	r.from = from;
	d->n_in++;
	d->n_acks += r.type == COAP_PACKET_ACK;
	d->n_resets += r.type == COAP_PACKET_RST;
	if (r.type == COAP_PACKET_RST)
		forget_observer(d, r.mid);
	else if (r.code > 0 && r.code < 32)
		answer(d, &r);
}

void coapd_notify(struct coapd *d, struct coapd_resource *r)
{
	static struct coap_packet p;
	r->sequence++;
	for (size_t i = 0; i < COAPD_OBSERVERS; i++) {
		struct coapd_observer *o = &r->observers[i];
		if (!o->used)
			continue;
		o->mid = ++d->mid;
		coap_packet_begin(&p, d->faults.confirm ? COAP_PACKET_CON : COAP_PACKET_NON, 205, o->mid, o->token,
				  o->token_size);
		encode(d, &p, r, (int)(r->sequence & 0xffffff), -1);
		send_out(d, &o->to, p.bytes, p.size);
	}
}

void coapd_change(struct coapd *d, struct coapd_resource *r)
{
	r->counter++;
	r->written[0] = '\0';
	coapd_notify(d, r);
}

struct coapd_resource *coapd_add(struct coapd *d, const char *path, bool json)
{
	for (size_t i = 0; i < COAPD_RESOURCES; i++) {
		struct coapd_resource *r = &d->resources[i];
		if (r->path[0])
			continue;
		snprintf(r->path, sizeof(r->path), "%s", path);
		r->number = (int)i + 1;
		r->json = json;
		return r;
	}
	abort();
}

size_t coapd_observers(const struct coapd_resource *r)
{
	size_t n = 0;
	for (size_t i = 0; i < COAPD_OBSERVERS; i++)
		n += r->observers[i].used;
	return n;
}

void coapd_restart(struct coapd *d)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(d->port) };
	socklen_t size = sizeof(at);
	at.sin_addr.s_addr = htonl(d->address);
	d->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	must(d->fd >= 0 && bind(d->fd, (struct sockaddr *)&at, sizeof(at)) == 0);
	must(getsockname(d->fd, (struct sockaddr *)&at, &size) == 0);
	d->port = ntohs(at.sin_port);
	d->watch = watch_new(d->loop, d->fd, WATCH_READ, on_readable, d);
	for (size_t i = 0; i < COAPD_RESOURCES; i++) {
		memset(d->resources[i].observers, 0, sizeof(d->resources[i].observers));
		d->resources[i].sequence = 0;
	}
}

void coapd_kill(struct coapd *d)
{
	watch_free(d->watch);
	d->watch = NULL;
	close(d->fd);
}

struct coapd *coapd_new(struct loop *loop)
{
	struct coapd *d = mem_new(sizeof(*d));
	d->loop = loop;
	d->address = INADDR_LOOPBACK;
	d->mid = 1000;
	d->random = 4711;
	coapd_restart(d);
	return d;
}

void coapd_free(struct coapd *d)
{
	if (!d)
		return;
	while (d->later) {
		struct coapd_later *l = d->later;
		d->later = l->next;
		timer_stop(d->loop, &l->timer);
		mem_free(l);
	}
	if (d->watch)
		coapd_kill(d);
	mem_free(d);
}
