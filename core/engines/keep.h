/*
 * keep: what a helper keeps in a memory file of the daemon's, for the one that comes after it.
 *
 * The daemon makes the file (memfd_create(2)), gives it to a zygote that loads, and seals it when
 * that is through, before any hostile byte was read. When the zygote dies the next one restores
 * from it, the same to the byte; when rules are loaded anew, a file of rules that no longer
 * compiles is taken from it: the last good state. Format: records of the wire (wire.h): kind, name,
 * hash, reads, bytes. One thread.
 */
#ifndef CARVED_CORE_ENGINES_KEEP_H
#define CARVED_CORE_ENGINES_KEEP_H

#include <stddef.h>

#include "core/helper/wire.h"

struct error;
struct str;

enum keep_kind {
	KEEP_HELLO = 1, /* bytes: the HELLO packet */
	KEEP_SET,	/* bytes: compiled rules of all good files */
	KEEP_GOOD,	/* name: path, bytes: compiled rules of one file that is part of the set */
	KEEP_OLD,	/* the same of a file whose last good state is in force beside the set */
};

struct keep_record {
	enum keep_kind kind;
	struct wire_bytes name;
	struct wire_bytes hash;
	unsigned reads;
	struct wire_bytes bytes;
};

struct keep {
	void *map; /* NULL: nothing was kept */
	size_t size;
};

/** Opens what fd holds; -1 or an empty file: nothing. */
int keep_open(struct keep *out, int fd, struct error *err);
void keep_done(struct keep *keep);

static inline void keep_cleanup(struct keep *keep)
{
	keep_done(keep);
}

/** Starts reading. */
struct wire keep_begin(const struct keep *keep);
/** The next record, borrowed from keep; 0: there is none. */
int keep_next(struct wire *at, struct keep_record *out);

/** Appends a record to fd; -1: does nothing. */
int keep_write(int fd, const struct keep_record *record, struct error *err);

#endif
