/* mounts: what is walked, and what not, when mounts change; on a real kernel, in a mount namespace.
 */
#include <sys/mount.h>

#include <dlfcn.h>
#include <sched.h>

#include "tests/unit/watcher_world.h"
#include "watcher/mounts.h"

/* Seam: the list of mounts: not to be read, or another one. */
static bool no_list;
static char *fake_list;

FILE *fopen(const char *path, const char *mode)
{
	FILE *(*real)(const char *, const char *) =
		(FILE * (*)(const char *, const char *)) dlsym(RTLD_NEXT, "fopen");
	bool asked = strcmp(path, "/proc/self/mountinfo") == 0;
	if (asked && no_list) {
		errno = EMFILE;
		return NULL;
	}
	return asked && fake_list ? fmemopen(fake_list, strlen(fake_list), "r") : real(path, mode);
}

/* False, and said, where a mount namespace is not to be had. */
static bool own_mounts(void)
{
	if (unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0)
		return true;
	fprintf(stderr, "not run: no mount namespace: %s\n", strerror(errno));
	return false;
}

static void mount_tmpfs(const char *path)
{
	cr_assert_eq(mount("tmpfs", path, "tmpfs", 0, NULL), 0, "mount %s: %s", path,
		     strerror(errno));
}

static void bind(const char *from, const char *to)
{
	cr_assert_eq(mount(from, to, NULL, MS_BIND, NULL), 0, "bind %s: %s", to, strerror(errno));
}

static void unmount(const char *path)
{
	cr_assert_eq(umount(path), 0, "umount %s: %s", path, strerror(errno));
}

/* Tells the watcher, and follows it up; the directories that were listed for it. */
static uint64_t walks_of_change(struct world *world)
{
	static unsigned tick;
	uint64_t before = world->w->walks;
	world_forget(world);
	watcher_mounts_changed(world->w);
	world_settle(world);
	/* and until what lost its place is forgotten, which waits for events that came after it */
	make_file(at(world, "tick%u", tick++));
	world_settle(world);
	cr_assert_geq(world_count(world, WATCHER_WALKED_ALL, NULL), 1);
	return world->w->walks - before;
}

static size_t gaps_opened(const struct world *world)
{
	return world_gaps(world, WATCHER_GAP_OPENED, WATCHER_CAUSE_MOUNT);
}

static void check_gap_was_closed(const struct world *world)
{
	/* a second one, when a watch that ended with its mount tells it later */
	cr_assert_geq(gaps_opened(world), 1);
	cr_assert_eq(world_gaps(world, WATCHER_GAP_CLOSED, WATCHER_CAUSE_MOUNT),
		     gaps_opened(world));
}

/* A mount namespace, and <dir>/r with a/b and c in it; false where there is no such namespace. */
static bool own_tree(struct world *world)
{
	if (!own_mounts())
		return false;
	world_ready(world);
	make_dir(at(world, "r/a"));
	make_dir(at(world, "r/a/b"));
	make_dir(at(world, "r/c"));
	make_dir(at(world, "rest"));
	world_settle(world);
	world_forget(world);
	return true;
}

Test(mounts, mounts_elsewhere_walk_nothing)
{
	struct world world;
	if (!own_tree(&world))
		return;
	mount_tmpfs(at(&world, "rest"));
	cr_assert_eq(walks_of_change(&world), 0);
	cr_assert_eq(gaps_opened(&world), 0);
	unmount(at(&world, "rest"));
	cr_assert_eq(walks_of_change(&world), 0);
	cr_assert_eq(walks_of_change(&world), 0);
	cr_assert_eq(gaps_opened(&world), 0);
	world_check_watches(&world, at(&world, "r"));
	world_close(&world);
}

