/* From inside: what a confined process can no longer do. Each try is a child's exit status. */
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/engines/enclose.h"
#include "core/sandbox/sandbox.h"

/* 0: it could; else errno. */
static int in_confinement(int (*attempt)(void))
{
	int pipe_fds[2];
	cr_assert_eq(pipe2(pipe_fds, O_CLOEXEC), 0);
	pid_t pid = fork();
	cr_assert_geq(pid, 0);
	if (pid == 0) {
		struct error err = { 0 };
		int code = enclose(UINT64_C(64) << 20, &err) < 0 ? 1000 : attempt();
		ssize_t ignored = write(pipe_fds[1], &code, sizeof code);
		(void)ignored;
		_exit(0);
	}
	int code = -1;
	close(pipe_fds[1]);
	ssize_t got = read(pipe_fds[0], &code, sizeof code);
	close(pipe_fds[0]);
	int status = 0;
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert_eq(got, (ssize_t)sizeof code, "it died, status %x", (unsigned)status);
	return code;
}

static int opened(int fd)
{
	return fd < 0 ? errno : 0;
}

static int read_shadow(void)
{
	return opened(open("/etc/shadow", O_RDONLY | O_CLOEXEC));
}

static int read_self(void)
{
	return opened(open("/proc/self/maps", O_RDONLY | O_CLOEXEC));
}

static int write_tmp(void)
{
	return opened(open("/tmp/carved-enclose", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
}

static int open_socket(void)
{
	return opened(socket(AF_INET, SOCK_STREAM, 0));
}

static int open_unix_socket(void)
{
	return opened(socket(AF_UNIX, SOCK_STREAM, 0));
}

static int run_program(void)
{
	char *const arguments[] = { (char *)"/bin/true", NULL };
	execv("/bin/true", arguments);
	return errno;
}

static int trace_parent(void)
{
	char byte;
	struct iovec local = { &byte, 1 };
	struct iovec remote = { &byte, 1 };
	return process_vm_readv(getppid(), &local, 1, &remote, 1, 0) < 0 ? errno : 0;
}

static int make_code(void)
{
	void *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return code == MAP_FAILED ? errno : 0;
}

static int take_memory(void)
{
	void *memory = mmap(NULL, (size_t)4 << 30, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return memory == MAP_FAILED ? errno : 0;
}

static int take_a_little(void)
{
	void *memory = mmap(NULL, (size_t)16 << 20, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return memory == MAP_FAILED ? errno : 0;
}

Test(enclose, files_sockets_and_programs_are_out_of_reach)
{
	struct sandbox_parts parts;
	sandbox_probe(&parts);
	if (parts.seccomp_error)
		cr_skip("this kernel has no seccomp filters");
	cr_expect_neq(in_confinement(read_shadow), 0);
	cr_expect_neq(in_confinement(read_self), 0);
	cr_expect_neq(in_confinement(write_tmp), 0);
	cr_expect_neq(in_confinement(open_socket), 0);
	cr_expect_neq(in_confinement(open_unix_socket), 0);
	cr_expect_neq(in_confinement(run_program), 0);
	cr_expect_neq(in_confinement(trace_parent), 0);
	cr_expect_neq(in_confinement(make_code), 0);
	cr_expect_neq(access("/tmp/carved-enclose", F_OK), 0);
}

Test(enclose, memory_is_what_it_was_given)
{
	cr_expect_eq(in_confinement(take_a_little), 0);
#ifndef __SANITIZE_ADDRESS__
	cr_expect_eq(in_confinement(take_memory), ENOMEM);
#else
	(void)take_memory;
#endif
}
