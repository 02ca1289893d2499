/*
 * lookout: watches above a root (root.h), counted per directory, since roots may share them and a
 * lookout may itself be a directory of another root's tree.
 */
#ifndef CARVED_WATCHER_LOOKOUT_H
#define CARVED_WATCHER_LOOKOUT_H

#include "watcher/inside.h"

/** Frees lookouts that nobody stands on any more. */
void lookout_forget(struct lookout *lookouts, size_t count);
/** Takes all lookouts of root away. */
void lookout_clear(struct watcher *w, struct root *root);
/** Stands lookouts on the nearest directory above the root's path that exists, on all above it, and
 * on those that hold a symlink which the path goes through, be it one of its names or one that a
 * symlink leads to; then what lookout_climb() does for fd,
 * the directory that the path leads to, unless it is -1. All others are taken away. */
void lookout_arm(struct watcher *w, struct root *root, int fd);
/** Adds lookouts above the directory that the root's path leads to, which is another chain when the
 * path holds symlinks; fills root->chain. */
void lookout_climb(struct watcher *w, struct root *root, int fd);
/** True when the nearest directory is still the one that lookout_arm() found. */
bool lookout_stands(const struct root *root);

#endif
