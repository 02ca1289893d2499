/* sim_roots: stories of roots and mounts that the simulation found; see test_sim.c. */
#include "tests/unit/sim_stage.h"

static unsigned opens_until;

/* The root is away for the one system call that looks for it. */
static void away_for_a_moment(void)
{
	if (opens_until == 0)
		return;
	opens_until--;
	if (opens_until == 1)
		stage_move("/w/r", "/w/x");
	else if (opens_until == 0)
		stage_move("/w/x", "/w/r");
}

Test(sim_roots, directory_that_is_told_while_the_root_is_away_for_a_moment_is_not_lost)
{
	stage_begin();
	stage_ready();
	stage_dir("/w/r/d");
	stage_file("/w/r/d/f");
	mem_hook = away_for_a_moment;
	opens_until = 2;
	stage_settle();
	cr_assert_eq(opens_until, 0);
	cr_assert(world_told(&stage, "/w/r/d/f"));
	stage_end();
}

Test(sim_roots, lookouts_above_where_the_root_was_are_given_up)
{
	char name[64];
	char target[64];
	stage_begin();
	for (int i = 0; i < 8; i++) {
		(void)snprintf(name, sizeof name, "/w/s/%d", i);
		stage_dir(name);
		(void)snprintf(name, sizeof name, "/w/s/%d/r", i);
		stage_dir(name);
	}
	cr_assert_eq(mem_make(spot_at("/w").inode, "link", MEM_LINK, "s/0/r"), 0);
	(void)world_root(&stage, "/w/link", WATCHER_AUTO);
	stage_settle();
	size_t before = mem.watches;
	for (int i = 1; i < 8; i++) {
		(void)snprintf(target, sizeof target, "s/%d/r", i);
		cr_assert_eq(mem_unlink(entry_at("/w/link")), 0);
		cr_assert_eq(mem_make(spot_at("/w").inode, "link", MEM_LINK, target), 0);
		stage_settle();
	}
	cr_assert_eq(mem.watches, before, "%zu watches, there were %zu", mem.watches, before);
	cr_assert(watcher_root_present(stage.w, 0));
	stage_end();
}

Test(sim_roots, root_behind_a_symlink_is_made_anew_while_somebody_is_in_the_old_one)
{
	stage_begin();
	cr_assert_eq(mem_make(spot_at("/w").inode, "link", MEM_LINK, "s/r"), 0);
	stage_dir("/w/s/r");
	(void)world_root(&stage, "/w/link", WATCHER_AUTO);
	stage_settle();
	struct mem_inode *held = spot_at("/w/s/r").inode;
	mem_hold(held);
	cr_assert_eq(mem_rmdir(entry_at("/w/s/r")), 0);
	stage_dir("/w/s/r");
	stage_file("/w/s/r/f");
	stage_settle();
	cr_assert(world_told(&stage, "/w/link/f"));
	mem_release(held);
	stage_settle();
	cr_assert(watcher_root_present(stage.w, 0));
	stage_end();
}

Test(sim_roots, root_behind_a_symlink_is_replaced_by_a_rename_while_somebody_is_in_the_old_one)
{
	stage_begin();
	cr_assert_eq(mem_make(spot_at("/w").inode, "link", MEM_LINK, "s/r"), 0);
	stage_dir("/w/s/r");
	stage_dir("/w/s/x");
	stage_file("/w/s/x/f");
	(void)world_root(&stage, "/w/link", WATCHER_AUTO);
	stage_settle();
	struct mem_inode *held = spot_at("/w/s/r").inode;
	mem_hold(held);
	stage_move("/w/s/x", "/w/s/r");
	stage_settle();
	cr_assert(world_told(&stage, "/w/link/f"));
	mem_release(held);
	stage_end();
}

static void back_and_forth(void)
{
	static const char *const places[] = { "/w/r", "/w/s/x" };
	bool there = mem_find(spot_at("/w").inode, "r") != NULL;
	if (opens_until == 0)
		return;
	opens_until--;
	stage_move(places[!there], places[there]);
}

Test(sim_roots, lookouts_of_a_root_that_moved_while_it_was_looked_at_are_given_up)
{
	stage_begin();
	for (unsigned moves = 2; moves < 24; moves += 2) {
		opens_until = 0;
		mem_hook = back_and_forth;
		if (moves == 2)
			(void)world_root(&stage, "/w/r", WATCHER_AUTO);
		opens_until = moves;
		watcher_mounts_changed(stage.w);
		stage_settle();
		cr_assert_eq(spot_at("/w/s").inode->wd, 0, "after %u moves", moves);
		cr_assert(watcher_root_present(stage.w, 0));
	}
	stage_end();
}

