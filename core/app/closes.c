/*
 * closes: see closes.h.
 *
 * A ring in the order of time, so that what is forgotten is older than all that is remembered, and
 * chains of those with a like hash. A path that is told of again moves to the front.
 */
#include "core/app/closes.h"

#include <stdlib.h>

#include "core/base/mem.h"
#include "core/base/table.h"

#define NONE UINT32_MAX

struct close_entry {
	uint64_t hash;	/* of the path, keyed: table_hash() */
	uint64_t inode; /* 0: not looked at since */
	int64_t told_ns;
	uint32_t next; /* in its chain */
	bool used;
};

struct closes {
	struct close_entry ring[CLOSES_MAX];
	uint32_t chains[CLOSES_MAX];
	uint32_t front;	      /* the slot that is used next */
	int64_t forgotten_ns; /* the latest time of one that is not remembered */
};

struct closes *closes_new(void)
{
	struct closes *closes = xcalloc(1, sizeof *closes);
	for (size_t i = 0; i < CLOSES_MAX; i++)
		closes->chains[i] = NONE;
	return closes;
}

void closes_free(struct closes *closes)
{
	free(closes);
}

static uint32_t find(const struct closes *closes, uint64_t hash)
{
	uint32_t at = closes->chains[hash % CLOSES_MAX];
	while (at != NONE && closes->ring[at].hash != hash)
		at = closes->ring[at].next;
	return at;
}

static void take_out(struct closes *closes, uint32_t which)
{
	struct close_entry *entry = &closes->ring[which];
	uint32_t *at = &closes->chains[entry->hash % CLOSES_MAX];
	while (*at != which)
		at = &closes->ring[*at].next;
	*at = entry->next;
	entry->used = false;
}

static uint32_t take_slot(struct closes *closes)
{
	uint32_t slot = closes->front;
	struct close_entry *entry = &closes->ring[slot];
	closes->front = (slot + 1) % CLOSES_MAX;
	if (!entry->used)
		return slot;
	if (entry->told_ns > closes->forgotten_ns)
		closes->forgotten_ns = entry->told_ns;
	take_out(closes, slot);
	return slot;
}

void closes_note(struct closes *closes, const char *path, size_t len, int64_t now_ns)
{
	uint64_t hash = table_hash(path, len);
	uint32_t old = find(closes, hash);
	if (old != NONE)
		take_out(closes, old);
	uint32_t slot = take_slot(closes);
	uint32_t *chain = &closes->chains[hash % CLOSES_MAX];
	closes->ring[slot] = (struct close_entry){
		.hash = hash, .told_ns = now_ns, .next = *chain, .used = true
	};
	*chain = slot;
}

void closes_found(struct closes *closes, const char *path, size_t len, uint64_t inode)
{
	uint32_t at = find(closes, table_hash(path, len));
	if (at != NONE)
		closes->ring[at].inode = inode;
}

bool closes_since(const struct closes *closes, const char *path, size_t len, uint64_t inode,
		  int64_t checked_ns)
{
	uint32_t at = find(closes, table_hash(path, len));
	if (at == NONE)
		return checked_ns <= closes->forgotten_ns;
	const struct close_entry *entry = &closes->ring[at];
	return entry->inode != inode && entry->told_ns >= checked_ns;
}
