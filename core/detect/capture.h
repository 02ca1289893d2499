/*
 * capture: the reading end of one pipe from a child, and what is kept of it.
 *
 * A child may write for ever: of all that comes, the first bytes (a struct head, which several
 * pipes may share) and the last bytes (the tail) are kept, the rest is read and dropped, so that
 * the child neither fills memory nor blocks on a full pipe. One thread.
 */
#ifndef CARVED_CORE_DETECT_CAPTURE_H
#define CARVED_CORE_DETECT_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/str.h"

#define CAPTURE_TAIL 1024
/* dup2(2) in the child must not hit a source that is still needed: all sources lie above its
 * targets. */
#define CAPTURE_LOWEST_SOURCE 10

struct head {
	struct str kept;
	size_t limit;	  /* bytes of kept */
	uint64_t dropped; /* bytes that came after those */
};

struct tail {
	char ring[CAPTURE_TAIL];
	uint64_t total; /* bytes that ever came */
};

struct capture {
	int fd;		   /* non-blocking; owned; -1 after its end */
	struct head *head; /* borrowed */
	struct tail *tail; /* borrowed; NULL: none is kept */
};

/** Makes a pipe: capture->fd is the reading end, *out_write the writing end (blocking, owned by the
 * caller, above the descriptors 0 to 4 that a child is given). 0 or -errno. */
int capture_open(struct capture *capture, int *out_write);
/** Reads what is there, at most budget bytes; closes fd at its end or when reading fails. */
void capture_drain(struct capture *capture, size_t budget);
void capture_close(struct capture *capture);

/** Appends the kept tail to out. */
void tail_append(const struct tail *tail, struct str *out);

#endif