Test(mounts, only_the_place_that_is_mounted_otherwise_is_walked)
{
	struct world world;
	if (!own_tree(&world))
		return;
	mount_tmpfs(at(&world, "r/a/b"));
	make_file(at(&world, "r/a/b/f"));
	cr_assert_eq(walks_of_change(&world), 1);
	check_gap_was_closed(&world);
	cr_assert(world_told(&world, at(&world, "r/a/b/f")));
	world_check_watches(&world, at(&world, "r"));
	/* one more upon it */
	mount_tmpfs(at(&world, "r/a/b"));
	make_dir(at(&world, "r/a/b/d"));
	make_file(at(&world, "r/a/b/d/g"));
	cr_assert_eq(walks_of_change(&world), 2);
	check_gap_was_closed(&world);
	cr_assert(world_told(&world, at(&world, "r/a/b/d/g")));
	world_check_watches(&world, at(&world, "r"));
	for (int left = 2; left > 0; left--) {
		unmount(at(&world, "r/a/b"));
		(void)walks_of_change(&world);
		check_gap_was_closed(&world);
		world_check_watches(&world, at(&world, "r"));
	}
	world_close(&world);
}

Test(mounts, mounts_in_directories_that_are_not_known_yet_are_found)
{
	struct world world;
	if (!own_tree(&world))
		return;
	make_dir(at(&world, "r/new"));
	make_dir(at(&world, "r/new/er"));
	mount_tmpfs(at(&world, "r/new/er"));
	make_file(at(&world, "r/new/er/f"));
	/* before the event that tells of them was read */
	mounts_changed(world.w);
	world_settle(&world);
	cr_assert(world_told(&world, at(&world, "r/new/er/f")));
	world_check_watches(&world, at(&world, "r"));
	world_close(&world);
}

Test(mounts, a_mount_moved_within_the_root_is_looked_at_on_both_ends)
{
	struct world world;
	if (!own_tree(&world))
		return;
	make_file(at(&world, "r/a/b/below"));
	mount_tmpfs(at(&world, "r/a/b"));
	make_file(at(&world, "r/a/b/f"));
	(void)walks_of_change(&world);
	cr_assert_eq(mount(at(&world, "r/a/b"), at(&world, "r/c"), NULL, MS_MOVE, NULL), 0);
	(void)walks_of_change(&world);
	cr_assert(world_told(&world, at(&world, "r/a/b/below")));
	cr_assert(world_told(&world, at(&world, "r/c/f")));
	world_check_watches(&world, at(&world, "r"));
	world_close(&world);
}

Test(mounts, bind_of_the_root_over_itself_hides_what_was_mounted_below)
{
	struct world world;
	if (!own_tree(&world))
		return;
	make_file(at(&world, "r/a/b/below"));
	mount_tmpfs(at(&world, "r/a/b"));
	(void)walks_of_change(&world);
	bind(at(&world, "r"), at(&world, "r"));
	(void)walks_of_change(&world);
	check_gap_was_closed(&world);
	cr_assert(world_told(&world, at(&world, "r/a/b/below")));
	world_check_watches(&world, at(&world, "r"));
	unmount(at(&world, "r"));
	(void)walks_of_change(&world);
	world_check_watches(&world, at(&world, "r"));
	world_close(&world);
}

Test(mounts, root_bound_into_itself_is_entered_once)
{
	struct world world;
	if (!own_tree(&world))
		return;
	make_file(at(&world, "r/f"));
	world_settle(&world);
	bind(at(&world, "r"), at(&world, "r/c"));
	for (int i = 0; i < 3; i++)
		(void)walks_of_change(&world);
	cr_assert_eq(world_count(&world, WATCHER_WALKED, at(&world, "r/c/f")), 0);
	make_file(at(&world, "r/c/g"));
	world_settle(&world);
	cr_assert(world_find(&world, WATCHER_CLOSED, at(&world, "r/g")));
	unmount(at(&world, "r/c"));
	(void)walks_of_change(&world);
	make_file(at(&world, "r/c/h"));
	world_settle(&world);
	cr_assert(world_told(&world, at(&world, "r/c/h")));
	world_check_watches(&world, at(&world, "r"));
	world_close(&world);
}

