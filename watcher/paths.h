/*
 * paths: the paths of directories of the tree, "the root as written, a slash, and the rest".
 */
#ifndef CARVED_WATCHER_PATHS_H
#define CARVED_WATCHER_PATHS_H

#include "watcher/inside.h"

/** Puts the node's path into out, replacing what is there; also that of a detached node: where it
 * was. Returns the length of the root's part. */
size_t paths_put(const struct watcher *w, const struct node *node, struct bytes *out);

/** Fills an event for the name in the directory (its path is borrowed until the next call); false
 * when the directory has lost its place. */
bool paths_speak(struct watcher *w, const struct node *dir, const char *name, size_t len,
		 struct watcher_event *out);

/** Tells something of a directory: kind, its path, and where it was, or NULL. */
void paths_tell(struct watcher *w, enum watcher_kind kind, const struct node *node,
		const char *from);

#endif
