#include "tests/bridges/spy.h"

#include <stdio.h>

static struct spy *spy_of(const struct bridge *b)
{
	const struct rig *rig = b->ctx;
	return rig->ctx;
}

static void broken(struct spy *s, const char *sentence)
{
	if (!s->broken[0])
		snprintf(s->broken, sizeof(s->broken), "%s", sentence);
}

/* --- down: what the core asks --- */

static int spy_open(struct bridge *b, struct err *e)
{
	struct spy *s = spy_of(b);
	s->n_open++;
	s->opening = true;
	return s->refuse_open ? 0 : s->real->open(b, e);
}

static int spy_listen(struct bridge *b, struct point *p, bool on)
{
	return spy_of(b)->real->listen(b, p, on);
}

static void hand_over(struct spy *s, struct request *r)
{
	if (s->n_with_driver < SPY_REQUESTS)
		s->with_driver[s->n_with_driver++] = r;
}

static void spy_read(struct bridge *b, struct request **r, size_t n)
{
	struct spy *s = spy_of(b);
	for (size_t i = 0; i < n; i++)
		hand_over(s, r[i]);
	s->real->read(b, r, n);
}

static void spy_write(struct bridge *b, struct request *r)
{
	struct spy *s = spy_of(b);
	hand_over(s, r);
	s->real->write(b, r);
}

static void spy_cancel(struct bridge *b, struct request *r)
{
	spy_of(b)->real->cancel(b, r);
}

static void spy_change(struct bridge *b)
{
	spy_of(b)->real->change(b);
}

static void spy_close(struct bridge *b)
{
	struct spy *s = spy_of(b);
	s->closing = true;
	s->real->close(b);
	s->n_with_driver = 0; /* the core ends them */
}

void spy_begin(struct spy *s, const struct bridge_driver *real)
{
	*s = (struct spy){ .driver = *real, .real = real };
	s->driver.open = spy_open;
	s->driver.listen = real->listen ? spy_listen : NULL;
	s->driver.read = real->read ? spy_read : NULL;
	s->driver.write = real->write ? spy_write : NULL;
	s->driver.cancel = real->cancel ? spy_cancel : NULL;
	s->driver.close = spy_close;
	s->driver.change = real->change ? spy_change : NULL;
}

/* --- up: what the driver says --- */

void __real_bridge_up(struct bridge *b);
void __real_bridge_down(struct bridge *b, const struct err *why);
void __real_bridge_sample(struct bridge *b, struct point *p, struct sample *take);
void __real_bridge_done(struct bridge *b, struct request *r, int status, struct sample *take, const struct err *why);
void __real_bridge_closed(struct bridge *b);
void __real_bridge_poll(struct bridge *b, const struct device *d);
void __wrap_bridge_poll(struct bridge *b, const struct device *d);
void __real_bridge_found(struct bridge *b, const char *key, const char *block);
void __wrap_bridge_found(struct bridge *b, const char *key, const char *block);
void __wrap_bridge_up(struct bridge *b);
void __wrap_bridge_down(struct bridge *b, const struct err *why);
void __wrap_bridge_sample(struct bridge *b, struct point *p, struct sample *take);
void __wrap_bridge_done(struct bridge *b, struct request *r, int status, struct sample *take, const struct err *why);
void __wrap_bridge_closed(struct bridge *b);

void __wrap_bridge_up(struct bridge *b)
{
	struct spy *s = spy_of(b);
	s->n_up++;
	if (s->closing)
		broken(s, "bridge_up after close");
	else if (!s->opening)
		broken(s, "bridge_up, and nobody asked to open");
	s->opening = false;
	s->up = true;
	__real_bridge_up(b);
}

void __wrap_bridge_down(struct bridge *b, const struct err *why)
{
	struct spy *s = spy_of(b);
	s->n_down++;
	if (s->closing)
		broken(s, "bridge_down after close");
	else if (!s->opening && !s->up)
		broken(s, "bridge_down twice");
	else if (s->n_with_driver)
		broken(s, "bridge_down, and requests are left open");
	else if (!why || !why->text[0])
		broken(s, "bridge_down without a reason");
	s->opening = s->up = false;
	__real_bridge_down(b, why);
}

