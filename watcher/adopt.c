/* adopt: see adopt.h. */
#include "watcher/adopt.h"

#include <sys/inotify.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "watcher/gap.h"
#include "watcher/limbo.h"
#include "watcher/mounts.h"
#include "watcher/paths.h"
#include "watcher/root.h"
#include "watcher/view.h"
#include "watcher/walk.h"

/* No MODIFY, OPEN or ACCESS: each further kind shortens the time to overflow. */
const uint32_t adopt_mask = IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE | IN_MOVED_FROM | IN_DELETE |
			    IN_DELETE_SELF | IN_MOVE_SELF | IN_ATTRIB | IN_ONLYDIR | IN_EXCL_UNLINK;

/* A node has lost its place, and another directory may stand there by now: a listing that met it
 * has put it on the agenda as the node that is not there any more, so the name is put there once
 * more. */
static void look_where_it_was(struct watcher *w, struct node *parent, const char *name, size_t len,
			      uint64_t since)
{
	if (!tree_attached(parent) || tree_child(&w->tree, parent, name, len))
		return;
	struct node *left = tree_add(&w->tree, parent, name, len);
	left->seen = w->serial;
	if (watcher_since(w) < since)
		since = watcher_since(w);
	agenda_pull(&w->agenda, left, since, w->tree.count);
}

/* Opens a directory of the tree, and only if it is the one that was met there: what a path leads to
 * in the middle of somebody's renames says nothing of the node. PLACE_ELSEWHERE otherwise; the node
 * waits in limbo then, and whichever way it comes back, all below it is listed. */
static int open_node(struct watcher *w, struct node *node, int root_fd)
{
	struct place_id id;
	size_t root_len = paths_put(w, node, &w->scratch);
	if (w->scratch.len - root_len > PLACE_PATH_MOST)
		return -ENAMETOOLONG;
	OWN_CLOSE int fd = place_open_beneath(root_fd, w->scratch.data + root_len + 1, O_PATH);
	int failed = fd < 0 ? fd : place_identify(fd, &id);
	if (failed != 0 && !place_is_absent(failed))
		return failed;
	if (failed == 0 &&
	    (node->ino == 0 || (node->ino == id.ino && node->dev == place_dev32(&id))))
		return own_take(&fd);
	struct slot slot = agenda_slot(&w->agenda, node);
	limbo_enter(w, node);
	/* its turn on the agenda, if it had one, was that of the name; found elsewhere it takes it
	 * along */
	if (failed == 0 || slot.taken)
		look_where_it_was(w, node->parent, node->name, node->name_len, slot.since);
	return PLACE_ELSEWHERE;
}

int adopt_open(struct watcher *w, struct node *parent, const char *name, size_t len, int flags)
{
	struct root *root = root_of(w, parent);
	OWN_CLOSE int root_fd = root_open(root);
	if (root_fd == PLACE_ELSEWHERE) {
		const struct node *top = root->top;
		root_check(w, root, WATCHER_CAUSE_ROOT);
		/* it was away for a moment only: nobody else looks at what was asked for */
		if (root->top == top) {
			root_walk(w, root);
			gap_put_off(w, root);
		}
	}
	if (root_fd < 0)
		return root_fd;
	if (len == 0)
		return place_open_beneath(root_fd, "", flags);
	if (!parent->parent)
		return place_open_beneath(root_fd, name, flags);
	OWN_CLOSE int fd = open_node(w, parent, root_fd);
	return fd < 0 ? fd : place_open_beneath(fd, name, flags);
}

/* Opens the directory of an attached node. */
int adopt_open_node(struct watcher *w, struct node *node, int flags)
{
	if (!node->parent)
		return adopt_open(w, node, NULL, 0, flags);
	return adopt_open(w, node->parent, node->name, node->name_len, flags);
}

/* The node of a name. One with a watch, other than wd, is another directory's: that one waits in
 * limbo, and its turn on the agenda was the name's. */
static struct node *node_for(struct watcher *w, struct node *parent, const char *name, size_t len,
			     int wd)
{
	struct node *here = tree_child(&w->tree, parent, name, len);
	struct slot slot = agenda_slot(&w->agenda, NULL);
	if (here && here->wd > 0 && here->wd != wd) {
		slot = agenda_slot(&w->agenda, here);
		limbo_enter(w, here);
		here = NULL;
	}
	if (!here)
		here = tree_add(&w->tree, parent, name, len);
	agenda_give(&w->agenda, here, &slot);
	return here;
}

static struct node *settle_unwatched(struct watcher *w, struct node *parent, const char *name,
				     size_t len, int error)
{
	struct node *here = node_for(w, parent, name, len, 0);
	here->flags &= (uint8_t)~NODE_SHADOW; /* of whom it was is not known any more */
	bool denied = error == -EACCES || error == -EPERM;
	gap_trouble(w, here, denied ? TROUBLE_UNREADABLE : TROUBLE_LIMIT, error);
	return here;
}

