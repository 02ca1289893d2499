/* adopt: directories made, moved, replaced, removed, on a real kernel. */
#include <sys/mount.h>
#include <sys/syscall.h>

#include <sched.h>

#include "tests/unit/watcher_world.h"
#include "watcher/adopt.h"
#include "watcher/walk.h"

Test(adopt, directory_made_with_files_before_its_watch_is_walked)
{
	struct world world;
	world_ready(&world);
	for (int i = 0; i < 500; i++) {
		make_dir(at(&world, "r/d%d", i));
		make_dir(at(&world, "r/d%d/s", i));
		make_file(at(&world, "r/d%d/s/f", i));
		if (i % 7 == 0)
			(void)world_step(&world);
	}
	world_settle(&world);
	for (int i = 0; i < 500; i++)
		cr_assert(world_told(&world, at(&world, "r/d%d/s/f", i)), "%d", i);
	world_check_watches(&world, at(&world, "r"));
	world_close(&world);
}

Test(adopt, populated_directory_moved_in_is_walked)
{
	struct world world;
	world_ready(&world);
	make_dir(at(&world, "out"));
	make_dir(at(&world, "out/sub"));
	for (int i = 0; i < 500; i++)
		make_file(at(&world, "out/%sf%d", i & 1 ? "sub/" : "", i));
	move(at(&world, "out"), at(&world, "r/in"));
	world_settle(&world);
	for (int i = 0; i < 500; i++)
		cr_assert_eq(world_count(&world, WATCHER_WALKED,
					 at(&world, "r/in/%sf%d", i & 1 ? "sub/" : "", i)),
			     1);
	cr_assert_eq(world_count(&world, WATCHER_DIR_MOVED, NULL), 0);
	world_check_watches(&world, at(&world, "r"));
	world_close(&world);
}

Test(adopt, renamed_tree_eight_deep_keeps_telling_new_paths_twice)
{
	struct world world;
	world_ready(&world);
	char below[128] = "";
	make_dir(at(&world, "r/a"));
	for (int i = 0; i < 8; i++) {
		strcat(below, "/n");
		make_dir(at(&world, "r/a%s", below));
	}
	make_file(at(&world, "r/a%s/old", below));
	world_settle(&world);
	const char *names[] = { "a", "b", "c" };
	for (int i = 1; i < 3; i++) {
		world_forget(&world);
		move(at(&world, "r/%s", names[i - 1]), at(&world, "r/%s", names[i]));
		make_file(at(&world, "r/%s%s/new%d", names[i], below, i));
		world_settle(&world);
		const struct told *moved =
			world_find(&world, WATCHER_DIR_MOVED, at(&world, "r/%s", names[i]));
		cr_assert_not_null(moved);
		cr_assert_str_eq(moved->from, at(&world, "r/%s", names[i - 1]));
		cr_assert(world_find(&world, WATCHER_WALKED,
				     at(&world, "r/%s%s/old", names[i], below)));
		cr_assert(world_told(&world, at(&world, "r/%s%s/new%d", names[i], below, i)));
		cr_assert_eq(world_count(&world, WATCHER_DIR_GONE, NULL), 0);
	}
	world_forget(&world);
	make_file(at(&world, "r/c%s/last", below));
	world_settle(&world);
	cr_assert(world_find(&world, WATCHER_CLOSED, at(&world, "r/c%s/last", below)));
	world_check_watches(&world, at(&world, "r"));
	world_close(&world);
}

Test(adopt, renaming_one_directory_leaves_its_namesake_prefix_alone)
{
	struct world world;
	world_ready(&world);
	make_dir(at(&world, "r/a"));
	make_dir(at(&world, "r/ab"));
	world_settle(&world);
	move(at(&world, "r/a"), at(&world, "r/x"));
	world_settle(&world);
	world_forget(&world);
	make_file(at(&world, "r/ab/f"));
	make_file(at(&world, "r/x/f"));
	world_settle(&world);
	cr_assert(world_find(&world, WATCHER_CLOSED, at(&world, "r/ab/f")));
	cr_assert(world_find(&world, WATCHER_CLOSED, at(&world, "r/x/f")));
	world_close(&world);
}

