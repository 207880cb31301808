#include "bridges/mbframe.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

/* The first bytes are a question, the rest is the line: what is taken for its answer has its size, and only a whole frame is. */

/* Its objects end where it ends: who walks along them does not look. */
static void is_identity(const struct mbframe_answer *a)
{
	size_t at = 6;
	must(a->size >= at);
	for (uint8_t left = a->data[5]; left > 0; left--) {
		must(at + 2 <= a->size);
		at += 2U + a->data[at + 1];
	}
	must(at == a->size);
}

static void check(const struct mbframe_question *q, enum mbframe_look look, size_t size, size_t n,
		  const struct mbframe_answer *a)
{
	if (look == MBFRAME_GOOD || look == MBFRAME_FOREIGN)
		must(size > 0 && size <= n && size <= MBFRAME_MOST);
	if (look != MBFRAME_GOOD || a->exception)
		return;
	if (q->function == MBFRAME_IDENTIFY) {
		is_identity(a);
		return;
	}
	if (q->function == MBFRAME_REPORT)
		return;
	bool confirms = mbframe_writes(q->function) && q->function != MBFRAME_WRITE_READ;
	bool bits = q->function == MBFRAME_READ_COILS || q->function == MBFRAME_READ_DISCRETE;
	must(a->size == (confirms ? 0 : bits ? (q->count + 7) / 8 : q->count * 2));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static const uint8_t functions[] = { 1, 2, 3, 4, 5, 6, 15, 16, 22, 17, 23, 43 };
	struct mbframe_question q = { 0 };
	struct mbframe_answer a = { 0 };
	struct err e;
	size_t taken = 0;
	if (size < 6)
		return 0;
	q.function = functions[bytes[0] % sizeof(functions)];
	q.unit = bytes[1];
	q.address = (uint16_t)(bytes[2] << 8 | bytes[3]);
	q.count = (uint16_t)(1 + bytes[4] % (q.function == 5 || q.function == 6 || q.function == 22 ? 1 : 100));
	uint16_t transaction = bytes[5];
	uint8_t frame[MBFRAME_MOST];
	must(mbframe_tcp(&q, transaction, frame) <= MBFRAME_MOST && mbframe_rtu(&q, frame) <= MBFRAME_MOST);
	bytes += 6;
	size -= 6;
	enum mbframe_look look = mbframe_look_tcp(&q, transaction, bytes, size, &taken, &a, &e);
	check(&q, look, taken, size, &a);
	taken = 0;
	look = mbframe_look_rtu(&q, bytes, size, &taken, &a, &e);
	check(&q, look, taken, size, &a);
	return 0;
}