enum standing {
	STANDS_NOT,	/* it left its old place */
	STANDS_AGAIN,	/* it was moved back there since it was opened here */
	STANDS_TWICE,	/* it is at both places: only a mount can do that */
	STANDS_UNKNOWN, /* we could not look, for want of descriptors or memory */
};

/* A directory that we believe to be somewhere was opened as fd elsewhere: is it still there too? */
static enum standing stands(struct watcher *w, struct node *owner, int fd)
{
	struct place_id here;
	struct place_id there;
	if (!owner->parent && tree_attached(owner))
		root_check(w, root_of(w, owner), WATCHER_CAUSE_ROOT);
	if (!tree_attached(owner))
		return STANDS_NOT;
	OWN_CLOSE int old_fd = adopt_open_node(w, owner, O_PATH);
	if (place_is_ours(old_fd))
		return STANDS_UNKNOWN;
	if (old_fd < 0)
		return STANDS_NOT;
	if (place_identify(fd, &here) != 0 || place_identify(old_fd, &there) != 0)
		return STANDS_UNKNOWN;
	if (!place_same(&here, &there))
		return STANDS_NOT;
	return here.mount == there.mount && here.mount != 0 ? STANDS_AGAIN : STANDS_TWICE;
}

static void complain_of_shadow(struct watcher *w, const struct node *here, const struct node *owner)
{
	struct bytes path = { 0 };
	struct bytes first = { 0 };
	(void)paths_put(w, here, &path);
	(void)paths_put(w, owner, &first);
	struct bytes shown = { 0 };
	bytes_append_shown(&shown, first.data, first.len < 256 ? first.len : 256);
	gap_complain(w, root_of(w, here), path.data,
		     "the same directory as %s (mounted twice?); it is watched there only",
		     shown.data);
	bytes_done(&shown);
	bytes_done(&first);
	bytes_done(&path);
}

/* One directory at two places (a bind mount): its events can have one path only. Its directories
 * are looked at all the same, since other mounts may stand upon them here. */
static struct node *settle_shadow(struct watcher *w, struct node *parent, const char *name,
				  size_t len, const struct node *owner)
{
	wdmap_find(&w->tree.wds, owner->wd)->shadowed = true;
	struct node *here = node_for(w, parent, name, len, 0);
	if (here->trouble != TROUBLE_PINNED)
		gap_trouble_over(w, here); /* if there is any, the other place has it */
	if (here->flags & NODE_SHADOW)
		return here;
	here->flags |= NODE_SHADOW;
	w->shadows = true;
	for (struct node *child = here->child, *after; child; child = after) {
		after = child->next;
		limbo_bury_quietly(w, child);
	}
	if (!(parent->flags & NODE_SHADOW))
		complain_of_shadow(w, here, owner);
	return here;
}

/* Another directory was met where this one was believed to be. */
static void make_way(struct watcher *w, struct node *here)
{
	if (!here || here->flags & NODE_DETACHED)
		return;
	if (here->wd == 0 && !here->child)
		limbo_bury_quietly(w, here); /* only a name so far */
	else
		limbo_enter(w, here);
}

/* Since when it is known that there is something to list where owner is found. It may have been
 * lost long before that was told which finds it, and tickets taken since then wait for it. */
static uint64_t found_since(const struct watcher *w, const struct node *owner)
{
	uint64_t since = watcher_since(w);
	uint64_t lost = tree_attached(owner) ? since : limbo_since(w);
	return lost < since ? lost : since;
}

static struct node *settle_moved(struct watcher *w, struct node *owner, struct node *parent,
				 const char *name, size_t len)
{
	if (tree_is_above(owner, parent)) {
		(void)root_walk_all(w);
		return NULL;
	}
	struct node *here = tree_child(&w->tree, parent, name, len);
	struct slot here_slot = agenda_slot(&w->agenda, here);
	struct slot left_slot = agenda_slot(&w->agenda, owner);
	make_way(w, here);
	if (root_of(w, owner) != root_of(w, parent)) {
		for (struct node *at = owner; at; at = tree_next(at, owner))
			gap_trouble_over(w, at);
	}
	struct bytes from = { 0 };
	(void)paths_put(w, owner, &from);
	bool left = tree_attached(owner);
	uint64_t since = found_since(w, owner);
	struct node *old_parent = owner->parent;
	struct bytes old_name = { 0 };
	bytes_append(&old_name, owner->name, owner->name_len);
	limbo_leave(owner);
	walk_step_over(w, owner);
	tree_move(&w->tree, owner, parent, name, len);
	owner->flags &= (uint8_t)~NODE_SHADOW;
	struct bytes path = { 0 };
	(void)paths_put(w, owner, &path);
	if (strcmp(from.data, path.data) != 0) {
		paths_tell(w, WATCHER_DIR_MOVED, owner, from.data);
		/* who hears that waits for its end, also if there will be nothing to list */
		w->walked_all_need = agenda_want(&w->agenda);
	}
	bytes_done(&path);
	bytes_done(&from);
	agenda_push(&w->agenda, owner, true, since);
	agenda_give(&w->agenda, owner, &here_slot);
	if (left)
		look_where_it_was(w, old_parent, old_name.data, old_name.len, left_slot.since);
	bytes_done(&old_name);
	return owner;
}

