/* records: see records.h. */
#include "core/detect/records.h"

#include <string.h>

void record_make(uint8_t record[RECORD_WIDTH_MAX], enum hash_kind kind, const uint8_t *sum,
		 uint64_t place)
{
	size_t size = hash_size(kind);
	memcpy(record, sum, size);
	for (unsigned i = 0; i < RECORD_PLACE; i++)
		record[size + i] = (uint8_t)(place >> (8 * (RECORD_PLACE - 1 - i)));
}

uint64_t record_place(const uint8_t *record, size_t width)
{
	uint64_t place = 0;
	for (size_t i = width - RECORD_PLACE; i < width; i++)
		place = place << 8 | record[i];
	return place;
}

void records_done(struct records *records)
{
	free(records->bytes);
	*records = (struct records){ .width = records->width };
}

void records_add(struct records *records, const uint8_t *record)
{
	if (records->count == records->capacity) {
		records->capacity =
			records->capacity ? records->capacity + records->capacity / 2 : 64;
		records->bytes = xrealloc(records->bytes, records->capacity, records->width);
	}
	memcpy(records->bytes + records->count * records->width, record, records->width);
	records->count++;
}

static int compare(const void *a, const void *b, void *width)
{
	return memcmp(a, b, *(const size_t *)width);
}

void records_sort(struct records *records)
{
	if (records->count > 1)
		qsort_r(records->bytes, records->count, records->width, compare, &records->width);
}

size_t records_lower(const uint8_t *bytes, size_t count, size_t width, const uint8_t *key,
		     size_t key_len)
{
	size_t low = 0;
	size_t high = count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (memcmp(bytes + middle * width, key, key_len) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}
