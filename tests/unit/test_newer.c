/* newer: what came into the kernel after our tables is missing, tried by number. */
#include <sys/syscall.h>
#include <sys/xattr.h>

#include <fcntl.h>
#include <stdint.h>

#include "core/sandbox/newer.h"
#include "tests/unit/sandbox_fixture.h"

TestSuite(newer, .timeout = 60);

/* The same on all machines that have them. */
#define FCHMODAT2     452
#define SETXATTRAT    463
#define REMOVEXATTRAT 466
#define FILE_SETATTR  469
#define LAST_TRIED    600

static const struct sandbox_policy offline = { .kind = SANDBOX_COMMAND, .read_fd = -1 };
static const struct sandbox_policy online = { .kind = SANDBOX_COMMAND,
					      .network = true,
					      .read_fd = -1 };

/* Arguments that no call accepts: without a filter each has another complaint. */
static int asks_each(const char *path)
{
	(void)path;
	for (long number = SYS_set_mempolicy_home_node + 1; number <= LAST_TRIED; number++) {
		if (syscall(number, -1L, -1L, -1L, -1L, -1L, -1L) >= 0 || errno != ENOSYS)
			return (int)(number - SYS_set_mempolicy_home_node);
	}
	return 0;
}

Test(newer, no_call_after_the_last_known_is_there)
{
	NEEDS(has_seccomp(), "seccomp");
	cr_expect_eq(sandboxed(&offline, asks_each, ""), 0);
	cr_expect_eq(sandboxed(&online, asks_each, ""), 0);
}

/* As setxattrat(2) has it. */
struct attribute {
	uint64_t value;
	uint32_t size, flags;
};

static int changes(const char *path)
{
	const struct attribute attribute = { (uint64_t)(uintptr_t) "x", 1, 0 };
	const uint64_t flags[3] = { 0x40 }; /* struct file_attr: FS_XFLAG_NODUMP */
	const char *name = "user.carved";
	if (syscall(FCHMODAT2, AT_FDCWD, path, 0777, 0) == 0)
		return 1;
	if (syscall(SETXATTRAT, AT_FDCWD, path, 0, name, &attribute, sizeof attribute) == 0)
		return 2;
	if (syscall(REMOVEXATTRAT, AT_FDCWD, path, 0, "user.there") == 0)
		return 3;
	return syscall(FILE_SETATTR, AT_FDCWD, path, flags, sizeof flags, 0) == 0 ? 4 : 0;
}

Test(newer, a_file_keeps_its_mode_attributes_and_flags)
{
	NEEDS(has_seccomp(), "seccomp");
	char path[] = "/tmp/carved-newer-XXXXXX";
	AUTO_CLOSE int fd = mkstemp(path);
	cr_assert_geq(fd, 0);
	(void)fsetxattr(fd, "user.there", "x", 1, 0); /* where there are such */
	cr_expect_eq(sandboxed(&offline, changes, path), 0);
	(void)unlink(path);
}

static int older_calls(const char *path)
{
	(void)path;
	if (newer_missing() < 0)
		return errno;
	return RESULT((int)syscall(SYS_getpid));
}

Test(newer, what_was_there_before_stays)
{
	NEEDS(has_seccomp(), "seccomp");
	cr_expect_eq(sandboxed(&offline, older_calls, ""), 0);
}
