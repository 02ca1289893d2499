/* landlock: see landlock.h. The numbers are those of linux/landlock.h of Linux 6.12. */
#include "core/sandbox/landlock.h"

#include <sys/stat.h>
#include <sys/syscall.h>

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/mem.h"
#include "core/sandbox/sandbox.h"

/* struct landlock_ruleset_attr; older kernels take it while what they do not know is 0. */
struct ruleset {
	uint64_t files;
	uint64_t net;
	uint64_t scoped;
};

/* struct landlock_path_beneath_attr */
struct rule {
	uint64_t access;
	int32_t parent_fd;
} __attribute__((packed));

enum {
	CREATE_VERSION = 1, /* LANDLOCK_CREATE_RULESET_VERSION */
	PATH_BENEATH = 1,   /* LANDLOCK_RULE_PATH_BENEATH */
};

/* LANDLOCK_ACCESS_FS_* */
enum {
	EXECUTE = 1 << 0,
	WRITE_FILE = 1 << 1,
	READ_FILE = 1 << 2,
	READ_DIR = 1 << 3,
	FIRST_VERSION = (1 << 13) - 1, /* with those that make and remove names */
	REFER = 1 << 13,	       /* version 2 */
	TRUNCATE = 1 << 14,	       /* 3 */
	IOCTL_DEV = 1 << 15,	       /* 5 */
	MAKE_CHAR = 1 << 6,
	MAKE_BLOCK = 1 << 11,
	OF_A_FILE = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV,
	/* Of what lies in the scratch directory nothing is run: it may come out of the sample. */
	NOT_IN_SCRATCH = EXECUTE | MAKE_CHAR | MAKE_BLOCK | IOCTL_DEV,
	ALL_NET = 3,		   /* BIND_TCP, CONNECT_TCP: 4 */
	SCOPE_ABSTRACT_SOCKET = 1, /* 6 */
	SCOPE_SIGNAL = 2,	   /* 6 */
};

int landlock_version(void)
{
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0, CREATE_VERSION);
	return version < 0 ? -errno : (int)version;
}

static uint64_t known_rights(int version)
{
	uint64_t rights = FIRST_VERSION;
	if (version >= 2)
		rights |= REFER;
	if (version >= LANDLOCK_TRUNCATES)
		rights |= TRUNCATE;
	if (version >= 5)
		rights |= IOCTL_DEV;
	return rights;
}

static struct ruleset handled(const struct sandbox_policy *policy, int version)
{
	struct ruleset rules = { .files = known_rights(version) };
	if (version >= LANDLOCK_TCP && !policy->network)
		rules.net = ALL_NET;
	if (version >= LANDLOCK_SIGNALS)
		rules.scoped = SCOPE_SIGNAL | (policy->network ? 0 : SCOPE_ABSTRACT_SOCKET);
	return rules;
}

static int permit_fd(int ruleset, int fd, uint64_t rights, const char *name, struct error *err)
{
	struct stat st;
	if (fstat(fd, &st) < 0)
		return error_set(err, errno, "Landlock: %s: %s", name, error_text(errno));
	if (!S_ISDIR(st.st_mode))
		rights &= OF_A_FILE;
	const struct rule rule = { .access = rights, .parent_fd = fd };
	if (syscall(SYS_landlock_add_rule, ruleset, PATH_BENEATH, &rule, 0) == 0)
		return 0;
	if (errno == EBADFD) /* a pipe or a socket lies on no file system and needs no permission */
		return 0;
	return error_set(err, errno, "Landlock: a rule for %s: %s", name, error_text(errno));
}

/* What cannot be found or reached needs no permission. */
static int permit(int ruleset, const char *path, uint64_t rights, struct error *err)
{
	AUTO_CLOSE int fd = open(path, O_PATH | O_CLOEXEC);
	if (fd >= 0)
		return permit_fd(ruleset, fd, rights, path, err);
	if (errno == ENOENT || errno == ENOTDIR || errno == EACCES || errno == ELOOP)
		return 0;
	return error_set(err, errno, "Landlock: %s: %s", path, error_text(errno));
}

static int permit_list(int ruleset, const char *const *paths, uint64_t rights, struct error *err)
{
	int result = 0;
	for (; paths && *paths && result == 0; paths++)
		result = permit(ruleset, *paths, rights, err);
	return result;
}

static int add_rules(int ruleset, const struct sandbox_policy *policy, uint64_t known,
		     struct error *err)
{
	int result = permit_list(ruleset, policy->read, READ_FILE | READ_DIR, err);
	if (result == 0)
		result = permit_list(ruleset, policy->run, EXECUTE | READ_FILE | READ_DIR, err);
	if (result == 0)
		result = permit_list(ruleset, policy->write,
				     known & (READ_FILE | WRITE_FILE | TRUNCATE), err);
	if (result == 0 && policy->scratch)
		result = permit(ruleset, policy->scratch, known & ~(uint64_t)NOT_IN_SCRATCH, err);
	if (result == 0 && policy->read_fd >= 0)
		result = permit_fd(ruleset, policy->read_fd, READ_FILE, "the open file", err);
	return result;
}

int landlock_confine(const struct sandbox_policy *policy, int version, struct error *err)
{
	const struct ruleset attr = handled(policy, version);
	AUTO_CLOSE int ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof attr, 0);
	if (ruleset < 0)
		return error_set(err, errno, "landlock_create_ruleset: %s", error_text(errno));
	int result = add_rules(ruleset, policy, attr.files, err);
	if (result < 0)
		return result;
	if (syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
		return error_set(err, errno, "landlock_restrict_self: %s", error_text(errno));
	return 0;
}
