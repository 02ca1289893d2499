/*
 * channel: one packet, and the descriptors that go with it, over a SOCK_SEQPACKET socket (unix(7)).
 *
 * The daemon takes no descriptor from a helper: without room for them the kernel drops what was
 * sent (recvmsg(2), MSG_CTRUNC). Any thread, one at a time on each end.
 */
#ifndef CARVED_CORE_HELPER_CHANNEL_H
#define CARVED_CORE_HELPER_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>

struct error;
struct str;

/* Bytes of one packet at most. */
#define CHANNEL_PACKET_MAX ((size_t)96 * 1024)
/* Descriptors that one packet carries at most. */
#define CHANNEL_FDS_MAX 2

/* Descriptors that came with a packet; owned by whoever received it, -1: none. */
struct channel_fds {
	int fd[CHANNEL_FDS_MAX];
};

#define CHANNEL_NO_FDS           \
	(struct channel_fds)     \
	{                        \
		.fd = { -1, -1 } \
	}

void channel_fds_close(struct channel_fds *fds);

static inline void channel_fds_cleanup(struct channel_fds *fds)
{
	channel_fds_close(fds);
}

/** Both ends, CLOEXEC; 0 or -errno. */
int channel_pair(int *out_ours, int *out_theirs);
/** Sends without blocking; fds (borrowed, may be NULL) go with it in their order up to the first
 * that is -1. 0 or -errno; -EPIPE or -ECONNRESET: nobody is there any more. */
int channel_send(int socket, const struct str *packet, const struct channel_fds *fds);
/**
 * Takes one packet into packet (emptied before), without blocking when wait is false. 1: there was
 * one; 0: the other end is closed and had read all that was sent to it; -ECONNRESET: it was closed
 * before it did; -EMSGSIZE: longer than CHANNEL_PACKET_MAX, the rest is lost; else -errno. out_fds
 * NULL: no descriptor is accepted.
 */
int channel_receive(int socket, struct str *packet, struct channel_fds *out_fds, bool wait);

#endif
