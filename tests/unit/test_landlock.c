/* landlock: what a list names can be read, run or written, and nothing else. */
#include <sys/stat.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>

#include "core/sandbox/landlock.h"
#include "tests/unit/sandbox_fixture.h"

static char dir[] = "/tmp/carved-landlock-XXXXXX";

static char *below(const char *name)
{
	AUTO_STR path = STR_INIT;
	str_printf(&path, "%s/%s", dir, name);
	return str_take(&path);
}

static void make_file(const char *name, mode_t mode)
{
	AUTO_FREE char *path = below(name);
	AUTO_CLOSE int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, "#!/bin/true\n", 12), 12);
}

static void setup(void)
{
	cr_assert(mkdtemp(dir));
	static const char *const names[] = { "room", "room/inner", "scratch" };
	for (size_t i = 0; i < 3; i++) {
		AUTO_FREE char *path = below(names[i]);
		cr_assert_eq(mkdir(path, 0700), 0);
	}
	make_file("secret", 0600);
	make_file("room/file", 0700);
	make_file("room/inner/deep", 0600);
	make_file("room/other", 0600);
}

static void teardown(void)
{
	static const char *const names[] = { "room/inner/deep", "room/inner", "room/file",
					     "room/other",	"room",	      "scratch/new",
					     "scratch/dir",	"scratch",    "secret" };
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		AUTO_FREE char *path = below(names[i]);
		(void)remove(path);
	}
	(void)rmdir(dir);
}

TestSuite(landlock, .init = setup, .fini = teardown, .timeout = 60);

static int reads(const char *path)
{
	char byte;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? errno : RESULT(read(fd, &byte, 1));
}

static int lists(const char *path)
{
	return RESULT(open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

static int writes(const char *path)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	return fd < 0 ? errno : RESULT(write(fd, "x", 1));
}

static int makes(const char *path)
{
	return RESULT(open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
}

static int removes(const char *path)
{
	return RESULT(unlink(path));
}

static int truncates(const char *path)
{
	return RESULT(truncate(path, 0));
}

static int may_run(const char *path)
{
	char *const argv[] = { "file", NULL };
	return RESULT(execve(path, argv, argv + 1));
}

struct row {
	attempt_function *attempt;
	const char *name;
	int result;
};

static void try_all(const struct sandbox_policy *policy, const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		AUTO_FREE char *path = below(rows[i].name);
		cr_expect_eq(sandboxed(policy, rows[i].attempt, path), rows[i].result,
			     "row %zu, %s: expected %s", i, rows[i].name, strerror(rows[i].result));
	}
}

Test(landlock, a_directory_in_the_list_is_read_and_nothing_beside_it)
{
	NEEDS(has_landlock(LANDLOCK_TRUNCATES), "Landlock of version 3");
	AUTO_FREE char *room = below("room");
	const char *const list[] = { room, "/nowhere/at/all", NULL };
	const struct sandbox_policy policy = { .read = list, .read_fd = -1 };
	static const struct row rows[] = {
		{ reads, "room/file", 0 },	     { reads, "room/inner/deep", 0 },
		{ lists, "room/inner", 0 },	     { reads, "secret", EACCES },
		{ reads, "room/../secret", EACCES }, { lists, "", EACCES },
		{ writes, "room/file", EACCES },     { truncates, "room/file", EACCES },
		{ removes, "room/file", EACCES },    { makes, "room/new", EACCES },
		{ may_run, "room/file", EACCES },
	};
	try_all(&policy, rows, sizeof rows / sizeof *rows);
}

Test(landlock, a_file_in_the_list_stands_for_itself_alone)
{
	NEEDS(has_landlock(1), "Landlock");
	AUTO_FREE char *file = below("room/file");
	const char *const list[] = { file, NULL };
	const struct sandbox_policy policy = { .read = list, .read_fd = -1 };
	static const struct row rows[] = {
		{ reads, "room/file", 0 },
		{ reads, "room/other", EACCES },
		{ lists, "room", EACCES },
	};
	try_all(&policy, rows, sizeof rows / sizeof *rows);
}

Test(landlock, an_open_file_may_be_opened_by_its_path)
{
	NEEDS(has_landlock(1), "Landlock");
	AUTO_FREE char *file = below("room/file");
	AUTO_CLOSE int fd = open(file, O_RDONLY | O_CLOEXEC);
	const struct sandbox_policy policy = { .read_fd = fd };
	static const struct row rows[] = {
		{ reads, "room/file", 0 },
		{ reads, "room/other", EACCES },
		{ may_run, "room/file", EACCES },
	};
	try_all(&policy, rows, sizeof rows / sizeof *rows);
	/* what takes its name afterwards is another file */
	AUTO_FREE char *other = below("room/other");
	cr_assert_eq(rename(other, file), 0);
	cr_assert_eq(sandboxed(&policy, reads, file), EACCES);
}

Test(landlock, only_the_run_list_is_executed)
{
	NEEDS(has_landlock(1), "Landlock");
	AUTO_FREE char *room = below("room");
	const char *const list[] = { room, "/usr", "/lib", "/lib64", "/bin", NULL };
	const struct sandbox_policy policy = { .run = list, .read_fd = -1 };
	static const struct row rows[] = {
		{ may_run, "room/file", 0 },
		{ makes, "room/new", EACCES },
	};
	try_all(&policy, rows, sizeof rows / sizeof *rows);
}

Test(landlock, in_the_scratch_directory_everything_but_running_is_permitted)
{
	NEEDS(has_landlock(1), "Landlock");
	AUTO_FREE char *scratch = below("scratch");
	const struct sandbox_policy policy = { .scratch = scratch, .read_fd = -1 };
	static const struct row rows[] = {
		{ makes, "scratch/new", 0 },   { writes, "scratch/new", 0 },
		{ reads, "scratch/new", 0 },   { truncates, "scratch/new", 0 },
		{ lists, "scratch", 0 },       { may_run, "scratch/new", EACCES },
		{ removes, "scratch/new", 0 }, { makes, "new", EACCES },
	};
	try_all(&policy, rows, sizeof rows / sizeof *rows);
}

static int shuts_up(const char *path)
{
	int result = writes(path);
	return result ? result : makes("/dev/carved-new");
}

Test(landlock, a_device_is_written_but_no_name_is_made_beside_it)
{
	NEEDS(has_landlock(1), "Landlock");
	const char *const list[] = { "/dev/null", NULL };
	const struct sandbox_policy policy = { .write = list, .read_fd = -1 };
	cr_assert_eq(sandboxed(&policy, writes, "/dev/null"), 0);
	cr_assert_eq(sandboxed(&policy, shuts_up, "/dev/null"), EACCES);
}

static int signals_parent(const char *path)
{
	(void)path;
	return RESULT(kill(getppid(), 0));
}

Test(landlock, nobody_outside_is_signalled)
{
	NEEDS(has_landlock(LANDLOCK_SIGNALS), "Landlock of version 6");
	const struct sandbox_policy policy = { .read_fd = -1 };
	cr_assert_eq(sandboxed(&policy, signals_parent, ""), EPERM);
}

Test(landlock, says_its_version_or_why_there_is_none)
{
	int version = landlock_version();
	cr_assert(version > 0 || version == -ENOSYS || version == -EOPNOTSUPP);
}