Test(adopt, directory_moved_to_another_parent_is_one_move)
{
	struct world world;
	world_ready(&world);
	make_dir(at(&world, "r/p"));
	make_dir(at(&world, "r/q"));
	make_dir(at(&world, "r/p/d"));
	make_file(at(&world, "r/p/d/f"));
	world_settle(&world);
	world_forget(&world);
	move(at(&world, "r/p/d"), at(&world, "r/q/e"));
	world_settle(&world);
	const struct told *moved = world_find(&world, WATCHER_DIR_MOVED, at(&world, "r/q/e"));
	cr_assert_not_null(moved);
	cr_assert_str_eq(moved->from, at(&world, "r/p/d"));
	cr_assert(world_find(&world, WATCHER_WALKED, at(&world, "r/q/e/f")));
	world_check_watches(&world, at(&world, "r"));
	world_close(&world);
}

Test(adopt, directory_moved_out_is_gone_and_no_longer_watched)
{
	struct world world;
	world_ready(&world);
	make_dir(at(&world, "r/d"));
	make_dir(at(&world, "r/d/s"));
	make_file(at(&world, "r/d/s/f"));
	world_settle(&world);
	world_forget(&world);
	move(at(&world, "r/d"), at(&world, "away"));
	world_await(&world, WATCHER_DIR_GONE, at(&world, "r/d"));
	world_drain(&world);
	world_forget(&world);
	make_file(at(&world, "away/s/g"));
	make_file(at(&world, "away/g"));
	world_settle(&world);
	cr_assert_eq(world.count, 0);
	world_check_watches(&world, at(&world, "r"));
	world_close(&world);
}

Test(adopt, directory_moved_out_and_in_again_loses_nothing)
{
	struct world world;
	world_ready(&world);
	make_dir(at(&world, "r/d"));
	make_dir(at(&world, "r/d/s"));
	world_settle(&world);
	for (int i = 0; i < 50; i++) {
		move(at(&world, "r/d"), at(&world, "away"));
		make_file(at(&world, "away/s/f%d", i));
		(void)world_step(&world);
		move(at(&world, "away"), at(&world, "r/d"));
	}
	world_settle(&world);
	for (int i = 0; i < 50; i++)
		cr_assert(world_told(&world, at(&world, "r/d/s/f%d", i)));
	world_forget(&world);
	make_file(at(&world, "r/d/s/last"));
	world_settle(&world);
	cr_assert(world_find(&world, WATCHER_CLOSED, at(&world, "r/d/s/last")));
	world_check_watches(&world, at(&world, "r"));
	world_close(&world);
}

Test(adopt, exchanged_directories_change_places)
{
	struct world world;
	world_ready(&world);
	make_dir(at(&world, "r/a"));
	make_dir(at(&world, "r/b"));
	make_file(at(&world, "r/a/fa"));
	make_file(at(&world, "r/b/fb"));
	world_settle(&world);
	for (int i = 0; i < 3; i++) {
		world_forget(&world);
		cr_assert_eq(syscall(SYS_renameat2, AT_FDCWD, at(&world, "r/a"), AT_FDCWD,
				     at(&world, "r/b"), 2 /* RENAME_EXCHANGE */),
			     0);
		make_file(at(&world, "r/a/na%d", i));
		make_file(at(&world, "r/b/nb%d", i));
		world_settle(&world);
		cr_assert(world_told(&world, at(&world, "r/a/na%d", i)));
		cr_assert(world_told(&world, at(&world, "r/b/nb%d", i)));
		cr_assert(world_told(&world, at(&world, i & 1 ? "r/a/fa" : "r/a/fb")));
		cr_assert(world_told(&world, at(&world, i & 1 ? "r/b/fb" : "r/b/fa")));
		cr_assert_eq(world_count(&world, WATCHER_DIR_GONE, NULL), 0);
	}
	world_check_watches(&world, at(&world, "r"));
	world_close(&world);
}

Test(adopt, directory_exchanged_with_one_outside_is_walked)
{
	struct world world;
	world_ready(&world);
	make_dir(at(&world, "r/a"));
	make_dir(at(&world, "b"));
	make_file(at(&world, "b/f"));
	world_settle(&world);
	cr_assert_eq(
		syscall(SYS_renameat2, AT_FDCWD, at(&world, "r/a"), AT_FDCWD, at(&world, "b"), 2),
		0);
	world_settle(&world);
	cr_assert(world_find(&world, WATCHER_WALKED, at(&world, "r/a/f")));
	make_file(at(&world, "r/a/g"));
	world_settle(&world);
	cr_assert(world_find(&world, WATCHER_CLOSED, at(&world, "r/a/g")));
	cr_assert_eq(world_count(&world, WATCHER_DIR_GONE, NULL), 0, "the path is taken");
	world_check_watches(&world, at(&world, "r"));
	world_close(&world);
}

