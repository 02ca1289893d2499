/* lease: see lease.h. */
#include "core/app/lease.h"

#include <errno.h>
#include <fcntl.h>

#include "watcher/place.h"
#include "watcher/view.h"

/* Where the file lies on another machine, or behind a server, this kernel does not know all who
 * write to it: a lease says nothing there, and its refusal may mean only that the server granted no
 * delegation (NFS 4) or oplock (SMB). */
static bool knows_writers(int fd)
{
	uint64_t fsid;
	uint64_t magic;
	return view_filesystem(fd, &fsid, &magic) == 0 && place_is_local(magic);
}

enum lease_result lease_probe(int fd)
{
	if (!knows_writers(fd)) {
		errno = EOPNOTSUPP;
		return LEASE_UNKNOWN;
	}
	if (fcntl(fd, F_SETLEASE, F_RDLCK) == 0) {
		(void)fcntl(fd, F_SETLEASE, F_UNLCK);
		return LEASE_FREE;
	}
	return errno == EAGAIN ? LEASE_WRITER : LEASE_UNKNOWN;
}
