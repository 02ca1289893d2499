/*
 * health: what carved status says of each root, and whether the reader gets on.
 */
#ifndef CARVED_WATCHER_HEALTH_H
#define CARVED_WATCHER_HEALTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct watcher;

enum watcher_way {
	WATCHER_WAY_ABSENT,   /* not there, or not to be had */
	WATCHER_WAY_EVENTS,   /* every change is told at once */
	WATCHER_WAY_DEGRADED, /* a part of it is walked at every rescan */
	WATCHER_WAY_POLLED,   /* all of it is */
};

/** How changes below root become known, and in out (size bytes, NUL-terminated, else cut) why not
 * by events alone; "" when they are. */
enum watcher_way watcher_root_way(const struct watcher *watcher, uint32_t root, char *out,
				  size_t size);
/** How often the thread that reads the kernel's events went round so far, and whether it has
 * something to do now: events that the kernel has queued, and room for them. */
uint64_t watcher_reader_rounds(const struct watcher *watcher, bool *out_at_work);
/** Directories at and below root that are known, and those of them that have a watch. Costs a pass
 * over them: for a status, not for the loop. */
void watcher_root_counts(const struct watcher *watcher, uint32_t root, uint64_t *out_directories,
			 uint64_t *out_watches);

#endif
