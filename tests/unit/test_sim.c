/*
 * sim: stories told to the watcher in memory, where each system call can be raced against and each
 * answer chosen, and numbered runs of the simulation, which found them. Those of roots and mounts
 * are in test_sim_roots.c.
 */
#include "tests/sim/sim.h"
#include "tests/unit/sim_stage.h"

#define RUNS	   2000
#define BYTES_MOST 1500

/* ------- what the simulation found ------- */

Test(sim, overflow_whose_walk_met_an_unreadable_directory_is_made_up_for_later)
{
	stage_begin();
	stage_dir("/w/r/d");
	stage_dir("/w/r/d/e");
	stage_ready();
	mem_chmod(spot_at("/w/r").inode, 0);
	stage_settle();
	mem.queue_most = 1;
	mem_touch(entry_at("/w/r/d"));
	stage_file("/w/r/d/e/f");
	cr_assert_gt(mem.dropped, 0);
	stage_settle();
	cr_assert_eq(world_gaps(&stage, WATCHER_GAP_CLOSED, WATCHER_CAUSE_OVERFLOW), 1);
	cr_assert(!world_told(&stage, "/w/r/d/e/f"));
	mem_chmod(spot_at("/w/r").inode, MEM_ALL);
	stage_settle();
	cr_assert(world_told(&stage, "/w/r/d/e/f"), "nobody else will ever tell it");
	stage_end();
}

Test(sim, overflow_that_hid_an_exchange_is_closed_when_both_directories_are_walked)
{
	stage_begin();
	stage_dir("/w/r/a");
	stage_dir("/w/r/b");
	stage_file("/w/r/a/f");
	stage_file("/w/r/b/g");
	stage_ready();
	for (int i = 0; i < 6; i++) { /* whichever of the two is met first */
		mem.queue_most = 1;
		mem_touch(entry_at("/w/r/a"));
		cr_assert_eq(mem_exchange(entry_at("/w/r/a"), entry_at("/w/r/b")), 0);
		cr_assert_gt(mem.dropped, 0);
		mem.queue_most = 16384;
		stage_read();
		while (world_gaps(&stage, WATCHER_GAP_CLOSED, WATCHER_CAUSE_OVERFLOW) == 0) {
			if (world_step(&stage) == WATCHER_NOTHING)
				mem.now_ns = stage.w->timer_ns;
		}
		cr_assert(world_find(&stage, WATCHER_WALKED, i % 2 ? "/w/r/a/f" : "/w/r/b/f"));
		cr_assert(world_find(&stage, WATCHER_WALKED, i % 2 ? "/w/r/b/g" : "/w/r/a/g"));
		stage_settle();
		world_forget(&stage);
	}
	stage_end();
}

Test(sim, watches_whose_end_was_dropped_are_forgotten_at_rest)
{
	stage_begin();
	stage_dir("/w/r/d");
	stage_ready();
	mem.queue_most = 1;
	mem_touch(entry_at("/w/r/d"));
	cr_assert_eq(mem_rmdir(entry_at("/w/r/d")), 0);
	mem.queue_most = 16384;
	stage_settle();
	cr_assert_eq(stage.w->tree.wds.count, stage.w->tree.wds.live);
	cr_assert_eq(stage.w->tree.wds.live, mem.watches);
	stage_end();
}

Test(sim, directory_that_takes_the_place_of_one_on_the_agenda_takes_its_turn)
{
	stage_begin();
	stage_dir("/w/r/p");
	stage_dir("/w/r/p/b");
	stage_dir("/w/s/x");
	stage_file("/w/s/x/f");
	stage_ready();
	cr_assert_eq(mem_exchange(entry_at("/w/r/p/b"), entry_at("/w/s/x")), 0);
	stage_move("/w/r/p", "/w/r/q"); /* the exchange is not told where it was */
	uint64_t ticket = watcher_ticket(stage.w);
	stage_read();
	const struct node *other = node_at(&stage, "/w/r/p/b");
	while (!(other->flags & NODE_QUEUED))
		(void)world_step(&stage);
	cr_assert_eq(mem_rmdir(entry_at("/w/s/x")), 0);
	stage_read();
	while (!watcher_passed(stage.w, ticket))
		(void)world_step(&stage);
	cr_assert(world_told(&stage, "/w/r/q/b/f"));
	stage_end();
}

