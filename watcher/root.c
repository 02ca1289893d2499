/* root: see root.h. */
#include "watcher/root.h"

#include <sys/inotify.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "watcher/adopt.h"
#include "watcher/gap.h"
#include "watcher/limbo.h"
#include "watcher/lookout.h"
#include "watcher/mounts.h"
#include "watcher/paths.h"
#include "watcher/view.h"
#include "watcher/walk.h"
#include "watcher/way.h"

#define RESOLVE_TRIES 8

uint32_t root_index(const struct watcher *w, const struct root *root)
{
	uint32_t i = 0;
	while (i < w->root_count && w->roots[i] != root)
		i++;
	return i;
}

struct root *root_new(const char *path)
{
	struct root *root = own_calloc(1, sizeof *root);
	size_t len = strlen(path);
	while (len > 0 && path[len - 1] == '/')
		len--;
	root->path = own_copy(path, len);
	root->path_len = len;
	root->absolute = path[0] == '/';
	root->left = true;
	return root;
}

void root_want(const struct watcher *w, struct root *root, enum watcher_mode mode)
{
	root->left = false;
	root->mode = mode;
	root->polled = mode == WATCHER_POLL ? POLL_ASKED : POLL_NOT;
	if (mode != WATCHER_POLL && w->inotify_fd < 0)
		root->polled = POLL_NO_INSTANCE;
}

void root_free(struct root *root)
{
	if (!root)
		return;
	mounts_forget(root);
	lookout_forget(root->lookouts, root->lookout_count);
	free(root->path);
	free(root->chain);
	free(root);
}

int root_open(const struct root *root)
{
	struct place_id id;
	OWN_CLOSE int fd = place_open_outside(root->path, root->path_len, root->absolute);
	if (fd < 0)
		return place_is_ours(fd) ? fd : PLACE_ELSEWHERE;
	int failed = place_identify(fd, &id);
	if (failed != 0)
		return failed == -ESTALE ? PLACE_ELSEWHERE : failed;
	return place_same(&id, &root->id) ? own_take(&fd) : PLACE_ELSEWHERE;
}

bool root_stands(const struct root *root)
{
	OWN_CLOSE int fd = root_open(root);
	return fd >= 0;
}

void root_walk(struct watcher *w, struct root *root)
{
	if (root->present)
		agenda_push(&w->agenda, root->top, true, watcher_since(w));
	w->walked_all_need = agenda_want(&w->agenda);
	w->whole_need = w->walked_all_need;
}

uint64_t root_walk_all(struct watcher *w)
{
	for (uint32_t i = 0; i < w->root_count; i++)
		root_walk(w, w->roots[i]);
	return agenda_want(&w->agenda);
}

/* Look out, look, and look whether the lookout still stands: a descriptor or -errno. */
static int resolve(struct watcher *w, struct root *root)
{
	bool events = way_wants_events(w, root) && root->path_len > 0;
	int fd = -1;
	for (unsigned tries = 0; tries < RESOLVE_TRIES; tries++) {
		own_close(fd);
		if (events && (root->short_of_watches || !lookout_stands(root)))
			lookout_arm(w, root, -1);
		fd = place_open_outside(root->path, root->path_len, root->absolute);
		if (!events || !root->armed || lookout_stands(root))
			break;
	}
	return fd;
}

static bool holds(const struct root *outer, const struct root *inner)
{
	for (size_t i = 0; i < inner->chain_len; i++) {
		if (place_same(&inner->chain[i], &outer->id))
			return true;
	}
	return false;
}

const struct root *root_clash(const struct watcher *w, const struct root *root)
{
	for (uint32_t i = 0; i < w->root_count; i++) {
		const struct root *other = w->roots[i];
		if (other != root && other->present && (holds(other, root) || holds(root, other)))
			return other;
	}
	return NULL;
}

static void complain_of_absence(struct watcher *w, const struct root *teller,
				const struct root *root, int error)
{
	const char *path = root->path_len ? root->path : "/";
	const struct root *other = root_clash(w, root);
	if (error == -EEXIST && other)
		gap_complain(w, teller, path,
			     "this directory is the root %.200s, or lies above or below it; each "
			     "directory is watched once: remove one of the two",
			     other->path_len ? other->path : "/");
	else if (error == -EEXIST)
		gap_complain(
			w, teller, path,
			"this directory is another root, or lies above or below one (see the list "
			"of roots); each directory is watched once: remove one of them");
	else if (error == -EACCES)
		gap_complain(
			w, teller, path,
			"permission denied: give the user of this program search permission (x) on "
			"every directory above; it is looked for at every rescan");
	else if (error == -ENOENT)
		gap_complain(w, teller, path,
			     "this root does not exist; make it, it is looked for at every rescan");
	else if (error == -ENOTDIR && view_is_mounted_file(path))
		gap_complain(w, teller, path,
			     "a single file that is mounted alone cannot be a root: edits and "
			     "renames on the host are not seen here; mount its directory");
	else
		gap_complain(w, teller, path,
			     "this root cannot be watched: %s; it is looked for at every "
			     "rescan",
			     strerrordesc_np(-error));
}