Test(adopt, directory_removed_while_held_and_made_again_is_the_new_one)
{
	struct world world;
	world_ready(&world);
	make_dir(at(&world, "r/d"));
	world_settle(&world);
	int held = open(at(&world, "r/d"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cr_assert_eq(rmdir(at(&world, "r/d")), 0);
	make_dir(at(&world, "r/d"));
	world_settle(&world);
	close(held); /* only now does the kernel say IN_IGNORED of the old one */
	world_settle(&world);
	world_forget(&world);
	make_file(at(&world, "r/d/f"));
	world_settle(&world);
	cr_assert(world_find(&world, WATCHER_CLOSED, at(&world, "r/d/f")));
	world_check_watches(&world, at(&world, "r"));
	world_close(&world);
}

Test(adopt, directory_renamed_over_an_empty_one_takes_its_place)
{
	struct world world;
	world_ready(&world);
	make_dir(at(&world, "r/a"));
	make_dir(at(&world, "r/b"));
	make_file(at(&world, "r/a/f"));
	world_settle(&world);
	move(at(&world, "r/a"), at(&world, "r/b"));
	world_settle(&world);
	cr_assert(world_find(&world, WATCHER_WALKED, at(&world, "r/b/f")));
	world_forget(&world);
	make_file(at(&world, "r/b/g"));
	world_settle(&world);
	cr_assert(world_find(&world, WATCHER_CLOSED, at(&world, "r/b/g")));
	world_check_watches(&world, at(&world, "r"));
	world_close(&world);
}

Test(adopt, removed_trees_are_told_and_their_watches_are_not_kept)
{
	struct world world;
	world_ready(&world);
	for (int round = 0; round < 300; round++) {
		make_dir(at(&world, "r/d"));
		make_dir(at(&world, "r/d/e"));
		if (round % 3)
			world_settle(&world);
		cr_assert_eq(rmdir(at(&world, "r/d/e")), 0);
		cr_assert_eq(rmdir(at(&world, "r/d")), 0);
		if (round % 2)
			world_settle(&world);
	}
	world_settle(&world);
	cr_assert_geq(world_count(&world, WATCHER_DIR_GONE, at(&world, "r/d")), 100);
	cr_assert_eq(world.w->tree.count, 1);
	cr_assert_leq(world.w->tree.wds.count, 8);
	world_check_watches(&world, at(&world, "r"));
	world_close(&world);
}

/* The watcher's thread does not run: what a trace says is read while the disk is as we want it. */
Test(adopt, directory_made_in_one_that_is_away_for_a_moment_is_found)
{
	struct world world;
	struct trace trace = { .len = 0 };
	world_open(&world, 0);
	make_dir(at(&world, "r"));
	make_dir(at(&world, "r/a"));
	(void)world_root(&world, at(&world, "r"), WATCHER_INOTIFY);
	world_drain(&world);
	int r = wd_of(&world, at(&world, "r"));
	int a = wd_of(&world, at(&world, "r/a"));
	make_dir(at(&world, "r/a/n"));
	make_file(at(&world, "r/a/n/f"));
	move(at(&world, "r/a"), at(&world, "r/t"));
	trace_add(&trace, a, IN_CREATE | IN_ISDIR, 0, "n");
	trace_feed(&trace, &world);
	world_drain(&world);
	move(at(&world, "r/t"), at(&world, "r/a"));
	trace_add(&trace, r, IN_MOVED_FROM | IN_ISDIR, 1, "a");
	trace_add(&trace, r, IN_MOVED_TO | IN_ISDIR, 1, "t");
	trace_add(&trace, r, IN_MOVED_FROM | IN_ISDIR, 2, "t");
	trace_add(&trace, r, IN_MOVED_TO | IN_ISDIR, 2, "a");
	trace_feed(&trace, &world);
	world_await(&world, WATCHER_WALKED, at(&world, "r/a/n/f"));
	cr_assert_eq(wd_of(&world, at(&world, "r/a")), a);
	cr_assert_gt(wd_of(&world, at(&world, "r/a/n")), 0);
	world_close(&world);
}

/* A listing met r/p/e, where another directory stands by now, and put it on the agenda as the node
 * of e. Then e turns out to be away, and is found elsewhere: what was met must be looked at all the
 * same. */
Test(adopt, directory_in_the_place_of_one_that_waited_to_be_listed_is_found)
{
	struct world world;
	struct trace trace = { .len = 0 };
	struct watcher_event event;
	uint64_t batch;
	world_open(&world, 0);
	make_dir(at(&world, "r"));
	make_dir(at(&world, "r/p"));
	make_dir(at(&world, "r/p/e"));
	make_dir(at(&world, "o"));
	make_file(at(&world, "o/f"));
	(void)world_root(&world, at(&world, "r"), WATCHER_INOTIFY);
	world_drain(&world);
	int r = wd_of(&world, at(&world, "r"));
	int e = wd_of(&world, at(&world, "r/p/e"));
	const struct node *node = node_at(&world, at(&world, "r/p/e"));
	watcher_reconcile(world.w);
	while (!(node->flags & NODE_QUEUED)) {
		if (walk_step(world.w, &event) == WATCHER_NOTHING)
			(void)agenda_turn(&world.w->agenda, &batch);
	}
	move(at(&world, "r/p/e"), at(&world, "r/x"));
	move(at(&world, "o"), at(&world, "r/p/e"));
	trace_add(&trace, e, IN_CREATE | IN_ISDIR, 0, "n");
	trace_add(&trace, r, IN_MOVED_TO | IN_ISDIR, 1, "x");
	trace_feed(&trace, &world);
	world_drain(&world);
	cr_assert_eq(wd_of(&world, at(&world, "r/x")), e);
	cr_assert(world_find(&world, WATCHER_WALKED, at(&world, "r/p/e/f")));
	world_check_watches(&world, at(&world, "r"));
	world_close(&world);
}

Test(adopt, directory_that_was_not_moved_but_looked_for_in_vain_is_found_again)
{
	struct world world;
	struct trace trace = { .len = 0 };
	world_open(&world, 0);
	make_dir(at(&world, "r"));
	make_dir(at(&world, "r/a"));
	(void)world_root(&world, at(&world, "r"), WATCHER_INOTIFY);
	world_drain(&world);
	int a = wd_of(&world, at(&world, "r/a"));
	move(at(&world, "r/a"), at(&world, "away"));
	trace_add(&trace, a, IN_CREATE | IN_ISDIR, 0, "n");
	trace_feed(&trace, &world);
	world_drain(&world);
	move(at(&world, "away"), at(&world, "r/a"));
	make_file(at(&world, "r/a/f"));
	cr_assert_eq(watcher_start(world.w), 0);
	world_await(&world, WATCHER_WALKED, at(&world, "r/a/f"));
	cr_assert_eq(world_count(&world, WATCHER_DIR_GONE, NULL), 0);
	cr_assert_eq(wd_of(&world, at(&world, "r/a")), a);
	world_close(&world);
}

/* What a look for a lost directory leads to goes back to before the look: a ticket waits for it. */
Test(adopt, ticket_waits_for_the_listing_of_a_directory_that_was_lost_and_found)
{
	struct world world;
	struct trace trace = { .len = 0 };
	world_open(&world, 0);
	make_dir(at(&world, "r"));
	make_dir(at(&world, "r/a"));
	(void)world_root(&world, at(&world, "r"), WATCHER_INOTIFY);
	world_drain(&world);
	int a = wd_of(&world, at(&world, "r/a"));
	move(at(&world, "r/a"), at(&world, "away"));
	trace_add(&trace, a, IN_CREATE | IN_ISDIR, 0, "n");
	trace_feed(&trace, &world);
	world_drain(&world);
	move(at(&world, "away"), at(&world, "r/a"));
	make_file(at(&world, "r/a/f"));
	/* the kernel tells nothing of it: only the look for what is lost can find it */
	char told[4096];
	while (read(world.w->inotify_fd, told, sizeof told) > 0)
		;
	cr_assert_eq(watcher_start(world.w), 0);
	uint64_t ticket = watcher_ticket(world.w);
	int64_t deadline = world_deadline();
	while (!watcher_passed(world.w, ticket)) {
		if (world_step(&world) == WATCHER_NOTHING)
			world_wait(&world, deadline);
	}
	cr_assert_eq(world_count(&world, WATCHER_WALKED, at(&world, "r/a/f")), 1);
	world_close(&world);
}

/* Who was told that a directory moved waits for its files, and learns by WATCHER_WALKED_ALL that
 * there are none. */
Test(adopt, moved_directory_that_is_removed_before_it_is_listed_is_followed_by_walked_all)
{
	for (int told = 0; told < 2; told++) {
		struct world world;
		struct trace trace = { .len = 0 };
		world_open(&world, 0);
		make_dir(at(&world, "r"));
		make_dir(at(&world, "r/a"));
		(void)world_root(&world, at(&world, "r"), WATCHER_INOTIFY);
		world_drain(&world);
		world_forget(&world);
		int r = wd_of(&world, at(&world, "r"));
		move(at(&world, "r/a"), at(&world, "r/b"));
		trace_add(&trace, r, IN_MOVED_FROM | IN_ISDIR, 1, "a");
		trace_add(&trace, r, IN_MOVED_TO | IN_ISDIR, 1, "b");
		if (told)
			trace_add(&trace, r, IN_DELETE | IN_ISDIR, 0, "b");
		trace_feed(&trace, &world);
		while (!world_find(&world, WATCHER_DIR_MOVED, NULL))
			(void)world_step(&world);
		cr_assert_eq(rmdir(at(&world, "r/b")), 0);
		cr_assert_eq(world_count(&world, WATCHER_WALKED_ALL, NULL), 0);
		world_drain(&world);
		cr_assert_eq(world_count(&world, WATCHER_WALKED_ALL, NULL), 1, "%d", told);
		world_close(&world);
	}
}

Test(adopt, symlinks_to_directories_are_never_followed)
{
	struct world world;
	world_ready(&world);
	make_dir(at(&world, "out"));
	make_file(at(&world, "out/secret"));
	cr_assert_eq(symlink("..", at(&world, "r/loop")), 0);
	cr_assert_eq(symlink(at(&world, "out"), at(&world, "r/away")), 0);
	cr_assert_eq(symlink("nowhere", at(&world, "r/dangling")), 0);
	world_settle(&world);
	watcher_reconcile(world.w);
	world_settle(&world);
	const char *names[] = { "loop", "away", "dangling" };
	for (int i = 0; i < 3; i++) {
		cr_assert(world_find(&world, WATCHER_CREATED, at(&world, "r/%s", names[i])));
		const struct told *walked =
			world_find(&world, WATCHER_WALKED, at(&world, "r/%s", names[i]));
		cr_assert_not_null(walked);
		cr_assert(S_ISLNK(walked->stat.stx_mode));
	}
	for (size_t i = 0; i < world.count; i++)
		cr_assert(!world.told[i].path || !strstr(world.told[i].path, "secret"));
	world_check_watches(&world, at(&world, "r"));
	world_close(&world);
}

Test(adopt, directory_mounted_twice_is_watched_once_and_said_once)
{
	struct world world;
	if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) {
		fprintf(stderr, "not run: no mount namespace: %s\n", strerror(errno));
		return;
	}
	world_ready(&world);
	make_dir(at(&world, "r/a"));
	make_dir(at(&world, "r/a/s"));
	make_dir(at(&world, "r/b"));
	make_file(at(&world, "r/a/s/f"));
	world_settle(&world);
	cr_assert_eq(mount(at(&world, "r/a"), at(&world, "r/b"), NULL, MS_BIND, NULL), 0);
	for (int i = 0; i < 3; i++) {
		watcher_mounts_changed(world.w);
		world_settle(&world);
	}
	cr_assert_eq(world_count(&world, WATCHER_COMPLAINT, at(&world, "r/b")), 1);
	cr_assert_eq(world_count(&world, WATCHER_WALKED, at(&world, "r/b/s/f")), 0);
	cr_assert_eq(world_count(&world, WATCHER_DIR_MOVED, NULL), 0);
	make_file(at(&world, "r/b/g"));
	world_settle(&world);
	cr_assert(world_find(&world, WATCHER_CLOSED, at(&world, "r/a/g")));
	cr_assert_eq(umount2(at(&world, "r/b"), MNT_DETACH), 0);
	watcher_mounts_changed(world.w);
	world_settle(&world);
	make_file(at(&world, "r/b/h"));
	world_settle(&world);
	cr_assert(world_told(&world, at(&world, "r/b/h")));
	world_check_watches(&world, at(&world, "r"));
	world_close(&world);
}
