/*
 * reuse: whether a detector has said something definite of this content before. Private to this
 * room.
 */
#ifndef CARVED_CORE_STORE_REUSE_H
#define CARVED_CORE_STORE_REUSE_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct db;
struct error;
struct finding;

enum {
	REUSE_DAYS_MAX = 400,
	REUSE_COPIES_MAX = 64 /* of one content on one day that are looked at, the newest */
};

/* Embedded in the reader. */
struct reuse {
	sqlite3_stmt *newest;	      /* the newest first_seen_ns before a moment */
	sqlite3_stmt *on_day;	      /* a finding on content first seen on one day */
	int64_t days[REUSE_DAYS_MAX]; /* on which something was seen, newest first */
	size_t day_count;
	int64_t since_day; /* how far back days reaches */
};

int reuse_init(struct reuse *reuse, const struct db *db, struct error *err);
void reuse_done(struct reuse *reuse);

struct reuse_question {
	const char *sha256; /* 64 hex digits */
	const struct finding *wanted;
	int64_t since_ns; /* answers that are not older, on copies first seen since then */
	int64_t seen_ns;  /* or since then */
};

/** See store_reuse(). SQLITE_OK or the failure's code. */
int reuse_find(struct reuse *reuse, const struct reuse_question *question, struct finding *out,
	       bool *found);

#endif
