#include "tests/peers/coap_server.h"

#include "core/base/err.h"
#include "core/base/mem.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CON, NON, ACK, RST };
enum { OBSERVE = 6, URI_HOST_OPTION = 3, URI_PATH_OPTION = 11, FORMAT = 12, MAX_AGE = 14, ACCEPT = 17, BLOCK2 = 23 };

struct coapd_later {
	struct coapd_later *next;
	struct coapd *d;
	struct timer timer;
	struct sockaddr_in to;
	size_t size;
	uint8_t bytes[2048];
};

struct packet {
	uint8_t bytes[70000];
	size_t size;
	int last_option;
};

struct request {
	int type, code;
	uint16_t mid;
	const uint8_t *token;
	size_t token_size;
	char path[64];
	int observe, format, accept; /* -1: none */
	bool host;
	const uint8_t *body;
	size_t body_size;
	struct sockaddr_in from;
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

static void send_later(struct coapd *d, const struct sockaddr_in *to, const struct packet *p, int64_t in_ms)
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

/* The encoder. */

static void begin(struct packet *p, int type, int code, uint16_t mid, const uint8_t *token, size_t token_size)
{
	p->bytes[0] = (uint8_t)(0x40 | type << 4 | (int)token_size);
	p->bytes[1] = (uint8_t)(code / 100 << 5 | code % 100);
	p->bytes[2] = (uint8_t)(mid >> 8);
	p->bytes[3] = (uint8_t)mid;
	memcpy(p->bytes + 4, token, token_size);
	p->size = 4 + token_size;
	p->last_option = 0;
}

static void add_option(struct packet *p, int number, uint32_t value)
{
	uint8_t bytes[4];
	size_t n = 0;
	int delta = number - p->last_option;
	for (int shift = 24; shift >= 0; shift -= 8)
		if (value >> shift)
			bytes[n++] = (uint8_t)(value >> shift);
	p->bytes[p->size++] = (uint8_t)((delta < 13 ? delta : 13) << 4 | (int)n);
	if (delta >= 13)
		p->bytes[p->size++] = (uint8_t)(delta - 13);
	memcpy(p->bytes + p->size, bytes, n);
	p->size += n;
	p->last_option = number;
}

static void add_body(struct packet *p, const char *body, size_t size)
{
	if (!size)
		return;
	p->bytes[p->size++] = 0xff;
	memcpy(p->bytes + p->size, body, size);
	p->size += size;
}

/* The decoder: enough for libcoap's requests. */

static size_t extended(const uint8_t **at, size_t nibble)
{
	if (nibble < 13)
		return nibble;
	size_t more = nibble == 13 ? 13U + **at : 269U + ((size_t)(*at)[0] << 8 | (*at)[1]);
	*at += nibble == 13 ? 1 : 2;
	return more;
}

static void take_option(struct request *r, size_t number, const uint8_t *at, size_t size)
{
	int value = 0;
	for (size_t i = 0; i < size && i < 4; i++)
		value = value << 8 | at[i];
	if (number == URI_PATH_OPTION && strlen(r->path) + size + 2 < sizeof(r->path)) {
		size_t used = strlen(r->path);
		r->path[used] = '/';
		memcpy(r->path + used + 1, at, size);
	}
	r->observe = number == OBSERVE ? value : r->observe;
	r->format = number == FORMAT ? value : r->format;
	r->accept = number == ACCEPT ? value : r->accept;
	r->host |= number == URI_HOST_OPTION;
}

static struct request decode(const uint8_t *bytes, size_t size)
{
	struct request r = { .observe = -1, .format = -1, .accept = -1 };
	const uint8_t *at = bytes + 4, *end = bytes + size;
	size_t number = 0;
	r.type = bytes[0] >> 4 & 3;
	r.code = bytes[1];
	r.mid = (uint16_t)(bytes[2] << 8 | bytes[3]);
	r.token = at;
	r.token_size = bytes[0] & 15;
	for (at += r.token_size; at < end && *at != 0xff;) {
		size_t delta = *at >> 4, length = *at & 15;
		at++;
		number += extended(&at, delta);
		length = extended(&at, length);
		take_option(&r, number, at, length);
		at += length;
	}
	if (at < end) {
		r.body = at + 1;
		r.body_size = (size_t)(end - at - 1);
	}
	return r;
}

/* What a resource shows. */

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
	return (size_t)snprintf(to, room, r->json ? "{\"v\": %d, \"r\": %d}" : "%d", value, r->number);
}

static void encode(struct coapd *d, struct packet *p, const struct coapd_resource *r, int observe)
{
	static char body[66000];
	const struct coapd_faults *f = &d->faults;
	if (observe >= 0)
		add_option(p, OBSERVE, (uint32_t)observe);
	add_option(p, FORMAT, (uint32_t)(f->format ? f->format - 1 : r->json ? 50 : 0));
	if (f->max_age_s)
		add_option(p, MAX_AGE, (uint32_t)(f->max_age_s - 1));
	if (f->block)
		add_option(p, BLOCK2, 0x0a); /* block 0, more, 64 bytes */
	add_body(p, body, write_body(d, r, body, sizeof(body)));
}

static void send_garbage(struct coapd *d, const struct request *r)
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

static void send_empty(struct coapd *d, const struct request *r, int type)
{
	struct packet p;
	begin(&p, type, 0, r->mid, r->token, 0);
	send_out(d, &r->from, p.bytes, p.size);
}

