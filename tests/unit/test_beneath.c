/* beneath: opening what lies below a directory without ever leaving it. */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/beneath.h"
#include "core/base/str.h"

static char root[64];
static int root_fd = -1;

static void make_file(int at, const char *name, const char *text)
{
	int fd = openat(at, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	cr_assert_geq(fd, 0, "%s", name);
	cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static void setup(void)
{
	(void)snprintf(root, sizeof root, "/tmp/carved-beneath-XXXXXX");
	cr_assert_not_null(mkdtemp(root));
	root_fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	cr_assert_geq(root_fd, 0);
	cr_assert_eq(mkdirat(root_fd, "dir", 0700), 0);
	make_file(root_fd, "file", "root");
	make_file(root_fd, "dir/file", "deep");
	cr_assert_eq(symlinkat("file", root_fd, "link"), 0);
	cr_assert_eq(symlinkat("dir", root_fd, "dirlink"), 0);
	cr_assert_eq(symlinkat("/etc", root_fd, "out"), 0);
	cr_assert_eq(symlinkat("..", root_fd, "dir/up"), 0);
	cr_assert_eq(mkfifoat(root_fd, "fifo", 0600), 0);
}

static void teardown(void)
{
	close(root_fd);
	pid_t child = fork();
	if (child == 0) {
		execlp("rm", "rm", "-rf", "--", root, (char *)NULL);
		_exit(127);
	}
	waitpid(child, NULL, 0);
}

TestSuite(beneath, .init = setup, .fini = teardown);

/* Opens, compares the content if text is given, and returns 0 or -errno. */
static int try_open(const char *relative, int flags, const char *text)
{
	AUTO_CLOSE int fd = beneath_open(root_fd, relative, flags);
	if (fd < 0)
		return fd;
	cr_assert(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	char got[16] = "";
	if (text) {
		cr_assert_eq(read(fd, got, sizeof got - 1), (ssize_t)strlen(text));
		cr_assert_str_eq(got, text);
	}
	return 0;
}

Test(beneath, opens_what_lies_below)
{
	cr_assert_eq(try_open("file", O_RDONLY, "root"), 0);
	cr_assert_eq(try_open("dir/file", O_RDONLY, "deep"), 0);
	cr_assert_eq(try_open("dir//./file", O_RDONLY, "deep"), 0);
	cr_assert_eq(try_open("dir/../file", O_RDONLY, "root"), 0);
	cr_assert_eq(try_open("", O_RDONLY | O_DIRECTORY, NULL), 0);
	cr_assert_eq(try_open("dir", O_RDONLY | O_DIRECTORY, NULL), 0);
}

Test(beneath, never_leaves_and_follows_nothing)
{
	static const struct {
		const char *relative;
		int expected;
	} cases[] = {
		{ "..", -EXDEV },
		{ "../etc/passwd", -EXDEV },
		{ "dir/../../etc", -EXDEV },
		{ "/etc/passwd", -EXDEV },
		{ "/", -EXDEV },
		{ "link", -ELOOP },
		{ "dirlink/file", -ELOOP },
		{ "dirlink/", -ELOOP },
		{ "out/passwd", -ELOOP },
		{ "dir/up/file", -ELOOP },
		{ "dir/up", -ELOOP },
		{ "nothing", -ENOENT },
		{ "file/x", -ENOTDIR },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		cr_assert_eq(try_open(cases[i].relative, O_RDONLY, NULL), cases[i].expected,
			     "%s: %d", cases[i].relative,
			     try_open(cases[i].relative, O_RDONLY, NULL));
}

Test(beneath, follows_no_magic_link)
{
	AUTO_CLOSE int proc = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);
	cr_assert_geq(proc, 0);
	static const char *const names[] = { "root/etc/passwd", "cwd/file", "exe", "fd/0" };
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		cr_assert_eq(beneath_open(proc, names[i], O_RDONLY), -ELOOP, "%s", names[i]);
}

Test(beneath, a_fifo_without_a_writer_does_not_block)
{
	AUTO_CLOSE int fd = beneath_open(root_fd, "fifo", O_RDONLY | O_NONBLOCK);
	cr_assert_geq(fd, 0);
	struct stat st;
	cr_assert_eq(fstat(fd, &st), 0);
	cr_assert(S_ISFIFO(st.st_mode));
}

Test(beneath, a_component_too_long_is_named_too_long)
{
	char name[PATH_MAX + 100];
	memset(name, 'n', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	cr_assert_eq(beneath_open(root_fd, name, O_RDONLY), -ENAMETOOLONG);
	name[300] = '\0';
	cr_assert_eq(beneath_open(root_fd, name, O_RDONLY), -ENAMETOOLONG);
}

/* Makes directories of name_len bytes below root until the path has at least min bytes; gives the
 * path relative to root and the innermost directory. */
static int make_deep(struct str *path, size_t name_len, size_t min)
{
	char name[NAME_MAX + 1];
	memset(name, 'd', name_len);
	name[name_len] = '\0';
	int at = fcntl(root_fd, F_DUPFD_CLOEXEC, 3);
	while (path->len < min) {
		cr_assert_eq(mkdirat(at, name, 0700), 0);
		int next = openat(at, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
		cr_assert_geq(next, 0);
		close(at);
		at = next;
		str_puts(path, name);
		str_putc(path, '/');
	}
	return at;
}

/* Whatever the length of the components, the cut between two pieces falls somewhere else. */
Test(beneath, paths_longer_than_path_max_are_resolved)
{
	static const size_t name_lengths[] = { 1, 2, 3, 15, 199, 254, 255 };
	for (size_t i = 0; i < sizeof name_lengths / sizeof *name_lengths; i++) {
		AUTO_STR path = STR_INIT;
		AUTO_CLOSE int deep = make_deep(&path, name_lengths[i], 2 * PATH_MAX + 10);
		make_file(deep, "file", "deep");
		cr_assert_eq(symlinkat("file", deep, "link"), 0);
		size_t len = path.len;
		str_puts(&path, "file");
		cr_assert_eq(try_open(str_text(&path), O_RDONLY, "deep"), 0);
		path.len = len;
		str_puts(&path, "link");
		cr_assert_eq(try_open(str_text(&path), O_RDONLY, NULL), -ELOOP);
		path.len = len;
		str_puts(&path, "nothing");
		cr_assert_eq(try_open(str_text(&path), O_RDONLY, NULL), -ENOENT);
		path.len = len;
		path.data[len] = '\0';
		cr_assert_eq(try_open(str_text(&path), O_RDONLY | O_DIRECTORY, NULL), 0);
	}
}

/* Every length around the cut, with slashes doubled and with a trailing one. */
Test(beneath, slashes_at_the_cut_do_no_harm)
{
	for (size_t slashes = PATH_MAX - 20; slashes < PATH_MAX + 20; slashes++) {
		AUTO_STR path = STR_INIT;
		str_puts(&path, "dir");
		while (path.len < slashes)
			str_putc(&path, '/');
		cr_assert_eq(try_open(str_text(&path), O_RDONLY | O_DIRECTORY, NULL), 0, "%zu",
			     slashes);
		str_puts(&path, "file");
		cr_assert_eq(try_open(str_text(&path), O_RDONLY, "deep"), 0, "%zu", slashes);
	}
}

/* A symlink that stands just where a long path is cut must not pass as the piece's last component.
 */
Test(beneath, a_symlink_at_the_cut_is_refused)
{
	for (size_t slashes = PATH_MAX - 20; slashes < PATH_MAX + 20; slashes++) {
		AUTO_STR path = STR_INIT;
		while (path.len < slashes)
			str_puts(&path, "./");
		str_puts(&path, "dirlink/");
		for (size_t i = 0; i < 100; i++)
			str_puts(&path, "./");
		str_puts(&path, "file");
		cr_assert_eq(try_open(str_text(&path), O_RDONLY, NULL), -ELOOP, "%zu", slashes);
	}
}

static void hold_lease(int ready, int release)
{
	int fd = openat(root_fd, "file", O_RDWR | O_CLOEXEC);
	signal(SIGIO, SIG_IGN);
	char verdict = fd >= 0 && fcntl(fd, F_SETLEASE, F_WRLCK) == 0 ? 'y' : 'n';
	if (write(ready, &verdict, 1) != 1)
		_exit(1);
	(void)!read(release, &verdict, 1);
	_exit(0);
}

/* Somebody's lease: a non-blocking open is told to come back, and does not hang. */
Test(beneath, a_foreign_lease_is_eagain_with_nonblock)
{
	int ready[2], release[2];
	cr_assert_eq(pipe2(ready, O_CLOEXEC), 0);
	cr_assert_eq(pipe2(release, O_CLOEXEC), 0);
	pid_t holder = fork();
	cr_assert_geq(holder, 0);
	if (holder == 0)
		hold_lease(ready[1], release[0]);
	char verdict = 'n';
	cr_assert_eq(read(ready[0], &verdict, 1), 1);
	if (verdict == 'y') {
		cr_assert_eq(beneath_open(root_fd, "file", O_RDONLY | O_NONBLOCK), -EAGAIN);
		cr_assert_eq(beneath_open(root_fd, "file", O_RDONLY | O_NONBLOCK), -EAGAIN);
	}
	cr_assert_eq(write(release[1], "x", 1), 1);
	cr_assert_eq(waitpid(holder, NULL, 0), holder);
	cr_assert_eq(try_open("file", O_RDONLY | O_NONBLOCK, "root"), 0);
	for (int i = 0; i < 2; i++) {
		close(ready[i]);
		close(release[i]);
	}
	if (verdict != 'y')
		cr_skip_test("file leases do not work here");
}

/* From now on this process gets code from openat2(2), as from a container's seccomp profile. */
static void deny_openat2(int code)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)code),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { .len = sizeof filter / sizeof *filter, .filter = filter };
	cr_assert_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	cr_assert_eq(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

Test(beneath, a_kernel_that_has_openat2_has_nothing_to_mend)
{
	struct error err = { 0 };
	cr_assert_eq(beneath_probe(&err), 0, "%s", err.text);
}

Test(beneath, openat2_that_is_denied_is_told_with_the_mend)
{
	struct error err = { 0 };
	deny_openat2(EPERM);
	cr_assert_eq(beneath_probe(&err), -EPERM);
	cr_assert(strstr(err.text, "seccomp profile"), "%s", err.text);
}

Test(beneath, openat2_that_is_not_known_is_told_alike)
{
	struct error err = { 0 };
	deny_openat2(ENOSYS);
	cr_assert_eq(beneath_probe(&err), -ENOSYS);
	cr_assert(strstr(err.text, "Linux 5.6"), "%s", err.text);
}