static void replace_the_one_above(void)
{
	if (opens_until == 0 || --opens_until > 0)
		return;
	stage_move("/w/u", "/w/x");
	stage_dir("/w/u");
	stage_dir("/w/u/t");
	stage_dir("/w/u/t/r");
	stage_file("/w/u/t/r/f");
}

/* A symlink leads to the same directory by another way now, and above that something is replaced
 * before it is looked out for. */
Test(sim_roots, directory_above_a_root_is_replaced_while_its_new_way_is_looked_at)
{
	unsigned moment = 0;
	do {
		stage_begin();
		stage_dir("/w/s/r");
		stage_dir("/w/u");
		stage_dir("/w/u/t");
		stage_mount("/w/s", "/w/u/t");
		struct mem_inode *w = spot_at("/w").inode;
		cr_assert_eq(mem_make(w, "link", MEM_LINK, "s/r"), 0);
		cr_assert_eq(mem_make(w, "other", MEM_LINK, "u/t/r"), 0);
		(void)world_root(&stage, "/w/link", WATCHER_AUTO);
		stage_settle();
		stage_move("/w/other", "/w/link");
		mem_hook = replace_the_one_above;
		opens_until = ++moment;
		stage_settle();
		cr_assert(opens_until > 0 || world_told(&stage, "/w/link/f"), "at question %u",
			  moment);
		stage_end();
	} while (opens_until == 0);
	cr_assert_gt(moment, 20);
}

static unsigned questions;

static void count_question(void)
{
	questions++;
}

Test(sim_roots, what_is_no_change_of_its_place_costs_a_root_little)
{
	stage_begin();
	stage_ready();
	for (int i = 0; i < 20; i++) {
		stage_dir("/w/x");
		cr_assert_eq(mem_rmdir(entry_at("/w/x")), 0);
		mem_touch(entry_at("/w/r"));
	}
	mem_hook = count_question;
	stage_settle();
	cr_assert_leq(questions, 20 * 2 * 3, "%u", questions);
	stage_end();
}

static int no_descriptor(const char *what)
{
	(void)what;
	return EMFILE;
}

Test(sim_roots, root_that_cannot_be_opened_for_want_of_descriptors_is_said)
{
	stage_begin();
	stage_file("/w/r/f");
	mem_fault = no_descriptor;
	(void)world_root(&stage, "/w/r", WATCHER_AUTO);
	world_drain(&stage);
	cr_assert_eq(world_gaps(&stage, WATCHER_GAP_OPENED, WATCHER_CAUSE_LIMIT), 1);
	cr_assert_geq(world_count(&stage, WATCHER_COMPLAINT, NULL), 1);
	cr_assert(watcher_needs_retry(stage.w));
	mem_fault = NULL;
	watcher_retry(stage.w);
	stage_settle();
	cr_assert(world_told(&stage, "/w/r/f"));
	cr_assert_eq(world_gaps(&stage, WATCHER_GAP_CLOSED, WATCHER_CAUSE_LIMIT), 1);
	stage_end();
}

static const char *call_that_fails;

static int fails(const char *what)
{
	return call_that_fails && strcmp(what, call_that_fails) == 0 ? EMFILE : 0;
}

Test(sim_roots, directories_above_that_cannot_be_opened_are_looked_out_for_later)
{
	stage_begin();
	mem_fault = fails;
	call_that_fails = "view_open_at";
	(void)world_root(&stage, "/w/r", WATCHER_AUTO);
	call_that_fails = NULL;
	stage_settle();
	cr_assert(watcher_root_present(stage.w, 0));
	cr_assert(watcher_needs_retry(stage.w));
	watcher_retry(stage.w);
	stage_settle();
	cr_assert(!watcher_needs_retry(stage.w));
	stage_move("/w", "/x");
	stage_settle();
	cr_assert(!watcher_root_present(stage.w, 0));
	stage_end();
}

static unsigned stats_until;

static int one_stat_fails(const char *what)
{
	if (strcmp(what, "view_stat") != 0 || stats_until == 0)
		return 0;
	return --stats_until == 0 ? ENOMEM : 0;
}

