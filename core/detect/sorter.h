/*
 * sorter: sorts more records than memory should hold.
 *
 * What is added gathers in memory; whenever that is full it is sorted and written as one run to an
 * unnamed file, and in the end the runs are merged (Knuth, "The Art of Computer Programming", vol.
 * 3, section 5.4). Memory: about twice SORTER_MEMORY while a run is sorted; when merging, the same
 * or 4 KiB for each run, whichever is more. One thread.
 */
#ifndef CARVED_CORE_DETECT_SORTER_H
#define CARVED_CORE_DETECT_SORTER_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/mem.h"

#define SORTER_MEMORY ((size_t)4 * 1024 * 1024)

struct error;
struct sorter;

/** For records of width bytes, ordered by memcmp(3). directory: where an unnamed file may be made,
 * if need be (scratch.h); NULL: anywhere. Borrowed. */
struct sorter *sorter_new(size_t width, const char *directory);
void sorter_free(struct sorter *sorter);
AUTO_DEFINE(sorter);

int sorter_add(struct sorter *sorter, const uint8_t *record, struct error *err);
/** Gives all records, in order, to take; a negative value of its ends that. Nothing is added
 * afterwards. */
int sorter_end(struct sorter *sorter,
	       int (*take)(void *context, const uint8_t *record, struct error *err), void *context,
	       struct error *err);

#endif
