/* root: missing, deleted, moved, replaced, retargeted and mounted-over roots, on a real kernel. */
#include <sys/mount.h>

#include <sched.h>

#include "tests/unit/watcher_world.h"
#include "watcher/root.h"

Test(root, missing_root_is_said_once_and_does_not_delay_readiness)
{
	struct world world;
	world_open(&world, 0);
	uint32_t root = world_root(&world, at(&world, "no/such/r"), WATCHER_AUTO);
	cr_assert_eq(watcher_start(world.w), 0);
	world_await(&world, WATCHER_WALKED_ALL, NULL);
	cr_assert_eq(world_gaps(&world, WATCHER_GAP_OPENED, WATCHER_CAUSE_ROOT), 1);
	cr_assert(!watcher_root_present(world.w, root));
	cr_assert(watcher_needs_retry(world.w));
	watcher_retry(world.w);
	world_settle(&world);
	cr_assert_eq(world_count(&world, WATCHER_COMPLAINT, NULL), 1);
	cr_assert_not_null(
		strstr(world_find(&world, WATCHER_COMPLAINT, NULL)->text, "does not exist"));
	world_close(&world);
}

Test(root, missing_root_is_found_at_once_when_it_appears_step_by_step)
{
	struct world world;
	world_open(&world, 0);
	(void)world_root(&world, at(&world, "a/b/r"), WATCHER_AUTO);
	cr_assert_eq(watcher_start(world.w), 0);
	world_settle(&world);
	make_dir(at(&world, "a"));
	make_dir(at(&world, "a/b"));
	world_settle(&world);
	make_dir(at(&world, "a/b/r"));
	make_file(at(&world, "a/b/r/f"));
	world_await_gap(&world, WATCHER_GAP_CLOSED, WATCHER_CAUSE_ROOT);
	cr_assert(world_told(&world, at(&world, "a/b/r/f")));
	cr_assert(!watcher_needs_retry(world.w));
	world_check_alive(&world, at(&world, "a/b/r"));
	world_check_watches(&world, at(&world, "a/b/r"));
	world_close(&world);
}

Test(root, populated_root_moved_into_place_is_walked)
{
	struct world world;
	world_open(&world, 0);
	(void)world_root(&world, at(&world, "r"), WATCHER_AUTO);
	cr_assert_eq(watcher_start(world.w), 0);
	world_settle(&world);
	make_dir(at(&world, "x"));
	make_file(at(&world, "x/f"));
	move(at(&world, "x"), at(&world, "r"));
	world_await_gap(&world, WATCHER_GAP_CLOSED, WATCHER_CAUSE_ROOT);
	cr_assert(world_told(&world, at(&world, "r/f")));
	world_check_alive(&world, at(&world, "r"));
	world_close(&world);
}

Test(root, deleted_and_made_again_is_watched_again)
{
	struct world world;
	world_ready(&world);
	make_dir(at(&world, "r/d"));
	for (int i = 0; i < 20; i++) {
		world_forget(&world);
		remove_tree(at(&world, "r"));
		if (i & 1)
			world_settle(&world);
		make_dir(at(&world, "r"));
		make_file(at(&world, "r/f%d", i));
		world_settle(&world);
		cr_assert(world_told(&world, at(&world, "r/f%d", i)), "%d", i);
		world_check_alive(&world, at(&world, "r"));
		cr_assert_eq(world_gaps(&world, WATCHER_GAP_OPENED, WATCHER_CAUSE_ROOT), 1);
		cr_assert_eq(world_gaps(&world, WATCHER_GAP_CLOSED, WATCHER_CAUSE_ROOT), 1);
	}
	world_check_watches(&world, at(&world, "r"));
	world_close(&world);
}