Test(sim_roots, second_place_of_a_root_that_cannot_be_told_apart_does_not_take_its_watch)
{
	for (unsigned n = 1; n < 60; n++) {
		stage_begin();
		stage_dir("/w/r/b");
		stage_ready();
		stage_mount("/w/r", "/w/r/b");
		stats_until = n;
		mem_fault = one_stat_fails;
		watcher_mounts_changed(stage.w);
		stage_settle();
		mem_fault = NULL;
		if (watcher_needs_retry(stage.w))
			watcher_retry(stage.w);
		stage_settle();
		cr_assert_gt(stage.w->roots[0]->top->wd, 0, "the one that failed was %u", n);
		stage_file("/w/r/f");
		stage_settle();
		cr_assert(world_told(&stage, "/w/r/f"), "%u", n);
		stage_end();
	}
}

Test(sim_roots, second_place_of_a_directory_takes_over_when_the_first_one_goes)
{
	stage_begin();
	stage_dir("/w/r/a");
	stage_dir("/w/r/b");
	stage_ready();
	stage_mount("/w/r/a", "/w/r/b");
	watcher_mounts_changed(stage.w);
	stage_settle();
	cr_assert(node_at(&stage, "/w/r/b")->flags & NODE_SHADOW);
	stage_move("/w/r/a", "/w/s/a");
	stage_settle();
	stage_file("/w/s/a/f");
	stage_settle();
	cr_assert(world_told(&stage, "/w/r/b/f"));
	stage_end();
}

Test(sim_roots,
     second_place_at_which_something_else_is_mounted_is_watched_when_watches_are_to_be_had)
{
	stage_begin();
	stage_dir("/w/r/a");
	stage_dir("/w/r/b");
	stage_ready();
	stage_mount("/w/r/a", "/w/r/b");
	watcher_mounts_changed(stage.w);
	stage_settle();
	mem.watches_most = 0;
	stage_mount(NULL, "/w/r/b");
	watcher_mounts_changed(stage.w);
	stage_settle();
	cr_assert_eq(node_at(&stage, "/w/r/b")->wd, 0);
	cr_assert(watcher_needs_retry(stage.w), "not the shadow of /w/r/a any more");
	mem.watches_most = SIZE_MAX;
	watcher_retry(stage.w);
	stage_settle();
	stage_file("/w/r/b/f");
	stage_settle();
	cr_assert(world_told(&stage, "/w/r/b/f"));
	stage_end();
}

Test(sim_roots, mount_that_came_and_went_between_two_looks_leaves_no_node_behind)
{
	stage_begin();
	stage_dir("/w/r/b");
	stage_ready();
	stage_mount(NULL, "/w/r/b");
	struct mem_mount *mount = spot_at("/w/r/b").mount;
	watcher_reconcile(stage.w);
	stage_settle();
	stage_mount("/w/r/b", "/w/s"); /* its file system stays, and no event says anything */
	cr_assert_eq(mem_umount(mount, true), 0);
	watcher_mounts_changed(stage.w);
	stage_settle();
	stage_file("/w/r/b/f");
	stage_settle();
	cr_assert(world_told(&stage, "/w/r/b/f"));
	stage_end();
}

Test(sim_roots, root_that_is_another_ones_directory_yields_when_its_watch_is_to_be_had)
{
	stage_begin();
	stage_dir("/w/s/a");
	stage_ready();
	(void)world_root(&stage, "/w/s", WATCHER_AUTO);
	stage_settle();
	mem_unwatch(spot_at("/w/s/a").inode);
	mem.watches_most = 0;
	stage_settle();
	stage_mount("/w/s/a", "/w/r");
	watcher_mounts_changed(stage.w);
	stage_settle();
	mem.watches_most = SIZE_MAX;
	for (int i = 0; i < 3; i++) {
		watcher_retry(stage.w);
		stage_settle();
	}
	cr_assert_eq(world_gaps(&stage, WATCHER_GAP_OPENED, WATCHER_CAUSE_LIMIT),
		     world_gaps(&stage, WATCHER_GAP_CLOSED, WATCHER_CAUSE_LIMIT));
	cr_assert_gt(world_gaps(&stage, WATCHER_GAP_OPENED, WATCHER_CAUSE_LIMIT), 0);
	stage_end();
}
