#include <sys/prctl.h>
#include <sys/wait.h>

#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/engines/alone.h"
#include "core/engines/enclose.h"
#include "core/sandbox/sandbox.h"

/* In a child that is alone, confined before or not: bits of what failed to fail. */
static int leaks(bool confined)
{
	pid_t pid = fork();
	cr_assert_geq(pid, 0);
	if (pid == 0) {
		struct error err = { 0 };
		int found = 0;
		if (confined && enclose(UINT64_C(64) << 20, &err) < 0)
			_exit(100);
		if (!confined && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
			_exit(101);
		if (alone() < 0)
			_exit(102);
		pid_t child = fork();
		if (child == 0)
			_exit(0);
		found |= child < 0 && errno == EPERM ? 0 : 1;
		found |= kill(getppid(), 0) < 0 && errno == EPERM ? 0 : 2;
		found |= getpid() > 0 ? 0 : 4;
		_exit(found);
	}
	int status = 0;
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert(WIFEXITED(status), "status %x", (unsigned)status);
	return WEXITSTATUS(status);
}

Test(alone, starts_nobody_and_signals_nobody)
{
	struct sandbox_parts parts;
	sandbox_probe(&parts);
	if (parts.seccomp_error)
		cr_skip("this kernel has no seccomp filters");
	cr_assert_eq(leaks(false), 0);
	cr_assert_eq(leaks(true), 0);
}
