/* gap: overflows and watch limits are told, made up for, and closed. */
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <sched.h>

#include "tests/unit/watcher_world.h"
#include "watcher/gap.h"

/* inotify_add_watch() with a limit: new watches fail with this errno from the nth on. */
static int refuse_with;
static unsigned allowed;
static unsigned refused;
static bool refuse_lookouts;

int inotify_add_watch(int fd, const char *path, uint32_t mask)
{
	int wd = (int)syscall(SYS_inotify_add_watch, fd, path, mask | IN_MASK_CREATE);
	if (wd < 0 && errno == EEXIST)
		return (int)syscall(SYS_inotify_add_watch, fd, path, mask);
	if (wd < 0 && errno == EINVAL) { /* IN_MASK_ADD forbids IN_MASK_CREATE: a lookout */
		errno = ENOSPC;
		return refuse_lookouts ? -1 : (int)syscall(SYS_inotify_add_watch, fd, path, mask);
	}
	if (wd < 0 || !refuse_with)
		return wd;
	if (allowed > 0) {
		allowed--;
		return wd;
	}
	refused++;
	(void)inotify_rm_watch(fd, wd);
	errno = refuse_with;
	return -1;
}

static void make_tree(const struct world *world)
{
	make_dir(at(world, "r"));
	for (int i = 0; i < 10; i++) {
		make_dir(at(world, "r/d%d", i));
		make_dir(at(world, "r/d%d/s", i));
		make_file(at(world, "r/d%d/s/f", i));
	}
}

static size_t complaints_with(const struct world *world, const char *words)
{
	size_t count = 0;
	for (size_t i = 0; i < world->count; i++)
		count += world->told[i].kind == WATCHER_COMPLAINT &&
			 strstr(world->told[i].text, words) != NULL;
	return count;
}

static void limit_with(int error)
{
	struct world world;
	world_open(&world, 0);
	make_tree(&world);
	refuse_with = error;
	allowed = 7;
	(void)world_root(&world, at(&world, "r"), WATCHER_INOTIFY);
	cr_assert_eq(watcher_start(world.w), 0);
	world_await(&world, WATCHER_WALKED_ALL, NULL);
	cr_assert_gt(refused, 0);
	cr_assert_eq(world_count(&world, WATCHER_WALKED, NULL), 10,
		     "what is not watched is listed");
	cr_assert_eq(world_gaps(&world, WATCHER_GAP_OPENED, WATCHER_CAUSE_LIMIT), 1);
	cr_assert_eq(world_gaps(&world, WATCHER_GAP_CLOSED, WATCHER_CAUSE_LIMIT), 0);
	size_t complaints = world_count(&world, WATCHER_COMPLAINT, NULL);
	cr_assert(complaints >= 1 && complaints <= 10);
	cr_assert_eq(complaints_with(&world, "14 of 21 directories have no watch"),
		     error == ENOSPC ? 1 : 0);
	cr_assert_eq(complaints_with(&world, "sysctl -w fs.inotify.max_user_watches="),
		     error == ENOSPC ? 1 : 0);
	struct watcher_stats stats;
	watcher_stats(world.w, &stats);
	cr_assert_eq(stats.unwatched, 21 - 7);
	cr_assert_eq(stats.without_watch, 21 - 7);
	cr_assert_gt(stats.granted, 0);
	world_forget(&world);
	for (int i = 0; i < 10; i++)
		make_file(at(&world, "r/d%d/s/g", i));
	watcher_retry(world.w);
	world_settle(&world);
	for (int i = 0; i < 10; i++)
		cr_assert(world_told(&world, at(&world, "r/d%d/s/g", i)));
	cr_assert_eq(world_count(&world, WATCHER_COMPLAINT, NULL), 0);
	cr_assert(watcher_needs_retry(world.w));
	refuse_with = 0;
	watcher_retry(world.w);
	world_await_gap(&world, WATCHER_GAP_CLOSED, WATCHER_CAUSE_LIMIT);
	cr_assert(!watcher_needs_retry(world.w));
	world_settle(&world);
	world_forget(&world);
	for (int i = 0; i < 10; i++)
		make_file(at(&world, "r/d%d/s/h", i));
	world_settle(&world);
	for (int i = 0; i < 10; i++)
		cr_assert(world_find(&world, WATCHER_CLOSED, at(&world, "r/d%d/s/h", i)));
	world_check_watches(&world, at(&world, "r"));
	world_close(&world);
}

Test(gap, watch_limit_degrades_to_listing_until_watches_are_to_be_had)
{
	limit_with(ENOSPC);
}

Test(gap, no_memory_for_watches_does_the_same)
{
	limit_with(ENOMEM);
}

