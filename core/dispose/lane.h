/*
 * lane: files of one kind that are in place, oldest first, on one file system or on all.
 *
 * It goes through the history once, from a floor on. Behind it lies nothing that may go: files that
 * are gone, that others own now, or that were taken, if only to be passed over (fulldisk.c). Once
 * it has come to the end, and for what ends later than younger files do, it lives on what it hears
 * of (lane_hear), since rows that wait to be scanned, millions perhaps, lie behind the end and are
 * not gone through again for each new one. One thread.
 */
#ifndef CARVED_CORE_DISPOSE_LANE_H
#define CARVED_CORE_DISPOSE_LANE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/store/kept.h"

struct config;
struct error;

/* So many are remembered of what was heard of; more, and it goes through the history again. */
#define LANE_HEARD_MAX 16384

struct lane_file {
	struct kept_at at; /* first_seen_ns and id of its version */
	struct identity identity;
	char *path; /* owned */
};

struct lane {
	enum kept_kind kind;
	bool everywhere;
	uint64_t fsid;		       /* if not */
	struct kept_at at;	       /* how far it has come */
	struct kept_at *heard;	       /* sorted; owned */
	size_t heard_first, heard_end; /* of it, what is left */
	struct lane_file *page;	       /* read ahead; owned */
	size_t page_count, page_next;
	bool page_last;		 /* behind it comes what is heard of, and nothing else */
	struct kept_at page_end; /* the last of it */
	struct lane_file front;	 /* path NULL: not known yet */
	bool front_heard;	 /* it is the first of heard */
};

/* Where it looks. */
struct lane_view {
	const struct config *config;
	struct kept_reader *reader;
};

void lane_init(struct lane *lane, enum kept_kind kind, int64_t floor_ns);
void lane_done(struct lane *lane);
/** The oldest file that is in place, borrowed until lane_take(); NULL in *out: none. 0, or -errno
 * with err when the history cannot be read. */
int lane_front(struct lane *lane, const struct lane_view *view, const struct lane_file **out,
	       struct error *err);
/** The front is done with. */
void lane_take(struct lane *lane);
/** A version of the lane's kind has come to its end. */
void lane_hear(struct lane *lane, struct kept_at at);
/** Nothing of the lane was first seen before. */
int64_t lane_floor_ns(const struct lane *lane);

/** Whether the row's file lies below a root and is there as recorded: a regular file with the same
 * inode, birth time, size and time. */
bool lane_is_there(const struct config *config, const struct store_kept *row);

#endif
