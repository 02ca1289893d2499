/*
 * filter_engine: what a parser loop of ours may do.
 *
 * It was given its sockets and reads the files that come over them; what it maps can be read or
 * written, never executed, so that code that a file smuggles in finds nothing to run it with.
 * Whatever is not named here fails with EPERM.
 */
#include <sys/mman.h>
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>

#include "core/sandbox/filter.h"

#define NAMESPACES                                                                                \
	((uint64_t)(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | \
		    CLONE_NEWPID | CLONE_NEWNET))
/* What opens for writing or makes a file (O_TMPFILE holds O_DIRECTORY, which is harmless alone). */
#define WRITES ((uint64_t)(O_ACCMODE | O_CREAT | O_TRUNC | (O_TMPFILE & ~O_DIRECTORY)))

#define PERMIT(call)                                    \
	{                                               \
		.name = (call), .answer = FILTER_PERMIT \
	}
#define PERMIT_CLEAR(call, number, bits)                                           \
	{                                                                          \
		.name = (call), .answer = FILTER_PERMIT, .when = FILTER_ALL_CLEAR, \
		.argument = (number), .value = (bits)                              \
	}
#define PERMIT_EQUAL(call, number, wanted)                                     \
	{                                                                      \
		.name = (call), .answer = FILTER_PERMIT, .when = FILTER_EQUAL, \
		.argument = (number), .value = (wanted)                        \
	}

static const struct filter_rule engine[] = {
	/* what is open */
	PERMIT("read"),
	PERMIT("readv"),
	PERMIT("pread64"),
	PERMIT("preadv"),
	PERMIT("write"),
	PERMIT("writev"),
	PERMIT("lseek"),
	PERMIT("close"),
	PERMIT("close_range"),
	PERMIT("dup"),
	PERMIT("dup2"),
	PERMIT("dup3"),
	PERMIT("fcntl"),
	PERMIT("fstat"),
	/* fstat(3) of glibc; of a path it tells less than its name does */
	PERMIT("newfstatat"),
	PERMIT("statx"),
	PERMIT("fadvise64"),
	PERMIT("readahead"),

	/* memory */
	PERMIT("brk"),
	PERMIT_CLEAR("mmap", 2, PROT_EXEC),
	PERMIT_CLEAR("mprotect", 2, PROT_EXEC),
	PERMIT("munmap"),
	PERMIT("mremap"),
	PERMIT("madvise"),
	PERMIT("membarrier"),

	/* messages */
	PERMIT("recvmsg"),
	PERMIT("sendmsg"),
	PERMIT("recvfrom"),
	PERMIT_EQUAL("sendto", 4, 0), /* to no address */
	PERMIT("shutdown"),
	PERMIT("getsockopt"),
	PERMIT_EQUAL("socketpair", 1, SOCK_SEQPACKET),
	PERMIT_EQUAL("socketpair", 1, SOCK_SEQPACKET | SOCK_CLOEXEC),
	PERMIT_EQUAL("socketpair", 1, SOCK_STREAM),
	PERMIT_EQUAL("socketpair", 1, SOCK_STREAM | SOCK_CLOEXEC),
	PERMIT("pipe"),
	PERMIT("pipe2"),
	PERMIT("eventfd2"),

	/* waiting */
	PERMIT("poll"),
	PERMIT("ppoll"),
	PERMIT("select"),
	PERMIT("pselect6"),
	PERMIT("epoll_create1"),
	PERMIT("epoll_ctl"),
	PERMIT("epoll_wait"),
	PERMIT("epoll_pwait"),
	PERMIT("futex"),
	PERMIT("sched_yield"),
	PERMIT("nanosleep"),
	PERMIT("clock_nanosleep"),
	PERMIT("restart_syscall"),
	PERMIT("clock_gettime"),
	PERMIT("clock_getres"),
	PERMIT("gettimeofday"),
	PERMIT("time"),
	PERMIT("times"),
	PERMIT("getrusage"),
	PERMIT("timer_create"),
	PERMIT("timer_settime"),
	PERMIT("timer_delete"),
	PERMIT("timerfd_create"),
	PERMIT("timerfd_settime"),
	PERMIT("setitimer"),
	PERMIT("alarm"),

	/* processes: fork(3) and its end; kill reaches children, where Landlock governs signals */
	PERMIT_CLEAR("clone", 0, NAMESPACES),
	{ .name = "clone3", .answer = ENOSYS },
	PERMIT("fork"),
	PERMIT("vfork"),
	PERMIT("wait4"),
	PERMIT("waitid"),
	PERMIT("pidfd_open"),
	PERMIT("pidfd_send_signal"),
	PERMIT("kill"),
	PERMIT("tkill"),
	PERMIT("tgkill"),
	PERMIT("exit"),
	PERMIT("exit_group"),
	PERMIT("prctl"),
	PERMIT("arch_prctl"),
	PERMIT("set_tid_address"),
	PERMIT("set_robust_list"),
	PERMIT("get_robust_list"),
	PERMIT("rseq"),
	PERMIT_EQUAL("prlimit64", 0, 0), /* its own */
	PERMIT("getrlimit"),
	PERMIT("setrlimit"),
	PERMIT("rt_sigaction"),
	PERMIT("rt_sigprocmask"),
	PERMIT("rt_sigreturn"),
	PERMIT("rt_sigtimedwait"),
	PERMIT("rt_sigsuspend"),
	PERMIT("rt_sigpending"),
	PERMIT("sigaltstack"),
	PERMIT("signalfd4"),
	PERMIT("pause"),
	PERMIT("getpid"),
	PERMIT("gettid"),
	PERMIT("getppid"),
	PERMIT("getpgrp"),
	PERMIT("getpgid"),
	PERMIT("getuid"),
	PERMIT("geteuid"),
	PERMIT("getgid"),
	PERMIT("getegid"),
	PERMIT("sched_getaffinity"),
	PERMIT("getcpu"),
	PERMIT("uname"),
	PERMIT("sysinfo"),
	PERMIT("getrandom"),
};

/* With a policy that names files; Landlock says which. */
static const struct filter_rule files[] = {
	PERMIT_CLEAR("open", 1, WRITES),
	PERMIT_CLEAR("openat", 2, WRITES),
	PERMIT("stat"),
	PERMIT("lstat"),
	PERMIT("access"),
	PERMIT("faccessat"),
	PERMIT("faccessat2"),
	PERMIT("getdents64"),
	PERMIT("readlink"),
	PERMIT("readlinkat"),
	PERMIT("getcwd"),
};

#define TABLE(rows)                                                     \
	{                                                               \
		.rules = (rows), .count = sizeof(rows) / sizeof *(rows) \
	}

const struct filter_table filter_engine = TABLE(engine);
const struct filter_table filter_engine_files = TABLE(files);
