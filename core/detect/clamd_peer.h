/*
 * clamd_peer: where a clamd listens, and the connection to it.
 *
 * Written "/run/clamav/clamd.ctl", "tcp://HOST:PORT" or "HOST:PORT", IPv6 addresses in brackets.
 * Immutable once read; any thread.
 */
#ifndef CARVED_CORE_DETECT_CLAMD_PEER_H
#define CARVED_CORE_DETECT_CLAMD_PEER_H

#include <stdbool.h>

#include "core/base/clock.h"

struct error;

struct clamd_peer {
	char *path; /* of a unix socket; NULL: TCP */
	char *host;
	char *port;
};

/** Reads text; -EINVAL with words. */
int clamd_peer_read(struct clamd_peer *out, const char *text, struct error *err);
void clamd_peer_done(struct clamd_peer *peer);
/**
 * Connects; *out is a non-blocking socket. Blocks until the deadline at most, but that a name
 * server which does not answer is waited for as long as resolv.conf(5) says. Errors say what to
 * mend.
 */
int clamd_peer_connect(const struct clamd_peer *peer, struct mono deadline, int *out,
		       struct error *err);

#endif
