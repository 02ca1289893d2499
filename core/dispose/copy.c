/* copy: see copy.h. */
#include "core/dispose/copy.h"

#include <errno.h>
#include <unistd.h>

#include "core/base/mem.h"

#define PIECE (256 * 1024)

int copy_bytes(int from, int to)
{
	AUTO_FREE char *piece = xcalloc(PIECE, 1);
	for (off_t at = 0;;) {
		ssize_t got = pread(from, piece, PIECE, at);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got < 0 ? -errno : 0;
		for (ssize_t done = 0; done < got;) {
			ssize_t wrote = write(to, piece + done, (size_t)(got - done));
			if (wrote < 0 && errno != EINTR)
				return -errno;
			done += wrote > 0 ? wrote : 0;
		}
		at += got;
	}
}
