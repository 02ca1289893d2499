/* lookout: watches above a root, shared and counted. */
#include "tests/unit/watcher_world.h"
#include "watcher/lookout.h"

Test(lookout, two_roots_share_the_directories_above_them)
{
	struct world world;
	world_open(&world, 0);
	make_dir(at(&world, "r"));
	make_dir(at(&world, "s"));
	(void)world_root(&world, at(&world, "r"), WATCHER_INOTIFY);
	oracle_read_kernel(&world);
	size_t one = oracle_kernel.count;
	(void)world_root(&world, at(&world, "s"), WATCHER_INOTIFY);
	oracle_read_kernel(&world);
	cr_assert_eq(oracle_kernel.count, one + 1);
	struct watcher *w = world.w;
	lookout_clear(w, w->roots[0]);
	oracle_read_kernel(&world);
	cr_assert_eq(oracle_kernel.count, one + 1, "the other root still looks out there");
	lookout_clear(w, w->roots[1]);
	oracle_read_kernel(&world);
	cr_assert_eq(oracle_kernel.count, 2, "only the roots themselves");
	lookout_clear(w, w->roots[1]);
	world_close(&world);
}

Test(lookout, stands_where_the_nearest_directory_is)
{
	struct world world;
	world_open(&world, 0);
	make_dir(at(&world, "a"));
	(void)world_root(&world, at(&world, "a/b/c/r"), WATCHER_INOTIFY);
	struct root *root = world.w->roots[0];
	cr_assert(root->armed && lookout_stands(root));
	const struct lookout *nearest = &root->lookouts[0];
	cr_assert_str_eq(nearest->name, "b");
	make_dir(at(&world, "a/b"));
	cr_assert(!lookout_stands(root), "the path leads further now");
	lookout_arm(world.w, root, -1);
	cr_assert(lookout_stands(root));
	cr_assert_str_eq(root->lookouts[0].name, "c");
	move(at(&world, "a"), at(&world, "z"));
	cr_assert(!lookout_stands(root));
	world_close(&world);
}

Test(lookout, does_not_weaken_the_watch_of_a_tree)
{
	struct world world;
	world_open(&world, 0);
	make_dir(at(&world, "r"));
	make_dir(at(&world, "t"));
	cr_assert_eq(symlink("../t", at(&world, "r/link")), 0);
	(void)world_root(&world, at(&world, "r"), WATCHER_INOTIFY);
	/* a root whose name lies in another root's tree: its lookout is that tree's own directory
	 */
	(void)world_root(&world, at(&world, "r/link"), WATCHER_INOTIFY);
	cr_assert_eq(watcher_start(world.w), 0);
	world_settle(&world);
	make_file(at(&world, "r/f"));
	make_file(at(&world, "t/g"));
	world_settle(&world);
	cr_assert(world_find(&world, WATCHER_CLOSED, at(&world, "r/f")));
	cr_assert(world_find(&world, WATCHER_CLOSED, at(&world, "r/link/g")));
	cr_assert_eq(unlink(at(&world, "r/link")), 0);
	world_settle(&world);
	cr_assert_eq(world_gaps(&world, WATCHER_GAP_OPENED, WATCHER_CAUSE_ROOT), 1);
	make_file(at(&world, "r/h"));
	world_settle(&world);
	cr_assert(world_find(&world, WATCHER_CLOSED, at(&world, "r/h")));
	world_close(&world);
}

Test(lookout, one_directory_holds_both_the_symlink_on_the_way_and_the_next_name)
{
	struct world world;
	world_open(&world, 0);
	make_dir(at(&world, "r"));
	make_dir(at(&world, "two"));
	make_dir(at(&world, "two/r"));
	make_file(at(&world, "two/r/f"));
	cr_assert_eq(symlink(".", at(&world, "l")), 0);
	(void)world_root(&world, at(&world, "l/r"), WATCHER_INOTIFY);
	cr_assert_eq(watcher_start(world.w), 0);
	world_settle(&world);
	cr_assert_eq(symlink("two", at(&world, "tmp")), 0);
	move(at(&world, "tmp"), at(&world, "l"));
	world_settle(&world);
	cr_assert(world_told(&world, at(&world, "l/r/f")));
	oracle_read_kernel(&world);
	size_t watches = oracle_kernel.count;
	lookout_clear(world.w, world.w->roots[0]);
	oracle_read_kernel(&world);
	cr_assert_eq(oracle_kernel.count, 1, "only the root itself");
	cr_assert_gt(watches, 3);
	world_close(&world);
}
