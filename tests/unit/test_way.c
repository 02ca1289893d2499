/* way: how a root is watched, and why, as the kernel, its file system and its mode have it. */
#include <sys/statfs.h>
#include <sys/syscall.h>

#include "tests/unit/watcher_world.h"
#include "watcher/view.h"
#include "watcher/way.h"

/* Seams: another file system type; a kernel whose watches are never told of an open. */
static long fake_magic;
static bool deaf;

int fstatfs(int fd, struct statfs *out)
{
	int done = (int)syscall(SYS_fstatfs, fd, out);
	if (done == 0 && fake_magic)
		out->f_type = fake_magic;
	return done;
}

int inotify_add_watch(int fd, const char *path, uint32_t mask)
{
	if (deaf)
		mask &= ~(uint32_t)IN_OPEN;
	if (deaf && (mask & IN_ALL_EVENTS) == 0)
		mask |= IN_DELETE_SELF;
	return (int)syscall(SYS_inotify_add_watch, fd, path, mask);
}

static enum watcher_way way_of(const struct world *world, uint32_t root, char *words)
{
	return watcher_root_way(world->w, root, words, 200);
}

Test(way, opened_directory_is_told_to_its_watch)
{
	OWN_CLOSE int fd = open("/tmp", O_PATH | O_DIRECTORY | O_CLOEXEC);
	cr_assert(!view_is_deaf(fd));
	cr_assert(!view_is_deaf(-1), "what cannot be tried says nothing");
	deaf = true;
	cr_assert(view_is_deaf(fd));
}

Test(way, root_where_events_do_not_arrive_is_polled_and_said)
{
	struct world world;
	char words[200];
	world_open(&world, 0);
	make_dir(at(&world, "r"));
	make_dir(at(&world, "s"));
	deaf = true;
	uint32_t r = world_root(&world, at(&world, "r"), WATCHER_AUTO);
	uint32_t s = world_root(&world, at(&world, "s"), WATCHER_INOTIFY);
	world_settle(&world);
	cr_assert_eq(way_of(&world, r, words), WATCHER_WAY_POLLED);
	cr_assert_not_null(strstr(words, "events do not arrive"));
	cr_assert_eq(way_of(&world, s, words), WATCHER_WAY_EVENTS);
	cr_assert_eq(world_count(&world, WATCHER_COMPLAINT, NULL), 1);
	cr_assert_eq(world_count(&world, WATCHER_COMPLAINT, at(&world, "r")), 1);
	world_close(&world);
}

Test(way, canary_leaves_no_trace)
{
	struct world world;
	struct stat before;
	struct stat after;
	world_open(&world, 0);
	make_dir(at(&world, "r"));
	cr_assert_eq(stat(at(&world, "r"), &before), 0);
	OWN_CLOSE int other = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	cr_assert_gt(inotify_add_watch(other, at(&world, "r"),
				       IN_ALL_EVENTS & ~(uint32_t)(IN_OPEN | IN_CLOSE_NOWRITE)),
		     0);
	OWN_CLOSE int fd = open(at(&world, "r"), O_PATH | O_DIRECTORY | O_CLOEXEC);
	cr_assert(!view_is_deaf(fd));
	cr_assert_eq(stat(at(&world, "r"), &after), 0);
	cr_assert_eq(before.st_atim.tv_nsec, after.st_atim.tv_nsec);
	cr_assert_eq(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
	cr_assert_eq(before.st_ctim.tv_nsec, after.st_ctim.tv_nsec);
	char events[512];
	cr_assert_lt(read(other, events, sizeof events), 0, "nothing but an open");
	world_close(&world);
}

Test(way, each_way_says_why)
{
	struct world world;
	char words[200];
	char few[12];
	world_open(&world, 0);
	make_dir(at(&world, "r"));
	make_dir(at(&world, "s"));
	make_dir(at(&world, "t"));
	make_dir(at(&world, "u"));
	uint32_t r = world_root(&world, at(&world, "r"), WATCHER_AUTO);
	uint32_t s = world_root(&world, at(&world, "s"), WATCHER_POLL);
	fake_magic = 0x6969; /* NFS */
	uint32_t t = world_root(&world, at(&world, "t"), WATCHER_AUTO);
	uint32_t u = world_root(&world, at(&world, "u"), WATCHER_INOTIFY);
	uint32_t v = world_root(&world, at(&world, "v"), WATCHER_AUTO);
	cr_assert_eq(watcher_start(world.w), 0);
	fake_magic = 0;
	world_settle(&world);
	cr_expect_eq(way_of(&world, r, words), WATCHER_WAY_EVENTS);
	cr_expect_str_eq(words, "");
	cr_expect_eq(way_of(&world, s, words), WATCHER_WAY_POLLED);
	cr_expect_str_eq(words, "mode: poll");
	cr_expect_eq(way_of(&world, t, words), WATCHER_WAY_POLLED);
	cr_expect_not_null(strstr(words, "0x6969"));
	cr_expect_eq(way_of(&world, u, words), WATCHER_WAY_DEGRADED, "no claim of real time");
	cr_expect_not_null(strstr(words, "mode: inotify"));
	cr_expect_eq(way_of(&world, v, words), WATCHER_WAY_ABSENT);
	cr_expect_eq(way_of(&world, 99, words), WATCHER_WAY_ABSENT);
	cr_expect_eq(watcher_root_way(world.w, t, few, sizeof few), WATCHER_WAY_POLLED);
	cr_expect_eq(strlen(few), sizeof few - 1, "cut where it ends");
	fake_magic = 0x6969;
	make_dir(at(&world, "r/d"));
	world_settle(&world);
	cr_expect_eq(way_of(&world, r, words), WATCHER_WAY_DEGRADED);
	cr_expect_not_null(strstr(words, "another file system"), "%s", words);
	uint64_t directories, watches;
	watcher_root_counts(world.w, r, &directories, &watches);
	cr_expect(directories == 2 && watches == 2, "%d of %d", (int)watches, (int)directories);
	watcher_root_counts(world.w, s, &directories, &watches);
	cr_expect(directories == 1 && watches == 0, "polled: %d of %d", (int)watches,
		  (int)directories);
	watcher_root_counts(world.w, v, &directories, &watches);
	cr_expect(directories == 0 && watches == 0, "absent");
	watcher_root_counts(world.w, 99, &directories, &watches);
	cr_expect(directories == 0 && watches == 0, "none such");
	world_close(&world);
}
