/* sandbox: limits, capabilities, and the words about what the kernel has. */
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include <fcntl.h>

#include "core/sandbox/sandbox.h"
#include "tests/unit/sandbox_fixture.h"

TestSuite(sandbox, .timeout = 60);

static bool limited_to(int what, rlim_t value)
{
	struct rlimit limit;
	return getrlimit((__rlimit_resource_t)what, &limit) == 0 && limit.rlim_cur == value &&
	       limit.rlim_max == value;
}

static int has_its_limits(const char *path)
{
	(void)path;
	if (!limited_to(RLIMIT_CORE, 0))
		return 1;
	if (!limited_to(RLIMIT_CPU, 1000))
		return 2;
	if (!limited_to(RLIMIT_FSIZE, 123456))
		return 3;
	return limited_to(RLIMIT_NOFILE, 32) ? 0 : 4;
}

Test(sandbox, limits_hold_for_the_soft_and_the_hard_value)
{
	const struct sandbox_policy policy = {
		.read_fd = -1,
		.limits = { .cpu_s = 1000, .file_size = 123456, .open_files = 32 },
	};
	cr_assert_eq(sandboxed(&policy, has_its_limits, ""), 0);
}

Test(sandbox, a_limit_of_zero_leaves_the_inherited_one)
{
	struct rlimit before = { .rlim_cur = 77, .rlim_max = 77 };
	cr_assert_eq(setrlimit(RLIMIT_CPU, &before), 0);
	const struct sandbox_policy policy = { .read_fd = -1, .limits = { .cpu_s = 1000 } };
	/* the limit that is there is the stricter one: 77 stays */
	cr_assert_eq(sandboxed(&policy, has_its_limits, ""), 2);
}

static uint64_t capabilities(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { 0 };
	if (syscall(SYS_capget, &header, data) < 0)
		return UINT64_MAX;
	return (uint64_t)data[1].permitted << 32 | data[0].permitted;
}

static int may_gain_nothing(const char *path)
{
	(void)path;
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		return 1;
	return capabilities() & ~(UINT64_C(1) << CAP_DAC_READ_SEARCH) ? 2 : 0;
}

Test(sandbox, capabilities_are_gone_and_none_come_back)
{
	const struct sandbox_policy command = { .read_fd = -1 };
	cr_expect_eq(sandboxed(&command, may_gain_nothing, ""), 0);
}

Test(sandbox, what_is_missing_is_told_with_its_reason_and_its_consequence)
{
	static const struct {
		struct sandbox_parts parts;
		bool whole;
		const char *words[3];
	} cases[] = {
		{ { .landlock_abi = 7 }, true, { "Landlock version 7; seccomp" } },
		{ { .landlock_abi = 2 }, false, { "version 2", "truncating", "signals" } },
		{ { .landlock_error = ENOSYS }, false, { "no Landlock", "5.13", "; seccomp" } },
		{ { .landlock_error = EOPNOTSUPP }, false, { "no Landlock", "lsm=" } },
		{ { .landlock_abi = 7, .seccomp_error = EINVAL },
		  false,
		  { "no seccomp", "CONFIG_SECCOMP_FILTER", "network" } },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		AUTO_STR text = STR_INIT;
		sandbox_words(&cases[i].parts, &text);
		cr_expect_eq(sandbox_whole(&cases[i].parts), cases[i].whole, "case %zu", i);
		for (size_t j = 0; j < 3 && cases[i].words[j]; j++)
			cr_expect(strstr(str_text(&text), cases[i].words[j]), "%s",
				  str_text(&text));
	}
}

Test(sandbox, a_probe_agrees_with_what_is_done)
{
	struct sandbox_parts parts;
	sandbox_probe(&parts);
	cr_assert((parts.landlock_abi > 0) == (parts.landlock_error == 0));
}
