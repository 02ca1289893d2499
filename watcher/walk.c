/* walk: see walk.h. */
#include "watcher/walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "watcher/adopt.h"
#include "watcher/gap.h"
#include "watcher/limbo.h"
#include "watcher/paths.h"
#include "watcher/root.h"
#include "watcher/view.h"

#define SWEPT_A_STEP	 OWN_STEPS(1024)
#define PINNED_TOLD_MOST 8 /* complaints of a root about files that are mounted alone */

void walk_abandon(struct watcher *w)
{
	if (!w->agenda.current)
		return;
	w->agenda.current->flags &= (uint8_t)~NODE_SCANNED;
	w->agenda.current = NULL;
	w->agenda.again = false;
	w->agenda.again_force = false;
	own_close(w->listing.fd);
	w->listing.fd = -1;
	w->listing.sweep = NULL;
}

void walk_let_go(struct watcher *w)
{
	struct node *node = w->agenda.current;
	if (!node)
		return;
	bool force = w->listing.force || w->agenda.again_force;
	walk_abandon(w);
	agenda_push_found(&w->agenda, node, force);
}

void walk_step_over(struct watcher *w, const struct node *node)
{
	if (w->agenda.current && w->listing.sweep == node)
		w->listing.sweep = node->next;
}

void walk_forget(struct watcher *w, const struct node *node)
{
	walk_step_over(w, node);
	if (w->agenda.current == node)
		walk_abandon(w);
}

static void lost_place(struct watcher *w, struct node *node)
{
	if (!node->parent)
		root_check(w, root_of(w, node), WATCHER_CAUSE_ROOT);
	else if (root_of(w, node)->polled)
		limbo_bury(w, node);
	else
		limbo_enter(w, node);
}

static void begin_failed(struct watcher *w, struct node *node, int error)
{
	if (error == PLACE_ELSEWHERE)
		return; /* walked from where the directory above it is found again */
	if (place_is_absent(error))
		lost_place(w, node);
	else
		gap_trouble(w, node, TROUBLE_UNREADABLE, error);
}

/* The top's watch: set anew when it could not be had; another one says that the root was replaced.
 */
static struct node *settle_top(struct watcher *w, struct node *top, int fd)
{
	struct root *root = root_of(w, top);
	if (root->polled)
		return top;
	int wd = view_watch(w->inotify_fd, fd, adopt_mask);
	if (wd < 0) {
		gap_trouble(w, top, wd == -EACCES ? TROUBLE_UNREADABLE : TROUBLE_LIMIT, wd);
		return top;
	}
	const struct wd_entry *entry = wdmap_find(&w->tree.wds, wd);
	if (wd != top->wd && top->wd != 0) {
		root_check(w, root, WATCHER_CAUSE_ROOT);
		return NULL;
	}
	if (wd != top->wd && entry && entry->node && tree_attached(entry->node)) {
		root_yield(w, root);
		return NULL;
	}
	tree_set_wd(&w->tree, top, wd);
	if (top->trouble == TROUBLE_LIMIT)
		gap_trouble_over(w, top);
	return top;
}

/* Does this directory tell its changes? A remote file system mounted below a local root does not.
 */
static void look_at_filesystem(struct watcher *w, struct node *node, int fd)
{
	uint64_t magic = 0;
	w->listing.foreign = false;
	w->listing.pinned = false;
	if (view_filesystem(fd, &node->fsid, &magic) != 0)
		return;
	const struct root *root = root_of(w, node);
	w->listing.foreign = !root->polled && root->mode == WATCHER_AUTO && !place_is_local(magic);
}

/* It may have been part of a walk that visits everything. */
static bool was_not_read(const struct node *node)
{
	return node->trouble == TROUBLE_UNREADABLE || node->trouble == TROUBLE_STARVED;
}

static void begin(struct watcher *w, struct node *node)
{
	bool force = node->flags & NODE_FORCE;
	node->flags &= (uint8_t)~NODE_FORCE;
	if (!tree_attached(node))
		return; /* found again, it is walked from where it was found */
	OWN_CLOSE int fd = adopt_open_node(w, node, O_RDONLY | O_NONBLOCK);
	if (fd < 0) {
		begin_failed(w, node, fd);
		return;
	}
	force |= was_not_read(node); /* settling it may put another trouble in this one's place */
	struct node *settled =
		node->parent ? adopt_settle(w, node->parent, node->name, node->name_len, fd)
			     : settle_top(w, node, fd);
	if (!settled)
		return;
	force |= settled->flags & NODE_FORCE || was_not_read(settled);
	agenda_remove(&w->agenda, settled);
	look_at_filesystem(w, settled, fd);
	w->listed = true;
	settled->flags |= NODE_SCANNED;
	settled->seen = ++w->serial;
	w->agenda.current = settled;
	struct listing *listing = &w->listing;
	listing->fd = own_take(&fd);
	listing->force = force;
	listing->sweeping = false;
	listing->error = 0;
	listing->serial = w->serial;
	listing->at = 0;
	listing->have = 0;
}

/* A directory that was listed well is in no trouble, unless its changes are not told. */
static void look_at_trouble(struct watcher *w, struct node *node)
{
	if (node->wd == 0 && !root_of(w, node)->polled && !(node->flags & NODE_SHADOW))
		return; /* settling it said why */
	if (w->listing.foreign)
		gap_trouble(w, node, TROUBLE_FOREIGN, 0);
	else if (w->listing.pinned && !root_of(w, node)->polled)
		gap_trouble(w, node, TROUBLE_PINNED, 0);
	else
		gap_trouble_over(w, node);
}

