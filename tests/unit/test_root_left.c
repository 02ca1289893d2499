/* Roots that nobody asks for any more, that come back, and that are watched in another mode, on a
 * real kernel. */
#include "tests/unit/watcher_world.h"

Test(root_left, one_that_is_left_has_no_watch_and_tells_nothing)
{
	struct world world;
	world_ready(&world);
	make_dir(at(&world, "r/deep"));
	make_dir(at(&world, "s"));
	uint32_t other = world_root(&world, at(&world, "s"), WATCHER_INOTIFY);
	world_settle(&world);
	watcher_leave_root(world.w, 0);
	watcher_leave_root(world.w, 0); /* once more is no harm */
	world_drain(&world);
	world_forget(&world);
	cr_assert(!watcher_root_present(world.w, 0));
	world_check_watches(&world, at(&world, "s"));
	make_file(at(&world, "r/deep/f"));
	world_check_alive(&world, at(&world, "s"));
	cr_assert(!world_told(&world, at(&world, "r/deep/f")));
	watcher_reconcile(world.w);
	watcher_retry(world.w);
	watcher_mounts_changed(world.w);
	world_settle(&world);
	cr_assert(!world_told(&world, at(&world, "r/deep/f")));
	cr_assert(!watcher_needs_retry(world.w));
	cr_assert(watcher_root_present(world.w, other));
	world_close(&world);
}

Test(root_left, one_that_comes_back_is_walked_within_a_gap)
{
	struct world world;
	world_ready(&world);
	make_dir(at(&world, "r/deep"));
	world_settle(&world);
	watcher_leave_root(world.w, 0);
	make_file(at(&world, "r/deep/f"));
	world_forget(&world);
	/* while it is being forgotten */
	watcher_begin_root(world.w, 0, WATCHER_AUTO);
	world_await(&world, WATCHER_WALKED_ALL, NULL);
	cr_assert_eq(world_gaps(&world, WATCHER_GAP_OPENED, WATCHER_CAUSE_ROOT), 1);
	cr_assert_eq(world_gaps(&world, WATCHER_GAP_CLOSED, WATCHER_CAUSE_ROOT), 1);
	cr_assert(world_find(&world, WATCHER_WALKED, at(&world, "r/deep/f")));
	world_check_alive(&world, at(&world, "r/deep"));
	world_check_watches(&world, at(&world, "r"));
	world_close(&world);
}

Test(root_left, another_mode_and_back)
{
	struct world world;
	world_ready(&world);
	make_dir(at(&world, "r/deep"));
	world_settle(&world);
	watcher_begin_root(world.w, 0, WATCHER_POLL);
	world_settle(&world);
	cr_assert(watcher_root_polled(world.w, 0));
	oracle_read_kernel(&world);
	cr_assert_eq(oracle_kernel.count, 0, "a polled root has no watches");
	make_file(at(&world, "r/deep/f"));
	world_forget(&world);
	watcher_begin_root(world.w, 0, WATCHER_INOTIFY);
	world_await_gap(&world, WATCHER_GAP_CLOSED, WATCHER_CAUSE_ROOT);
	world_settle(&world);
	cr_assert(world_find(&world, WATCHER_WALKED, at(&world, "r/deep/f")));
	world_check_alive(&world, at(&world, "r/deep"));
	world_check_watches(&world, at(&world, "r"));
	world_close(&world);
}

Test(root_left, the_gaps_of_one_that_is_left_are_closed)
{
	struct world world;
	world_open(&world, 0);
	uint32_t root = world_root(&world, at(&world, "no"), WATCHER_AUTO);
	cr_assert_eq(watcher_start(world.w), 0);
	world_await_gap(&world, WATCHER_GAP_OPENED, WATCHER_CAUSE_ROOT);
	watcher_leave_root(world.w, root);
	world_settle(&world);
	cr_assert_eq(world_gaps(&world, WATCHER_GAP_CLOSED, WATCHER_CAUSE_ROOT), 1);
	cr_assert(!watcher_needs_retry(world.w));
	make_dir(at(&world, "no"));
	make_file(at(&world, "no/f"));
	world_settle(&world);
	cr_assert(!world_told(&world, at(&world, "no/f")));
	world_close(&world);
}

Test(root_left, one_within_another_waits_until_that_is_left)
{
	struct world world;
	uint32_t inner = 0;
	world_ready(&world);
	make_dir(at(&world, "r/deep"));
	make_file(at(&world, "r/deep/f"));
	cr_assert_eq(watcher_reserve_root(world.w, at(&world, "r/deep"), &inner), 0);
	watcher_begin_root(world.w, inner, WATCHER_AUTO);
	world_settle(&world);
	cr_assert(!watcher_root_present(world.w, inner));
	cr_assert_not_null(world_find(&world, WATCHER_COMPLAINT, at(&world, "r/deep")));
	watcher_leave_root(world.w, 0);
	watcher_retry(world.w);
	world_settle(&world);
	cr_assert(watcher_root_present(world.w, inner));
	world_forget(&world);
	world_check_alive(&world, at(&world, "r/deep"));
	world_check_watches(&world, at(&world, "r/deep"));
	world_close(&world);
}
