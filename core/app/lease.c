/* lease: see lease.h. */
#include "core/app/lease.h"

#include <errno.h>
#include <fcntl.h>

enum lease_result lease_probe(int fd)
{
	if (fcntl(fd, F_SETLEASE, F_RDLCK) == 0) {
		(void)fcntl(fd, F_SETLEASE, F_UNLCK);
		return LEASE_FREE;
	}
	return errno == EAGAIN ? LEASE_WRITER : LEASE_UNKNOWN;
}
