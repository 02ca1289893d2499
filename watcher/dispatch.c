/* dispatch: see dispatch.h. */
#include "watcher/dispatch.h"

#include <sys/inotify.h>

#include "watcher/adopt.h"
#include "watcher/gap.h"
#include "watcher/limbo.h"
#include "watcher/paths.h"
#include "watcher/root.h"
#include "watcher/view.h"

static void look_again(struct watcher *w, struct node *node, bool moved_away,
		       enum watcher_cause cause)
{
	if (!tree_attached(node))
		return;
	if (!node->parent)
		root_check(w, root_of(w, node), cause);
	else
		adopt_event(w, node->parent, node->name, node->name_len, moved_away);
}

/* IN_IGNORED: the watch is no more. The descriptor is forgotten by its number, whatever stands now
 * where it once stood. */
static void watch_ended(struct watcher *w, const struct change *change,
			const struct wd_entry *entry)
{
	struct node *node = entry->node;
	bool lookout = entry->lookouts > 0;
	if (node)
		tree_set_wd(&w->tree, node, 0);
	wdmap_erase(&w->tree.wds, change->wd);
	if (node) {
		look_again(w, node, false, WATCHER_CAUSE_ROOT);
		limbo_despair(w, node);
	}
	if (lookout)
		root_lookout(w, change);
}

static void unmounted(struct watcher *w, struct node *node)
{
	if (!tree_attached(node)) {
		/* lost already, and soon forgotten: no event tells what stands there now */
		if (node->parent && tree_attached(node->parent))
			(void)adopt_look(w, node->parent, node->name, node->name_len);
		return;
	}
	struct root *root = root_of(w, node);
	if (node->parent)
		gap_open(w, root, WATCHER_CAUSE_MOUNT);
	look_again(w, node, false, WATCHER_CAUSE_MOUNT);
	if (root->present)
		gap_heals(root, WATCHER_CAUSE_MOUNT, agenda_want(&w->agenda));
}

static void attributes_changed(struct watcher *w, struct node *node)
{
	/* Another one may have been renamed over a root: where the path leads through a symlink and
	 * somebody is in the old one, no other event says so. */
	if (!node->parent && tree_attached(node) && !root_stands(root_of(w, node)))
		look_again(w, node, false, WATCHER_CAUSE_ROOT);
	if (node->trouble == TROUBLE_UNREADABLE)
		/* it may have been part of a walk that visits everything */
		agenda_push(&w->agenda, node, true, watcher_position(w));
}

/* Was the directory above watched whenever this one was, so that its events tell of each move? The
 * later watch has the higher number. */
static bool is_told_from_above(const struct node *node)
{
	return node->parent && node->parent->wd > 0 && node->parent->wd < node->wd;
}

static void self_changed(struct watcher *w, struct node *node, uint32_t mask)
{
	if (mask & IN_UNMOUNT)
		unmounted(w, node);
	else if (mask & IN_DELETE_SELF) {
		look_again(w, node, false, WATCHER_CAUSE_ROOT);
		limbo_despair(w, node);
	} else if (mask & IN_MOVE_SELF && !is_told_from_above(node))
		look_again(w, node, true,
			   WATCHER_CAUSE_ROOT); /* maybe no other event tells of it */
	else if (mask & IN_ATTRIB)
		attributes_changed(w, node);
}

/* Whatever was held for this path is told before what happens there now. */
static void tell_held(struct watcher *w, const struct watcher_event *event)
{
	if (w->moves.untold > 0)
		moves_tell_path(&w->moves, &w->notes, event->path, event->path_len);
}

static void directory_changed(struct watcher *w, struct node *parent, const struct change *change)
{
	struct watcher_event event;
	if (!paths_speak(w, parent, change->name, change->name_len, &event))
		return;
	tell_held(w, &event);
	if (change->mask & IN_ATTRIB) {
		struct node *child = tree_child(&w->tree, parent, change->name, change->name_len);
		if (!child || child->trouble != TROUBLE_NONE)
			(void)adopt_look(w, parent, change->name, change->name_len);
		return;
	}
	adopt_event(w, parent, change->name, change->name_len, change->mask & IN_MOVED_FROM);
}

static void file_changed(struct watcher *w, const struct node *parent, const struct change *change)
{
	static const struct {
		uint32_t bit;
		enum watcher_kind kind;
	} kinds[] = {
		{ IN_CLOSE_WRITE, WATCHER_CLOSED }, { IN_MOVED_TO, WATCHER_MOVED },
		{ IN_CREATE, WATCHER_CREATED },	    { IN_ATTRIB, WATCHER_TOUCHED },
		{ IN_DELETE, WATCHER_GONE },
	};

	if (!paths_speak(w, parent, change->name, change->name_len, &w->event))
		return;
	if (change->mask & IN_MOVED_FROM) {
		moves_hold(&w->moves, &w->notes, &w->event, change->cookie, watcher_position(w));
		return;
	}
	tell_held(w, &w->event);
	if (change->mask & IN_MOVED_TO)
		w->event.from = moves_take(&w->moves, change->cookie);
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds && !w->ready; i++) {
		w->ready = (change->mask & kinds[i].bit) != 0;
		w->event.kind = kinds[i].kind;
	}
}

void dispatch(struct watcher *w, const struct change *change)
{
	const uint32_t self = IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT;
	const struct wd_entry *entry = wdmap_find(&w->tree.wds, change->wd);
	if (!entry) {
		/* not one that we took away ourselves: the tree is in doubt; and nobody would ever
		 * take that watch away */
		if (!(change->mask & IN_IGNORED)) {
			(void)root_walk_all(w);
			view_unwatch(w->inotify_fd, change->wd);
		}
		return;
	}
	if (change->mask & IN_IGNORED) {
		watch_ended(w, change, entry);
		return;
	}
	if (entry->lookouts > 0) {
		root_lookout(w, change);
		entry = wdmap_find(&w->tree.wds, change->wd);
	}
	struct node *node = entry ? entry->node : NULL;
	if (!node)
		return;
	if (change->mask & self || change->name_len == 0)
		self_changed(w, node, change->mask);
	else if (change->mask & IN_ISDIR)
		directory_changed(w, node, change);
	else
		file_changed(w, node, change);
}
