/*
 * enclose: see enclose.h.
 *
 * The sanitizers map terabytes of shadow, so a build with them has no limit on its address space;
 * all else holds there as well. There is no limit on processor time: a scanner lives for many
 * files, and the daemon kills what passes its deadline. A part that the kernel lacks is left out;
 * "carved check" names it.
 */
#include "core/engines/enclose.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/mem.h"
#include "core/sandbox/sandbox.h"

#ifndef __SANITIZE_ADDRESS__
/* Bytes of address space that this process has; 0: not known. First number of statm, proc(5). */
static uint64_t address_space(void)
{
	AUTO_CLOSE int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	char text[64] = "";
	if (fd < 0 || read(fd, text, sizeof text - 1) <= 0)
		return 0;
	return strtoull(text, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE);
}
#else
static uint64_t address_space(void)
{
	return 0;
}
#endif

int enclose(uint64_t memory, struct error *err)
{
	uint64_t now = address_space();
	const struct sandbox_policy policy = {
		.kind = SANDBOX_ENGINE,
		.read_fd = -1,
		.limits = { .address_space = now ? now + memory : 0 },
	};
	struct sandbox_parts parts;
	return sandbox_enter(&policy, &parts, err);
}