Test(root, removed_while_held_and_made_again_is_watched_again)
{
	struct world world;
	world_ready(&world);
	int held = open(at(&world, "r"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cr_assert_eq(rmdir(at(&world, "r")), 0);
	make_dir(at(&world, "r"));
	world_settle(&world);
	world_check_alive(&world, at(&world, "r"));
	close(held);
	world_settle(&world);
	world_check_alive(&world, at(&world, "r"));
	world_close(&world);
}

Test(root, moved_away_and_replaced_is_the_new_one)
{
	struct world world;
	world_ready(&world);
	make_dir(at(&world, "r/d"));
	world_settle(&world);
	world_forget(&world);
	move(at(&world, "r"), at(&world, "old"));
	make_file(at(&world, "old/late"));
	make_dir(at(&world, "r"));
	make_file(at(&world, "r/f"));
	world_settle(&world);
	cr_assert(world_told(&world, at(&world, "r/f")));
	world_settle(&world);
	world_forget(&world);
	make_file(at(&world, "old/d/g"));
	world_settle(&world);
	cr_assert_eq(world.count, 0);
	world_check_alive(&world, at(&world, "r"));
	world_check_watches(&world, at(&world, "r"));
	world_close(&world);
}

Test(root, directory_above_it_that_moves_takes_it_away)
{
	struct world world;
	world_open(&world, 0);
	make_dir(at(&world, "a"));
	make_dir(at(&world, "a/b"));
	make_dir(at(&world, "a/b/r"));
	uint32_t root = world_root(&world, at(&world, "a/b/r"), WATCHER_AUTO);
	cr_assert_eq(watcher_start(world.w), 0);
	world_settle(&world);
	move(at(&world, "a"), at(&world, "z"));
	world_settle(&world);
	cr_assert(!watcher_root_present(world.w, root));
	cr_assert_eq(world_gaps(&world, WATCHER_GAP_OPENED, WATCHER_CAUSE_ROOT), 1);
	make_dir(at(&world, "a"));
	make_dir(at(&world, "a/b"));
	make_dir(at(&world, "a/b/r"));
	world_await_gap(&world, WATCHER_GAP_CLOSED, WATCHER_CAUSE_ROOT);
	world_check_alive(&world, at(&world, "a/b/r"));
	world_check_watches(&world, at(&world, "a/b/r"));
	world_close(&world);
}

Test(root, directory_above_a_missing_one_that_moves_is_noticed)
{
	struct world world;
	world_open(&world, 0);
	make_dir(at(&world, "a"));
	make_dir(at(&world, "a/b"));
	(void)world_root(&world, at(&world, "a/b/r"), WATCHER_AUTO);
	cr_assert_eq(watcher_start(world.w), 0);
	world_settle(&world);
	move(at(&world, "a"), at(&world, "z"));
	world_settle(&world);
	make_dir(at(&world, "a"));
	make_dir(at(&world, "a/b"));
	make_dir(at(&world, "a/b/r"));
	world_await_gap(&world, WATCHER_GAP_CLOSED, WATCHER_CAUSE_ROOT);
	world_check_alive(&world, at(&world, "a/b/r"));
	world_close(&world);
}

Test(root, symlink_is_followed_and_followed_anew_when_it_changes)
{
	struct world world;
	world_open(&world, 0);
	make_dir(at(&world, "one"));
	make_dir(at(&world, "two"));
	make_file(at(&world, "two/f"));
	cr_assert_eq(symlink("one", at(&world, "r")), 0);
	(void)world_root(&world, at(&world, "r"), WATCHER_AUTO);
	cr_assert_eq(watcher_start(world.w), 0);
	world_settle(&world);
	world_check_alive(&world, at(&world, "r"));
	cr_assert_eq(symlink("two", at(&world, "tmp")), 0);
	move(at(&world, "tmp"), at(&world, "r"));
	world_await_gap(&world, WATCHER_GAP_CLOSED, WATCHER_CAUSE_ROOT);
	cr_assert(world_told(&world, at(&world, "r/f")));
	world_check_alive(&world, at(&world, "r"));
	world_check_watches(&world, at(&world, "two"));
	world_close(&world);
}

Test(root, symlink_in_the_middle_of_the_path_is_followed_anew_when_it_changes)
{
	struct world world;
	world_open(&world, 0);
	make_dir(at(&world, "one"));
	make_dir(at(&world, "one/sub"));
	make_dir(at(&world, "one/sub/r"));
	make_dir(at(&world, "two"));
	make_dir(at(&world, "two/sub"));
	make_dir(at(&world, "two/sub/r"));
	make_file(at(&world, "two/sub/r/f"));
	cr_assert_eq(symlink("one", at(&world, "now")), 0);
	(void)world_root(&world, at(&world, "now/sub/r"), WATCHER_AUTO);
	cr_assert_eq(watcher_start(world.w), 0);
	world_settle(&world);
	world_check_alive(&world, at(&world, "now/sub/r"));
	cr_assert_eq(symlink("two", at(&world, "tmp")), 0);
	move(at(&world, "tmp"), at(&world, "now"));
	world_settle(&world);
	cr_assert(world_told(&world, at(&world, "now/sub/r/f")));
	world_check_alive(&world, at(&world, "now/sub/r"));
	cr_assert_eq(unlink(at(&world, "now")), 0);
	world_settle(&world);
	cr_assert(!watcher_root_present(world.w, 0));
	cr_assert_eq(symlink("one", at(&world, "now")), 0);
	world_settle(&world);
	world_check_alive(&world, at(&world, "now/sub/r"));
	world_check_watches(&world, at(&world, "one/sub/r"));
	world_close(&world);
}

Test(root, symlink_that_a_symlink_leads_through_is_followed_anew_when_it_changes)
{
	struct world world;
	world_open(&world, 0);
	make_dir(at(&world, "volume"));
	make_dir(at(&world, "volume/one"));
	make_dir(at(&world, "volume/one/r"));
	make_dir(at(&world, "volume/two"));
	make_dir(at(&world, "volume/two/r"));
	make_file(at(&world, "volume/two/r/f"));
	cr_assert_eq(symlink("one", at(&world, "volume/data")), 0);
	cr_assert_eq(symlink("volume/./data/r", at(&world, "r")), 0);
	(void)world_root(&world, at(&world, "r"), WATCHER_AUTO);
	cr_assert_eq(watcher_start(world.w), 0);
	world_settle(&world);
	world_check_alive(&world, at(&world, "r"));
	/* as the kubelet does with a volume */
	cr_assert_eq(symlink("two", at(&world, "volume/tmp")), 0);
	move(at(&world, "volume/tmp"), at(&world, "volume/data"));
	world_settle(&world);
	cr_assert(world_told(&world, at(&world, "r/f")));
	world_check_alive(&world, at(&world, "r"));
	/* absolute, and not at once */
	cr_assert_eq(unlink(at(&world, "volume/data")), 0);
	world_settle(&world);
	cr_assert(!watcher_root_present(world.w, 0));
	cr_assert_eq(symlink(at(&world, "volume/one"), at(&world, "volume/data")), 0);
	world_settle(&world);
	world_check_alive(&world, at(&world, "r"));
	world_check_watches(&world, at(&world, "volume/one/r"));
	world_close(&world);
}

Test(root, symlinks_in_a_circle_lead_nowhere_until_one_is_changed)
{
	struct world world;
	world_open(&world, 0);
	make_dir(at(&world, "d"));
	cr_assert_eq(symlink("b", at(&world, "a")), 0);
	cr_assert_eq(symlink("a", at(&world, "b")), 0);
	(void)world_root(&world, at(&world, "a"), WATCHER_AUTO);
	cr_assert_eq(watcher_start(world.w), 0);
	world_settle(&world);
	cr_assert(!watcher_root_present(world.w, 0));
	cr_assert_eq(symlink("d", at(&world, "c")), 0);
	move(at(&world, "c"), at(&world, "b"));
	world_settle(&world);
	world_check_alive(&world, at(&world, "a"));
	world_close(&world);
}

Test(root, target_of_a_symlink_that_goes_and_comes_is_found_step_by_step)
{
	struct world world;
	world_open(&world, 0);
	make_dir(at(&world, "t"));
	make_dir(at(&world, "t/one"));
	cr_assert_eq(symlink("t/one", at(&world, "r")), 0);
	(void)world_root(&world, at(&world, "r"), WATCHER_AUTO);
	cr_assert_eq(watcher_start(world.w), 0);
	world_settle(&world);
	move(at(&world, "t"), at(&world, "u"));
	world_await_gap(&world, WATCHER_GAP_OPENED, WATCHER_CAUSE_ROOT);
	make_dir(at(&world, "t"));
	world_settle(&world);
	make_dir(at(&world, "t/one"));
	make_file(at(&world, "t/one/f"));
	world_await_gap(&world, WATCHER_GAP_CLOSED, WATCHER_CAUSE_ROOT);
	cr_assert(world_told(&world, at(&world, "r/f")));
	world_check_alive(&world, at(&world, "r"));
	world_close(&world);
}

Test(root, path_that_is_no_directory_is_said)
{
	struct world world;
	world_open(&world, 0);
	make_file(at(&world, "r"));
	uint32_t root = world_root(&world, at(&world, "r"), WATCHER_AUTO);
	world_settle(&world);
	cr_assert(!watcher_root_present(world.w, root));
	cr_assert_not_null(
		strstr(world_find(&world, WATCHER_COMPLAINT, NULL)->text, "ot a directory"));
	world_close(&world);
}

Test(root, written_with_slashes_or_relative_is_told_as_written)
{
	struct world world;
	world_open(&world, 0);
	make_dir(at(&world, "r"));
	make_dir(at(&world, "s"));
	make_file(at(&world, "r/f"));
	make_file(at(&world, "s/f"));
	cr_assert_eq(chdir(world.dir), 0);
	(void)world_root(&world, at(&world, "r//"), WATCHER_AUTO);
	(void)world_root(&world, "s", WATCHER_AUTO);
	world_settle(&world);
	cr_assert(world_find(&world, WATCHER_WALKED, at(&world, "r/f")));
	cr_assert(world_find(&world, WATCHER_WALKED, "s/f"));
	world_close(&world);
}

Test(root, overlapping_roots_are_refused_in_every_shape)
{
	struct world world;
	world_open(&world, 0);
	make_dir(at(&world, "r"));
	make_dir(at(&world, "r/d"));
	make_dir(at(&world, "rd"));
	cr_assert_eq(symlink("r/d", at(&world, "link")), 0);
	(void)world_root(&world, at(&world, "r"), WATCHER_AUTO);
	const char *paths[] = { "r", "r/d", "link", ".", "r/../r" };
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		uint32_t index = 77;
		cr_assert_eq(
			watcher_add_root(world.w, at(&world, "%s", paths[i]), WATCHER_AUTO, &index),
			-EEXIST, "%s", paths[i]);
		cr_assert_eq(index, 77);
	}
	cr_assert_eq(world_root(&world, at(&world, "rd"), WATCHER_AUTO), 1);
	cr_assert_eq(watcher_start(world.w), 0);
	world_settle(&world);
	cr_assert_eq(world_count(&world, WATCHER_COMPLAINT, NULL), 5);
	cr_assert_eq(world_count(&world, WATCHER_GAP_OPENED, NULL), 0);
	world_check_alive(&world, at(&world, "r/d"));
	world_check_alive(&world, at(&world, "rd"));
	world_close(&world);
}

Test(root, missing_root_that_appears_inside_another_waits)
{
	struct world world;
	world_open(&world, 0);
	make_dir(at(&world, "r"));
	make_dir(at(&world, "r/d"));
	(void)world_root(&world, at(&world, "r"), WATCHER_AUTO);
	uint32_t second = world_root(&world, at(&world, "s"), WATCHER_AUTO);
	cr_assert_eq(watcher_start(world.w), 0);
	world_settle(&world);
	cr_assert_eq(symlink("r/d", at(&world, "s")), 0);
	world_settle(&world);
	cr_assert(!watcher_root_present(world.w, second));
	world_check_alive(&world, at(&world, "r/d"));
	cr_assert_eq(unlink(at(&world, "s")), 0);
	make_dir(at(&world, "s"));
	world_await_gap(&world, WATCHER_GAP_CLOSED, WATCHER_CAUSE_ROOT);
	world_check_alive(&world, at(&world, "s"));
	world_close(&world);
}

Test(root, directory_moved_from_one_root_to_another_is_told_there)
{
	struct world world;
	world_open(&world, 0);
	make_dir(at(&world, "r"));
	make_dir(at(&world, "s"));
	make_dir(at(&world, "r/d"));
	make_dir(at(&world, "r/d/e"));
	make_file(at(&world, "r/d/e/f"));
	(void)world_root(&world, at(&world, "r"), WATCHER_AUTO);
	uint32_t second = world_root(&world, at(&world, "s"), WATCHER_AUTO);
	cr_assert_eq(watcher_start(world.w), 0);
	world_settle(&world);
	world_forget(&world);
	move(at(&world, "r/d"), at(&world, "s/d"));
	world_settle(&world);
	const struct told *moved = world_find(&world, WATCHER_DIR_MOVED, at(&world, "s/d"));
	cr_assert_not_null(moved);
	cr_assert_eq(moved->root, second);
	const struct told *walked = world_find(&world, WATCHER_WALKED, at(&world, "s/d/e/f"));
	cr_assert_not_null(walked);
	cr_assert_eq(walked->root, second);
	world_check_alive(&world, at(&world, "s/d/e"));
	world_close(&world);
}

Test(root, mounted_over_and_unmounted_is_what_stands_there)
{
	struct world world;
	if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) {
		fprintf(stderr, "not run: no mount namespace: %s\n", strerror(errno));
		return;
	}
	world_ready(&world);
	make_file(at(&world, "r/below"));
	world_settle(&world);
	for (int i = 0; i < 2; i++) {
		world_forget(&world);
		cr_assert_eq(mount("tmpfs", at(&world, "r"), "tmpfs", 0, NULL), 0);
		make_file(at(&world, "r/above"));
		watcher_mounts_changed(world.w);
		world_await_gap(&world, WATCHER_GAP_CLOSED, WATCHER_CAUSE_MOUNT);
		cr_assert(world_told(&world, at(&world, "r/above")));
		world_check_alive(&world, at(&world, "r"));
		world_forget(&world);
		cr_assert_eq(umount(at(&world, "r")), 0, "the watcher keeps the mount busy");
		watcher_mounts_changed(world.w);
		world_await_gap(&world, WATCHER_GAP_CLOSED, WATCHER_CAUSE_MOUNT);
		cr_assert(world_told(&world, at(&world, "r/below")));
		world_check_alive(&world, at(&world, "r"));
	}
	world_check_watches(&world, at(&world, "r"));
	world_close(&world);
}