Test(mounts, directory_that_another_root_had_is_watched_when_that_one_goes)
{
	struct world world;
	if (!own_mounts())
		return;
	world_open(&world, 0);
	make_dir(at(&world, "r"));
	make_dir(at(&world, "r/d"));
	make_dir(at(&world, "s"));
	make_file(at(&world, "r/d/f"));
	bind(at(&world, "r/d"), at(&world, "s"));
	(void)world_root(&world, at(&world, "s"), WATCHER_AUTO);
	(void)world_root(&world, at(&world, "r"), WATCHER_AUTO);
	cr_assert_eq(watcher_start(world.w), 0);
	world_settle(&world);
	cr_assert(world_told(&world, at(&world, "s/f")));
	cr_assert(!world_told(&world, at(&world, "r/d/f")), "each directory is watched once");
	unmount(at(&world, "s"));
	(void)walks_of_change(&world);
	world_settle(&world);
	cr_assert(world_told(&world, at(&world, "r/d/f")));
	make_file(at(&world, "r/d/g"));
	make_file(at(&world, "s/h"));
	world_settle(&world);
	cr_assert(world_find(&world, WATCHER_CLOSED, at(&world, "r/d/g")));
	cr_assert(world_find(&world, WATCHER_CLOSED, at(&world, "s/h")));
	world_close(&world);
}

Test(mounts, root_through_a_symlink_is_located_where_it_leads)
{
	struct world world;
	if (!own_mounts())
		return;
	world_open(&world, 0);
	make_dir(at(&world, "real"));
	make_dir(at(&world, "real/with space"));
	make_dir(at(&world, "real/with space/m"));
	make_dir(at(&world, "rest"));
	cr_assert_eq(symlink("real/with space", at(&world, "r")), 0);
	(void)world_root(&world, at(&world, "r"), WATCHER_AUTO);
	cr_assert_eq(watcher_start(world.w), 0);
	world_settle(&world);
	mount_tmpfs(at(&world, "rest"));
	cr_assert_eq(walks_of_change(&world), 0);
	mount_tmpfs(at(&world, "real/with space/m"));
	make_file(at(&world, "real/with space/m/f"));
	cr_assert_eq(walks_of_change(&world), 1);
	cr_assert(world_told(&world, at(&world, "r/m/f")));
	/* over what the symlink leads to, and over a directory above that */
	mount_tmpfs(at(&world, "real"));
	(void)walks_of_change(&world);
	cr_assert(!watcher_root_present(world.w, 0));
	cr_assert_eq(gaps_opened(&world), 1);
	unmount(at(&world, "real"));
	(void)walks_of_change(&world);
	cr_assert(watcher_root_present(world.w, 0));
	cr_assert(world_told(&world, at(&world, "r/m/f")));
	world_close(&world);
}

Test(mounts, remount_that_changes_options_only_walks_nothing)
{
	struct world world;
	if (!own_tree(&world))
		return;
	mount_tmpfs(at(&world, "r/c"));
	(void)walks_of_change(&world);
	cr_assert_eq(mount(NULL, at(&world, "r/c"), NULL, MS_REMOUNT | MS_RDONLY, NULL), 0);
	cr_assert_eq(walks_of_change(&world), 0);
	world_close(&world);
}

Test(mounts, file_mounted_alone_is_said_and_looked_at_every_rescan)
{
	struct world world;
	if (!own_tree(&world))
		return;
	make_file(at(&world, "host"));
	make_file(at(&world, "r/c/f"));
	world_settle(&world);
	bind(at(&world, "host"), at(&world, "r/c/f"));
	(void)walks_of_change(&world);
	const struct told *said = world_find(&world, WATCHER_COMPLAINT, at(&world, "r/c/f"));
	cr_assert_not_null(said);
	cr_assert_not_null(strstr(said->text, "single-file bind mount"));
	cr_assert(watcher_needs_retry(world.w));
	world_forget(&world);
	watcher_retry(world.w);
	world_settle(&world);
	cr_assert(world_find(&world, WATCHER_WALKED, at(&world, "r/c/f")));
	cr_assert_eq(world_count(&world, WATCHER_COMPLAINT, NULL), 0);
	unmount(at(&world, "r/c/f"));
	(void)walks_of_change(&world);
	cr_assert(!watcher_needs_retry(world.w));
	world_close(&world);
}

