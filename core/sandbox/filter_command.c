/*
 * filter_command: what a command may not do.
 *
 * The list of what is refused is open-ended: programs of others are run, and what they call is not
 * ours to foresee. It holds what would leave the process group, reach another process, the network,
 * the kernel's set-up, or outlive the command; and what Landlock does not govern.
 */
#include <linux/fs.h>
#include <linux/fscrypt.h>
#include <linux/fsverity.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <errno.h>
#include <sched.h>

#include "core/sandbox/filter.h"

#define NAMESPACES                                                                                \
	((uint64_t)(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | \
		    CLONE_NEWPID | CLONE_NEWNET))
#define FAMILY(number) (UINT64_C(1) << (number))

#define REFUSE(call)                            \
	{                                       \
		.name = (call), .answer = EPERM \
	}
#define MISSING(call)                            \
	{                                        \
		.name = (call), .answer = ENOSYS \
	}
#define PRETEND(call)                       \
	{                                   \
		.name = (call), .answer = 0 \
	}
#define REFUSE_IOCTL(request)                                                          \
	{                                                                              \
		.name = "ioctl", .answer = EPERM, .when = FILTER_EQUAL, .argument = 1, \
		.value = (request)                                                     \
	}

/* fs/ext4/ext4.h, which no header for programs holds */
#define EXT4_SETVERSION _IOW('f', 4, long)
#define EXT4_MIGRATE	_IO('f', 9)

