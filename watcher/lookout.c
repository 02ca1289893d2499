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

/* The kernel follows no more on a path: MAXSYMLINKS. */
#define LINKS_MOST 40

static void drop(struct watcher *w, int wd)
{
	if (!wdmap_find(&w->tree.wds, wd))
		return;
	wdmap_add_lookouts(&w->tree.wds, wd, -1);
	if (wdmap_retired(wdmap_find(&w->tree.wds, wd)))
		view_unwatch(w->inotify_fd, wd);
}

void lookout_forget(struct lookout *lookouts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(lookouts[i].name);
	free(lookouts);
}

void lookout_clear(struct watcher *w, struct root *root)
{
	for (size_t i = 0; i < root->lookout_count; i++)
		drop(w, root->lookouts[i].wd);
	lookout_forget(root->lookouts, root->lookout_count);
	root->lookouts = NULL;
	root->lookout_count = 0;
	root->armed = false;
}

static bool same_name(const struct lookout *a, const struct lookout *b)
{
	return a->name && b->name && strcmp(a->name, b->name) == 0;
}

/* One more lookout, whose name is copied; false when there is no watch to be had. */
static bool add(struct watcher *w, struct root *root, int fd, struct lookout lookout)
{
	uint32_t mask = lookout.name ? MASK_NAMES : MASK_SELF;
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
		if (other->wd != lookout.wd || (lookout.name && !same_name(&lookout, other)))
			continue;
		other->deletions |= lookout.deletions;
		return true;
	}
	if (lookout.name) {
		lookout.name_len = strlen(lookout.name);
		lookout.name = own_copy(lookout.name, lookout.name_len);
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
	while (len > 0 && fd < 0 && !place_is_ours(fd)) {
		len = above(root->path, len);
		fd = place_open_outside(root->path, len, root->absolute);
	}
	*out_len = len;
	return fd;
}

/* Passes a result on. What is not to be had for want of descriptors or memory leaves directories
 * above the root without a lookout: they are tried again at the next rescan. */
static int need(struct root *root, int result)
{
	if (place_is_ours(result))
		root->armed = false;
	return result;
}

/* A lookout in fd for the name in the root's path that follows its first len bytes. */
static bool watch_name(struct watcher *w, struct root *root, int fd, size_t len)
{
	const char *at = root->path + len + strspn(root->path + len, "/");
	char *name = own_copy(at, strcspn(at, "/"));
	bool added = add(w, root, fd, (struct lookout){ .name = name });
	free(name);
	return added;
}

static void watch_links(struct watcher *w, struct root *root, int at, const char *path,
			unsigned *most);

/* A lookout for name in the directory fd, if it is a symlink, and for those that it leads through.
 */
static void watch_link(struct watcher *w, struct root *root, int fd, char *name, unsigned *most)
{
	char *target = view_link(fd, name);
	if (target && *most > 0) {
		--*most;
		(void)add(w, root, fd, (struct lookout){ .name = name });
		free(target);
		target = view_link(fd, name); /* what it leads to since it is looked out for */
		if (target)
			watch_links(w, root, fd, target, most);
	}
	free(target);
}

/* Lookouts for the symlinks that a path goes through, which begins at the directory at: when one is
 * changed no directory moves. And for the name that is missing there, if one is. */
static void watch_links(struct watcher *w, struct root *root, int at, const char *path,
			unsigned *most)
{
	OWN_CLOSE int held = need(root, *path == '/' ? view_open("/") : view_open_at(at, "."));
	while (held >= 0 && *(path += strspn(path, "/"))) {
		size_t len = strcspn(path, "/");
		char *name = own_copy(path, len);
		watch_link(w, root, held, name, most);
		int next = need(root, view_open_at(held, name));
		if (next < 0)
			(void)add(w, root, held, (struct lookout){ .name = name });
		free(name);
		own_close(held);
		held = next;
		path += len;
	}
}

/* Lookouts for moves of the directories above fd itself. */
static void climb(struct watcher *w, struct root *root, int fd)
{
	struct place_id at;
	struct place_id up;
	OWN_CLOSE int held = need(root, view_open_at(fd, ".."));
	if (need(root, place_identify(fd, &at)) != 0)
		return;
	while (held >= 0 && need(root, place_identify(held, &up)) == 0 && !place_same(&at, &up)) {
		(void)add(w, root, held, (struct lookout){ 0 });
		int next = need(root, view_open_at(held, ".."));
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
		unsigned most = LINKS_MOST;
		root->armed = watch_name(w, root, fd, len);
		OWN_CLOSE int from = need(root, place_open_outside("", 0, root->absolute));
		if (from >= 0)
			watch_links(w, root, from, root->path, &most);
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
	lookout_forget(old, count);
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
	OWN_CLOSE int held = need(root, view_open_at(fd, "."));
	root->chain_len = 0;
	while (held >= 0 && need(root, place_identify(held, &id)) == 0) {
		if (root->chain_len > 0 && place_same(&root->chain[root->chain_len - 1], &id))
			break;
		if (root->chain_len > 0 && w->inotify_fd >= 0 && !root->polled)
			(void)add(w, root, held,
				  (struct lookout){ .deletions = root->chain_len == 1 });
		note_in_chain(root, &id);
		int next = need(root, view_open_at(held, ".."));
		own_close(held);
		held = next;
	}
}