static void lose(struct watcher *w, struct root *root, enum watcher_cause cause)
{
	gap_open(w, root, cause);
	w->shadows_may_end = true;
	root->present = false;
	limbo_bury(w, root->top);
	root->top = NULL;
}

static void stay_absent(struct watcher *w, struct root *root, int error)
{
	root->clashed = error == -EEXIST;
	if (root->clashed && root->adding) {
		complain_of_absence(w, NULL, root, error);
		return;
	}
	if (!root->gaps[WATCHER_CAUSE_MOUNT].open)
		gap_open(w, root, WATCHER_CAUSE_ROOT);
	if (!root->told_absent)
		complain_of_absence(w, root, root, error);
	root->told_absent = true;
}

/* Sets the top's watch; -EEXIST when the directory is watched for another root. */
static int watch_top(struct watcher *w, struct root *root, int fd)
{
	struct node *top = root->top;
	if (root->polled)
		return 0;
	int wd = view_watch(w->inotify_fd, fd, adopt_mask);
	if (wd == -EACCES || wd == -EPERM)
		gap_trouble(w, top, TROUBLE_UNREADABLE, wd);
	else if (wd < 0)
		gap_trouble(w, top, TROUBLE_LIMIT, wd);
	if (wd < 0)
		return 0;
	const struct wd_entry *entry = wdmap_find(&w->tree.wds, wd);
	if (entry && entry->node && entry->node != top && tree_attached(entry->node))
		return -EEXIST;
	tree_set_wd(&w->tree, top, wd);
	return 0;
}

/* The path leads to a directory: begins its tree, or says why not. */
static int begin_tree(struct watcher *w, struct root *root, int fd)
{
	uint64_t magic;
	uint64_t fsid;
	int failed = place_identify(fd, &root->id);
	if (failed == 0)
		failed = view_filesystem(fd, &fsid, &magic);
	if (failed != 0)
		return failed;
	way_choose(w, root, fd, magic);
	mounts_remember(root, fd);
	lookout_climb(w, root, fd);
	if (root_clash(w, root))
		return -EEXIST;
	root->top = tree_add_top(&w->tree, root_index(w, root));
	root->top->fsid = fsid;
	failed = watch_top(w, root, fd);
	if (failed != 0) {
		limbo_bury_quietly(w, root->top);
		root->top = NULL;
		return failed;
	}
	root->present = true;
	root->clashed = false;
	root->told_absent = false;
	root_walk(w, root);
	gap_heals(root, WATCHER_CAUSE_ROOT, agenda_filling(&w->agenda));
	gap_heals(root, WATCHER_CAUSE_MOUNT, agenda_filling(&w->agenda));
	return 0;
}

static bool is_unchanged(struct watcher *w, const struct root *root, int fd)
{
	struct place_id id;
	if (!root->present || fd < 0 || place_identify(fd, &id) != 0 || !place_same(&id, &root->id))
		return false;
	if (root->polled)
		return true;
	if (root->top->wd == 0) /* either there was no watch to be had, or it ended */
		return root->top->trouble != TROUBLE_NONE;
	/* an inode number may be in use again: the kernel's own identity is the watch descriptor */
	int wd = view_watch(w->inotify_fd, fd, adopt_mask);
	return wd == root->top->wd || wd < 0;
}

/* Looks where the path leads; a negative errno when we could not. */
static int check(struct watcher *w, struct root *root, enum watcher_cause cause)
{
	if (!root->present) /* what was missing on its way may be there, or lead elsewhere */
		root->armed = false;
	OWN_CLOSE int fd = resolve(w, root);
	if (place_is_ours(fd)) {
		root->armed = false;
		return fd;
	}
	if (is_unchanged(w, root, fd)) {
		if (way_wants_events(w, root) && root->path_len > 0)
			lookout_arm(w, root, fd);
		else
			lookout_climb(w, root, fd);
		mounts_locate(root, fd);
		return 0;
	}
	if (root->present) {
		lose(w, root, cause);
		/* nor is anything looked out for any more above the directory that it was */
		root->armed = false;
		own_close(fd);
		fd = resolve(w, root);
	}
	int failed = fd < 0 ? fd : begin_tree(w, root, fd);
	if (place_is_ours(failed))
		return failed;
	if (failed != 0)
		stay_absent(w, root, failed);
	return 0;
}