Test(mounts, changes_that_come_too_fast_are_taken_together)
{
	struct world world;
	if (!own_tree(&world))
		return;
	mount_tmpfs(at(&world, "r/c"));
	watcher_mounts_changed(world.w);
	world_settle(&world);
	/* as if the last look had taken long */
	world.w->mounts_due_ns = own_now_ns() + INT64_C(200000000);
	uint64_t ticket = watcher_ticket(world.w);
	make_file(at(&world, "r/c/f"));
	unmount(at(&world, "r/c"));
	make_file(at(&world, "r/c/g"));
	world_forget(&world);
	for (int i = 0; i < 100; i++) {
		watcher_mounts_changed(world.w);
		cr_assert(!watcher_passed(world.w, ticket), "not before mounts were looked at");
	}
	world_settle(&world);
	cr_assert(world_told(&world, at(&world, "r/c/g")));
	cr_assert_leq(gaps_opened(&world), 2); /* its watch says so too */
	world_check_watches(&world, at(&world, "r"));
	world_close(&world);
}

Test(mounts, listing_that_waits_for_its_caller_can_let_go)
{
	struct world world;
	if (!own_mounts())
		return;
	world_open(&world, 0);
	make_dir(at(&world, "r"));
	mount_tmpfs(at(&world, "r"));
	make_dir(at(&world, "r/d"));
	for (int i = 0; i < 3000; i++)
		make_file(at(&world, "r/d/f%d", i));
	(void)world_root(&world, at(&world, "r"), WATCHER_INOTIFY);
	cr_assert_eq(watcher_start(world.w), 0);
	while (world_count(&world, WATCHER_WALKED, NULL) < 100)
		(void)world_step(&world);
	cr_assert_eq(umount(at(&world, "r")), -1);
	cr_assert_eq(errno, EBUSY);
	watcher_let_go(world.w);
	watcher_let_go(world.w);
	/* and all are told when the caller has room again */
	for (int i = 0; i < 200; i++)
		(void)world_step(&world);
	watcher_let_go(world.w);
	world_await(&world, WATCHER_WALKED_ALL, NULL);
	for (int i = 0; i < 3000; i++)
		cr_assert(world_told(&world, at(&world, "r/d/f%d", i)), "%d", i);
	while (world_count(&world, WATCHER_WALKED, NULL) < 100)
		(void)world_step(&world);
	watcher_let_go(world.w);
	unmount(at(&world, "r"));
	watcher_mounts_changed(world.w);
	world_settle(&world);
	world_check_watches(&world, at(&world, "r"));
	world_close(&world);
}

Test(mounts, list_that_cannot_be_read_has_everything_walked)
{
	struct world world;
	world_ready(&world);
	make_dir(at(&world, "r/a"));
	world_settle(&world);
	no_list = true;
	cr_assert_eq(walks_of_change(&world), 2);
	check_gap_was_closed(&world);
	no_list = false;
	cr_assert_eq(walks_of_change(&world), 2, "what it said before is not known");
	cr_assert_eq(walks_of_change(&world), 0);
	world_close(&world);
}

Test(mounts, lines_that_are_damaged_or_in_another_order_do_no_harm)
{
	struct world world;
	char *real_list = NULL;
	size_t size = 0;
	world_ready(&world);
	make_dir(at(&world, "r/a"));
	world_settle(&world);
	FILE *out = open_memstream(&real_list, &size);
	fprintf(out, "1 0 8:1 / / rw - ext4 x rw\n2 1 0:9 / %s rw - tmpfs t rw\nnonsense\n\n",
		at(&world, "r/a"));
	(void)fclose(out);
	fake_list = real_list;
	(void)walks_of_change(&world);
	cr_assert_eq(walks_of_change(&world), 0);
	char *other = NULL;
	out = open_memstream(&other, &size);
	fprintf(out, "2 1 0:9 / %s rw - tmpfs t rw\n\n9\n1 0 8:1 / / rw - ext4 x rw",
		at(&world, "r/a"));
	(void)fclose(out);
	fake_list = other;
	cr_assert_eq(walks_of_change(&world), 0);
	/* a reading that missed a line is made up for by the next */
	other[0] = 'x';
	cr_assert_eq(walks_of_change(&world), 1);
	check_gap_was_closed(&world);
	other[0] = '2';
	cr_assert_eq(walks_of_change(&world), 1);
	world_check_watches(&world, at(&world, "r"));
	fake_list = NULL;
	free(real_list);
	free(other);
	world_close(&world);
}
