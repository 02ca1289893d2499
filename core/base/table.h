/*
 * table: an intrusive chained hash table that grows. The caller embeds a struct table_link, gives
 * the hash, and compares candidates itself. Keys are written by attackers, so hashes come from
 * table_hash(), which is keyed by a random number of this process. Not thread-safe.
 */
#ifndef CARVED_CORE_BASE_TABLE_H
#define CARVED_CORE_BASE_TABLE_H

#include <stddef.h>
#include <stdint.h>

struct table_link {
	struct table_link *next;
	uint64_t hash;
};

struct table {
	struct table_link **buckets;
	size_t bucket_count; /* a power of two, 0 before the first insertion */
	size_t count;
};

#define TABLE_OF(link, type, member) ((type *)(void *)((char *)(link)-offsetof(type, member)))

void table_done(struct table *table);
void table_insert(struct table *table, struct table_link *link, uint64_t hash);
/** Removes a link that is in the table. */
void table_remove(struct table *table, struct table_link *link);
/** The first link with this hash, or NULL; the caller compares and goes on with table_next(). */
struct table_link *table_first(const struct table *table, uint64_t hash);
struct table_link *table_next(const struct table_link *link);
/** Keyed hash (SipHash-1-3 construction) of len bytes. Any thread. */
uint64_t table_hash(const void *bytes, size_t len);

#endif
