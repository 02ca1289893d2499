/*
 * control_client: asking a running daemon, by the control socket beside its history.
 */
#ifndef CARVED_CORE_APP_CONTROL_CLIENT_H
#define CARVED_CORE_APP_CONTROL_CLIENT_H

struct error;
struct str;
struct sockaddr_un;

/** Sends request ("status", "poke") and appends the answer without its newline. -ENOENT or
 * -ECONNREFUSED: no daemon runs on this history. Waits at most 5 s. */
int control_request(const char *history, const char *request, struct str *answer,
		    struct error *err);

/** Fills address for the socket of history. A path too long for sun_path goes through a descriptor
 * of its directory, which *dir_fd holds (else -1) until the address was used; the caller closes it.
 */
int control_address(const char *history, struct sockaddr_un *address, int *dir_fd,
		    struct error *err);

#endif
