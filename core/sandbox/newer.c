/*
 * newer: see newer.h.
 *
 * Numbers of system calls are given in ascending order, by now the same on nearly all machines; so
 * "later than the last we looked at" is one comparison. It is no libseccomp rule, as that has none
 * for ranges, and knows by name only what was there when it was released. Numbers of the x32 ABI
 * lie above, too: libseccomp's filter ends the process for those, and the stricter answer holds.
 */
#include "core/sandbox/newer.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>

#include <asm/unistd.h>
#include <errno.h>
#include <stddef.h>

/* Linux 6.1 has no later one; and whoever runs there does without those that came after. */
#define LAST_KNOWN __NR_set_mempolicy_home_node

int newer_missing(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, LAST_KNOWN, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = { .len = sizeof code / sizeof *code, .filter = code };
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0 ? -errno : 0;
}
