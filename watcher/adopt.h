/*
 * adopt: what stands at a place of the tree now?
 *
 * Every event about a directory, and every directory met by a listing, ends in this one question,
 * answered by the disk: open the place, set the watch, and compare the watch descriptor with what
 * the tree believes. The same descriptor at the same place: nothing happened. The same descriptor
 * known at another place: the directory was moved (or is mounted twice). Another one: the directory
 * was replaced. So order, pairing and loss of events do not matter.
 */
#ifndef CARVED_WATCHER_ADOPT_H
#define CARVED_WATCHER_ADOPT_H

#include "watcher/inside.h"

/** Opens the directory name below a directory of the tree with open(2) flags; len 0: the top
 * itself. Returns a descriptor or -errno; PLACE_ELSEWHERE: the parent (or the root) is not where it
 * was believed to be, which has been seen to. */
int adopt_open(struct watcher *w, struct node *parent, const char *name, size_t len, int flags);
/** The same for the directory of an attached node. */
int adopt_open_node(struct watcher *w, struct node *node, int flags);

/** Looks at a place and brings the tree in line; what must be listed is put on the agenda. False
 * when there is no directory, in which case nothing was changed. */
bool adopt_look(struct watcher *w, struct node *parent, const char *name, size_t len);

/** The same for an event, with what follows when there is no directory (any more): moved_away says
 * that it may turn up elsewhere. */
void adopt_event(struct watcher *w, struct node *parent, const char *name, size_t len,
		 bool moved_away);

/** Sets the watch on an open directory that stands at a place, and returns the node that stands for
 * it (made, moved or kept). NULL when the
 * directory has left this place again, or when the tree is in doubt; all roots are walked then. */
struct node *adopt_settle(struct watcher *w, struct node *parent, const char *name, size_t len,
			  int fd);

/** Takes the watch of a node away. */
void adopt_unwatch(struct watcher *w, struct node *node);

/** The mask of every directory of the tree. */
extern const uint32_t adopt_mask;

#endif
