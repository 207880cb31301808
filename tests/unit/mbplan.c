#include "bridges/mbplan.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static struct mbplan_span at(int table, uint16_t first, uint16_t count, uint16_t max_gap)
{
	return (struct mbplan_span){ .unit = 1,
				     .table = table,
				     .first = first,
				     .count = count,
				     .max_gap = max_gap,
				     .max_block = mbplan_most(table) };
}

static size_t merge(struct mbplan_span *spans, size_t n, struct mbplan_block *ret)
{
	return mbplan_merge(spans, n, NULL, 0, ret);
}

Test(mbplan, computes_the_table_of_break_even_gaps)
{
	static const struct {
		int64_t baud, turnaround_ms;
		uint16_t registers;
	} rows[] = { { 9600, 5, 12 },   { 9600, 20, 18 },  { 9600, 45, 29 },   { 9600, 100, 53 }, { 19200, 5, 14 },
		     { 19200, 20, 27 }, { 19200, 45, 49 }, { 19200, 100, 97 }, { 115200, 5, 50 }, { 115200, 20, 125 } };
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mbplan_wire w = mbplan_serial(rows[i].baud, 1);
		w.turnaround_us = rows[i].turnaround_ms * 1000;
		cr_expect_eq(mbplan_gap(&w, MBADDRESS_HOLDING), rows[i].registers, "%lld baud, %lld ms: %u",
			     (long long)rows[i].baud, (long long)rows[i].turnaround_ms,
			     mbplan_gap(&w, MBADDRESS_HOLDING));
	}
	struct mbplan_wire tcp = { 0 };
	cr_expect_eq(mbplan_gap(&tcp, MBADDRESS_INPUT), 125);
	cr_expect_eq(mbplan_gap(&tcp, MBADDRESS_COIL), 2000);
}

Test(mbplan, knows_what_a_question_costs)
{
	struct mbplan_wire w = mbplan_serial(9600, 1);
	w.turnaround_us = 0;
	cr_expect_eq(mbplan_time(&w, MBADDRESS_HOLDING, 1) / 100, 252, "25.2 ms");
	cr_expect_eq(mbplan_time(&w, MBADDRESS_HOLDING, 125) / 1000, 309);
	cr_expect_eq(mbplan_time(&w, MBADDRESS_COIL, 16), mbplan_time(&w, MBADDRESS_HOLDING, 1));
}

Test(mbplan, joins_what_touches_and_what_is_near)
{
	struct mbplan_span spans[] = { at(MBADDRESS_HOLDING, 20, 2, 5), at(MBADDRESS_HOLDING, 0, 2, 5),
				       at(MBADDRESS_HOLDING, 2, 2, 5),  at(MBADDRESS_HOLDING, 9, 1, 5),
				       at(MBADDRESS_HOLDING, 3, 1, 5),  at(MBADDRESS_INPUT, 10, 1, 5) };
	struct mbplan_block blocks[6];
	cr_assert_eq(merge(spans, 6, blocks), 3);
	cr_expect(blocks[0].first == 10 && blocks[0].count == 1, "never across tables");
	cr_expect(blocks[1].first == 0 && blocks[1].count == 10 && blocks[1].n == 4);
	cr_expect(blocks[2].first == 20 && blocks[2].count == 2, "ten registers are too many");
}

Test(mbplan, never_joins_units)
{
	struct mbplan_span spans[] = { at(MBADDRESS_HOLDING, 0, 1, 125), at(MBADDRESS_HOLDING, 1, 1, 125) };
	struct mbplan_block blocks[2];
	spans[1].unit = 2;
	cr_assert_eq(merge(spans, 2, blocks), 2);
}

Test(mbplan, keeps_the_caps)
{
	struct mbplan_span spans[] = { at(MBADDRESS_HOLDING, 0, 1, 125), at(MBADDRESS_HOLDING, 124, 1, 125),
				       at(MBADDRESS_HOLDING, 125, 1, 125) };
	struct mbplan_span coils[] = { at(MBADDRESS_COIL, 0, 1, 2000), at(MBADDRESS_COIL, 1999, 1, 2000),
				       at(MBADDRESS_COIL, 2000, 1, 2000) };
	struct mbplan_block blocks[3];
	cr_assert_eq(merge(spans, 3, blocks), 2);
	cr_expect_eq(blocks[0].count, 125);
	cr_assert_eq(merge(coils, 3, blocks), 2);
	cr_expect_eq(blocks[0].count, 2000);
	spans[1].max_block = 10;
	cr_assert_eq(merge(spans, 3, blocks), 2);
	cr_expect_eq(blocks[0].count, 1, "the narrowest device counts");
	struct mbplan_span text = at(MBADDRESS_HOLDING, 0, 100, 0);
	text.max_block = 10;
	cr_assert_eq(merge(&text, 1, blocks), 1);
	cr_expect_eq(blocks[0].count, 100, "one value is never cut");
}

Test(mbplan, does_not_cross_a_barrier)
{
	struct mbplan_span spans[] = { at(MBADDRESS_HOLDING, 0, 2, 125), at(MBADDRESS_HOLDING, 2, 2, 125),
				       at(MBADDRESS_HOLDING, 4, 2, 125) };
	struct mbplan_barrier guilty = { 1, MBADDRESS_HOLDING, 2, 4 }, cut = { 1, MBADDRESS_HOLDING, 3, 5 };
	struct mbplan_barrier other = { 2, MBADDRESS_HOLDING, 2, 4 };
	struct mbplan_block blocks[3];
	cr_expect_eq(mbplan_merge(spans, 3, &guilty, 1, blocks), 3);
	cr_expect_eq(mbplan_merge(spans, 3, &cut, 1, blocks), 2);
	cr_expect_eq(blocks[0].count, 4);
	cr_expect_eq(mbplan_merge(spans, 3, &other, 1, blocks), 1);
}

/* Whatever is asked for, each span is whole in exactly one block, and no block is wider than allowed. */
Test(mbplan, loses_and_cuts_nothing)
{
	enum { N = 60 };
	srand(20261121);
	for (int round = 0; round < 2000; round++) {
		struct mbplan_span spans[N];
		struct mbplan_block blocks[N];
		size_t seen = 0;
		for (size_t i = 0; i < N; i++) {
			int r = rand();
			spans[i] = at(r % 4, (uint16_t)(r / 4 % 400), (uint16_t)(r % 4 < 2 ? 1 : 1 + r / 1600 % 4),
				      (uint16_t)(r / 7 % 20));
			spans[i].unit = (uint8_t)(r / 13 % 3);
			spans[i].max_block = (uint16_t)(5 + r / 17 % 120);
		}
		size_t n = merge(spans, N, blocks);
		for (size_t i = 0; i < n; i++) {
			const struct mbplan_block *b = &blocks[i];
			cr_assert_eq(b->from, seen);
			seen += b->n;
			for (size_t k = b->from; k < b->from + b->n; k++) {
				cr_assert(spans[k].unit == spans[b->from].unit &&
					  spans[k].table == spans[b->from].table);
				cr_assert(spans[k].first >= b->first &&
					  spans[k].first + spans[k].count <= b->first + b->count);
				cr_assert_leq(b->count, spans[k].max_block);
			}
		}
		cr_assert_eq(seen, N);
	}
}
