/* sandbox: see sandbox.h. */
#include "core/sandbox/sandbox.h"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include <errno.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/str.h"
#include "core/sandbox/filter.h"
#include "core/sandbox/landlock.h"

/* Never above what is permitted already: a limit that cannot be raised is the stricter one. */
static int set_limit(int what, const char *name, uint64_t value, struct error *err)
{
	struct rlimit limit;
	if (getrlimit((__rlimit_resource_t)what, &limit) < 0)
		return error_set(err, errno, "getrlimit(%s): %s", name, error_text(errno));
	if (value < limit.rlim_max)
		limit.rlim_max = value;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit((__rlimit_resource_t)what, &limit) < 0)
		return error_set(err, errno, "setrlimit(%s): %s", name, error_text(errno));
	return 0;
}

int sandbox_limit(const struct sandbox_limits *limits, struct error *err)
{
	const struct {
		int what;
		const char *name;
		uint64_t value;
	} rows[] = {
		{ RLIMIT_AS, "RLIMIT_AS", limits->address_space },
		{ RLIMIT_CPU, "RLIMIT_CPU", limits->cpu_s },
		{ RLIMIT_FSIZE, "RLIMIT_FSIZE", limits->file_size },
		{ RLIMIT_NOFILE, "RLIMIT_NOFILE", limits->open_files },
	};

	int result = set_limit(RLIMIT_CORE, "RLIMIT_CORE", 0, err);
	for (size_t i = 0; i < sizeof rows / sizeof *rows && result == 0; i++) {
		if (rows[i].value > 0)
			result = set_limit(rows[i].what, rows[i].name, rows[i].value, err);
	}
	return result;
}

/* Without new privileges execve gives none back, not even to root. What stays with a command is to
 * read what permissions deny, as far as the daemon may: its files may belong to the sensor alone.
 */
static int drop_capabilities(const struct sandbox_policy *policy, struct error *err)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
	if (syscall(SYS_capget, &header, data) < 0)
		return error_set(err, errno, "capget: %s", error_text(errno));
	const bool command = policy->kind == SANDBOX_COMMAND;
	const uint32_t kept[_LINUX_CAPABILITY_U32S_3] = {
		command ? UINT32_C(1) << CAP_DAC_READ_SEARCH : 0, 0
	};
	for (unsigned i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
		data[i].permitted &= kept[i];
		data[i].effective = data[i].permitted;
		data[i].inheritable &= data[i].permitted;
	}
	if (syscall(SYS_capset, &header, data) < 0)
		return error_set(err, errno, "capset: %s", error_text(errno));
	return 0;
}

int sandbox_enter(const struct sandbox_policy *policy, struct sandbox_parts *out, struct error *err)
{
	struct sandbox_parts parts;
	sandbox_probe(&parts);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return error_set(err, errno, "prctl(PR_SET_NO_NEW_PRIVS): %s", error_text(errno));
	int result = sandbox_limit(&policy->limits, err);
	if (result == 0)
		result = drop_capabilities(policy, err);
	if (result == 0 && parts.landlock_abi > 0)
		result = landlock_confine(policy, parts.landlock_abi, err);
	if (result == 0 && parts.seccomp_error == 0)
		result = filter_confine(policy, err);
	if (result == 0)
		*out = parts;
	return result;
}

void sandbox_probe(struct sandbox_parts *out)
{
	int version = landlock_version();
	*out = (struct sandbox_parts){
		.landlock_abi = version > 0 ? version : 0,
		.landlock_error = version < 0 ? -version : 0,
		.seccomp_error = -filter_available(),
	};
}

bool sandbox_whole(const struct sandbox_parts *parts)
{
	return parts->landlock_abi >= LANDLOCK_SIGNALS && parts->seccomp_error == 0;
}

static const char *landlock_reason(int code)
{
	if (code == ENOSYS)
		return "it needs Linux 5.13 with CONFIG_SECURITY_LANDLOCK and, in a container, a "
		       "seccomp profile that permits it";
	if (code == EOPNOTSUPP)
		return "it is not enabled; add landlock to the kernel's parameter lsm=";
	return error_text(code);
}

static void landlock_words(const struct sandbox_parts *parts, struct str *out)
{
	const int abi = parts->landlock_abi;
	if (abi == 0) {
		str_printf(out,
			   "no Landlock (%s): commands read and write whatever the daemon's "
			   "user may",
			   landlock_reason(parts->landlock_error));
		return;
	}
	str_printf(out, "Landlock version %d", abi);
	if (abi < LANDLOCK_TRUNCATES)
		str_puts(out, ", too old to forbid truncating files (3: Linux 6.2)");
	if (abi < LANDLOCK_SIGNALS)
		str_puts(out, ", too old to forbid signals to the daemon (6: Linux 6.12)");
}

void sandbox_words(const struct sandbox_parts *parts, struct str *out)
{
	landlock_words(parts, out);
	if (parts->seccomp_error == 0)
		str_puts(out, "; seccomp");
	else
		str_printf(out,
			   "; no seccomp (%s; it needs CONFIG_SECCOMP_FILTER): commands reach the "
			   "network and may outlive their scan",
			   error_text(parts->seccomp_error));
}