static struct node *owner_of(const struct watcher *w, int wd)
{
	const struct wd_entry *entry = wdmap_find(&w->tree.wds, wd);
	return entry ? entry->node : NULL;
}

/* The ordinary case: the watch is new, or was here already. */
static struct node *settle_watched(struct watcher *w, struct node *parent, const char *name,
				   size_t len, int wd)
{
	struct node *here = node_for(w, parent, name, len, wd);
	tree_set_wd(&w->tree, here, wd);
	here->flags &= (uint8_t)~NODE_SHADOW;
	if (here->trouble == TROUBLE_LIMIT)
		gap_trouble_over(w, here);
	return here;
}

static struct node *settle(struct watcher *w, struct node *parent, const char *name, size_t len,
			   int fd)
{
	struct node *here = tree_child(&w->tree, parent, name, len);
	if (root_of(w, parent)->polled)
		return here ? here : tree_add(&w->tree, parent, name, len);
	int wd = view_watch(w->inotify_fd, fd, adopt_mask);
	if (wd < 0)
		return settle_unwatched(w, parent, name, len, wd);
	struct node *owner = owner_of(w, wd);
	if (owner && owner != here) {
		enum standing standing = stands(w, owner, fd);
		if (standing == STANDS_AGAIN) {
			/* an event that is still to come tells where each of the two ends up */
			make_way(w, here);
			return NULL;
		}
		if (standing == STANDS_UNKNOWN) {
			/* whatever lies below the parent is met again when it is listed again */
			gap_trouble(w, parent, TROUBLE_STARVED, -EMFILE);
			return NULL;
		}
		if (standing == STANDS_TWICE)
			return settle_shadow(w, parent, name, len, owner);
		/* a root's top cannot move: it was given up by now, and its watch is free */
		if (owner->parent)
			return settle_moved(w, owner, parent, name, len);
	}
	return settle_watched(w, parent, name, len, wd);
}

struct node *adopt_settle(struct watcher *w, struct node *parent, const char *name, size_t len,
			  int fd)
{
	struct place_id id;
	uint64_t magic;
	struct node *node = settle(w, parent, name, len, fd);
	if (!node)
		return NULL;
	if (place_identify(fd, &id) != 0)
		id = (struct place_id){ 0 };
	mounts_met(root_of(w, node), id.mount);
	node->ino = id.ino;
	node->dev = place_dev32(&id);
	/* now, not when it is listed: its events may be told before */
	(void)view_filesystem(fd, &node->fsid, &magic); /* fails: 0, as for who asks by path */
	return node;
}

bool adopt_look(struct watcher *w, struct node *parent, const char *name, size_t len)
{
	if (!tree_attached(parent))
		return true;
	OWN_CLOSE int fd = adopt_open(w, parent, name, len, O_PATH);
	if (fd == PLACE_ELSEWHERE)
		return true; /* what is below the parent is looked at when the parent is found again
			      */
	if (place_is_absent(fd))
		return false;
	struct node *node = tree_child(&w->tree, parent, name, len);
	if (fd >= 0)
		node = adopt_settle(w, parent, name, len, fd);
	else if (!node)
		node = tree_add(&w->tree, parent, name, len);
	if (fd < 0)
		gap_trouble(w, node, TROUBLE_UNREADABLE, fd);
	if (!node)
		return true;
	node->seen = w->serial;
	if (node->trouble != TROUBLE_NONE || !(node->flags & NODE_SCANNED))
		agenda_push(&w->agenda, node, node->child != NULL, watcher_since(w));
	return true;
}

void adopt_event(struct watcher *w, struct node *parent, const char *name, size_t len,
		 bool moved_away)
{
	const struct node *before = tree_child(&w->tree, parent, name, len);
	bool is_there = adopt_look(w, parent, name, len);
	struct node *here = tree_child(&w->tree, parent, name, len);
	if (!here)
		return;
	/* away and back: who was told of its files meanwhile may have looked for them in vain */
	if (is_there && moved_away && here == before)
		agenda_push(&w->agenda, here, true, watcher_since(w));
	if (is_there)
		return;
	if (moved_away)
		limbo_enter(w, here);
	else
		limbo_bury(w, here);
}

void adopt_unwatch(struct watcher *w, struct node *node)
{
	int wd = node->wd;
	if (wd <= 0)
		return;
	tree_set_wd(&w->tree, node, 0);
	const struct wd_entry *entry = wdmap_find(&w->tree.wds, wd);
	if (entry && entry->shadowed)
		(void)root_walk_all(w); /* its other place is the only one now */
	if (entry && wdmap_retired(entry))
		view_unwatch(w->inotify_fd, wd);
}
