/* view: the kernel's side of the seam; the other side is tried by every test of tests/sim. */
#include <dirent.h>

#include "tests/unit/watcher_world.h"
#include "watcher/place.h"
#include "watcher/view.h"

Test(view, watch_is_set_on_what_is_open_whatever_its_path_says)
{
	struct world world;
	world_open(&world, 0);
	make_dir(at(&world, "d"));
	const char *path = at(&world, "d");
	OWN_CLOSE int fd = place_open_outside(path, strlen(path), true);
	int wd = view_watch(world.w->inotify_fd, fd, IN_CREATE | IN_ONLYDIR);
	cr_assert_gt(wd, 0);
	move(at(&world, "d"), at(&world, "e"));
	cr_assert_eq(view_watch(world.w->inotify_fd, fd, IN_CREATE | IN_ONLYDIR), wd);
	cr_assert_lt(view_watch(-1, fd, IN_CREATE), 0);
	world_close(&world);
}

Test(view, file_system_of_a_directory)
{
	OWN_CLOSE int fd = place_open_outside("/proc", 5, true);
	uint64_t fsid;
	uint64_t magic = 0;
	cr_assert_eq(view_filesystem(fd, &fsid, &magic), 0);
	cr_assert_eq(magic, 0x9fa0);
	cr_assert_eq(view_filesystem(-1, &fsid, &magic), -EBADF);
}

Test(view, a_watch_that_was_taken_away_says_so_and_nothing_more)
{
	struct world world;
	world_open(&world, 0);
	const int instance = world.w->inotify_fd;
	OWN_CLOSE int fd = view_open(world.dir);
	int wd = view_watch(instance, fd, IN_CREATE | IN_ONLYDIR);
	cr_assert_eq(view_queued(instance), 0);
	view_unwatch(instance, wd);
	cr_assert_eq(view_queued(instance), sizeof(struct inotify_event));
	view_unwatch(instance, wd);
	cr_assert_eq(view_queued(instance), sizeof(struct inotify_event));
	world_close(&world);
}

Test(view, entries_and_their_stats_come_from_the_open_directory)
{
	struct world world;
	world_open(&world, 0);
	make_file(at(&world, "f"));
	cr_assert_eq(symlink("f", at(&world, "link")), 0);
	OWN_CLOSE int dir = view_open(world.dir);
	OWN_CLOSE int listed = view_open_beneath(dir, ".", O_RDONLY);
	_Alignas(struct dirent64) char buffer[4096];
	long got = view_list(listed, buffer, sizeof buffer);
	unsigned entries = 0;
	for (long i = 0; i < got; i += ((struct dirent64 *)(void *)(buffer + i))->d_reclen)
		entries++;
	cr_assert_eq(entries, 4, "two names, . and ..");
	cr_assert_eq(view_list(listed, buffer, sizeof buffer), 0);
	cr_assert_lt(view_list(dir, buffer, sizeof buffer), 0, "O_PATH lists nothing");
	struct statx st;
	cr_assert_eq(view_stat(dir, "link", STATX_TYPE, &st), 0);
	cr_assert(S_ISLNK(st.stx_mode));
	cr_assert_eq(view_stat(dir, "", STATX_TYPE, &st), 0);
	cr_assert(S_ISDIR(st.stx_mode));
	cr_assert_eq(view_stat(dir, "none", STATX_TYPE, &st), -ENOENT);
	world_close(&world);
}

Test(view, up_and_here)
{
	struct place_id a;
	struct place_id b;
	OWN_CLOSE int sys = view_open("/proc/sys");
	OWN_CLOSE int proc = view_open("/proc");
	OWN_CLOSE int up = view_open_at(sys, "..");
	cr_assert_eq(place_identify(up, &a), 0);
	cr_assert_eq(place_identify(proc, &b), 0);
	cr_assert(place_same(&a, &b));
	OWN_CLOSE int here = view_open_at(proc, ".");
	cr_assert_eq(place_identify(here, &a), 0);
	cr_assert(place_same(&a, &b));
	cr_assert_eq(view_open("/none/of/that"), -ENOENT);
}