static void look_at(struct spy *s, const struct bridge *b, const struct point *p, const struct sample *take)
{
	char room[DECIMAL_ROOM];
	bool ours = false;
	for (size_t i = 0; i < b->n_points; i++)
		ours |= b->points[i] == p;
	s->n_samples++;
	if (!ours)
		broken(s, "a sample of a point that is not on this bus");
	if (take->quality == QUALITY_BAD && take->trouble == TROUBLE_NONE)
		broken(s, "a bad sample without a trouble");
	if (take->quality == QUALITY_GOOD && take->value.type == VALUE_NONE)
		broken(s, "a good sample without a value");
	if (take->quality == QUALITY_GOOD && take->utc_ms == 0)
		broken(s, "a good sample without a time");
	if (p != s->point)
		return;
	snprintf(s->raw, sizeof(s->raw), "%s", value_print(&take->value, room));
	s->quality = take->quality;
}

void __wrap_bridge_sample(struct bridge *b, struct point *p, struct sample *take)
{
	struct spy *s = spy_of(b);
	if (!s->inside_core) {
		if (s->closing)
			broken(s, "bridge_sample after close");
		else if (!s->up)
			broken(s, "bridge_sample while the bus is not up");
		look_at(s, b, p, take);
	}
	__real_bridge_sample(b, p, take);
	if (take->value.type == VALUE_TEXT)
		broken(s, "the core left the sample to the driver");
}

static bool take_back(struct spy *s, const struct request *r)
{
	for (size_t i = 0; i < s->n_with_driver; i++) {
		if (s->with_driver[i] != r)
			continue;
		s->with_driver[i] = s->with_driver[--s->n_with_driver];
		return true;
	}
	return false;
}

void __wrap_bridge_done(struct bridge *b, struct request *r, int status, struct sample *take, const struct err *why)
{
	struct spy *s = spy_of(b);
	bool was_inside = s->inside_core;
	s->n_done++;
	if (!take_back(s, r)) {
		broken(s, s->closing ? "bridge_done after close"
				     : "bridge_done of a request that the driver does not have");
		return; /* the core would die of it, and the sentence would be lost */
	}
	if (status > 0 || status == REQUEST_DIFFERS)
		broken(s, "bridge_done with a status that is not the driver's to say");
	if (status == REQUEST_DONE && !r->write && take)
		look_at(s, b, r->point, take);
	else if (status == REQUEST_DONE && !r->write)
		broken(s, "a read is done without a sample");
	s->inside_core = true;
	__real_bridge_done(b, r, status, take, why);
	s->inside_core = was_inside;
}

void __wrap_bridge_closed(struct bridge *b)
{
	struct spy *s = spy_of(b);
	s->n_closed++;
	if (!s->closing)
		broken(s, "bridge_closed, and nobody closed");
	else if (s->n_closed > 1)
		broken(s, "bridge_closed twice");
	s->up = s->opening = false;
	__real_bridge_closed(b);
}

void __wrap_bridge_poll(struct bridge *b, const struct device *d)
{
	struct spy *s = spy_of(b);
	if (s->closing)
		broken(s, "bridge_poll after close");
	else if (d->bus != b->bus)
		broken(s, "bridge_poll of a device that is not on this bus");
	__real_bridge_poll(b, d);
}

void __wrap_bridge_found(struct bridge *b, const char *key, const char *block)
{
	struct spy *s = spy_of(b);
	s->n_found++;
	if (s->closing)
		broken(s, "bridge_found after close");
	else if (!s->up)
		broken(s, "bridge_found while the bus is not up");
	else if (!key || !*key)
		broken(s, "bridge_found without a key");
	else if (block && *block != '{')
		broken(s, "bridge_found of something that is no block");
	__real_bridge_found(b, key, block);
}
