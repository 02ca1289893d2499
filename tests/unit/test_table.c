/* table: an intrusive hash table that grows. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "core/base/mem.h"
#include "core/base/table.h"

struct item {
	unsigned key;
	struct table_link link;
};

static struct item *find(const struct table *table, unsigned key, uint64_t hash)
{
	for (struct table_link *at = table_first(table, hash); at; at = table_next(at)) {
		struct item *item = TABLE_OF(at, struct item, link);
		if (item->key == key)
			return item;
	}
	return NULL;
}

Test(table, an_empty_one_finds_nothing)
{
	struct table table = { 0 };
	cr_assert_null(table_first(&table, 42));
	table_done(&table);
	cr_assert_null(table_first(&table, 42));
}

Test(table, finds_all_of_many_and_forgets_the_removed)
{
	enum {
		COUNT = 5000
	};
	struct table table = { 0 };
	AUTO_FREE struct item *items = xcalloc(COUNT, sizeof *items);
	for (unsigned i = 0; i < COUNT; i++) {
		items[i].key = i;
		table_insert(&table, &items[i].link, table_hash(&i, sizeof i));
	}
	cr_assert_eq(table.count, (size_t)COUNT);
	cr_assert_geq(table.bucket_count, (size_t)COUNT);
	for (unsigned i = 0; i < COUNT; i += 2)
		table_remove(&table, &items[i].link);
	cr_assert_eq(table.count, (size_t)COUNT / 2);
	for (unsigned i = 0; i < COUNT; i++) {
		struct item *found = find(&table, i, table_hash(&i, sizeof i));
		cr_assert_eq(found, i % 2 ? &items[i] : NULL);
	}
	table_done(&table);
	cr_assert_eq(table.count, 0u);
}

Test(table, equal_hashes_and_equal_buckets_are_told_apart)
{
	struct table table = { 0 };
	struct item items[4] = { { .key = 1 }, { .key = 2 }, { .key = 3 }, { .key = 4 } };
	table_insert(&table, &items[0].link, 7);
	table_insert(&table, &items[1].link, 7 + 64); /* same bucket of 64 */
	table_insert(&table, &items[2].link, 7);
	table_insert(&table, &items[3].link, 7 + 128);
	for (unsigned key = 1; key <= 4; key++) {
		unsigned found = 0;
		uint64_t hash = items[key - 1].link.hash;
		for (struct table_link *at = table_first(&table, hash); at; at = table_next(at)) {
			cr_assert_eq(at->hash, hash);
			found++;
		}
		cr_assert_eq(found, hash == 7 ? 2u : 1u);
		cr_assert_eq(find(&table, key, hash), &items[key - 1]);
	}
	table_remove(&table, &items[0].link);
	cr_assert_null(find(&table, 1, 7));
	cr_assert_eq(find(&table, 3, 7), &items[2]);
	table_done(&table);
}

Test(table, hash_depends_on_every_byte_and_the_length)
{
	uint64_t seen[64];
	char zeros[64] = { 0 };
	for (size_t len = 0; len < 64; len++) {
		seen[len] = table_hash(zeros, len);
		for (size_t other = 0; other < len; other++)
			cr_assert_neq(seen[len], seen[other]);
		cr_assert_eq(seen[len], table_hash(zeros, len));
	}
	for (size_t at = 0; at < 63; at++) {
		zeros[at] = 1;
		cr_assert_neq(table_hash(zeros, 63), seen[63], "byte %zu", at);
		zeros[at] = 0;
	}
}

/* Random keys in 256 buckets, 64 a bucket: a bucket that holds three times that is no accident. */
Test(table, low_bits_of_hashes_spread)
{
	unsigned buckets[256] = { 0 };
	for (unsigned i = 0; i < 256 * 64; i++) {
		char name[32];
		int len = snprintf(name, sizeof name, "HTTP-F%u", i);
		buckets[table_hash(name, (size_t)len) & 255]++;
	}
	for (unsigned i = 0; i < 256; i++)
		cr_assert(buckets[i] > 8 && buckets[i] < 192, "bucket %u holds %u", i, buckets[i]);
}
