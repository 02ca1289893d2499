/*
 * lease: is somebody writing to this file?
 *
 * fcntl(2): a read lease (F_SETLEASE, F_RDLCK) can be placed only on a file that nobody has open
 * for writing; a live writable mapping counts. It is taken and dropped at once, because an opener
 * for writing blocks while it is held; only who takes a file away holds it for some system calls,
 * and hears then whether somebody came. Needs the file's owner as file-system uid, or CAP_LEASE.
 */
#ifndef CARVED_CORE_APP_LEASE_H
#define CARVED_CORE_APP_LEASE_H

#include <stdbool.h>

enum lease_result {
	LEASE_FREE,    /* no writer */
	LEASE_WRITER,  /* somebody has it open for writing, or mapped */
	LEASE_UNKNOWN, /* leases do not work here (permission, fs.leases-enable=0), or the file
			* system is one that others write to unseen; errno says which */
};

/* What is known of a root, or of a file. */
enum lease_sight {
	LEASE_UNTRIED,
	LEASE_SEES,  /* writers are seen */
	LEASE_BLIND, /* they are not; a settling time must do */
};

/** Does this kernel know all who write to the file? Not where it lies on another machine, or behind
 * a server. Any thread. */
bool lease_sees(int fd);
/** Asks, where lease_sees(); fd is open read-only and on a regular file. Any thread; SIGIO must be
 * ignored. */
enum lease_result lease_try(int fd);
/** Both. fd is open read-only and on a regular file. Any thread; SIGIO must be ignored. */
enum lease_result lease_probe(int fd);
/** Begins to hold one, where lease_sees(): false: it cannot be had. SIGIO must be ignored. */
bool lease_hold(int fd);
/** Gives up what lease_hold() got. True: nobody opened or cut the file meanwhile, or waits to. */
bool lease_drop(int fd);

#endif
