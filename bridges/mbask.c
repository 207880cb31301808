#include "bridges/mbask.h"

static uint8_t function_of(const struct mbaddress *a, const struct mbaddress_unit *unit, bool write)
{
	static const uint8_t reads[] = { [MBADDRESS_COIL] = MBFRAME_READ_COILS,
					 [MBADDRESS_DISCRETE] = MBFRAME_READ_DISCRETE,
					 [MBADDRESS_INPUT] = MBFRAME_READ_INPUT,
					 [MBADDRESS_HOLDING] = MBFRAME_READ_HOLDING };
	if (!write)
		return reads[a->table];
	bool many = unit->write_multiple || a->count > 1;
	if (a->has_bit)
		return MBFRAME_WRITE_MASKED;
	if (a->table == MBADDRESS_COIL)
		return many ? MBFRAME_WRITE_COILS : MBFRAME_WRITE_COIL;
	if (unit->write_read)
		return MBFRAME_WRITE_READ;
	return many ? MBFRAME_WRITE_REGISTERS : MBFRAME_WRITE_REGISTER;
}

/* Its neighbours in the register stay as they are, whoever else writes them. */
static void put_masks(const struct mbcodec *codec, const struct value *raw, uint8_t *ret)
{
	uint16_t bit = (uint16_t)(1U << codec->bit), stays = (uint16_t)~bit, set = raw->yes ? bit : 0;
	ret[0] = (uint8_t)(stays >> 8);
	ret[1] = (uint8_t)stays;
	ret[2] = (uint8_t)(set >> 8);
	ret[3] = (uint8_t)set;
}

static int put_value(const struct mbcodec *codec, struct value *raw, uint8_t *ret, struct err *e)
{
	struct value held = { 0 };
	if (mbcodec_encode(codec, raw, ret, e) < 0)
		return -1;
	if (mbcodec_decode(codec, ret, &held) == TROUBLE_NONE) {
		value_free(raw);
		*raw = held;
	}
	return 0;
}

int mbask_question(const struct mbqueue_block *b, struct mbframe_question *ret, struct err *e)
{
	struct request *r = list_of(b->requests.next, struct request, link);
	const struct mbaddress *a = r->point->address;
	*ret = (struct mbframe_question){
		.unit = b->unit,
		.function = function_of(a, r->point->device->options, b->write),
		.address = b->first,
		.count = b->count,
	};
	if (ret->function == MBFRAME_WRITE_MASKED) {
		if (r->raw.type != VALUE_BOOL)
			return err_set(e, "must be true or false");
		put_masks(&a->codec, &r->raw, ret->data);
		return 0;
	}
	return b->write ? put_value(&a->codec, &r->raw, ret->data, e) : 0;
}

enum trouble mbask_value(const struct mbqueue_block *b, const struct mbframe_answer *answer, const struct point *p,
			 struct value *ret)
{
	const struct mbaddress *a = p->address;
	size_t at = (size_t)(a->first - b->first);
	if (a->table != MBADDRESS_COIL && a->table != MBADDRESS_DISCRETE)
		return mbaddress_decode(p, answer->data + 2 * at, ret);
	uint8_t bit = answer->data[at / 8] >> at % 8 & 1;
	return mbaddress_decode(p, &bit, ret);
}
