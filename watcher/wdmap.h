/*
 * wdmap: from a watch descriptor to what it stands for.
 *
 * The kernel counts watch descriptors up and does not give them out again, so this is a hash table
 * whose size follows the number of watches, not an array. A watch that we took away ourselves stays
 * as "retired" until its IN_IGNORED has been read: events queued before that are ours to ignore,
 * and any other unknown descriptor is a reason to doubt the tree. Not thread-safe.
 */
#ifndef CARVED_WATCHER_WDMAP_H
#define CARVED_WATCHER_WDMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct node;

struct wd_entry {
	int wd;			/* 0: an empty slot */
	uint32_t lookouts : 31; /* roots that look out for changes of their own path here */
	uint32_t shadowed : 1;	/* the directory was met at another place too */
	struct node *node;	/* the directory of the tree, or NULL */
};

struct wdmap {
	struct wd_entry *slots;
	size_t capacity; /* 0 or a power of two */
	size_t count;	 /* entries, retired ones included */
	size_t live;	 /* entries that are not retired */
};

void wdmap_done(struct wdmap *map);
/** The entry of wd, borrowed until the next change of the map; NULL when unknown. */
struct wd_entry *wdmap_find(const struct wdmap *map, int wd);
/** An entry is retired when nothing uses it any more. */
bool wdmap_retired(const struct wd_entry *entry);
/** Sets the directory of wd (NULL: none), making the entry when there is none. */
void wdmap_set_node(struct wdmap *map, int wd, struct node *node);
/** Adds to (or takes from) the lookouts of wd. */
void wdmap_add_lookouts(struct wdmap *map, int wd, int change);
/** Forgets wd altogether; harmless when it is unknown. */
void wdmap_erase(struct wdmap *map, int wd);
/** Forgets all retired entries: after an overflow their IN_IGNORED may never come. */
void wdmap_purge(struct wdmap *map);

#endif
