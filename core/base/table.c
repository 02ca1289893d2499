/*
 * table: see table.h. The hash is SipHash (Aumasson, Bernstein: "SipHash: a fast short-input PRF",
 * 2012) with one compression and three finalisation rounds, the variant that hash tables of
 * several languages use.
 */
#include "core/base/table.h"

#include <sys/random.h>

#include <assert.h>
#include <pthread.h>
#include <string.h>

#include "core/base/mem.h"

static uint64_t key[2];

static void draw_key(void)
{
	ssize_t got = getrandom(key, sizeof key, 0);
	assert(got ==
	       (ssize_t)sizeof key); /* up to 256 bytes are never interrupted: getrandom(2) */
	(void)got;
}

static uint64_t rotate(uint64_t value, unsigned bits)
{
	return value << bits | value >> (64 - bits);
}

static void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[0] = rotate(v[0], 32);
	v[2] += v[3];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[2] = rotate(v[2], 32);
}

uint64_t table_hash(const void *bytes, size_t len)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	(void)pthread_once(&once, draw_key);
	uint64_t v[4] = { key[0] ^ 0x736f6d6570736575u, key[1] ^ 0x646f72616e646f6du,
			  key[0] ^ 0x6c7967656e657261u, key[1] ^ 0x7465646279746573u };
	const uint8_t *at = bytes;
	size_t left = len;
	uint64_t word;
	for (; left >= 8; left -= 8, at += 8) {
		memcpy(&word, at, 8);
		v[3] ^= word;
		sip_round(v);
		v[0] ^= word;
	}
	word = (uint64_t)len << 56;
	for (size_t i = 0; i < left; i++)
		word |= (uint64_t)at[i] << (8 * i);
	v[3] ^= word;
	sip_round(v);
	v[0] ^= word;
	v[2] ^= 0xff;
	for (int i = 0; i < 3; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

void table_done(struct table *table)
{
	free(table->buckets);
	*table = (struct table){ 0 };
}

static struct table_link **bucket_of(const struct table *table, uint64_t hash)
{
	return &table->buckets[hash & (table->bucket_count - 1)];
}

static void grow(struct table *table)
{
	struct table wider = { .bucket_count = table->bucket_count ? table->bucket_count * 2 : 64 };
	wider.buckets = xcalloc(wider.bucket_count, sizeof(void *));
	for (size_t i = 0; i < table->bucket_count; i++) {
		for (struct table_link *link = table->buckets[i], *next; link; link = next) {
			next = link->next;
			struct table_link **bucket = bucket_of(&wider, link->hash);
			link->next = *bucket;
			*bucket = link;
		}
	}
	free(table->buckets);
	table->buckets = wider.buckets;
	table->bucket_count = wider.bucket_count;
}

void table_insert(struct table *table, struct table_link *link, uint64_t hash)
{
	if (table->count >= table->bucket_count)
		grow(table);
	struct table_link **bucket = bucket_of(table, hash);
	link->hash = hash;
	link->next = *bucket;
	*bucket = link;
	table->count++;
}

void table_remove(struct table *table, struct table_link *link)
{
	assert(table->count > 0);
	struct table_link **at = bucket_of(table, link->hash);
	while (*at != link) {
		assert(*at);
		at = &(*at)->next;
	}
	*at = link->next;
	link->next = NULL;
	table->count--;
}

struct table_link *table_first(const struct table *table, uint64_t hash)
{
	if (!table->bucket_count)
		return NULL;
	struct table_link *link = *bucket_of(table, hash);
	while (link && link->hash != hash)
		link = link->next;
	return link;
}

struct table_link *table_next(const struct table_link *link)
{
	struct table_link *next = link->next;
	while (next && next->hash != link->hash)
		next = next->next;
	return next;
}