Test(root, mount_below_it_is_followed_and_other_mounts_make_no_gap)
{
	struct world world;
	if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) {
		fprintf(stderr, "not run: no mount namespace: %s\n", strerror(errno));
		return;
	}
	world_ready(&world);
	make_dir(at(&world, "r/m"));
	make_dir(at(&world, "elsewhere"));
	make_file(at(&world, "r/m/below"));
	world_settle(&world);
	world_forget(&world);
	cr_assert_eq(mount("tmpfs", at(&world, "elsewhere"), "tmpfs", 0, NULL), 0);
	watcher_mounts_changed(world.w);
	world_settle(&world);
	cr_assert_eq(world_count(&world, WATCHER_GAP_OPENED, NULL), 0);
	cr_assert_eq(mount("tmpfs", at(&world, "r/m"), "tmpfs", 0, NULL), 0);
	make_file(at(&world, "r/m/above"));
	watcher_mounts_changed(world.w);
	world_await_gap(&world, WATCHER_GAP_CLOSED, WATCHER_CAUSE_MOUNT);
	cr_assert(world_told(&world, at(&world, "r/m/above")));
	world_check_alive(&world, at(&world, "r/m"));
	world_forget(&world);
	cr_assert_eq(umount(at(&world, "r/m")), 0);
	watcher_mounts_changed(world.w);
	world_await_gap(&world, WATCHER_GAP_CLOSED, WATCHER_CAUSE_MOUNT);
	cr_assert(world_told(&world, at(&world, "r/m/below")));
	world_check_alive(&world, at(&world, "r/m"));
	world_check_watches(&world, at(&world, "r"));
	world_close(&world);
}
