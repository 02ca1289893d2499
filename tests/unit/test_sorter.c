/* sorter: sorts what fits into memory, and what does not. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "core/base/error.h"
#include "core/detect/records.h"
#include "core/detect/sorter.h"

#define WIDTH 24

struct sink {
	uint8_t last[WIDTH];
	size_t count;
	uint64_t sum;
	size_t stop_after;
};

static void make(uint8_t record[WIDTH], uint64_t i)
{
	/* every value of i once, in an order that looks like none */
	uint64_t mixed = i * UINT64_C(0x9e3779b97f4a7c15);
	memset(record, 0, WIDTH);
	for (int b = 0; b < 8; b++)
		record[b] = (uint8_t)(mixed >> (56 - 8 * b));
	memcpy(record + 16, &i, sizeof i);
}

static int take(void *context, const uint8_t *record, struct error *err)
{
	struct sink *sink = context;
	(void)err;
	uint64_t i;
	cr_assert(sink->count == 0 || memcmp(sink->last, record, WIDTH) < 0, "out of order at %zu",
		  sink->count);
	memcpy(sink->last, record, WIDTH);
	memcpy(&i, record + 16, sizeof i);
	sink->sum += i;
	sink->count++;
	return sink->count == sink->stop_after ? -ECANCELED : 0;
}

static int sort(uint64_t count, struct sink *sink)
{
	AUTO(sorter) struct sorter *sorter = sorter_new(WIDTH, NULL);
	struct error err = { 0 };
	for (uint64_t i = 0; i < count; i++) {
		uint8_t record[WIDTH];
		make(record, i);
		cr_assert_eq(sorter_add(sorter, record, &err), 0, "%s", err.text);
	}
	return sorter_end(sorter, take, sink, &err);
}

Test(sorter, gives_everything_in_order_whatever_its_size)
{
	const uint64_t full = SORTER_MEMORY / WIDTH;
	const uint64_t counts[] = { 0, 1, 1000, full, full + 1, 2 * full, 7 * full + 3 };
	for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
		struct sink sink = { 0 };
		cr_assert_eq(sort(counts[i], &sink), 0);
		cr_assert_eq(sink.count, counts[i]);
		cr_assert_eq(sink.sum, counts[i] ? counts[i] * (counts[i] - 1) / 2 : 0);
	}
}

Test(sorter, ends_when_whoever_takes_says_so)
{
	struct sink few = { .stop_after = 2 };
	struct sink many = { .stop_after = 300000 };
	cr_assert_eq(sort(10, &few), -ECANCELED);
	cr_assert_eq(few.count, 2);
	cr_assert_eq(sort(400000, &many), -ECANCELED);
	cr_assert_eq(many.count, 300000);
	sorter_free(NULL);
}