static void start_answer(struct coapd *d, struct packet *p, const struct request *r, int code)
{
	const struct coapd_faults *f = &d->faults;
	bool apart = f->separate_ms || r->type == NON;
	uint8_t token[16];
	memcpy(token, r->token, r->token_size);
	if (f->wrong_token)
		token[0] ^= 1;
	begin(p, apart ? (r->type == NON ? NON : CON) : ACK, code,
	      (uint16_t)(apart ? ++d->mid : r->mid + (f->wrong_mid ? 1 : 0)), token, r->token_size);
}

static void finish_answer(struct coapd *d, const struct packet *p, const struct request *r)
{
	const struct coapd_faults *f = &d->faults;
	if (f->separate_ms && r->type == CON)
		send_empty(d, r, ACK);
	if (f->slow_ms || f->separate_ms)
		send_later(d, &r->from, p, f->slow_ms + f->separate_ms);
	else
		send_out(d, &r->from, p->bytes, p->size);
}

static struct coapd_observer *observer_of(struct coapd_resource *res, const struct request *r, bool add)
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

static int take_observe(struct coapd *d, struct coapd_resource *res, const struct request *r)
{
	struct coapd_observer *o = observer_of(res, r, r->observe == 0 && !d->faults.observe_refused);
	d->n_registers += r->observe == 0;
	d->n_deregisters += r->observe == 1;
	if (o && r->observe == 1)
		o->used = false;
	return o && r->observe == 0 ? (int)++res->sequence : -1;
}

static void answer_get(struct coapd *d, struct coapd_resource *res, const struct request *r)
{
	static struct packet p;
	int observe = take_observe(d, res, r);
	res->n_gets++;
	start_answer(d, &p, r, 205);
	encode(d, &p, res, observe);
	finish_answer(d, &p, r);
}

static void answer_write(struct coapd *d, struct coapd_resource *res, const struct request *r)
{
	static struct packet p;
	res->n_writes++;
	res->last_write_ms = loop_now(d->loop);
	res->last_was_post = r->code == 2;
	res->last_format = r->format;
	snprintf(res->written, sizeof(res->written), "%.*s", (int)r->body_size, (const char *)r->body);
	start_answer(d, &p, r, 204);
	finish_answer(d, &p, r);
	coapd_notify(d, res);
}

static void answer_error(struct coapd *d, const struct request *r, int code)
{
	static struct packet p;
	start_answer(d, &p, r, code);
	add_body(&p, "words of the device", 19);
	finish_answer(d, &p, r);
}

static struct coapd_resource *find(struct coapd *d, const char *path)
{
	for (size_t i = 0; i < COAPD_RESOURCES; i++)
		if (d->resources[i].path[0] && strcmp(d->resources[i].path, path) == 0)
			return &d->resources[i];
	return NULL;
}

static void answer(struct coapd *d, const struct request *r)
{
	struct coapd_resource *res = find(d, r->path);
	d->token_size = r->token_size;
	d->had_host = r->host;
	d->accept = r->accept;
	if (d->faults.silent)
		return;
	if (d->faults.reset)
		send_empty(d, r, RST);
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
	struct request r = decode(bytes, (size_t)size);
	r.from = from;
	d->n_in++;
	d->n_acks += r.type == ACK;
	d->n_resets += r.type == RST;
	if (r.type == RST)
		forget_observer(d, r.mid);
	else if (r.code > 0 && r.code < 32)
		answer(d, &r);
}

const char *coapd_misbehaviour(size_t n, struct coapd_faults *ret)
{
	static const struct {
		const char *word;
		struct coapd_faults faults;
	} table[] = {
		{ "silent", { .silent = true } },
		{ "reset", { .reset = true } },
		{ "garbage", { .garbage = true } },
		{ "wrong-token", { .wrong_token = true } },
		{ "wrong-message-id", { .wrong_mid = true } },
		{ "wrong-token-apart", { .wrong_token = true, .separate_ms = 5 } },
		{ "lossy", { .lose_percent = 50 } },
		{ "doubled", { .duplicate = true } },
		{ "swapped", { .swap = true } },
		{ "slow", { .slow_ms = 20 } },
		{ "separate", { .separate_ms = 20 } },
		{ "too-slow", { .slow_ms = 500 } },
		{ "block", { .block = true } },
		{ "huge", { .huge = 1500 } },
		{ "huger", { .huge = 60000 } },
		{ "not-found", { .code = 404 } },
		{ "broken", { .code = 500 } },
		{ "no-class", { .code = 300 } },
		{ "empty-success", { .code = 204 } },
		{ "unknown-format", { .format = 1 + 60 } },
		{ "words", { .body = "warm" } },
		{ "half-json", { .body = "{\"v\": 1", .format = 1 + 50 } },
		{ "bad-utf8", { .body = "\xff\xfe\xfd" } },
		{ "deep-json", { .body = "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", .format = 1 + 50 } },
		{ "ages-at-once", { .max_age_s = 1 } },
		{ "ages-never", { .max_age_s = 0x7fffffff } },
	};
	if (n >= sizeof(table) / sizeof(table[0]))
		return NULL;
	*ret = table[n].faults;
	return table[n].word;
}

void coapd_notify(struct coapd *d, struct coapd_resource *r)
{
	static struct packet p;
	r->sequence++;
	for (size_t i = 0; i < COAPD_OBSERVERS; i++) {
		struct coapd_observer *o = &r->observers[i];
		if (!o->used)
			continue;
		o->mid = ++d->mid;
		begin(&p, d->faults.confirm ? CON : NON, 205, o->mid, o->token, o->token_size);
		encode(d, &p, r, (int)(r->sequence & 0xffffff));
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
