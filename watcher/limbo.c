/* limbo: see limbo.h. */
#include "watcher/limbo.h"

#include <sys/inotify.h>

#include "watcher/adopt.h"
#include "watcher/gap.h"
#include "watcher/paths.h"
#include "watcher/walk.h"

#define TICK_NS	     INT64_C(100000000)
#define FREED_A_STEP OWN_STEPS(256)

void limbo_init(struct limbo *limbo)
{
	*limbo = (struct limbo){ 0 };
	link_init(&limbo->young);
	link_init(&limbo->old);
	link_init(&limbo->dead);
}

static void detach(struct watcher *w, struct node *node)
{
	agenda_remove(&w->agenda, node);
	link_out(&node->link);
	tree_detach(&w->tree, node);
}

void limbo_enter(struct watcher *w, struct node *node)
{
	struct limbo *limbo = &w->limbo;
	detach(w, node);
	uint64_t since = watcher_since(w);
	if (link_alone(&limbo->young) || since < limbo->young_since)
		limbo->young_since = since;
	link_after(limbo->young.previous, &node->link);
	if (limbo->tick_ns == 0)
		limbo->tick_ns = own_now_ns() + TICK_NS;
}

void limbo_bury_quietly(struct watcher *w, struct node *node)
{
	detach(w, node);
	node->flags |= NODE_DEAD;
	link_after(w->limbo.dead.previous, &node->link);
}

void limbo_bury(struct watcher *w, struct node *node)
{
	const struct node *parent = node->parent;
	bool taken = parent && tree_child(&w->tree, parent, node->name, node->name_len) != NULL &&
		     (node->flags & NODE_DETACHED);
	if (!taken)
		paths_tell(w, WATCHER_DIR_GONE, node, NULL);
	limbo_bury_quietly(w, node);
}

void limbo_leave(struct node *node)
{
	if (node->flags & NODE_DETACHED)
		link_out(&node->link);
}

void limbo_tick(struct watcher *w, int64_t now_ns)
{
	struct limbo *limbo = &w->limbo;
	if (limbo->tick_ns == 0 || limbo->tick_ns > now_ns)
		return;
	limbo->due = !link_alone(&limbo->old);
	if (!limbo->due && !link_alone(&limbo->young)) {
		link_splice(&limbo->old, &limbo->young);
		limbo->old_since = limbo->young_since;
		limbo->ticket = reader_horizon(w->reader);
	}
	bool waits = !link_alone(&limbo->old) || !link_alone(&limbo->young);
	limbo->tick_ns = waits ? now_ns + TICK_NS : 0;
}

/* Is it back where it was, after all? Or is another one there? */
static void decide(struct watcher *w, struct node *node)
{
	if (tree_attached(node->parent))
		(void)adopt_look(w, node->parent, node->name, node->name_len);
	if (!(node->flags & NODE_DETACHED))
		return;
	/* a parent that is lost too is forgotten, or found and listed, with all below it */
	if (tree_attached(node->parent))
		limbo_bury(w, node);
	else
		limbo_bury_quietly(w, node);
}

void limbo_despair(struct watcher *w, struct node *node)
{
	if ((node->flags & (NODE_DETACHED | NODE_DEAD)) == NODE_DETACHED)
		decide(w, node);
}

static void forget(struct watcher *w, struct node *node)
{
	walk_forget(w, node);
	agenda_remove(&w->agenda, node);
	link_out(&node->link);
	gap_trouble_over(w, node);
	adopt_unwatch(w, node);
	tree_free(&w->tree, node);
}

/* Frees leaves of the first dead tree until it is gone or there were most of them. */
static void free_some(struct watcher *w, unsigned most)
{
	struct node *top = LINK_OF(w->limbo.dead.next, struct node, link);
	struct node *node = top;
	for (unsigned freed = 0; node && freed < most; freed++) {
		while (node->child)
			node = node->child;
		struct node *parent = node == top ? NULL : node->parent;
		forget(w, node);
		node = parent;
	}
}

bool limbo_step(struct watcher *w)
{
	struct limbo *limbo = &w->limbo;
	if (!link_alone(&limbo->dead)) {
		free_some(w, FREED_A_STEP);
		return true;
	}
	if (!limbo_busy(w))
		return false;
	w->cause = limbo->old_since;
	decide(w, LINK_OF(limbo->old.next, struct node, link));
	w->cause = UINT64_MAX;
	return true;
}

bool limbo_busy(const struct watcher *w)
{
	const struct limbo *limbo = &w->limbo;
	if (!link_alone(&limbo->dead))
		return true;
	return limbo->due && !link_alone(&limbo->old) && watcher_position(w) >= limbo->ticket;
}

uint64_t limbo_since(const struct watcher *w)
{
	const struct limbo *limbo = &w->limbo;
	uint64_t since = UINT64_MAX;
	if (!link_alone(&limbo->old))
		since = limbo->old_since;
	if (!link_alone(&limbo->young) && limbo->young_since < since)
		since = limbo->young_since;
	return since;
}

void limbo_clear(struct watcher *w)
{
	while (!link_alone(&w->limbo.dead))
		free_some(w, FREED_A_STEP);
}
