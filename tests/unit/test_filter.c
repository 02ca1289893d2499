/* filter: system calls that are refused, pretended, missing and permitted, by kind of policy. */
#include <linux/fs.h>
#include <linux/fsverity.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include <fcntl.h>
#include <sched.h>
#include <signal.h>

#include "core/sandbox/filter.h"
#include "tests/unit/sandbox_fixture.h"

TestSuite(filter, .timeout = 60);

static const struct sandbox_policy offline = { .kind = SANDBOX_COMMAND, .read_fd = -1 };
static const struct sandbox_policy online = { .kind = SANDBOX_COMMAND,
					      .network = true,
					      .read_fd = -1 };
static const struct sandbox_policy engine = { .kind = SANDBOX_ENGINE, .read_fd = -1 };

#define ATTEMPT(name, call)               \
	static int name(const char *path) \
	{                                 \
		(void)path;               \
		return RESULT(call);      \
	}

static int pair[2];

ATTEMPT(new_session, setsid())
ATTEMPT(new_group, setpgid(0, 0))
ATTEMPT(new_namespace, unshare(CLONE_NEWUSER))
ATTEMPT(clone_namespace, (int)syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, 0))
ATTEMPT(clone_three, (int)syscall(SYS_clone3, NULL, 0))
ATTEMPT(inet, socket(AF_INET, SOCK_STREAM, 0))
ATTEMPT(inet_six, socket(AF_INET6, SOCK_DGRAM, 0))
ATTEMPT(local, socket(AF_UNIX, SOCK_STREAM, 0))
ATTEMPT(netlink, socket(AF_NETLINK, SOCK_RAW, 0))
ATTEMPT(packet, socket(AF_PACKET, SOCK_RAW, 0))
ATTEMPT(vsock, socket(AF_VSOCK, SOCK_STREAM, 0))
ATTEMPT(far_family, socket(1 << 20, SOCK_STREAM, 0))
ATTEMPT(stream_pair, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
ATTEMPT(datagram_pair, socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair))
ATTEMPT(trace, (int)syscall(SYS_ptrace, 0, 0, 0, 0))
ATTEMPT(shared_memory, shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0600))
ATTEMPT(everybody, kill(-1, 0))
ATTEMPT(type_ahead, ioctl(STDERR_FILENO, TIOCSTI, "x"))
ATTEMPT(rings, (int)syscall(SYS_io_uring_setup, 1, NULL))
ATTEMPT(executes, execl("/bin/true", "true", NULL))
ATTEMPT(opens, open("/dev/null", O_RDONLY | O_CLOEXEC))
ATTEMPT(opens_to_write, open("/dev/null", O_WRONLY | O_CLOEXEC))
ATTEMPT(own_limit, setrlimit(RLIMIT_CORE, &(struct rlimit){ 0 }))
ATTEMPT(other_limit, prlimit(getppid(), RLIMIT_CORE, NULL, &(struct rlimit){ 0 }))
ATTEMPT(own_affinity, sched_setaffinity(0, sizeof(cpu_set_t), &(cpu_set_t){ .__bits = { 1 } }))
ATTEMPT(other_affinity,
	sched_setaffinity(getppid(), sizeof(cpu_set_t), &(cpu_set_t){ .__bits = { 1 } }))

