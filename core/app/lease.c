/* lease: see lease.h. */
#include "core/app/lease.h"

#include <errno.h>
#include <fcntl.h>

#include "watcher/place.h"
#include "watcher/view.h"

/* Elsewhere a lease says nothing, and its refusal may mean only that the server granted no
 * delegation (NFS 4) or oplock (SMB). */
bool lease_sees(int fd)
{
	uint64_t fsid;
	uint64_t magic;
	return view_filesystem(fd, &fsid, &magic) == 0 && place_is_local(magic);
}

enum lease_result lease_try(int fd)
{
	if (fcntl(fd, F_SETLEASE, F_RDLCK) == 0) {
		(void)fcntl(fd, F_SETLEASE, F_UNLCK);
		return LEASE_FREE;
	}
	return errno == EAGAIN ? LEASE_WRITER : LEASE_UNKNOWN;
}

enum lease_result lease_probe(int fd)
{
	if (lease_sees(fd))
		return lease_try(fd);
	errno = EOPNOTSUPP;
	return LEASE_UNKNOWN;
}

bool lease_hold(int fd)
{
	return lease_sees(fd) && fcntl(fd, F_SETLEASE, F_RDLCK) == 0;
}

bool lease_drop(int fd)
{
	/* while somebody waits for it to be broken it tells what it is to become */
	bool whole = fcntl(fd, F_GETLEASE) == F_RDLCK;
	(void)fcntl(fd, F_SETLEASE, F_UNLCK);
	return whole;
}