Test(gap, limit_is_healed_when_the_unwatched_directories_go)
{
	struct world world;
	world_open(&world, 0);
	make_tree(&world);
	refuse_with = ENOSPC;
	allowed = 11;
	(void)world_root(&world, at(&world, "r"), WATCHER_INOTIFY);
	cr_assert_eq(watcher_start(world.w), 0);
	world_await(&world, WATCHER_WALKED_ALL, NULL);
	for (int i = 0; i < 10; i++)
		remove_tree(at(&world, "r/d%d", i));
	for (int i = 0; i < 3; i++) {
		watcher_retry(world.w);
		world_settle(&world);
	}
	world_await_gap(&world, WATCHER_GAP_CLOSED, WATCHER_CAUSE_LIMIT);
	cr_assert(!watcher_needs_retry(world.w));
	world_close(&world);
}

/* A replaced ancestor would be noticed late, so events of the root may be lost until then. */
Test(gap, root_whose_lookouts_have_no_watch_is_short_of_them_until_they_have)
{
	struct world world;
	refuse_lookouts = true;
	world_open(&world, 0);
	make_dir(at(&world, "above"));
	make_dir(at(&world, "above/r"));
	(void)world_root(&world, at(&world, "above/r"), WATCHER_INOTIFY);
	cr_assert_eq(watcher_start(world.w), 0);
	world_settle(&world);
	cr_assert_eq(world_gaps(&world, WATCHER_GAP_OPENED, WATCHER_CAUSE_LIMIT), 1);
	cr_assert_eq(complaints_with(&world, "no watch for all of the directories above this root"),
		     1);
	cr_assert_eq(world.w->roots[0]->top->trouble, TROUBLE_NONE);
	make_file(at(&world, "above/r/f"));
	world_settle(&world);
	cr_assert(world_find(&world, WATCHER_CLOSED, at(&world, "above/r/f")));
	move(at(&world, "above"), at(&world, "aside"));
	make_dir(at(&world, "above"));
	make_dir(at(&world, "above/r"));
	make_file(at(&world, "above/r/g"));
	world_forget(&world);
	cr_assert(watcher_needs_retry(world.w));
	watcher_retry(world.w);
	world_settle(&world);
	cr_assert(world_told(&world, at(&world, "above/r/g")));
	cr_assert_eq(world_count(&world, WATCHER_COMPLAINT, NULL), 0, "it was said");
	refuse_lookouts = false;
	watcher_retry(world.w);
	world_await_gap(&world, WATCHER_GAP_CLOSED, WATCHER_CAUSE_LIMIT);
	cr_assert(!watcher_needs_retry(world.w));
	world_close(&world);
}

static struct rlimit files_before;

/* Only so many descriptors can be had from now on. */
static void leave_files(rlim_t more)
{
	struct rlimit none;
	cr_assert_eq(getrlimit(RLIMIT_NOFILE, &files_before), 0);
	none = files_before;
	int lowest = dup(0);
	close(lowest);
	none.rlim_cur = (rlim_t)lowest + more; /* above it none is open */
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
}

static void have_files(void)
{
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &files_before), 0);
}

Test(gap, without_descriptors_directories_wait_and_nothing_is_lost)
{
	struct world world;
	world_ready(&world);
	make_dir(at(&world, "r/before"));
	world_settle(&world);
	make_dir(at(&world, "r/d"));
	make_dir(at(&world, "r/d/s"));
	make_file(at(&world, "r/d/s/f"));
	move(at(&world, "r/before"), at(&world, "r/after"));
	make_file(at(&world, "r/after/f"));
	make_file(at(&world, "r/f"));
	leave_files(0);
	world_settle(&world);
	cr_assert_eq(world_gaps(&world, WATCHER_GAP_OPENED, WATCHER_CAUSE_LIMIT), 1);
	cr_assert_eq(world_gaps(&world, WATCHER_GAP_OPENED, WATCHER_CAUSE_UNREADABLE), 0);
	watcher_retry(world.w);
	world_settle(&world);
	have_files();
	cr_assert(world_find(&world, WATCHER_CLOSED, at(&world, "r/f")), "events go on");
	cr_assert(!world_told(&world, at(&world, "r/d/s/f")));
	cr_assert_eq(world_count(&world, WATCHER_DIR_GONE, NULL), 0);
	cr_assert_eq(world_gaps(&world, WATCHER_GAP_OPENED, WATCHER_CAUSE_LIMIT), 1);
	cr_assert_eq(world_gaps(&world, WATCHER_GAP_CLOSED, WATCHER_CAUSE_LIMIT), 0);
	cr_assert_gt(complaints_with(&world, "RLIMIT_NOFILE"), 0);
	cr_assert_gt(complaints_with(&world, "LimitNOFILE="), 0);
	cr_assert(watcher_needs_retry(world.w));
	watcher_retry(world.w);
	world_await_gap(&world, WATCHER_GAP_CLOSED, WATCHER_CAUSE_LIMIT);
	world_settle(&world);
	cr_assert(world_told(&world, at(&world, "r/d/s/f")));
	cr_assert(world_told(&world, at(&world, "r/after/f")));
	cr_assert(!watcher_needs_retry(world.w));
	world_check_watches(&world, at(&world, "r"));
	world_close(&world);
}

