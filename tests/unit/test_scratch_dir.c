/* scratch_dir: directories that are private, and go whatever was put into them. */
#include <sys/mount.h>

#include <criterion/criterion.h>
#include <errno.h>
#include <sched.h>

#include "core/detect/scratch_dir.h"
#include "tests/unit/detect_fixture.h"

static struct fixture fixture;
static char *place;

static void setup(void)
{
	fixture_init(&fixture, "sample");
	AUTO_FREE char *history = fixture_path(&fixture, "history.db");
	place = scratch_dir_place(history);
}

static void teardown(void)
{
	free(place);
	fixture_done(&fixture);
}

TestSuite(scratch_dir, .init = setup, .fini = teardown, .timeout = 120);

static char *made(void)
{
	char *path = NULL;
	struct error err = { 0 };
	cr_assert_eq(scratch_dir_make(place, &path, &err), 0, "%s", err.text);
	return path;
}

static void removed(const char *path)
{
	struct error err = { 0 };
	cr_assert_eq(scratch_dir_remove(path, &err), 0, "%s", err.text);
	cr_assert_lt(access(path, F_OK), 0);
}

Test(scratch_dir, each_is_private_and_has_a_name_of_its_own)
{
	AUTO_FREE char *one = made();
	AUTO_FREE char *two = made();
	cr_assert_str_neq(one, two);
	struct stat st;
	cr_assert_eq(stat(one, &st), 0);
	cr_assert_eq(st.st_mode & 0777, 0700);
	cr_assert_eq(stat(place, &st), 0);
	cr_assert_eq(st.st_mode & 0777, 0700);
	removed(one);
	cr_assert_eq(access(two, F_OK), 0);
	removed(two);
}

Test(scratch_dir, without_a_history_each_is_made_in_tmpdir)
{
	struct error err = { 0 };
	char *path = NULL;
	char *none = scratch_dir_place(NULL);
	cr_assert_null(none);
	cr_assert_eq(setenv("TMPDIR", fixture.dir, 1), 0);
	cr_assert_eq(scratch_dir_make(none, &path, &err), 0, "%s", err.text);
	AUTO_FREE char *real = realpath(fixture.dir, NULL);
	cr_expect(strncmp(path, real, strlen(real)) == 0 && path[strlen(real)] == '/', "%s", path);
	struct stat st;
	cr_assert_eq(stat(path, &st), 0);
	cr_expect_eq(st.st_mode & 0777, 0700);
	removed(path);
	scratch_dir_leave(none);
	free(path);
	cr_assert_eq(setenv("TMPDIR", "/nonexistent", 1), 0);
	cr_expect_eq(scratch_dir_make(none, &path, &err), -ENOENT);
	cr_expect(strstr(err.text, "set TMPDIR"), "%s", err.text);
}

