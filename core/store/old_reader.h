/*
 * old_reader: the versions that were seen longest ago, a page at a time, for those who let them go.
 *
 * On a read-only connection of one thread. Reading never blocks the writer, and no snapshot is held
 * between two pages.
 */
#ifndef CARVED_CORE_STORE_OLD_READER_H
#define CARVED_CORE_STORE_OLD_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/mem.h"
#include "core/base/str.h"

struct error;
struct old_reader;

enum {
	OLD_PAGE_MAX = 256,
	OLD_UNTOLD_MAX = 65536, /* versions of which sinks are yet to tell: 512 KiB */
};

/* A version that has its end and waits for nothing, nor was any sink yet to tell of it. */
struct old_version {
	int64_t id;
	const char *path; /* the page's */
	size_t dir_len;	  /* of its directory in it */
	uint64_t fsid;
	uint64_t inode; /* 0: not known */
	int64_t btime_ns;
};

struct old_page {
	struct old_version versions[OLD_PAGE_MAX];
	size_t count;
	struct str text; /* the paths */
	/* where the next page begins */
	int64_t seen_ns;
	int64_t id;
	bool more; /* there may be one */
};

int old_reader_open(struct old_reader **out, const char *path, struct error *err);
void old_reader_free(struct old_reader *reader);
AUTO_DEFINE(old_reader);

/** Notes which versions that finished before that time some sink is yet to tell of: pages leave
 * them out. A slice of the events that wait each call, until *more is false; first: begin with
 * them, and forget what was noted before. An event has no index to its version, as that would cost
 * the writer a twentieth; so this is one pass over what waits, and pages look at none of it. 0, or
 * -errno with err; -E2BIG: more than OLD_UNTOLD_MAX. */
int old_reader_note_untold(struct old_reader *reader, int64_t before_ns, bool first, bool *more,
			   struct error *err);
/** Were any noted? */
bool old_reader_has_untold(const struct old_reader *reader);

/** Makes page begin at the oldest version. */
void old_page_rewind(struct old_page *page);
void old_page_done(struct old_page *page);
/** The next versions that finished before that time, in the order in which they were first seen; a
 * page may have none although there are more. 0, or -errno with err. */
int old_reader_next(struct old_reader *reader, int64_t before_ns, struct old_page *page,
		    struct error *err);
/** Reads what deleting the version will read, so that the writer need not wait for the disk. */
void old_reader_warm(struct old_reader *reader, int64_t id);

#endif
