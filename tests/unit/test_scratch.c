/* scratch: files of our own, and whose they are. */
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <criterion/criterion.h>
#include <errno.h>

#include "core/detect/scratch.h"
#include "tests/unit/detect_fixture.h"

static struct fixture fixture;
static char *path, *new;

static void setup(void)
{
	fixture_init(&fixture, "sample");
	path = fixture_path(&fixture, "file");
	new = fixture_path(&fixture, "file.new");
}

static void teardown(void)
{
	free(path);
	free(new);
	fixture_done(&fixture);
}

TestSuite(scratch, .init = setup, .fini = teardown);

Test(scratch, unnamed_files_leave_no_name)
{
	struct error err = { 0 };
	int fd = scratch_unnamed(fixture.dir, &err);
	cr_assert_geq(fd, 0, "%s", err.text);
	char text[6];
	cr_assert_eq(scratch_write(fd, "hello", 6, 10), 0);
	cr_assert_eq(scratch_read(fd, text, 6, 10), 0);
	cr_assert_str_eq(text, "hello");
	cr_assert_eq(scratch_read(fd, text, 6, 11), -ENODATA);
	(void)close(fd);
	cr_assert_eq(rmdir(fixture.dir), -1);
	(void)unlink(fixture.path);
	cr_assert_eq(rmdir(fixture.dir), 0, "something is left");
}

Test(scratch, elsewhere_when_the_directory_will_not_have_it)
{
	struct error err = { 0 };
	(void)setenv("TMPDIR", fixture.dir, 1);
	int fd = scratch_unnamed("/proc", &err);
	cr_assert_geq(fd, 0, "%s", err.text);
	struct stat st, dir;
	cr_assert_eq(fstat(fd, &st), 0);
	cr_assert_eq(stat(fixture.dir, &dir), 0);
	cr_assert_eq(st.st_dev, dir.st_dev);
	(void)close(fd);
}

Test(scratch, gets_its_name_when_it_is_complete)
{
	int fd = scratch_begin(path);
	cr_assert_geq(fd, 0);
	cr_assert_not(fixture_has(&fixture, "file"));
	cr_assert_eq(scratch_write(fd, "x", 1, 0), 0);
	cr_assert_eq(scratch_begin(path), -EWOULDBLOCK);
	cr_assert_eq(scratch_name(path), 0);
	cr_assert_not(fixture_has(&fixture, "file.new"));
	/* the next one does not touch it, though its maker has it open */
	int next = scratch_begin(path);
	cr_assert_geq(next, 0);
	char c;
	int again = scratch_open(path);
	cr_assert_geq(again, 0);
	cr_assert_eq(scratch_read(again, &c, 1, 0), 0);
	(void)close(again);
	(void)close(next);
	(void)close(fd);
}

Test(scratch, takes_what_a_dead_process_left_and_empties_it)
{
	fixture_write(new, "half of something");
	cr_assert_eq(chmod(new, 0600), 0);
	int fd = scratch_begin(path);
	cr_assert_geq(fd, 0);
	struct stat st;
	cr_assert_eq(fstat(fd, &st), 0);
	cr_assert_eq(st.st_size, 0);
	(void)close(fd);
}

Test(scratch, does_not_trust_what_others_may_touch)
{
	fixture_write(path, "x");
	cr_assert_eq(chmod(path, 0600), 0);
	int fd = scratch_open(path);
	cr_assert_geq(fd, 0);
	(void)close(fd);
	cr_assert_eq(chmod(path, 0640), 0);
	cr_assert_eq(scratch_open(path), -EPERM);
	cr_assert_eq(chmod(path, 0602), 0);
	cr_assert_eq(scratch_open(path), -EPERM);
	cr_assert_eq(chmod(path, 0600), 0);
	cr_assert_eq(link(path, new), 0);
	cr_assert_eq(scratch_open(path), -EPERM);
	cr_assert_eq(scratch_begin(path), -EPERM, "another's file would be emptied");
	cr_assert_eq(unlink(path), 0);
	cr_assert_eq(symlink("file.new", path), 0);
	cr_assert_eq(scratch_open(path), -ELOOP);
	cr_assert_eq(unlink(path), 0);
	cr_assert_eq(mkfifo(path, 0600), 0);
	cr_assert_eq(scratch_open(path), -EPERM);
	cr_assert_eq(scratch_begin("/nonexistent/x"), -ENOENT);
}

Test(scratch, does_not_trust_what_belongs_to_somebody_else)
{
	if (geteuid() != 0)
		cr_skip_test("needs root");
	fixture_write(path, "x");
	cr_assert_eq(chmod(path, 0600), 0);
	cr_assert_eq(chown(path, 65534, 65534), 0);
	cr_assert_eq(scratch_open(path), -EPERM);
}
