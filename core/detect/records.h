/*
 * records: hashes with the place of their signature, as bytes of one width that sort by memcmp(3).
 *
 *	the hash | 8 bytes, big-endian: where the signature begins in the texts
 *
 * Of a hash that has several, the first in order is the one that was read first. One owner.
 */
#ifndef CARVED_CORE_DETECT_RECORDS_H
#define CARVED_CORE_DETECT_RECORDS_H

#include <stddef.h>
#include <stdint.h>

#include "core/detect/hasher.h"

#define RECORD_PLACE	 8
#define RECORD_WIDTH_MAX (HASH_SIZE_MAX + RECORD_PLACE)

struct records {
	uint8_t *bytes; /* owned */
	size_t count;
	size_t capacity;
	size_t width; /* of one record; set before the first is added */
};

static inline size_t record_width(enum hash_kind kind)
{
	return hash_size(kind) + RECORD_PLACE;
}

void record_make(uint8_t record[RECORD_WIDTH_MAX], enum hash_kind kind, const uint8_t *sum,
		 uint64_t place);
uint64_t record_place(const uint8_t *record, size_t width);

void records_done(struct records *records);
/** Adds one record of records->width bytes. */
void records_add(struct records *records, const uint8_t *record);
void records_sort(struct records *records);
/** The number of the first of count sorted records, width bytes each, that is not less than key
 * (key_len bytes, at most width); count when all are less. */
size_t records_lower(const uint8_t *bytes, size_t count, size_t width, const uint8_t *key,
		     size_t key_len);

#endif