Test(sim, directory_that_is_found_by_a_later_event_keeps_back_tickets_from_before_it_was_lost)
{
	stage_begin();
	stage_dir("/w/r/d");
	stage_file("/w/r/d/f");
	stage_dir("/w/s/p");
	stage_ready();
	stage_move("/w/r/d", "/w/s/p/d");
	stage_move("/w/s/p", "/w/r/p");
	uint64_t ticket = watcher_ticket(stage.w);
	stage_read();
	const struct node *parent;
	while (!(parent = node_at(&stage, "/w/r/p")) || !(parent->flags & NODE_QUEUED))
		(void)world_step(&stage);
	mem_touch(entry_at("/w/r/p/d"));
	stage_read();
	while (!watcher_passed(stage.w, ticket))
		(void)world_step(&stage);
	cr_assert(world_told(&stage, "/w/r/p/d/f"));
	stage_end();
}

/* Moves what away once a new file in it is told, and back before that is: is the file told again?
 */
static bool is_told_again(const char *file, const char *what, const char *elsewhere)
{
	stage_file(file);
	stage_move(what, elsewhere);
	stage_read();
	while (!world_find(&stage, WATCHER_CLOSED, file))
		(void)world_step(&stage);
	world_forget(&stage);
	stage_move(elsewhere, what);
	stage_settle();
	return world_find(&stage, WATCHER_WALKED, file) != NULL;
}

Test(sim, files_that_were_told_while_their_directory_was_away_are_told_again)
{
	stage_begin();
	stage_dir("/w/r/d");
	stage_dir("/w/r/d/e");
	stage_ready();
	cr_assert(is_told_again("/w/r/d/f", "/w/r/d", "/w/s/d"));
	cr_assert(is_told_again("/w/r/d/e/f", "/w/r/d", "/w/s/d"));
	cr_assert(is_told_again("/w/r/f", "/w/r", "/w/s/r"));
	cr_assert(is_told_again("/w/r/d/g", "/w/r", "/w/s/r"));
	stage_end();
}

static bool watches_fail;

static int one_of_two(const char *what)
{
	bool opens = strcmp(what, "view_list") == 0 && !watches_fail;
	bool watches = strcmp(what, "view_watch") == 0 && watches_fail;
	return opens || watches ? EMFILE : 0;
}

Test(sim, walk_of_everything_that_failed_is_one_of_everything_when_it_is_tried_again)
{
	stage_begin();
	stage_dir("/w/r/d");
	stage_file("/w/r/d/f");
	stage_ready();
	mem_fault = one_of_two;
	watches_fail = false;
	watcher_reconcile(stage.w);
	stage_settle(); /* cannot be listed */
	mem_unwatch(spot_at("/w/r").inode);
	watches_fail = true;
	for (int i = 0; i < 2; i++) {
		watcher_retry(stage.w);
		stage_settle(); /* nor be watched any more */
	}
	cr_assert(world_find(&stage, WATCHER_WALKED, "/w/r/d/f"));
	mem_fault = NULL;
	stage_end();
}

Test(sim, end_of_a_walk_is_not_told_before_the_walk_that_was_asked_for_meanwhile)
{
	stage_begin();
	for (int i = 0; i < 4; i++) {
		char name[64];
		(void)snprintf(name, sizeof name, "/w/r/d%d", i);
		stage_dir(name);
		(void)snprintf(name, sizeof name, "/w/r/d%d/f", i);
		stage_file(name);
	}
	(void)world_root(&stage, "/w/r", WATCHER_AUTO);
	while (world_count(&stage, WATCHER_WALKED, NULL) < 3)
		(void)world_step(&stage);
	watcher_reconcile(stage.w);
	while (world_count(&stage, WATCHER_WALKED_ALL, NULL) == 0)
		(void)world_step(&stage);
	cr_assert_eq(world_count(&stage, WATCHER_WALKED, "/w/r/d0/f"), 2);
	/* asked for without an end: it is told nevertheless */
	for (int i = 0; i < 2000 && world_count(&stage, WATCHER_WALKED_ALL, NULL) == 1; i++) {
		if (stage.w->agenda.wanted <= stage.w->agenda.number)
			watcher_reconcile(stage.w);
		(void)world_step(&stage);
	}
	cr_assert_gt(world_count(&stage, WATCHER_WALKED_ALL, NULL), 1);
	stage_end();
}

Test(sim, watch_that_nobody_knows_is_taken_away)
{
	stage_begin();
	stage_ready();
	size_t before = mem.watches;
	cr_assert_gt(mem_watch(spot_at("/w/s").inode, IN_CREATE), 0);
	stage_file("/w/s/f");
	stage_settle();
	cr_assert_eq(mem.watches, before);
	cr_assert_eq(world_count(&stage, WATCHER_WALKED_ALL, NULL), 1, "and everything is walked");
	stage_end();
}

