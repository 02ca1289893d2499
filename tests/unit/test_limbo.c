/* limbo: nodes wait, come back, or are forgotten a bounded number at a time. */
#include "tests/unit/watcher_world.h"
#include "watcher/limbo.h"

Test(limbo, node_waits_two_ticks_and_keeps_tickets_waiting)
{
	struct world world;
	world_open(&world, 0);
	make_dir(at(&world, "r"));
	make_dir(at(&world, "r/d"));
	(void)world_root(&world, at(&world, "r"), WATCHER_INOTIFY);
	world_drain(&world);
	struct watcher *w = world.w;
	struct node *top = w->roots[0]->top;
	cr_assert_eq(limbo_since(w), UINT64_MAX);
	cr_assert_eq(rmdir(at(&world, "r/d")), 0);
	limbo_enter(w, tree_child(&w->tree, top, "d", 1));
	cr_assert_neq(limbo_since(w), UINT64_MAX);
	cr_assert(!limbo_busy(w));
	int64_t tick = w->limbo.tick_ns;
	cr_assert_gt(tick, 0);
	limbo_tick(w, tick - 1);
	cr_assert(!link_alone(&w->limbo.young));
	limbo_tick(w, tick);
	cr_assert(link_alone(&w->limbo.young) && !limbo_busy(w));
	limbo_tick(w, w->limbo.tick_ns);
	/* its events are in the kernel's queue, unread: nothing may be decided before them */
	cr_assert(!limbo_busy(w));
	cr_assert_eq(watcher_start(w), 0);
	world_await(&world, WATCHER_DIR_GONE, at(&world, "r/d"));
	world_settle(&world);
	cr_assert_eq(limbo_since(w), UINT64_MAX);
	cr_assert_eq(w->tree.count, 1);
	world_close(&world);
}

Test(limbo, node_that_is_still_there_comes_back_and_is_walked)
{
	struct world world;
	world_ready(&world);
	make_dir(at(&world, "r/d"));
	make_dir(at(&world, "r/d/e"));
	make_file(at(&world, "r/d/e/f"));
	world_settle(&world);
	world_forget(&world);
	struct watcher *w = world.w;
	int wd = wd_of(&world, at(&world, "r/d"));
	limbo_enter(w, tree_child(&w->tree, w->roots[0]->top, "d", 1));
	watcher_kick(w);
	world_await(&world, WATCHER_WALKED, at(&world, "r/d/e/f"));
	cr_assert_eq(wd_of(&world, at(&world, "r/d")), wd);
	cr_assert_eq(world_count(&world, WATCHER_DIR_GONE, NULL), 0);
	cr_assert_eq(world_count(&world, WATCHER_DIR_MOVED, NULL), 0);
	world_close(&world);
}

Test(limbo, dead_trees_are_freed_in_bounded_pieces)
{
	struct world world;
	world_open(&world, 0);
	make_dir(at(&world, "r"));
	make_dir(at(&world, "r/d"));
	for (int i = 0; i < 1000; i++)
		make_dir(at(&world, "r/d/s%d", i));
	(void)world_root(&world, at(&world, "r"), WATCHER_INOTIFY);
	world_drain(&world);
	struct watcher *w = world.w;
	limbo_bury(w, tree_child(&w->tree, w->roots[0]->top, "d", 1));
	size_t before = w->tree.count;
	while (limbo_busy(w)) {
		cr_assert(limbo_step(w));
		cr_assert_leq(before - w->tree.count, 300);
		before = w->tree.count;
	}
	cr_assert_eq(w->tree.count, 1);
	cr_assert(!limbo_step(w));
	world_close(&world);
}

Test(limbo, dead_directory_does_not_wait)
{
	struct world world;
	world_ready(&world);
	make_dir(at(&world, "r/d"));
	world_settle(&world);
	struct watcher *w = world.w;
	struct node *d = tree_child(&w->tree, w->roots[0]->top, "d", 1);
	limbo_despair(w, d);
	cr_assert(!(d->flags & NODE_DETACHED), "not in limbo, nothing to despair of");
	limbo_enter(w, d);
	limbo_despair(w, d);
	cr_assert(!(d->flags & NODE_DETACHED), "it stands where it stood");
	cr_assert_eq(rmdir(at(&world, "r/d")), 0);
	limbo_enter(w, d);
	limbo_despair(w, d);
	cr_assert(d->flags & NODE_DEAD);
	limbo_despair(w, d);
	world_drain(&world);
	cr_assert_eq(world_count(&world, WATCHER_DIR_GONE, at(&world, "r/d")), 1);
	world_close(&world);
}

Test(limbo, another_directory_in_place_of_a_dead_one_is_found)
{
	struct world world;
	world_ready(&world);
	make_dir(at(&world, "r/d"));
	world_settle(&world);
	struct watcher *w = world.w;
	struct node *top = w->roots[0]->top;
	struct node *d = tree_child(&w->tree, top, "d", 1);
	move(at(&world, "r/d"), at(&world, "old"));
	make_dir(at(&world, "r/d"));
	limbo_enter(w, d);
	limbo_despair(w, d);
	cr_assert(d->flags & NODE_DEAD);
	cr_assert(tree_child(&w->tree, top, "d", 1) != NULL);
	world_settle(&world);
	cr_assert_eq(world_count(&world, WATCHER_DIR_GONE, at(&world, "r/d")), 0);
	world_close(&world);
}
