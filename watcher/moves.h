/*
 * moves: files that left a name (IN_MOVED_FROM) and whose new name may follow.
 *
 * The two halves of a rename are two events with one cookie; others may stand between them, and
 * they may come in two reads. A first half is held back: it becomes the "from" of the second half,
 * or WATCHER_GONE once nothing is queued any more, something else happens at its old path, or the
 * ring is full. A half that was told is still remembered, so that a late second half knows its old
 * path. Not thread-safe.
 */
#ifndef CARVED_WATCHER_MOVES_H
#define CARVED_WATCHER_MOVES_H

#include "watcher/notes.h"

#define MOVES_HELD 16

enum held_state {
	HELD_FREE,
	HELD_UNTOLD,
	HELD_TOLD
};

struct moves {
	struct held {
		enum held_state state;
		uint32_t cookie;
		uint32_t root;
		uint64_t fsid;
		uint64_t since; /* stream position */
		struct bytes path;
	} held[MOVES_HELD];

	unsigned next;	 /* the slot to use next, the oldest one */
	unsigned untold; /* how many are HELD_UNTOLD */
};

void moves_done(struct moves *moves);
/** Holds a first half (event gives root, path, fsid); tells the oldest one when the ring is full.
 */
void moves_hold(struct moves *moves, struct notes *notes, const struct watcher_event *event,
		uint32_t cookie, uint64_t position);
/** The old path of the half with this cookie, borrowed until the next moves_hold(), or NULL. The
 * half is used up. */
const char *moves_take(struct moves *moves, uint32_t cookie);
/** Tells that path is gone when a half is held for it: something new happens there. */
void moves_tell_path(struct moves *moves, struct notes *notes, const char *path, size_t len);
/** Tells all that are held, oldest first. */
void moves_tell_all(struct moves *moves, struct notes *notes);
/** Position of the oldest half that is neither paired nor told; UINT64_MAX when there is none. */
uint64_t moves_since(const struct moves *moves);

#endif
