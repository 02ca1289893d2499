/* confine: an order made true; what every command may reach, and what no order opens. */
#include <sys/stat.h>

#include <fcntl.h>
#include <stdio.h>

#include "core/launcher/confine.h"
#include "core/launcher/order.h"
#include "tests/unit/sandbox_fixture.h"

static char dir[] = "/tmp/carved-confine-XXXXXX";
static char file[64], inner[64], scratch[64];

static void make_file(const char *path, const char *text)
{
	AUTO_CLOSE int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0700);
	cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

static void setup(void)
{
	cr_assert(mkdtemp(dir));
	(void)snprintf(file, sizeof file, "%s/file", dir);
	(void)snprintf(scratch, sizeof scratch, "%s/scratch", dir);
	(void)snprintf(inner, sizeof inner, "%s/scratch/inner", dir);
	cr_assert_eq(mkdir(scratch, 0700), 0);
	make_file(file, "#!/no/such/interpreter\n");
	make_file(inner, "plain\n");
}

static void teardown(void)
{
	(void)unlink(inner);
	(void)unlink(file);
	(void)rmdir(scratch);
	(void)rmdir(dir);
}

TestSuite(confine, .init = setup, .fini = teardown, .timeout = 60);

static int confined(const struct order *order, attempt_function *attempt, const char *path)
{
	pid_t pid = fork();
	if (pid == 0) {
		struct error err = { 0 };
		_exit(confine(order, &err) < 0 ? NOT_CONFINED : attempt(path));
	}
	int status = 0;
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : KILLED;
}

static int reads(const char *path)
{
	return RESULT(open(path, O_RDONLY | O_CLOEXEC));
}

static int writes(const char *path)
{
	return RESULT(open(path, O_WRONLY | O_CLOEXEC));
}

static int makes_private(const char *path)
{
	struct stat st;
	if (unlink(path) < 0 || open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666) < 0)
		return errno;
	return stat(path, &st) == 0 && (st.st_mode & 0777) == 0600 ? 0 : 1;
}

Test(confine, every_command_has_programs_and_null_devices)
{
	NEEDS(has_landlock(1), "Landlock");
	const struct order order = { .sample = ORDER_NO_SAMPLE };
	cr_expect_eq(confined(&order, reads, "/bin/sh"), 0);
	cr_expect_eq(confined(&order, reads, "/proc/self/status"), 0);
	cr_expect_eq(confined(&order, reads, "/dev/urandom"), 0);
	cr_expect_eq(confined(&order, writes, "/dev/null"), 0);
	cr_expect_eq(confined(&order, reads, "/etc/passwd"), EACCES);
	cr_expect_eq(confined(&order, reads, "/proc/1/status"), EACCES);
	cr_expect_eq(confined(&order, reads, "/etc"), EACCES);
	cr_expect_eq(confined(&order, reads, file), EACCES);
}

Test(confine, an_open_order_forbids_nothing_that_its_user_may)
{
	const struct order order = { .open = true, .memory = UINT64_C(1) << 40 };
	cr_expect_eq(confined(&order, reads, "/etc/passwd"), 0);
	cr_expect_eq(confined(&order, reads, "/proc/1/status"), 0);
	cr_expect_eq(confined(&order, writes, file), 0);
}

Test(confine, names_are_resolved_with_network_only)
{
	NEEDS(has_landlock(1), "Landlock");
	if (access("/etc/hosts", R_OK) < 0)
		cr_skip("no /etc/hosts");
	struct order order = { .sample = ORDER_NO_SAMPLE };
	cr_expect_eq(confined(&order, reads, "/etc/hosts"), EACCES);
	order.network = true;
	cr_expect_eq(confined(&order, reads, "/etc/hosts"), 0);
}

Test(confine, a_directory_among_the_files_opens_nothing)
{
	NEEDS(has_landlock(1), "Landlock");
	const char *files[] = { dir, NULL };
	struct order order = { .files = files, .file_count = 1 };
	cr_expect_eq(confined(&order, reads, file), EACCES);
	order = (struct order){ .trees = files, .tree_count = 1 };
	cr_expect_eq(confined(&order, reads, file), 0);
	cr_expect_eq(confined(&order, writes, file), EACCES);
	files[0] = file;
	order = (struct order){ .files = files, .file_count = 1 };
	cr_expect_eq(confined(&order, reads, file), 0);
	cr_expect_eq(confined(&order, reads, inner), EACCES);
}

Test(confine, the_scratch_directory_is_written_privately)
{
	const struct order order = { .scratch = scratch };
	cr_expect_eq(confined(&order, makes_private, inner), 0);
}

/* Descriptor 4 as the launcher has it. */
static int sample_after(const char *path)
{
	bool kept = fcntl(ORDER_SAMPLE_FD, F_GETFD) >= 0;
	int result = reads(path);
	return result ? result : kept ? 0 : 200;
}

Test(confine, the_sample_is_read_by_its_path_and_kept_when_wanted)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	cr_assert_geq(dup3(fd, ORDER_SAMPLE_FD, O_CLOEXEC), 0);
	struct order order = { .sample = ORDER_KEEP_SAMPLE };
	cr_expect_eq(confined(&order, sample_after, file), 0);
	order.sample = ORDER_HIDE_SAMPLE;
	cr_expect_eq(confined(&order, sample_after, file), 200);
}

static void expect_words(const char *program, int code, const char *words)
{
	char *const argv[] = { (char *)"x", NULL };
	const struct order order = { .program = program, .argv = argv };
	struct error err = { 0 };
	cr_expect_eq(confine_run(&order, &err), -code);
	cr_expect(strstr(err.text, program) && strstr(err.text, words), "%s", err.text);
}

Test(confine, a_program_that_cannot_be_run_is_told_with_what_to_mend)
{
	expect_words("/no/such/program", ENOENT, "No such file");
	expect_words(file, ENOENT, "interpreter");
	expect_words(inner, ENOEXEC, "#!INTERPRETER");
	expect_words(dir, EACCES, "\"read\"");
}
