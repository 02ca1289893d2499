/* lookout: see lookout.h. */
#include "watcher/lookout.h"

#include <sys/inotify.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "watcher/view.h"

/* IN_MASK_ADD: where the directory is watched for a tree too, that watch keeps its mask. */
#define MASK_SELF  (IN_MOVE_SELF | IN_DELETE_SELF | IN_ONLYDIR | IN_MASK_ADD)
#define MASK_NAMES (MASK_SELF | IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE)

static void drop(struct watcher *w, int wd)
{
	if (!wdmap_find(&w->tree.wds, wd))
		return;
	wdmap_add_lookouts(&w->tree.wds, wd, -1);
	if (wdmap_retired(wdmap_find(&w->tree.wds, wd)))
		view_unwatch(w->inotify_fd, wd);
}

void lookout_clear(struct watcher *w, struct root *root)
{
	for (size_t i = 0; i < root->lookout_count; i++)
		drop(w, root->lookouts[i].wd);
	free(root->lookouts);
	root->lookouts = NULL;
	root->lookout_count = 0;
	root->armed = false;
}

/* One more lookout; false when there is no watch to be had. */
static bool add(struct watcher *w, struct root *root, int fd, struct lookout lookout)
{
	uint32_t mask = lookout.name_len ? MASK_NAMES : MASK_SELF;
	if (lookout.deletions)
		mask |= IN_DELETE;
	lookout.wd = view_watch(w->inotify_fd, fd, mask);
	if (lookout.wd == -ENOSPC || lookout.wd == -ENOMEM) {
		root->short_of_watches = true;
		w->no_room = lookout.wd;
	}
	if (lookout.wd < 0)
		return false;
	for (size_t i = 0; i < root->lookout_count; i++) {
		struct lookout *other = &root->lookouts[i];
		if (other->wd != lookout.wd ||
		    (lookout.name_len > 0 && lookout.name_at != other->name_at))
			continue;
		other->deletions |= lookout.deletions;
		return true;
	}
	root->lookouts = own_realloc(root->lookouts, root->lookout_count + 1, sizeof lookout);
	root->lookouts[root->lookout_count++] = lookout;
	wdmap_add_lookouts(&w->tree.wds, lookout.wd, 1);
	return true;
}

/* Bytes of the path that name the directory above what the first len bytes name. */
static size_t above(const char *path, size_t len)
{
	while (len > 0 && path[len - 1] != '/')
		len--;
	while (len > 0 && path[len - 1] == '/')
		len--;
	return len;
}

/* The nearest directory above the root's path: a descriptor, and how much of the path it is. */
static int open_nearest(const struct root *root, size_t *out_len)
{
	size_t len = root->path_len;
	int fd = -1;
	while (len > 0 && fd < 0) {
		len = above(root->path, len);
		fd = place_open_outside(root->path, len, root->absolute);
	}
	*out_len = len;
	return fd;
}

/* A lookout for the name in the root's path that follows its first len bytes. */
static struct lookout name_after(const struct root *root, size_t len)
{
	struct lookout lookout = { .name_at = len };
	while (root->path[lookout.name_at] == '/')
		lookout.name_at++;
	lookout.name_len = strcspn(root->path + lookout.name_at, "/");
	return lookout;
}

/* Lookouts for the symlinks among the names in the first len bytes of the root's path: when one is
 * changed no directory moves. */
static void watch_links(struct watcher *w, struct root *root, size_t len)
{
	struct statx st;
	while (len > 0) {
		len = above(root->path, len);
		struct lookout lookout = name_after(root, len);
		OWN_CLOSE int fd = place_open_outside(root->path, len, root->absolute);
		char *name = own_copy(root->path + lookout.name_at, lookout.name_len);
		if (fd >= 0 && view_stat(fd, name, STATX_TYPE, &st) == 0 && S_ISLNK(st.stx_mode))
			(void)add(w, root, fd, lookout);
		free(name);
	}
}

/* Lookouts for moves of the directories above fd itself. */
static void climb(struct watcher *w, struct root *root, int fd)
{
	struct place_id at;
	struct place_id up;
	OWN_CLOSE int held = view_open_at(fd, "..");
	if (place_identify(fd, &at) != 0)
		return;
	while (held >= 0 && place_identify(held, &up) == 0 && !place_same(&at, &up)) {
		(void)add(w, root, held, (struct lookout){ 0 });
		int next = view_open_at(held, "..");
		own_close(held);
		held = next;
		at = up;
	}
}

/* Lookouts for the root's path, beside those that there are. */
static void look_out(struct watcher *w, struct root *root)
{
	size_t len;
	OWN_CLOSE int fd = open_nearest(root, &len);
	root->armed = false;
	root->short_of_watches = false;
	if (fd >= 0 && place_identify(fd, &root->armed_id) == 0) {
		root->armed = add(w, root, fd, name_after(root, len));
		watch_links(w, root, len);
		climb(w, root, fd);
	}
}

void lookout_arm(struct watcher *w, struct root *root, int fd)
{
	struct lookout *old = root->lookouts;
	size_t count = root->lookout_count;
	root->lookouts = NULL;
	root->lookout_count = 0;
	look_out(w, root);
	if (fd >= 0)
		lookout_climb(w, root, fd);
	/* the new ones stand before the old ones go, so that shared ones are never away */
	for (size_t i = 0; i < count; i++)
		drop(w, old[i].wd);
	free(old);
}

bool lookout_stands(const struct root *root)
{
	size_t len;
	struct place_id id;
	OWN_CLOSE int fd = open_nearest(root, &len);
	return fd >= 0 && place_identify(fd, &id) == 0 && root->armed &&
	       place_same(&id, &root->armed_id);
}

static void note_in_chain(struct root *root, const struct place_id *id)
{
	root->chain = own_realloc(root->chain, root->chain_len + 1, sizeof *id);
	root->chain[root->chain_len++] = *id;
}

void lookout_climb(struct watcher *w, struct root *root, int fd)
{
	struct place_id id;
	OWN_CLOSE int held = view_open_at(fd, ".");
	root->chain_len = 0;
	while (held >= 0 && place_identify(held, &id) == 0) {
		if (root->chain_len > 0 && place_same(&root->chain[root->chain_len - 1], &id))
			break;
		if (root->chain_len > 0 && w->inotify_fd >= 0 && !root->polled)
			(void)add(w, root, held,
				  (struct lookout){ .deletions = root->chain_len == 1 });
		note_in_chain(root, &id);
		int next = view_open_at(held, "..");
		own_close(held);
		held = next;
	}
}