/* The new place takes two to open, the old one three, so whether it left that cannot be told. */
Test(gap, directory_whose_old_place_cannot_be_opened_waits_for_descriptors)
{
	struct world world;
	world_ready(&world);
	make_dir(at(&world, "r/a"));
	make_dir(at(&world, "r/a/b"));
	make_dir(at(&world, "r/a/b/c"));
	world_settle(&world);
	move(at(&world, "r/a/b/c"), at(&world, "r/c"));
	make_file(at(&world, "r/c/f"));
	leave_files(2);
	world_settle(&world);
	have_files();
	cr_assert_eq(world.w->roots[0]->top->trouble, TROUBLE_STARVED);
	cr_assert_eq(world_count(&world, WATCHER_DIR_GONE, NULL), 0);
	watcher_retry(world.w);
	world_await_gap(&world, WATCHER_GAP_CLOSED, WATCHER_CAUSE_LIMIT);
	world_settle(&world);
	cr_assert(world_told(&world, at(&world, "r/c/f")));
	world_check_watches(&world, at(&world, "r"));
	world_close(&world);
}

Test(gap, root_that_cannot_be_opened_for_want_of_descriptors_is_looked_for)
{
	struct world world;
	world_open(&world, 0);
	make_dir(at(&world, "r"));
	make_file(at(&world, "r/f"));
	leave_files(0);
	(void)world_root(&world, at(&world, "r"), WATCHER_INOTIFY);
	world_drain(&world);
	have_files();
	cr_assert_eq(watcher_start(world.w), 0);
	world_settle(&world);
	cr_assert(!watcher_root_present(world.w, 0));
	cr_assert_eq(world_gaps(&world, WATCHER_GAP_OPENED, WATCHER_CAUSE_LIMIT), 1);
	cr_assert_eq(world_gaps(&world, WATCHER_GAP_OPENED, WATCHER_CAUSE_ROOT), 0, "it is there");
	cr_assert_eq(complaints_with(&world, "this root cannot be looked at"), 1);
	watcher_retry(world.w);
	world_await_gap(&world, WATCHER_GAP_CLOSED, WATCHER_CAUSE_LIMIT);
	cr_assert(world_told(&world, at(&world, "r/f")));
	cr_assert(watcher_root_present(world.w, 0));
	world_check_watches(&world, at(&world, "r"));
	world_close(&world);
}

#define REQUIRE(condition)                                                              \
	do {                                                                            \
		if (!(condition)) {                                                     \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
			_exit(1);                                                       \
		}                                                                       \
	} while (0)

static bool set_limit(const char *value)
{
	int fd = open("/proc/sys/user/max_inotify_watches", O_WRONLY | O_CLOEXEC);
	bool done = fd >= 0 && write(fd, value, strlen(value)) == (ssize_t)strlen(value);
	close(fd);
	return done;
}

/* Runs in a user namespace of its own, where the kernel's limit can be set. */
static void real_limit(void)
{
	struct world world;
	if (unshare(CLONE_NEWUSER) != 0 || !set_limit("12"))
		_exit(77);
	world_open(&world, 0);
	make_tree(&world);
	(void)world_root(&world, at(&world, "r"), WATCHER_AUTO);
	REQUIRE(watcher_start(world.w) == 0);
	world_await(&world, WATCHER_WALKED_ALL, NULL);
	REQUIRE(world_count(&world, WATCHER_WALKED, NULL) == 10);
	REQUIRE(world_gaps(&world, WATCHER_GAP_OPENED, WATCHER_CAUSE_LIMIT) == 1);
	REQUIRE(complaints_with(&world, "sysctl -w user.max_inotify_watches=") == 1);
	REQUIRE(complaints_with(&world, "(now 12, ") == 1);
	REQUIRE(complaints_with(&world, "fs.inotify.max_user_watches=") == 0);
	REQUIRE(set_limit("1000"));
	watcher_retry(world.w);
	world_await_gap(&world, WATCHER_GAP_CLOSED, WATCHER_CAUSE_LIMIT);
	for (int i = 0; i < 10; i++)
		make_file(at(&world, "r/d%d/s/g", i));
	world_settle(&world);
	for (int i = 0; i < 10; i++)
		REQUIRE(world_find(&world, WATCHER_CLOSED, at(&world, "r/d%d/s/g", i)));
	world_close(&world);
}