static const struct filter_rule command[] = {
	/* to leave the group that is killed at the end */
	REFUSE("setsid"),
	REFUSE("setpgid"),
	/* clone3 has its flags in memory, where no filter sees them; libraries fall back to clone
	 */
	MISSING("clone3"),
	{ .name = "clone", .answer = EPERM, .when = FILTER_ANY_SET, .value = NAMESPACES },
	REFUSE("unshare"),
	REFUSE("setns"),

	/* other processes; limits and priorities of others are named by a number that is not 0 */
	REFUSE("ptrace"),
	REFUSE("process_vm_readv"),
	REFUSE("process_vm_writev"),
	REFUSE("process_madvise"),
	REFUSE("process_mrelease"),
	REFUSE("pidfd_getfd"),
	REFUSE("kcmp"),
	REFUSE("move_pages"),
	REFUSE("migrate_pages"),
	{ .name = "prlimit64", .answer = EPERM, .when = FILTER_UNEQUAL, .value = 0 },
	{ .name = "sched_setaffinity", .answer = EPERM, .when = FILTER_UNEQUAL, .value = 0 },
	{ .name = "sched_setscheduler", .answer = EPERM, .when = FILTER_UNEQUAL, .value = 0 },
	{ .name = "sched_setparam", .answer = EPERM, .when = FILTER_UNEQUAL, .value = 0 },
	{ .name = "sched_setattr", .answer = EPERM, .when = FILTER_UNEQUAL, .value = 0 },
	{ .name = "setpriority",
	  .answer = EPERM,
	  .when = FILTER_UNEQUAL,
	  .argument = 1,
	  .value = 0 },
	{ .name = "ioprio_set",
	  .answer = EPERM,
	  .when = FILTER_UNEQUAL,
	  .argument = 1,
	  .value = 0 },
	{ .name = "kill",
	  .answer = EPERM,
	  .when = FILTER_EQUAL,
	  .value = UINT32_MAX }, /* -1: all */

	/* what would stay behind in the kernel */
	REFUSE("shmget"),
	REFUSE("semget"),
	REFUSE("msgget"),
	REFUSE("mq_open"),
	REFUSE("add_key"),
	REFUSE("request_key"),
	REFUSE("keyctl"),

	/* the kernel's set-up, and doors that were wrong before */
	REFUSE("mount"),
	REFUSE("umount2"),
	REFUSE("umount"),
	REFUSE("pivot_root"),
	REFUSE("chroot"),
	REFUSE("move_mount"),
	REFUSE("open_tree"),
	REFUSE("fsopen"),
	REFUSE("fsconfig"),
	REFUSE("fsmount"),
	REFUSE("fspick"),
	REFUSE("mount_setattr"),
	REFUSE("swapon"),
	REFUSE("swapoff"),
	REFUSE("bpf"),
	REFUSE("perf_event_open"),
	REFUSE("userfaultfd"),
	REFUSE("io_uring_setup"),
	REFUSE("io_uring_enter"),
	REFUSE("io_uring_register"),
	REFUSE("open_by_handle_at"),
	REFUSE("fanotify_init"),
	REFUSE("kexec_load"),
	REFUSE("kexec_file_load"),
	REFUSE("init_module"),
	REFUSE("finit_module"),
	REFUSE("delete_module"),
	REFUSE("reboot"),
	REFUSE("settimeofday"),
	REFUSE("clock_settime"),
	REFUSE("clock_adjtime"),
	REFUSE("adjtimex"),
	REFUSE("sethostname"),
	REFUSE("setdomainname"),
	REFUSE("acct"),
	REFUSE("quotactl"),
	REFUSE("quotactl_fd"),
	REFUSE("syslog"),
	REFUSE("iopl"),
	REFUSE("ioperm"),
	REFUSE("modify_ldt"),
	REFUSE("lookup_dcookie"),
	REFUSE("nfsservctl"),
	REFUSE("vhangup"),
	REFUSE_IOCTL(TIOCSTI),
	REFUSE_IOCTL(TIOCLINUX),

	/* Landlock does not govern mode, owner, times and attributes, and they could be changed of
	 * any file of the same user: the sample, the history. Refused, unpackers that set them on
	 * their own files would fail; so they are told that it is done, as fakeroot(1) tells them.
	 */
	PRETEND("chmod"),
	PRETEND("fchmod"),
	PRETEND("fchmodat"),
	PRETEND("chown"),
	PRETEND("fchown"),
	PRETEND("lchown"),
	PRETEND("fchownat"),
	PRETEND("utime"),
	PRETEND("utimes"),
	PRETEND("futimesat"),
	PRETEND("utimensat"),
	PRETEND("setxattr"),
	PRETEND("lsetxattr"),
	PRETEND("fsetxattr"),
	PRETEND("removexattr"),
	PRETEND("lremovexattr"),
	PRETEND("fremovexattr"),

	/* the same for flags of files, where an owner needs no more than to have opened one for
	 * reading; no unpacker fails over these */
	REFUSE_IOCTL(FS_IOC_SETFLAGS),
	REFUSE_IOCTL(FS_IOC32_SETFLAGS),
	REFUSE_IOCTL(FS_IOC_SETVERSION),
	REFUSE_IOCTL(FS_IOC32_SETVERSION),
	REFUSE_IOCTL(EXT4_SETVERSION),
	REFUSE_IOCTL(EXT4_MIGRATE),
	REFUSE_IOCTL(FS_IOC_FSSETXATTR),
	REFUSE_IOCTL(FS_IOC_ENABLE_VERITY),
	REFUSE_IOCTL(FS_IOC_SET_ENCRYPTION_POLICY),
};

/* Pairs of sockets are how parts of one program talk. A pair of datagram sockets would send to any
 * socket that has a path. */
static const struct filter_rule offline[] = {
	REFUSE("socket"),
	REFUSE("connect"),
	REFUSE("bind"),
	REFUSE("listen"),
	REFUSE("accept"),
	REFUSE("accept4"),
	{ .name = "socketpair", .answer = EPERM, .when = FILTER_UNEQUAL, .value = AF_UNIX },
	{ .name = "socketpair",
	  .answer = EPERM,
	  .when = FILTER_ANY_SET,
	  .argument = 1,
	  .value = SOCK_DGRAM },
};

/* Whatever family is added to the kernel tomorrow is none of these. Netlink is how names are
 * resolved: getaddrinfo(3) asks for the interfaces. */
static const struct filter_rule online[] = {
	{ .name = "socket",
	  .answer = EPERM,
	  .when = FILTER_NOT_AMONG,
	  .value = FAMILY(AF_UNIX) | FAMILY(AF_INET) | FAMILY(AF_INET6) | FAMILY(AF_NETLINK) },
};

#define TABLE(rows)                                                     \
	{                                                               \
		.rules = (rows), .count = sizeof(rows) / sizeof *(rows) \
	}

const struct filter_table filter_command = TABLE(command);
const struct filter_table filter_command_offline = TABLE(offline);
const struct filter_table filter_command_online = TABLE(online);