void root_check(struct watcher *w, struct root *root, enum watcher_cause cause)
{
	if (root->left)
		return;
	int failed = check(w, root, cause);
	for (unsigned tries = 1; tries < RESOLVE_TRIES; tries++) {
		/* all directories above it are looked out for by now */
		if (failed != 0 || !root->present || root_stands(root))
			break;
		failed = check(w, root, cause);
	}
	if (root->clashed && root->adding)
		return; /* it will be no root */
	if (failed != 0)
		gap_hinder(w, root, HINDERED_FILES, failed);
	else if (w->inotify_fd < 0 && root->mode != WATCHER_POLL)
		gap_hinder(w, root, HINDERED_INSTANCE, 0);
	else if (root->short_of_watches && way_wants_events(w, root))
		gap_hinder(w, root, HINDERED_LOOKOUTS, 0);
	else
		gap_hinder(w, root, HINDERED_NOT, 0);
}

/* What it was is forgotten without a word: whoever asks for it no more, or anew, needs none. */
static void give_up(struct watcher *w, struct root *root)
{
	w->shadows_may_end = true;
	lookout_clear(w, root);
	mounts_forget(root);
	if (root->top)
		limbo_bury_quietly(w, root->top);
	root->top = NULL;
	root->present = root->clashed = root->told_absent = root->told_foreign = false;
}

void root_begin(struct watcher *w, struct root *root, enum watcher_mode mode)
{
	give_up(w, root);
	root_want(w, root, mode);
	gap_open(w, root, WATCHER_CAUSE_ROOT);
	root_check(w, root, WATCHER_CAUSE_ROOT);
	w->walked_all_need = agenda_want(&w->agenda);
}

void root_leave(struct watcher *w, struct root *root)
{
	give_up(w, root);
	root->left = true;
	gap_hinder(w, root, HINDERED_NOT, 0);
	gap_close_all(w, root);
}

void root_yield(struct watcher *w, struct root *root)
{
	lose(w, root, WATCHER_CAUSE_ROOT);
	stay_absent(w, root, -EEXIST);
}

static bool concerns(const struct root *root, const struct change *change, bool *out_self)
{
	*out_self = change->mask & (IN_MOVE_SELF | IN_DELETE_SELF | IN_UNMOUNT | IN_IGNORED);
	for (size_t i = 0; i < root->lookout_count; i++) {
		const struct lookout *lookout = &root->lookouts[i];
		if (lookout->wd != change->wd)
			continue;
		if (*out_self || (lookout->name && lookout->name_len == change->name_len &&
				  memcmp(lookout->name, change->name, change->name_len) == 0))
			return true;
		/* of its neighbours, mostly */
		if (lookout->deletions && change->mask & IN_DELETE && change->mask & IN_ISDIR &&
		    !root_stands(root))
			return true;
	}
	return false;
}

void root_lookout(struct watcher *w, const struct change *change)
{
	for (uint32_t i = 0; i < w->root_count; i++) {
		struct root *root = w->roots[i];
		bool self;
		if (!concerns(root, change, &self))
			continue;
		if (self)
			root->armed = false;
		const struct node *top = root->top;
		root_check(w, root, WATCHER_CAUSE_ROOT);
		/* away and back: who was told of its files meanwhile may have looked in vain */
		if (change->mask & (IN_MOVED_FROM | IN_MOVE_SELF) && root->top == top)
			root_walk(w, root);
	}
}

bool root_wants_retry(const struct watcher *w, const struct root *root)
{
	if (root->left)
		return false;
	if (!root->present || root->polled || root->hindrance != HINDERED_NOT)
		return true;
	for (unsigned i = TROUBLE_NONE + 1; i < TROUBLE_KINDS; i++) {
		if (root->trouble[i] > 0)
			return true;
	}
	return root->path_len > 0 && (!root->armed || root->short_of_watches) &&
	       way_wants_events(w, root);
}

void root_retry(struct watcher *w, struct root *root)
{
	root_check(w, root, WATCHER_CAUSE_ROOT);
	if (!root->present)
		return;
	if (root->polled)
		root_walk(w, root);
	bool any = false;
	for (unsigned i = TROUBLE_NONE + 1; i < TROUBLE_KINDS; i++)
		any |= root->trouble[i] > 0;
	for (struct node *at = root->top; any && at; at = tree_next(at, root->top)) {
		if (at->trouble != TROUBLE_NONE)
			agenda_push(&w->agenda, at, false, watcher_position(w));
	}
}