Test(gap, real_watch_limit_in_a_user_namespace)
{
	pid_t child = fork();
	if (child == 0) {
		real_limit();
		_exit(0);
	}
	int status = 0;
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		fprintf(stderr, "not run: no user namespace with limits of its own\n");
	else
		cr_assert_eq(WEXITSTATUS(status), 0);
}

static unsigned queue_length(void)
{
	unsigned length = 0;
	FILE *file = fopen("/proc/sys/fs/inotify/max_queued_events", "re");
	cr_assert_not_null(file);
	cr_assert_eq(fscanf(file, "%u", &length), 1);
	(void)fclose(file);
	return length;
}

Test(gap, overflow_loses_no_file_and_no_directory)
{
	unsigned files = queue_length() * 6 / 10; /* two events each */
	if (files > 200000) {
		fprintf(stderr, "not run: fs.inotify.max_queued_events is too high to fill\n");
		return;
	}
	struct world world;
	world_open(&world, 4096);
	make_dir(at(&world, "r"));
	make_dir(at(&world, "r/old"));
	make_dir(at(&world, "r/dies"));
	(void)world_root(&world, at(&world, "r"), WATCHER_INOTIFY);
	cr_assert_eq(watcher_start(world.w), 0);
	world_settle(&world);
	for (unsigned i = 0; i < files; i++)
		make_file(at(&world, "r/f%u", i));
	/* all of this is hidden by the overflow */
	make_dir(at(&world, "r/new"));
	make_dir(at(&world, "r/new/er"));
	make_file(at(&world, "r/new/er/f"));
	move(at(&world, "r/old"), at(&world, "r/moved"));
	make_file(at(&world, "r/moved/f"));
	make_dir(at(&world, "r/old"));
	make_file(at(&world, "r/old/f"));
	cr_assert_eq(rmdir(at(&world, "r/dies")), 0);
	world_await_gap(&world, WATCHER_GAP_CLOSED, WATCHER_CAUSE_OVERFLOW);
	cr_assert_geq(world_gaps(&world, WATCHER_GAP_OPENED, WATCHER_CAUSE_OVERFLOW), 1);
	world_await(&world, WATCHER_DIR_GONE, at(&world, "r/dies"));
	world_settle(&world);
	world_check_watches(&world, at(&world, "r"));
	cr_assert_eq(world.w->tree.wds.count, world.w->tree.wds.live,
		     "descriptors that nothing ends");
	const char *hidden[] = { "new/er/f", "moved/f", "old/f" };
	for (int i = 0; i < 3; i++)
		cr_assert(world_told(&world, at(&world, "r/%s", hidden[i])), "%s", hidden[i]);
	char *seen = calloc(files, 1);
	for (size_t i = 0; i < world.count; i++) {
		const char *name = world.told[i].path ? strrchr(world.told[i].path, '/') : NULL;
		unsigned number;
		if (name && sscanf(name, "/f%u", &number) == 1 && number < files)
			seen[number] = 1;
	}
	for (unsigned i = 0; i < files; i++)
		cr_assert(seen[i], "file %u was never told", i);
	free(seen);
	world_close(&world);
}

Test(gap, walk_that_began_before_the_overflow_does_not_close_it)
{
	struct world world;
	struct trace trace = { .len = 0 };
	world_open(&world, 0);
	make_tree(&world);
	(void)world_root(&world, at(&world, "r"), WATCHER_INOTIFY);
	while (world_count(&world, WATCHER_WALKED, NULL) < 5)
		(void)world_step(&world);
	trace_add(&trace, -1, IN_Q_OVERFLOW, 0, NULL);
	trace_feed(&trace, &world);
	while (world_gaps(&world, WATCHER_GAP_OPENED, WATCHER_CAUSE_OVERFLOW) == 0)
		(void)world_step(&world);
	world_forget(&world);
	while (world_gaps(&world, WATCHER_GAP_CLOSED, WATCHER_CAUSE_OVERFLOW) == 0)
		(void)world_step(&world);
	for (int i = 0; i < 10; i++)
		cr_assert(world_find(&world, WATCHER_WALKED, at(&world, "r/d%d/s/f", i)), "%d", i);
	world_close(&world);
}

