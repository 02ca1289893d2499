/*
 * notify: telling the service manager how we are, by the sd_notify(3) protocol: one datagram to the
 * socket that $NOTIFY_SOCKET names. Twenty lines instead of libsystemd and what it drags in.
 */
#ifndef CARVED_CORE_APP_NOTIFY_H
#define CARVED_CORE_APP_NOTIFY_H

#include <stdbool.h>

/** Whether there is a manager to tell. */
bool notify_wanted(void);
/** Sends state ("READY=1", "STOPPING=1", "STATUS=..."); 0 also without a manager, else -errno;
 * -EAGAIN: it does not read, which is not waited for. */
int notify_send(const char *state);

#endif
