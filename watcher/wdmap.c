/* wdmap: see wdmap.h. Open addressing, linear probing, deletion by shifting back (Knuth 6.4, R). */
#include "watcher/wdmap.h"

#include <stdlib.h>

#include "watcher/own.h"

#define CAPACITY_LEAST ((size_t)64)

static size_t home(const struct wdmap *map, int wd)
{
	/* consecutive descriptors are spread by the golden ratio */
	return (size_t)(((uint64_t)(uint32_t)wd * UINT64_C(0x9e3779b97f4a7c15)) >> 32) &
	       (map->capacity - 1);
}

void wdmap_done(struct wdmap *map)
{
	free(map->slots);
	*map = (struct wdmap){ 0 };
}

struct wd_entry *wdmap_find(const struct wdmap *map, int wd)
{
	if (map->capacity == 0 || wd <= 0)
		return NULL;
	size_t at = home(map, wd);
	while (map->slots[at].wd != 0) {
		if (map->slots[at].wd == wd)
			return &map->slots[at];
		at = (at + 1) & (map->capacity - 1);
	}
	return NULL;
}

bool wdmap_retired(const struct wd_entry *entry)
{
	return !entry->node && entry->lookouts == 0;
}

static struct wd_entry *place(struct wdmap *map, struct wd_entry entry)
{
	size_t at = home(map, entry.wd);
	while (map->slots[at].wd != 0)
		at = (at + 1) & (map->capacity - 1);
	map->slots[at] = entry;
	return &map->slots[at];
}

static void resize(struct wdmap *map, size_t capacity)
{
	struct wd_entry *old = map->slots;
	size_t old_capacity = map->capacity;
	map->slots = own_calloc(capacity, sizeof *map->slots);
	map->capacity = capacity;
	for (size_t i = 0; i < old_capacity; i++) {
		if (old[i].wd != 0)
			(void)place(map, old[i]);
	}
	free(old);
}

static struct wd_entry *find_or_add(struct wdmap *map, int wd)
{
	struct wd_entry *entry = wdmap_find(map, wd);
	if (entry)
		return entry;
	if (map->capacity == 0)
		resize(map, CAPACITY_LEAST);
	else if ((map->count + 1) * 3 > map->capacity * 2)
		resize(map, map->capacity * 2);
	map->count++;
	return place(map, (struct wd_entry){ .wd = wd });
}

static void count_live(struct wdmap *map, bool was_retired, const struct wd_entry *entry)
{
	if (was_retired && !wdmap_retired(entry))
		map->live++;
	if (!was_retired && wdmap_retired(entry))
		map->live--;
}

void wdmap_set_node(struct wdmap *map, int wd, struct node *node)
{
	struct wd_entry *entry = find_or_add(map, wd);
	bool was_retired = wdmap_retired(entry);
	entry->node = node;
	count_live(map, was_retired, entry);
}

void wdmap_add_lookouts(struct wdmap *map, int wd, int change)
{
	struct wd_entry *entry = find_or_add(map, wd);
	bool was_retired = wdmap_retired(entry);
	entry->lookouts = (entry->lookouts + (uint32_t)change) & 0x7fffffff;
	count_live(map, was_retired, entry);
}

void wdmap_erase(struct wdmap *map, int wd)
{
	struct wd_entry *entry = wdmap_find(map, wd);
	if (!entry)
		return;
	map->live -= wdmap_retired(entry) ? 0 : 1;
	map->count--;
	size_t mask = map->capacity - 1;
	size_t hole = (size_t)(entry - map->slots);
	for (size_t at = (hole + 1) & mask; map->slots[at].wd != 0; at = (at + 1) & mask) {
		/* an entry may move back to the hole unless its home lies behind the hole */
		if (((at - home(map, map->slots[at].wd)) & mask) >= ((at - hole) & mask)) {
			map->slots[hole] = map->slots[at];
			hole = at;
		}
	}
	map->slots[hole] = (struct wd_entry){ 0 };
	if (map->capacity > CAPACITY_LEAST && map->count * 8 < map->capacity)
		resize(map, map->capacity / 2);
}

void wdmap_purge(struct wdmap *map)
{
	struct wdmap kept = { 0 };
	for (size_t i = 0; i < map->capacity; i++) {
		struct wd_entry *entry = &map->slots[i];
		if (entry->wd == 0 || wdmap_retired(entry))
			continue;
		*find_or_add(&kept, entry->wd) = *entry;
		kept.live++;
	}
	wdmap_done(map);
	*map = kept;
}
