/*
 * alone: see alone.h.
 *
 * A seccomp filter beside the one that was inherited; the stricter answer holds (seccomp(2)). By
 * prctl, because the inherited one does not let seccomp(2) through. The architecture needs no look:
 * the inherited filter ends calls of another one. tgkill stays, abort(3) is made of it.
 */
#include "core/engines/alone.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <errno.h>
#include <stddef.h>

#define REFUSE(call)                                       \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (call), 0, 1), \
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM)

int alone(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
#ifdef SYS_fork
		REFUSE(SYS_fork),
		REFUSE(SYS_vfork),
#endif
		REFUSE(SYS_clone),
		REFUSE(SYS_clone3),
		REFUSE(SYS_kill),
		REFUSE(SYS_tkill),
		REFUSE(SYS_pidfd_send_signal),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = { .len = sizeof code / sizeof *code, .filter = code };
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0 ? -errno : 0;
}
