/*
 * Ids for configuration that a tool proposes: made of what devices call themselves, and none of them twice.
 *
 *   Küche (oben)      k-che-oben
 *   /ENERGY/Power     energy-power
 *   k-che-oben        k-che-oben-2, when that is taken
 *
 * Its user owns the struct: zero it, end it with ids_end. Pure, any thread.
 */
#pragma once

#include "core/base/map.h"
#include "core/base/text.h"
#include "core/model/house.h"

struct ids {
	struct map taken; /* id -> struct taken */
};

/* Adds what an id may have of a text, with one "-" for all the rest between; until `to` has `most` bytes. Nothing may be left. */
void ids_add_word(struct text *to, const char *from, size_t most);

void ids_take_devices(struct ids *ids,
		      const struct house *house);         /* of a configuration that is there; NULL is allowed */
const char *ids_new(struct ids *ids, const char *wanted); /* it, or with a number behind it; owned by ids */
void ids_end(struct ids *ids);