/* The listing is through: what does it say of its directory? */
static void finish(struct watcher *w)
{
	struct agenda *agenda = &w->agenda;
	struct node *node = agenda->current;
	bool again = agenda->again;
	bool force = agenda->again_force;
	uint64_t since = agenda->again_since;
	int error = w->listing.error;
	walk_abandon(w);
	w->walks++;
	if (error != 0) {
		gap_trouble(w, node, TROUBLE_UNREADABLE, error);
	} else {
		node->flags |= NODE_SCANNED;
		look_at_trouble(w, node);
	}
	if (again)
		agenda_push(agenda, node, force, since);
}

/* Children that were there before this listing and were not met by it have lost their place, unless
 * an event has found them there since. To the event such a one was where it had always been, so
 * only the walk that visits everything knows that it must be listed. */
static void sweep(struct watcher *w)
{
	struct listing *listing = &w->listing;
	for (unsigned n = 0; listing->sweep && n < SWEPT_A_STEP; n++) {
		struct node *child = listing->sweep;
		listing->sweep = child->next;
		if (child->flags & NODE_DETACHED)
			continue;
		if (child->seen != listing->serial)
			lost_place(w, child);
		else if (listing->force)
			agenda_push_found(&w->agenda, child, true);
	}
	if (!listing->sweep)
		finish(w);
}

static void met_directory(struct watcher *w, const char *name, size_t len)
{
	struct node *parent = w->agenda.current;
	struct node *child = tree_child(&w->tree, parent, name, len);
	if (!child)
		child = tree_add(&w->tree, parent, name, len);
	child->seen = w->listing.serial;
	if (w->listing.force || !(child->flags & NODE_SCANNED))
		agenda_push_found(&w->agenda, child, w->listing.force);
}

static bool tell_met(struct watcher *w, const char *name, size_t len, const struct statx *stat,
		     struct watcher_event *out)
{
	if (!paths_speak(w, w->agenda.current, name, len, out))
		return false;
	out->kind = WATCHER_WALKED;
	out->stat = stat;
	return true;
}

/* A file that is mounted alone: it is looked at, but what its own directory sees of it, a rename
 * over it above all, cannot be seen from here. */
static void met_mounted_file(struct watcher *w, const char *name, size_t len)
{
	const struct node *node = w->agenda.current;
	struct root *root = root_of(w, node);
	w->listing.pinned = true;
	if (node->trouble == TROUBLE_PINNED || root->told_pinned == PINNED_TOLD_MOST)
		return;
	root->told_pinned++;
	struct bytes path = { 0 };
	(void)paths_put(w, node, &path);
	bytes_append(&path, "/", 1);
	bytes_append(&path, name, len);
	gap_complain(w, root, path.data,
		     "single-file bind mount: edits and renames on the host are not seen here; "
		     "mount the directory; until then this file is looked at at every rescan");
	bytes_done(&path);
}

/* One entry; true when *out was filled. */
static bool met(struct watcher *w, const struct dirent64 *entry, struct watcher_event *out)
{
	const char *name = entry->d_name;
	size_t len = strlen(name);
	if (name[0] == '.' && (len == 1 || (len == 2 && name[1] == '.')))
		return false;
	w->entries_walked++;
	if (entry->d_type == DT_DIR) {
		met_directory(w, name, len);
		return false;
	}
	int failed = view_stat(w->listing.fd, name, STATX_BASIC_STATS | STATX_BTIME, &w->stat);
	if (failed == -ENOENT)
		return false;
	if (failed != 0) {
		w->listing.error = failed;
		/* not allowed: so are all others, and the directory's trouble tells it */
		return failed != -EACCES && tell_met(w, name, len, NULL, out);
	}
	if (S_ISDIR(w->stat.stx_mode)) {
		met_directory(w, name, len);
		return false;
	}
	if (w->stat.stx_attributes & w->stat.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT)
		met_mounted_file(w, name, len);
	else if (w->agenda.current->flags & NODE_SHADOW)
		return false; /* told where its directory is watched; what is mounted here is not */
	return tell_met(w, name, len, &w->stat, out);
}

/* Reads the next entries; at the end the sweep begins. */
static void read_entries(struct watcher *w)
{
	struct listing *listing = &w->listing;
	struct node *node = w->agenda.current;
	long got = view_list(listing->fd, listing->buffer, LISTING_BUF);
	listing->at = 0;
	listing->have = got > 0 ? (size_t)got : 0;
	if (got > 0)
		return;
	if (got == -ENOENT) { /* the directory was removed while it was listed */
		walk_abandon(w);
		lost_place(w, node);
		return;
	}
	if (got < 0)
		listing->error = (int)got;
	listing->sweeping = true;
	listing->sweep = listing->error ? NULL : node->child;
}

static int list(struct watcher *w, struct watcher_event *out)
{
	struct listing *listing = &w->listing;
	if (listing->at == listing->have)
		read_entries(w);
	while (listing->at < listing->have) {
		const struct dirent64 *entry = (const void *)(listing->buffer + listing->at);
		listing->at += entry->d_reclen;
		if (met(w, entry, out))
			return WATCHER_EVENT;
	}
	return WATCHER_BUSY;
}

static int step(struct watcher *w, struct watcher_event *out)
{
	if (!w->agenda.current) {
		struct node *node = agenda_pop(&w->agenda);
		if (!node)
			return WATCHER_NOTHING;
		begin(w, node);
		return WATCHER_BUSY;
	}
	if (!tree_attached(w->agenda.current))
		walk_abandon(w);
	else if (w->listing.sweeping)
		sweep(w);
	else
		return list(w, out);
	return WATCHER_BUSY;
}

int walk_step(struct watcher *w, struct watcher_event *out)
{
	w->cause = w->agenda.since[w->agenda.number & 1];
	int did = step(w, out);
	w->cause = UINT64_MAX;
	return did;
}