Test(sim, directory_that_moved_before_the_one_above_was_watched_is_missed)
{
	stage_begin();
	stage_dir("/w/s/x");
	stage_file("/w/s/x/f");
	stage_ready();
	mem.watches_most = mem.watches;
	stage_dir("/w/r/p");
	stage_dir("/w/r/p/e");
	stage_settle();
	mem.watches_most = SIZE_MAX;
	watcher_retry(stage.w);
	while (node_at(&stage, "/w/r/p/e")->wd == 0)
		(void)world_step(&stage);
	cr_assert_eq(node_at(&stage, "/w/r/p")->wd, 0);
	cr_assert_eq(mem_exchange(entry_at("/w/r/p/e"), entry_at("/w/s/x")), 0);
	while (node_at(&stage, "/w/r/p")->wd == 0)
		(void)world_step(&stage);
	stage_settle();
	cr_assert(world_told(&stage, "/w/r/p/e/f"));
	stage_file("/w/r/p/e/g");
	stage_settle();
	cr_assert(world_told(&stage, "/w/r/p/e/g"));
	stage_end();
}

Test(sim, directory_that_comes_back_behind_the_listing_that_makes_up_for_an_overflow_is_walked)
{
	stage_begin();
	stage_dir("/w/r/d");
	stage_dir("/w/r/d/e");
	stage_ready();
	mem.queue_most = 1;
	mem_touch(entry_at("/w/r/d"));
	stage_file("/w/r/d/f");
	stage_file("/w/r/d/e/g");
	stage_move("/w/r/d", "/w/s/d");
	cr_assert_gt(mem.dropped, 0);
	mem.queue_most = 16384;
	stage_read();
	while (!stage.w->agenda.current || !stage.w->listing.sweeping)
		(void)world_step(&stage);
	cr_assert_eq(stage.w->agenda.current, stage.w->roots[0]->top);
	stage_move("/w/s/d", "/w/r/d"); /* for its event it is where it has always been */
	stage_read();
	while (world_gaps(&stage, WATCHER_GAP_CLOSED, WATCHER_CAUSE_OVERFLOW) == 0)
		(void)world_step(&stage);
	cr_assert(world_find(&stage, WATCHER_WALKED, "/w/r/d/f"));
	cr_assert(world_find(&stage, WATCHER_WALKED, "/w/r/d/e/g"));
	stage_settle();
	stage_end();
}

/* ------- numbered runs ------- */

Test(sim, numbered_runs_are_all_right)
{
	static uint8_t bytes[BYTES_MOST];
	for (uint64_t seed = 1; seed <= RUNS; seed++) {
		size_t size = sim_bytes(seed, bytes, sizeof bytes);
		cr_assert_eq(sim_run(bytes, size), 0, "simulate --shrink %llu: %s",
			     (unsigned long long)seed, sim_words());
	}
}

Test(sim, numbered_runs_with_reloads_are_all_right)
{
	static uint8_t bytes[BYTES_MOST];
	sim_reload(true);
	for (uint64_t seed = 1; seed <= RUNS; seed++) {
		size_t size = sim_bytes(seed, bytes, sizeof bytes);
		cr_assert_eq(sim_run(bytes, size), 0, "simulate --reloads 1 --shrink %llu: %s",
			     (unsigned long long)seed, sim_words());
	}
	sim_reload(false);
}

/* Found by longer searches; what they show may change with the simulation. */
Test(sim, runs_that_were_wrong_once_are_all_right)
{
	static const uint64_t seeds[] = { 95945, 8015092, 6012803, 9176400, 88143644, 99082589 };
	static uint8_t bytes[BYTES_MOST];
	for (size_t i = 0; i < sizeof seeds / sizeof *seeds; i++) {
		size_t size = sim_bytes(seeds[i], bytes, sizeof bytes);
		cr_assert_eq(sim_run(bytes, size), 0, "simulate --shrink %llu: %s",
			     (unsigned long long)seeds[i], sim_words());
	}
}

/* Any bytes make a run; a fuzzer has no others. */
Test(sim, runs_of_few_bytes_are_all_right)
{
	uint8_t bytes[256];
	for (unsigned byte = 0; byte < 256; byte++) {
		memset(bytes, (int)byte, sizeof bytes);
		for (size_t size = 0; size < sizeof bytes; size = size * 2 + 1)
			cr_assert_eq(sim_run(bytes, size), 0, "%zu times %u: %s", size, byte,
				     sim_words());
	}
}
