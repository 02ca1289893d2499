/*
 * sandbox_fixture: something tried by a process that has confined itself; what came of it is its
 * exit status: an errno, 0 for done.
 */
#ifndef CARVED_TESTS_UNIT_SANDBOX_FIXTURE_H
#define CARVED_TESTS_UNIT_SANDBOX_FIXTURE_H

#include <sys/wait.h>

#include <criterion/criterion.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/mem.h"
#include "core/base/str.h"
#include "core/sandbox/sandbox.h"

#define NOT_CONFINED 255
#define KILLED	     254

/* Attempts return 0, or the errno of what failed. */
typedef int attempt_function(const char *path);

/* Statement as an attempt's result. */
#define RESULT(call) ((call) < 0 ? errno : 0)

static inline int sandboxed(const struct sandbox_policy *policy, attempt_function *attempt,
			    const char *path)
{
	pid_t pid = fork();
	cr_assert_geq(pid, 0);
	if (pid == 0) {
		struct sandbox_parts parts;
		struct error err = { 0 };
		if (sandbox_enter(policy, &parts, &err) < 0) {
			(void)!write(STDERR_FILENO, err.text, strlen(err.text));
			_exit(NOT_CONFINED);
		}
		_exit(attempt(path));
	}
	int status = 0;
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : KILLED;
}

static inline bool has_landlock(int version)
{
	struct sandbox_parts parts;
	sandbox_probe(&parts);
	return parts.landlock_abi >= version;
}

static inline bool has_seccomp(void)
{
	struct sandbox_parts parts;
	sandbox_probe(&parts);
	return parts.seccomp_error == 0;
}

/* Ends the test, as passed, where the kernel has not the part that it is about. */
#define NEEDS(condition, name)                                  \
	do {                                                    \
		if (!(condition))                               \
			cr_skip("this kernel has no %s", name); \
	} while (0)

#endif
