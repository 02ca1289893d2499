/*
 * reuse: whether a detector has said something definite of this content before. Private to this
 * room.
 */
#ifndef CARVED_CORE_STORE_REUSE_H
#define CARVED_CORE_STORE_REUSE_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

struct absent;
struct db;
struct error;
struct finding;

enum {
	REUSE_DAYS_MAX = 400,
	REUSE_COPIES_MAX = 64 /* of one content in one segment that are looked at, the newest */
};

/* Embedded in the reader. */
struct reuse {
	sqlite3_stmt *newest;	  /* the largest id */
	sqlite3_stmt *since;	  /* the first row that was seen since a moment */
	sqlite3_stmt *below;	  /* the last row below an id */
	sqlite3_stmt *on_segment; /* a finding on content in one segment */
	sqlite3_stmt *lesson;	  /* for absent */
	struct absent *absent;	  /* borrowed; NULL: each segment may have any content */
	int64_t since_day;	  /* what is looked at begins on this day, and */
	int64_t first;		  /* in this segment; -1: nobody has asked */
};

int reuse_init(struct reuse *reuse, const struct db *db, struct error *err);
void reuse_done(struct reuse *reuse);

struct reuse_question {
	const uint8_t *sha256; /* 32 bytes */
	const struct finding *wanted;
	int64_t since_ns; /* answers that are not older, on copies first seen since then */
	int64_t seen_ns;  /* or since then */
};

/** True: reuse_find() would find nothing. Says so without reading, or false. */
bool reuse_is_absent(const struct reuse *reuse, const struct reuse_question *question);

/** See store_reuse(). SQLITE_OK or the failure's code. */
int reuse_find(struct reuse *reuse, const struct reuse_question *question, struct finding *out,
	       bool *found);

#endif
