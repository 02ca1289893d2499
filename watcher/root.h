/*
 * root: the roots, which may be missing, replaced, mounted over, or a symlink that changes.
 *
 * A root's path is resolved anew whenever something may have changed what it means. To be told of
 * that, the directories above it are watched: the nearest one that exists, and those that hold a
 * symlink named in the path, for the names in them; those above for being moved themselves
 * (lookouts). Symlinks that such a symlink leads through are not looked out for. The order is: look
 * out, look, and look whether the lookout still stands where the path leads.
 */
#ifndef CARVED_WATCHER_ROOT_H
#define CARVED_WATCHER_ROOT_H

#include "watcher/decode.h"
#include "watcher/inside.h"

uint32_t root_index(const struct watcher *w, const struct root *root);
/** A root with this path, which nobody asks for yet. */
struct root *root_new(const char *path);
/** It is asked for, in this mode; nothing is looked at yet. */
void root_want(const struct watcher *w, struct root *root, enum watcher_mode mode);
/** Frees a root whose nodes and lookouts are gone. */
void root_free(struct root *root);

/** Opens a present root (O_PATH): a descriptor, or -errno; PLACE_ELSEWHERE: the path leads
 * elsewhere now.
 */
int root_open(const struct root *root);
/** Does the path of a present root lead there, as far as can be told? Less work than root_check().
 */
bool root_stands(const struct root *root);
/** Begins to watch a root that was left, or anew in another mode: with a gap until it is walked. */
void root_begin(struct watcher *w, struct root *root, enum watcher_mode mode);
/** Nothing of it is watched any more, and its gaps are closed. */
void root_leave(struct watcher *w, struct root *root);
/** Resolves the root anew; when it changed, the old tree is given up, and a new one walked. */
void root_check(struct watcher *w, struct root *root, enum watcher_cause cause);
/** The root's directory turns out to be watched at another place: it is left to that. */
void root_yield(struct watcher *w, struct root *root);
/** Something happened in a directory that is a lookout of some roots. */
void root_lookout(struct watcher *w, const struct change *change);

/** Puts a root (its top, all below it) on the agenda. */
void root_walk(struct watcher *w, struct root *root);
/** All present roots. Returns the batch that does it. */
uint64_t root_walk_all(struct watcher *w);
/** Puts what is in trouble on the agenda: missing, polled, unwatched, unreadable. */
void root_retry(struct watcher *w, struct root *root);
/** True while root_retry() is worth calling. */
bool root_wants_retry(const struct watcher *w, const struct root *root);

/** Of two roots one lies in the other, or they are the same: the other one, or NULL. */
const struct root *root_clash(const struct watcher *w, const struct root *root);

#endif
