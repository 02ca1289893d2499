/* notify: see notify.h. */
#include "core/app/notify.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/mem.h"

/* NULL: there is none. */
static const char *manager_socket(void)
{
	const char *path =
		secure_getenv("NOTIFY_SOCKET"); // NOLINT(concurrency-mt-unsafe): nobody sets it
	return path && *path ? path : NULL;
}

bool notify_wanted(void)
{
	return manager_socket() != NULL;
}

int notify_send(const char *state)
{
	const char *path = manager_socket();
	if (!path)
		return 0;
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t len = strlen(path);
	if (len >= sizeof address.sun_path)
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, len);
	if (address.sun_path[0] == '@') /* the abstract namespace */
		address.sun_path[0] = '\0';
	AUTO_CLOSE int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
	const struct sockaddr *to = (const struct sockaddr *)(const void *)&address;
	if (sendto(fd, state, strlen(state), MSG_NOSIGNAL | MSG_DONTWAIT, to, size) < 0)
		return -errno;
	return 0;
}