/* A file system with two inodes: its root, and the place. */
Test(scratch_dir, where_the_history_s_disk_is_full_each_is_made_in_tmpdir)
{
	if (getuid() != 0 || unshare(CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
		cr_skip_test("needs root, and a root directory that is a mount point");
	AUTO_FREE char *disk = fixture_path(&fixture, "disk");
	AUTO_FREE char *history = fixture_path(&fixture, "disk/history.db");
	cr_assert(mkdir(disk, 0700) == 0 && mount("tmpfs", disk, "tmpfs", 0, "nr_inodes=2") == 0);
	free(place);
	place = scratch_dir_place(history);
	cr_assert(setenv("TMPDIR", fixture.dir, 1) == 0);
	AUTO_FREE char *path = made();
	AUTO_FREE char *real = realpath(fixture.dir, NULL);
	cr_expect(strncmp(path, real, strlen(real)) == 0, "%s", path);
	cr_expect_null(strstr(path, "/disk/"), "%s", path);
	removed(path);
	cr_assert_eq(setenv("TMPDIR", "/nonexistent", 1), 0);
	char *none = NULL;
	struct error err = { 0 };
	cr_expect_eq(scratch_dir_make(place, &none, &err), -ENOSPC);
	cr_expect_not_null(strstr(err.text, place), "%s", err.text);
	cr_assert(umount2(disk, MNT_DETACH) == 0);
}

Test(scratch_dir, a_place_that_others_may_write_to_is_refused)
{
	char *path = NULL;
	struct error err = { 0 };
	cr_assert_eq(mkdir(place, 0700), 0);
	cr_assert_eq(chmod(place, 0770), 0);
	cr_assert_eq(scratch_dir_make(place, &path, &err), -EPERM);
	cr_assert(strstr(err.text, place) && strstr(err.text, "0700"), "%s", err.text);
	cr_assert_eq(rmdir(place), 0);
	cr_assert_eq(symlink(fixture.dir, place), 0);
	cr_assert_eq(scratch_dir_make(place, &path, &err), -EPERM);
}

Test(scratch_dir, a_place_is_left_only_when_it_is_empty)
{
	AUTO_FREE char *one = made();
	scratch_dir_leave(place);
	cr_assert_eq(access(one, F_OK), 0);
	removed(one);
	scratch_dir_leave(place);
	cr_assert_lt(access(place, F_OK), 0);
}

Test(scratch_dir, its_path_is_absolute)
{
	cr_assert_eq(chdir(fixture.dir), 0);
	char *path = NULL;
	cr_assert_eq(scratch_dir_make("here.scratch", &path, NULL), 0);
	cr_assert_eq(path[0], '/');
	removed(path);
	free(path);
}

Test(scratch_dir, nothing_in_it_is_followed_and_everything_goes)
{
	AUTO_FREE char *path = made();
	AUTO_FREE char *kept = fixture_path(&fixture, "kept");
	fixture_write(kept, "kept");
	cr_assert_eq(chdir(path), 0);
	cr_assert_eq(symlink(fixture.dir, "directory"), 0);
	cr_assert_eq(symlink("nowhere", "dangling"), 0);
	cr_assert_eq(mkfifo("fifo", 0), 0);
	fixture_write(".0", "a name that is used for moving");
	cr_assert_eq(mkdir(".1", 0700), 0);
	fixture_write(".1/inner", "x");
	cr_assert_eq(mkdir("closed", 0700), 0);
	cr_assert_eq(mkdir("closed/inner", 0700), 0);
	fixture_write("closed/inner/file", "x");
	cr_assert_eq(chmod("closed/inner", 0), 0);
	cr_assert_eq(chmod("closed", 0), 0);
	cr_assert_eq(chdir("/"), 0);
	removed(path);
	cr_assert_eq(access(kept, F_OK), 0);
	cr_assert_eq(access(fixture.path, F_OK), 0);
}

Test(scratch_dir, no_depth_is_too_much)
{
	AUTO_FREE char *path = made();
	cr_assert_eq(chdir(path), 0);
	for (int i = 0; i < 3000; i++) {
		cr_assert_eq(mkdir("d", 0700), 0);
		fixture_write("f", "x");
		cr_assert_eq(chdir("d"), 0);
	}
	cr_assert_eq(chdir("/"), 0);
	removed(path);
}

Test(scratch_dir, what_is_gone_is_removed_and_what_cannot_be_is_told)
{
	struct error err = { 0 };
	AUTO_FREE char *path = made();
	removed(path);
	cr_assert_eq(scratch_dir_remove(path, &err), 0);
	cr_assert_lt(scratch_dir_remove("/proc/self", &err), 0);
	cr_assert(strstr(err.text, "/proc/self"), "%s", err.text);
}

Test(scratch_dir, the_place_goes_with_all_that_a_killed_daemon_left)
{
	AUTO_FREE char *one = made();
	AUTO_FREE char *two = made();
	AUTO_STR inner = STR_INIT;
	str_printf(&inner, "%s/file", two);
	fixture_write(str_text(&inner), "x");
	removed(place);
	cr_assert_lt(access(one, F_OK), 0);
}
