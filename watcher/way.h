/*
 * way: how changes below a root become known: by events, or by walking it at every rescan.
 *
 * Events are relied on where two things hold. The file system is one that changes only through this
 * kernel (place_is_local()): what another machine, a FUSE server or a hypervisor's host does is
 * told by nobody, and no trial of ours can find that out. And the canary sings: the directory is
 * opened, as every walk does anyway, and the kernel must tell that at once to a watch set as all
 * others are. That shows that a watch set through /proc/self/fd stands on what is reached by its
 * path, and that events are made and arrive here at all, which emulated kernels and odd mounts may
 * not do. It needs nothing but read permission, writes nothing, changes no time, and is told to an
 * inotify instance of its own, so that neither a sensor nor the tree ever sees it.
 */
#ifndef CARVED_WATCHER_WAY_H
#define CARVED_WATCHER_WAY_H

#include "watcher/health.h"
#include "watcher/inside.h"

enum poll_reason {
	POLL_NOT = 0,
	POLL_ASKED,	  /* its mode says so */
	POLL_FOREIGN,	  /* its file system may not tell what others do */
	POLL_DEAF,	  /* events do not arrive there */
	POLL_NO_INSTANCE, /* there is no inotify instance */
};

/** True when the root's mode and the instance allow for events, whatever its file system. */
bool way_wants_events(const struct watcher *w, const struct root *root);
/** Chooses for a root, open as fd, on a file system of that type; complains where it is polled for
 * a reason that nobody asked for. */
void way_choose(struct watcher *w, struct root *root, int fd, uint64_t magic);
/** What stands in health.h under watcher_root_way(). */
enum watcher_way way_describe(const struct root *root, char *out, size_t size);

#endif
