/* watcher: the contract of watcher.h as its callers see it. */
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/statfs.h>
#include <sys/syscall.h>

#include <dlfcn.h>
#include <pthread.h>

#include "tests/unit/watcher_world.h"
#include "watcher/watcher.h"

/* Seams: no inotify instance, and another file system type. */
static bool no_instance;
static long fake_magic;
static bool no_thread;

int inotify_init1(int flags)
{
	if (no_instance) {
		errno = EMFILE;
		return -1;
	}
	return (int)syscall(SYS_inotify_init1, flags);
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
		   void *argument)
{
	/* RTLD_NEXT: the one that is stood for */
	typedef int create(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
	create *real;
	*(void **)&real = dlsym(RTLD_NEXT, "pthread_create");
	return no_thread ? EAGAIN : real(thread, attributes, run, argument);
}

int fstatfs(int fd, struct statfs *out)
{
	int done = (int)syscall(SYS_fstatfs, fd, out);
	if (done == 0 && fake_magic)
		out->f_type = fake_magic;
	return done;
}

static bool is_readable(const struct world *world)
{
	struct pollfd fd = { .fd = watcher_fd(world->w), .events = POLLIN };
	return poll(&fd, 1, 0) == 1;
}

Test(watcher, start_walks_every_root_and_says_so_once)
{
	struct world world;
	world_open(&world, 0);
	make_dir(at(&world, "r"));
	make_dir(at(&world, "s"));
	make_file(at(&world, "r/f"));
	make_file(at(&world, "s/f"));
	uint32_t r = world_root(&world, at(&world, "r"), WATCHER_AUTO);
	uint32_t s = world_root(&world, at(&world, "s"), WATCHER_AUTO);
	cr_assert_eq(r, 0);
	cr_assert_eq(s, 1);
	cr_assert_eq(watcher_start(world.w), 0);
	world_settle(&world);
	cr_assert_eq(world_find(&world, WATCHER_WALKED, at(&world, "r/f"))->root, r);
	cr_assert_eq(world_find(&world, WATCHER_WALKED, at(&world, "s/f"))->root, s);
	cr_assert_eq(world_count(&world, WATCHER_WALKED_ALL, NULL), 1);
	cr_assert_eq(world.told[world.count - 1].kind, WATCHER_WALKED_ALL);
	cr_assert_eq(world.count, 3);
	cr_assert(watcher_root_present(world.w, r) && !watcher_root_polled(world.w, r));
	cr_assert(!watcher_root_present(world.w, 99));
	world_close(&world);
}

Test(watcher, each_walk_is_followed_by_walked_all)
{
	struct world world;
	world_ready(&world);
	make_dir(at(&world, "r/d"));
	make_file(at(&world, "r/d/f"));
	world_settle(&world);
	cr_assert_geq(world_count(&world, WATCHER_WALKED_ALL, NULL), 1);
	cr_assert_eq(world.told[world.count - 1].kind, WATCHER_WALKED_ALL);
	world_close(&world);
}

Test(watcher, at_rest_nothing_is_readable_and_no_timer_runs)
{
	struct world world;
	world_ready(&world);
	make_dir(at(&world, "r/d"));
	world_settle(&world);
	move(at(&world, "r/d"), at(&world, "away"));
	world_await(&world, WATCHER_DIR_GONE, NULL);
	int64_t deadline = world_deadline();
	for (;;) {
		world_drain(&world);
		if (world.w->timer_ns == 0)
			break;
		world_wait(&world, deadline);
	}
	cr_assert(!is_readable(&world));
	watcher_reconcile(world.w);
	cr_assert(is_readable(&world), "asked-for work must wake the caller");
	world_drain(&world);
	cr_assert(!is_readable(&world));
	world_close(&world);
}

Test(watcher, ticket_passes_only_when_what_came_before_was_returned)
{
	struct world world;
	world_ready(&world);
	uint64_t none = watcher_ticket(world.w);
	cr_assert(watcher_passed(world.w, none), "nothing to wait for");
	for (int i = 0; i < 1000; i++) {
		make_file(at(&world, "r/f%d", i));
		uint64_t ticket = watcher_ticket(world.w);
		cr_assert(!watcher_passed(world.w, ticket));
		int64_t deadline = world_deadline();
		while (!watcher_passed(world.w, ticket)) {
			if (world_step(&world) == WATCHER_NOTHING)
				world_wait(&world, deadline);
		}
		cr_assert(world_find(&world, WATCHER_CLOSED, at(&world, "r/f%d", i)));
		world_forget(&world);
	}
	world_close(&world);
}

Test(watcher, ticket_waits_for_a_moved_directory_to_be_walked)
{
	struct world world;
	world_ready(&world);
	make_dir(at(&world, "r/a"));
	for (int i = 0; i < 100; i++)
		make_file(at(&world, "r/a/f%d", i));
	world_settle(&world);
	world_forget(&world);
	move(at(&world, "r/a"), at(&world, "r/b"));
	uint64_t ticket = watcher_ticket(world.w);
	int64_t deadline = world_deadline();
	while (!watcher_passed(world.w, ticket)) {
		if (world_step(&world) == WATCHER_NOTHING)
			world_wait(&world, deadline);
	}
	for (int i = 0; i < 100; i++)
		cr_assert(world_find(&world, WATCHER_WALKED, at(&world, "r/b/f%d", i)));
	world_close(&world);
}

Test(watcher, left_name_is_gone_once_nothing_more_is_queued)
{
	struct world world;
	world_ready(&world);
	make_file(at(&world, "r/f"));
	world_settle(&world);
	world_forget(&world);
	move(at(&world, "r/f"), at(&world, "f"));
	world_settle(&world);
	cr_assert_eq(world_count(&world, WATCHER_GONE, at(&world, "r/f")), 1);
	world_close(&world);
}

Test(watcher, a_directory_on_its_way_is_told_from_one_that_is_gone)
{
	struct world world;
	world_ready(&world);
	make_dir(at(&world, "r/a"));
	make_dir(at(&world, "r/a/s"));
	world_settle(&world);
	const char *path = at(&world, "r/a/s");
	int number = watcher_directory_at(world.w, 0, path, strlen(path));
	size_t len = 0;
	const char *known = watcher_directory(world.w, number, &len);
	cr_assert(known && len == strlen(path) && memcmp(known, path, len) == 0);
	cr_expect(!watcher_directory_moves(world.w, number));
	cr_expect(watcher_directory_at(world.w, 0, path, strlen(path) - 1) == 0);
	cr_expect(watcher_directory_at(world.w, 0, "/", 1) == 0);
	cr_expect(watcher_directory_at(world.w, 7, path, strlen(path)) == 0);
	move(at(&world, "r/a"), at(&world, "a"));
	int64_t deadline = world_deadline();
	while (watcher_directory(world.w, number, &len)) {
		if (world_step(&world) == WATCHER_NOTHING)
			world_wait(&world, deadline);
	}
	cr_expect(watcher_directory_moves(world.w, number));
	world_settle(&world);
	cr_expect(!watcher_directory(world.w, number, &len));
	cr_expect(!watcher_directory_moves(world.w, number));
	world_close(&world);
}

Test(watcher, polled_root_sets_no_watch_and_is_walked_at_every_retry)
{
	struct world world;
	world_open(&world, 0);
	make_dir(at(&world, "r"));
	make_file(at(&world, "r/f"));
	uint32_t root = world_root(&world, at(&world, "r"), WATCHER_POLL);
	cr_assert_eq(watcher_start(world.w), 0);
	world_settle(&world);
	cr_assert(watcher_root_polled(world.w, root) && watcher_needs_retry(world.w));
	oracle_read_kernel(&world);
	cr_assert_eq(oracle_kernel.count, 0);
	world_forget(&world);
	make_dir(at(&world, "r/d"));
	make_file(at(&world, "r/d/g"));
	watcher_retry(world.w);
	world_settle(&world);
	cr_assert(world_find(&world, WATCHER_WALKED, at(&world, "r/f")));
	cr_assert(world_find(&world, WATCHER_WALKED, at(&world, "r/d/g")));
	cr_assert_eq(world_count(&world, WATCHER_WALKED_ALL, NULL), 1);
	world_forget(&world);
	move(at(&world, "r"), at(&world, "old"));
	watcher_retry(world.w);
	world_settle(&world);
	cr_assert(!watcher_root_present(world.w, root));
	make_dir(at(&world, "r"));
	make_file(at(&world, "r/h"));
	watcher_retry(world.w);
	world_await_gap(&world, WATCHER_GAP_CLOSED, WATCHER_CAUSE_ROOT);
	cr_assert(world_find(&world, WATCHER_WALKED, at(&world, "r/h")));
	world_close(&world);
}

Test(watcher, unknown_file_system_is_polled_unless_told_otherwise)
{
	struct world world;
	world_open(&world, 0);
	make_dir(at(&world, "r"));
	make_dir(at(&world, "s"));
	make_file(at(&world, "r/f"));
	fake_magic = 0x6969; /* NFS */
	uint32_t r = world_root(&world, at(&world, "r"), WATCHER_AUTO);
	uint32_t s = world_root(&world, at(&world, "s"), WATCHER_INOTIFY);
	cr_assert_eq(watcher_start(world.w), 0);
	world_settle(&world);
	cr_assert(watcher_root_polled(world.w, r));
	cr_assert(!watcher_root_polled(world.w, s));
	cr_assert_eq(world_count(&world, WATCHER_COMPLAINT, NULL), 1);
	cr_assert_eq(world_count(&world, WATCHER_COMPLAINT, at(&world, "r")), 1);
	/* its files are polled, but not its place */
	move(at(&world, "r"), at(&world, "old"));
	world_settle(&world);
	cr_assert(!watcher_root_present(world.w, r));
	make_dir(at(&world, "r"));
	make_file(at(&world, "r/g"));
	world_settle(&world);
	cr_assert(world_told(&world, at(&world, "r/g")));
	world_close(&world);
}

Test(watcher, remote_directory_below_a_local_root_is_listed_at_every_retry)
{
	struct world world;
	world_open(&world, 0);
	make_dir(at(&world, "r"));
	make_dir(at(&world, "s"));
	(void)world_root(&world, at(&world, "r"), WATCHER_AUTO);
	(void)world_root(&world, at(&world, "s"), WATCHER_INOTIFY);
	cr_assert_eq(watcher_start(world.w), 0);
	world_settle(&world);
	cr_assert(!watcher_needs_retry(world.w));
	fake_magic = 0x6969;
	make_dir(at(&world, "s/d"));
	world_settle(&world);
	cr_assert(!watcher_needs_retry(world.w), "mode: inotify overrides");
	make_dir(at(&world, "r/d"));
	make_file(at(&world, "r/d/f"));
	world_settle(&world);
	cr_assert(watcher_needs_retry(world.w));
	cr_assert_eq(world_count(&world, WATCHER_COMPLAINT, at(&world, "r/d")), 1);
	world_forget(&world);
	watcher_retry(world.w);
	world_settle(&world);
	cr_assert(world_find(&world, WATCHER_WALKED, at(&world, "r/d/f")));
	cr_assert_eq(world_count(&world, WATCHER_COMPLAINT, NULL), 0);
	world_close(&world);
}

Test(watcher, without_an_instance_roots_are_polled_until_one_is_to_be_had)
{
	struct world world;
	no_instance = true;
	world_open(&world, 0);
	make_dir(at(&world, "r"));
	make_file(at(&world, "r/f"));
	uint32_t index = 5;
	cr_assert_eq(watcher_add_root(world.w, at(&world, "r"), WATCHER_INOTIFY, &index), -EMFILE);
	(void)world_root(&world, at(&world, "r"), WATCHER_AUTO);
	cr_assert_eq(watcher_start(world.w), 0);
	world_settle(&world);
	cr_assert(watcher_root_polled(world.w, 0));
	cr_assert_not_null(strstr(world_find(&world, WATCHER_COMPLAINT, NULL)->text,
				  "sysctl -w fs.inotify.max_user_instances="));
	cr_assert(world_find(&world, WATCHER_WALKED, at(&world, "r/f")));
	make_file(at(&world, "r/g"));
	watcher_retry(world.w);
	world_settle(&world);
	cr_assert(world_find(&world, WATCHER_WALKED, at(&world, "r/g")));
	no_instance = false;
	cr_assert_eq(world_gaps(&world, WATCHER_GAP_OPENED, WATCHER_CAUSE_LIMIT), 1);
	cr_assert_eq(world_gaps(&world, WATCHER_GAP_CLOSED, WATCHER_CAUSE_LIMIT), 0);
	/* an instance, and no thread to read it: not yet */
	no_thread = true;
	watcher_retry(world.w);
	world_settle(&world);
	cr_assert(watcher_root_polled(world.w, 0));
	no_thread = false;
	uint64_t ticket = watcher_ticket(world.w);
	watcher_retry(world.w);
	world_settle(&world);
	cr_assert(watcher_passed(world.w, ticket), "a ticket of the time without is kept");
	cr_assert(!watcher_root_polled(world.w, 0));
	cr_assert(!watcher_needs_retry(world.w));
	cr_assert_eq(world_gaps(&world, WATCHER_GAP_CLOSED, WATCHER_CAUSE_LIMIT), 1);
	make_file(at(&world, "r/h"));
	world_settle(&world);
	cr_assert(world_find(&world, WATCHER_CLOSED, at(&world, "r/h")));
	world_check_watches(&world, at(&world, "r"));
	world_close(&world);
}

Test(watcher, wrong_roots_are_refused)
{
	struct world world;
	uint32_t index;
	world_open(&world, 0);
	cr_assert_eq(watcher_add_root(world.w, "", WATCHER_AUTO, &index), -EINVAL);
	world_close(&world);
	watcher_free(NULL);
}

Test(watcher, walk_goes_on_while_records_keep_coming)
{
	struct world world;
	struct trace trace = { .len = 0 };
	world_open(&world, 0);
	make_dir(at(&world, "r"));
	for (int i = 0; i < 100; i++)
		make_file(at(&world, "r/f%d", i));
	(void)world_root(&world, at(&world, "r"), WATCHER_INOTIFY);
	int r = world.w->roots[0]->top->wd;
	for (int i = 0; i < 3000 && !world_find(&world, WATCHER_WALKED_ALL, NULL); i++) {
		trace_add(&trace, r, IN_ATTRIB, 0, "x");
		trace_feed(&trace, &world);
		(void)world_step(&world);
	}
	cr_assert(world_find(&world, WATCHER_WALKED_ALL, NULL));
	cr_assert(world.w->events > 100);
	world_close(&world);
}

Test(watcher, works_with_descriptors_above_a_thousand)
{
	int held[1100];
	struct world world;
	struct rlimit limit;
	cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = limit.rlim_max; /* 1024 is what most shells give */
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	for (int i = 0; i < 1100; i++)
		held[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (held[1099] < 0)
		fprintf(stderr, "fewer descriptors than meant: %s\n", strerror(errno));
	else {
		world_ready(&world);
		make_file(at(&world, "r/f"));
		world_settle(&world);
		cr_assert(world_find(&world, WATCHER_CLOSED, at(&world, "r/f")));
		world_close(&world);
	}
	for (int i = 0; i < 1100; i++)
		close(held[i]);
}