static int maps(int protection)
{
	void *at = mmap(NULL, 4096, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return at == MAP_FAILED ? errno : 0;
}

static int maps_data(const char *path)
{
	(void)path;
	return maps(PROT_READ | PROT_WRITE);
}

static int maps_code(const char *path)
{
	(void)path;
	return maps(PROT_READ | PROT_EXEC);
}

static int forks(const char *path)
{
	(void)path;
	pid_t pid = fork();
	if (pid == 0)
		_exit(0);
	return pid < 0 ? errno : RESULT(waitpid(pid, NULL, 0));
}

static int sends(const char *path)
{
	(void)path;
	char byte = 'x';
	struct iovec part = { &byte, 1 };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
	if (sendmsg(pair[0], &message, 0) != 1 || recvmsg(pair[1], &message, 0) != 1)
		return errno;
	return 0;
}

struct row {
	const struct sandbox_policy *policy;
	attempt_function *attempt;
	const char *name;
	int result;
};

#define ROW(policy, attempt, result)                             \
	{                                                        \
		&(policy), attempt, #policy " " #attempt, result \
	}

static void try_all(const struct row *rows, size_t count)
{
	NEEDS(has_seccomp(), "seccomp");
	for (size_t i = 0; i < count; i++)
		cr_expect_eq(sandboxed(rows[i].policy, rows[i].attempt, ""), rows[i].result,
			     "%s: expected %d", rows[i].name, rows[i].result);
}

Test(filter, a_command_stays_in_its_group_and_out_of_the_kernel)
{
	static const struct row rows[] = {
		ROW(offline, new_session, EPERM),     ROW(offline, new_group, EPERM),
		ROW(online, new_group, EPERM),	      ROW(offline, new_namespace, EPERM),
		ROW(offline, clone_namespace, EPERM), ROW(offline, clone_three, ENOSYS),
		ROW(offline, trace, EPERM),	      ROW(offline, shared_memory, EPERM),
		ROW(offline, everybody, EPERM),	      ROW(offline, type_ahead, EPERM),
		ROW(offline, rings, EPERM),	      ROW(offline, other_limit, EPERM),
		ROW(offline, other_affinity, EPERM),
	};
	try_all(rows, sizeof rows / sizeof *rows);
}

Test(filter, a_command_forks_maps_and_limits_itself_as_it_likes)
{
	static const struct row rows[] = {
		ROW(offline, forks, 0),	      ROW(offline, maps_code, 0),
		ROW(offline, own_limit, 0),   ROW(offline, own_affinity, 0),
		ROW(offline, stream_pair, 0),
	};
	try_all(rows, sizeof rows / sizeof *rows);
}

Test(filter, without_network_no_socket_is_made)
{
	static const struct row rows[] = {
		ROW(offline, inet, EPERM),   ROW(offline, inet_six, EPERM),
		ROW(offline, local, EPERM),  ROW(offline, netlink, EPERM),
		ROW(offline, packet, EPERM), ROW(offline, datagram_pair, EPERM),
		ROW(offline, vsock, EPERM),
	};
	try_all(rows, sizeof rows / sizeof *rows);
}

Test(filter, with_network_four_families_are_there)
{
	static const struct row rows[] = {
		ROW(online, inet, 0),		ROW(online, inet_six, 0),
		ROW(online, local, 0),		ROW(online, netlink, 0),
		ROW(online, packet, EPERM),	ROW(online, vsock, EPERM),
		ROW(online, far_family, EPERM), ROW(online, datagram_pair, 0),
	};
	try_all(rows, sizeof rows / sizeof *rows);
}

static int changes_mode(const char *path)
{
	return RESULT(chmod(path, 0777));
}

Test(filter, a_changed_mode_is_only_pretended)
{
	NEEDS(has_seccomp(), "seccomp");
	char path[] = "/tmp/carved-filter-XXXXXX";
	AUTO_CLOSE int fd = mkstemp(path);
	cr_assert_geq(fd, 0);
	cr_expect_eq(sandboxed(&offline, changes_mode, path), 0);
	struct stat st;
	cr_assert_eq(fstat(fd, &st), 0);
	cr_expect_eq(st.st_mode & 0777, 0600);
	(void)unlink(path);
}

static int opened;

/* Of a file that is open for reading; the argument is no address, so nothing can come of it. */
static int changes_flags(const char *path)
{
	static const unsigned long requests[] = { FS_IOC_SETFLAGS, FS_IOC_SETVERSION,
						  FS_IOC_FSSETXATTR, FS_IOC_ENABLE_VERITY };
	(void)path;
	for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
		if (ioctl(opened, requests[i], NULL) == 0 || errno != EPERM)
			return (int)i + 200;
	}
	return EPERM;
}

Test(filter, flags_of_files_are_not_changed)
{
	NEEDS(has_seccomp(), "seccomp");
	char path[] = "/tmp/carved-filter-XXXXXX";
	AUTO_CLOSE int fd = mkstemp(path);
	cr_assert_geq(fd, 0);
	opened = open(path, O_RDONLY | O_CLOEXEC);
	cr_assert_geq(opened, 0);
	cr_expect_eq(sandboxed(&offline, changes_flags, path), EPERM);
	cr_expect_eq(sandboxed(&online, changes_flags, path), EPERM);
	(void)close(opened);
	(void)unlink(path);
}

Test(filter, an_engine_runs_nothing_and_opens_nothing)
{
	static const struct row rows[] = {
		ROW(engine, executes, EPERM),	   ROW(engine, opens, EPERM),
		ROW(engine, inet, EPERM),	   ROW(engine, local, EPERM),
		ROW(engine, datagram_pair, EPERM), ROW(engine, maps_code, EPERM),
		ROW(engine, new_session, EPERM),   ROW(engine, clone_namespace, EPERM),
		ROW(engine, other_limit, EPERM),   ROW(engine, trace, EPERM),
	};
	try_all(rows, sizeof rows / sizeof *rows);
}

Test(filter, an_engine_forks_maps_and_talks)
{
	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	static const struct row rows[] = {
		ROW(engine, forks, 0),
		ROW(engine, maps_data, 0),
		ROW(engine, sends, 0),
		ROW(engine, stream_pair, 0),
	};
	try_all(rows, sizeof rows / sizeof *rows);
}

Test(filter, an_engine_with_files_opens_them_for_reading)
{
	static const char *const list[] = { "/dev/null", NULL };
	static const struct sandbox_policy reading = { .kind = SANDBOX_ENGINE,
						       .read = list,
						       .read_fd = -1 };
	static const struct row rows[] = {
		ROW(reading, opens, 0),
		ROW(reading, opens_to_write, EPERM),
	};
	try_all(rows, sizeof rows / sizeof *rows);
}

Test(filter, is_available_or_says_why_not)
{
	int result = filter_available();
	cr_assert(result == 0 || result == -ENOSYS || result == -EINVAL || result == -EOPNOTSUPP);
}
