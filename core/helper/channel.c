/* channel: see channel.h. */
#include "core/helper/channel.h"

#include <sys/socket.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "core/base/mem.h"
#include "core/base/str.h"

#define CONTROL_SIZE CMSG_SPACE(CHANNEL_FDS_MAX * sizeof(int))

union control {
	char bytes[CONTROL_SIZE];
	struct cmsghdr align;
};

void channel_fds_close(struct channel_fds *fds)
{
	for (size_t i = 0; i < CHANNEL_FDS_MAX; i++) {
		if (fds->fd[i] >= 0)
			fd_close(fds->fd[i]);
		fds->fd[i] = -1;
	}
}

int channel_pair(int *out_ours, int *out_theirs)
{
	int ends[2];
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return -errno;
	*out_ours = ends[0];
	*out_theirs = ends[1];
	return 0;
}

static size_t count_fds(const struct channel_fds *fds)
{
	size_t count = 0;
	while (fds && count < CHANNEL_FDS_MAX && fds->fd[count] >= 0)
		count++;
	return count;
}

int channel_send(int socket, const struct str *packet, const struct channel_fds *fds)
{
	union control control = { .bytes = { 0 } };
	struct iovec part = { .iov_base = packet->data, .iov_len = packet->len };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
	size_t count = count_fds(fds);
	if (count) {
		message.msg_control = control.bytes;
		message.msg_controllen = CMSG_SPACE(count * sizeof(int));
		struct cmsghdr *header = CMSG_FIRSTHDR(&message);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(count * sizeof(int));
		memcpy(CMSG_DATA(header), fds->fd, count * sizeof(int));
	}
	ssize_t sent;
	do
		sent = sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (sent < 0 && errno == EINTR);
	return sent < 0 ? -errno : 0;
}

/* Puts the descriptors of a message into out; those that there is no place for are closed. */
static void take_fds(struct msghdr *message, struct channel_fds *out)
{
	size_t place = 0;
	for (struct cmsghdr *header = CMSG_FIRSTHDR(message); header;
	     header = CMSG_NXTHDR(message, header)) {
		if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
			continue;
		size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < count; i++) {
			int fd = -1;
			memcpy(&fd, CMSG_DATA(header) + i * sizeof fd, sizeof fd);
			if (place < CHANNEL_FDS_MAX)
				out->fd[place++] = fd;
			else
				fd_close(fd);
		}
	}
}

int channel_receive(int socket, struct str *packet, struct channel_fds *out_fds, bool wait)
{
	union control control;
	AUTO_FREE char *bytes = xcalloc(1, CHANNEL_PACKET_MAX);
	struct iovec part = { .iov_base = bytes, .iov_len = CHANNEL_PACKET_MAX };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
	if (out_fds) {
		*out_fds = CHANNEL_NO_FDS;
		message.msg_control = control.bytes;
		message.msg_controllen = sizeof control.bytes;
	}
	ssize_t got;
	do
		got = recvmsg(socket, &message, MSG_CMSG_CLOEXEC | (wait ? 0 : MSG_DONTWAIT));
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return -errno;
	if (out_fds)
		take_fds(&message, out_fds);
	if (message.msg_flags & MSG_TRUNC) {
		if (out_fds)
			channel_fds_close(out_fds);
		return -EMSGSIZE;
	}
	str_reset(packet);
	str_append(packet, bytes, (size_t)got);
	return got > 0;
}
