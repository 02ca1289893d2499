/* records: hashes that sort by their bytes. */
#include <criterion/criterion.h>
#include <string.h>

#include "core/detect/records.h"

static void add(struct records *records, enum hash_kind kind, uint8_t last, uint64_t place)
{
	uint8_t sum[HASH_SIZE_MAX] = { 0 };
	uint8_t record[RECORD_WIDTH_MAX];
	sum[hash_size(kind) - 1] = last;
	record_make(record, kind, sum, place);
	records_add(records, record);
}

Test(records, are_found_with_the_place_that_came_first)
{
	static const uint64_t far = UINT64_C(0x1122334455667788);
	for (unsigned kind = 0; kind < HASH_KINDS; kind++) {
		struct records records = { .width = record_width(kind) };
		for (int i = 199; i >= 0; i -= 2)
			add(&records, kind, (uint8_t)i, (uint64_t)i * 1000);
		add(&records, kind, 7, far);
		records_sort(&records);
		cr_assert_eq(records.count, 101);
		uint8_t key[HASH_SIZE_MAX] = { 0 };
		size_t size = hash_size(kind);
		key[size - 1] = 7;
		size_t at = records_lower(records.bytes, records.count, records.width, key, size);
		cr_assert_eq(at, 3);
		cr_assert_eq(record_place(records.bytes + at * records.width, records.width), 7000);
		cr_assert_eq(record_place(records.bytes + 4 * records.width, records.width), far);
		key[size - 1] = 8;
		cr_assert_eq(records_lower(records.bytes, records.count, records.width, key, size),
			     5);
		key[size - 1] = 200;
		cr_assert_eq(records_lower(records.bytes, records.count, records.width, key, size),
			     101);
		records_done(&records);
		cr_assert_eq(records_lower(records.bytes, records.count, records.width, key, size),
			     0);
	}
}
