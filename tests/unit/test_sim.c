/*
 * sim: stories told to the watcher in memory, where each system call can be raced against and each
 * answer chosen, and numbered runs of the simulation, which found them.
 */
#include <linux/magic.h>

#include "tests/sim/memfs.h"
#include "tests/sim/sim.h"
#include "tests/unit/watcher_world.h"

#define RUNS	   2000
#define BYTES_MOST 1500

/* ------- a stage: /w/r is the root, unless said otherwise ------- */

static struct world stage;

static struct mem_spot spot_at(const char *path)
{
	struct mem_spot spot;
	mem.all_seeing = true;
	cr_assert_eq(mem_resolve(path, &spot), 0, "%s", path);
	mem.all_seeing = false;
	return spot;
}

static struct mem_inode *parent_of(const char *path)
{
	char dir[256];
	(void)snprintf(dir, sizeof dir, "%.*s/", (int)(strrchr(path, '/') - path), path);
	return spot_at(dir).inode;
}

static const char *name_of(const char *path)
{
	return strrchr(path, '/') + 1;
}

static struct mem_entry *entry_at(const char *path)
{
	return mem_find(parent_of(path), name_of(path));
}

static void stage_dir(const char *path)
{
	cr_assert_eq(mem_make(parent_of(path), name_of(path), MEM_DIR, NULL), 0, "%s", path);
}

static void stage_file(const char *path)
{
	cr_assert_eq(mem_make(parent_of(path), name_of(path), MEM_FILE, NULL), 0, "%s", path);
	mem_close(mem_open_write(entry_at(path)));
}

static void stage_move(const char *from, const char *to)
{
	cr_assert_eq(mem_rename(entry_at(from), parent_of(to), name_of(to)), 0, "%s", from);
}

static void stage_mount(const char *what, const char *where)
{
	cr_assert_eq(mem_mount(spot_at(where), what ? spot_at(what).inode : NULL, TMPFS_MAGIC), 0);
}

static void stage_begin(void)
{
	mem_begin(1);
	stage = (struct world){ 0 };
	cr_assert_eq(watcher_new(&stage.w, NULL), 0);
	stage_dir("/w");
	stage_dir("/w/r");
	stage_dir("/w/s");
}

static void stage_end(void)
{
	mem_hook = NULL;
	mem_fault = NULL;
	watcher_free(stage.w);
	world_forget(&stage);
	free(stage.told);
	mem_end();
}

/* Everything that the kernel has queued is read. */
static void stage_read(void)
{
	unsigned char bytes[sizeof(struct inotify_event) + 48];
	for (const struct mem_event *event; (event = mem_queue_first()) != NULL; mem_queue_pop()) {
		struct inotify_event head = { .wd = event->wd,
					      .mask = event->mask,
					      .cookie = event->cookie };
		head.len = (uint32_t)(mem_event_size(event) - sizeof head);
		memset(bytes, 0, sizeof bytes);
		memcpy(bytes, &head, sizeof head);
		memcpy(bytes + sizeof head, event->name, strlen(event->name));
		cr_assert(reader_feed(stage.w->reader, bytes, mem_event_size(event)));
	}
}

static void stage_settle(void)
{
	do {
		stage_read();
		world_drain(&stage);
		if (stage.w->timer_ns > mem.now_ns)
			mem.now_ns = stage.w->timer_ns;
	} while (mem_queue_left() > 0 || stage.w->timer_ns != 0);
	world_drain(&stage);
}

static void stage_ready(void)
{
	(void)world_root(&stage, "/w/r", WATCHER_AUTO);
	stage_settle();
	world_forget(&stage);
}

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

Test(sim, directory_that_is_told_while_the_root_is_away_for_a_moment_is_not_lost)
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

Test(sim, lookouts_above_where_the_root_was_are_given_up)
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

Test(sim, root_behind_a_symlink_is_made_anew_while_somebody_is_in_the_old_one)
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

static void back_and_forth(void)
{
	static const char *const places[] = { "/w/r", "/w/s/x" };
	bool there = mem_find(spot_at("/w").inode, "r") != NULL;
	if (opens_until == 0)
		return;
	opens_until--;
	stage_move(places[!there], places[there]);
}

Test(sim, lookouts_of_a_root_that_moved_while_it_was_looked_at_are_given_up)
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

static int no_descriptor(const char *what)
{
	(void)what;
	return EMFILE;
}

Test(sim, root_that_cannot_be_opened_for_want_of_descriptors_is_said)
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

Test(sim, second_place_of_a_directory_takes_over_when_the_first_one_goes)
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

Test(sim, second_place_at_which_something_else_is_mounted_is_watched_when_watches_are_to_be_had)
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

Test(sim, mount_that_came_and_went_between_two_looks_leaves_no_node_behind)
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

Test(sim, root_that_is_another_ones_directory_yields_when_its_watch_is_to_be_had)
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

/* Found by longer searches; what they show may change with the simulation. */
Test(sim, runs_that_were_wrong_once_are_all_right)
{
	static const uint64_t seeds[] = { 95945, 8015092, 6012803, 9176400 };
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