Test(gap, overflow_during_its_walk_keeps_the_gap_open_and_the_delay_grows)
{
	struct world world;
	struct trace trace = { .len = 0 };
	world_open(&world, 0);
	make_tree(&world);
	(void)world_root(&world, at(&world, "r"), WATCHER_INOTIFY);
	world_drain(&world);
	world_forget(&world);
	int64_t delay = -1;
	for (int i = 0; i < 4; i++) {
		trace_add(&trace, -1, IN_Q_OVERFLOW, 0, NULL);
		trace_feed(&trace, &world);
		int64_t before = own_now_ns();
		while (world.w->overflows == (uint64_t)i)
			(void)world_step(&world);
		cr_assert(world.w->overflow.gap.open);
		cr_assert_gt(world.w->overflow.due_ns - before, delay);
		delay = world.w->overflow.due_ns - before;
		/* the walk begins, and the next overflow comes before it ends */
		int64_t deadline = world_deadline();
		while (world.w->overflow.waiting) {
			if (world_step(&world) == WATCHER_NOTHING)
				world_wait(&world, deadline);
		}
		cr_assert(!agenda_idle(&world.w->agenda));
	}
	cr_assert_geq(delay, INT64_C(400000000));
	cr_assert_eq(world_gaps(&world, WATCHER_GAP_CLOSED, WATCHER_CAUSE_OVERFLOW), 0);
	world_await_gap(&world, WATCHER_GAP_CLOSED, WATCHER_CAUSE_OVERFLOW);
	cr_assert_eq(world_gaps(&world, WATCHER_GAP_OPENED, WATCHER_CAUSE_OVERFLOW), 1);
	struct watcher_stats stats;
	watcher_stats(world.w, &stats);
	cr_assert_eq(stats.overflows, 4);
	world_close(&world);
}

static void feed_overflow(struct world *world)
{
	struct trace trace = { .len = 0 };
	uint64_t before = world->w->overflows;
	trace_add(&trace, -1, IN_Q_OVERFLOW, 0, NULL);
	trace_feed(&trace, world);
	while (world->w->overflows == before)
		(void)world_step(world);
}

/* Steps until the walk that waits has begun. */
static void await_walk(struct world *world)
{
	int64_t deadline = world_deadline();
	while (world->w->overflow.waiting) {
		if (world_step(world) == WATCHER_NOTHING)
			world_wait(world, deadline);
	}
}

Test(gap, a_start_under_an_overload_without_end_is_told_when_all_is_walked)
{
	struct world world;
	world_open(&world, 0);
	make_tree(&world);
	(void)world_root(&world, at(&world, "r"), WATCHER_INOTIFY);
	for (int i = 0; i < 3; i++) {
		feed_overflow(&world);
		await_walk(&world);
	}
	cr_assert_geq(world_count(&world, WATCHER_WALKED_ALL, NULL), 1);
	cr_assert_eq(world_gaps(&world, WATCHER_GAP_CLOSED, WATCHER_CAUSE_OVERFLOW), 0,
		     "the gap is open all the while");
	world_await_gap(&world, WATCHER_GAP_CLOSED, WATCHER_CAUSE_OVERFLOW);
	world_drain(&world);
	cr_assert_eq(world.told[world.count - 1].kind, WATCHER_WALKED_ALL, "again at its end");
	world_close(&world);
}

Test(gap, after_a_long_walk_the_next_waits_as_long)
{
	struct world world;
	world_open(&world, 0);
	make_tree(&world);
	(void)world_root(&world, at(&world, "r"), WATCHER_INOTIFY);
	world_drain(&world);
	struct overflow *overflow = &world.w->overflow;
	feed_overflow(&world);
	await_walk(&world);
	const int64_t took = INT64_C(3000000000);
	overflow->began_ns -= took;
	feed_overflow(&world);
	overflow->due_ns = 0; /* due long since, but not while a walk is under way */
	while (overflow->batch) {
		cr_assert(overflow->waiting);
		(void)world_step(&world);
	}
	cr_assert_geq(overflow->due_ns, overflow->began_ns + 2 * took);
	cr_assert(overflow->waiting);
	overflow->rested_ns = overflow->due_ns = own_now_ns() + took;
	feed_overflow(&world);
	cr_assert_geq(overflow->due_ns, overflow->rested_ns, "another one changes nothing of that");
	overflow->waiting = false; /* nor does one that comes when none waits */
	feed_overflow(&world);
	cr_assert_geq(overflow->due_ns, overflow->rested_ns);
	overflow->due_ns = 0;
	world_await_gap(&world, WATCHER_GAP_CLOSED, WATCHER_CAUSE_OVERFLOW);
	world_close(&world);
}
