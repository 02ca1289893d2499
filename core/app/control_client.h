/*
 * control_client: asking a running daemon, by the control socket beside its history.
 */
#ifndef CARVED_CORE_APP_CONTROL_CLIENT_H
#define CARVED_CORE_APP_CONTROL_CLIENT_H

#include "core/app/control.h"

struct error;
struct str;
struct sockaddr_un;

/** Sends request ("status", "poke") and appends the answer without its last newline. -ENOENT or
 * -ECONNREFUSED: no daemon runs on this history. Waits at most 5 s for each part, or as long as it
 * takes once the daemon has said "wait". */
int control_request(const char *history, const char *request, struct str *answer,
		    struct error *err);

/** The same for what the daemon is to do ("pause", "resume", "reload"): how that ended, and in
 * words what it says of it, lines without the last newline. -EPIPE: it ended before. */
int control_order(const char *history, const char *order, enum control_end *out, struct str *words,
		  struct error *err);

/** Fills address for the socket of history. A path too long for sun_path goes through a descriptor
 * of its directory, which *dir_fd holds (else -1) until the address was used; the caller closes it.
 */
int control_address(const char *history, struct sockaddr_un *address, int *dir_fd,
		    struct error *err);

#endif
