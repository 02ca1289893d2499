/*
 * mounts: which roots does a change of mounts concern, and what below them?
 *
 * The kernel says only that some mount somewhere is another one. On a machine that starts and stops
 * containers all day that is no reason to walk a root. So each root remembers the mounts that it
 * lies on ("above") and those below it, as they were before it was last walked; what differs is
 * looked at, and nothing else. Options (a remount read-only) make no difference. The roots
 * themselves are resolved anew at each change: that costs a few system calls, and their paths may
 * lead through symlinks anywhere.
 *
 * A listing of mountinfo that changes while it is read is not wrong for long: the change is told
 * again. Looking takes at most a tenth of the time, however often mounts change.
 */
#ifndef CARVED_WATCHER_MOUNTS_H
#define CARVED_WATCHER_MOUNTS_H

#include "watcher/inside.h"

/** Mounts changed: looks now, or when it is time again. */
void mounts_changed(struct watcher *w);
/** Looks, when that is due. */
void mounts_due(struct watcher *w, int64_t now_ns);
/** Remembers the mounts of a root, open as fd, before it is walked for the first time. */
void mounts_remember(struct root *root, int fd);
/** A directory below the root was reached through the mount of this number, 0 for unknown. One that
 * is not remembered may be gone before it is looked for: the root is walked then. */
void mounts_met(struct root *root, uint64_t id);
/** The root's own path may be another one now. */
void mounts_locate(struct root *root, int fd);
/** Forgets what is remembered. */
void mounts_forget(struct root *root);

#endif
