/*
 * absent: in which parts of the history a content surely is not. Private to this room.
 *
 * The index on hashes is led by the segment (SEGMENT_ROWS_LOG2), so what was said of a content
 * before is asked of one segment after the other; and nearly all of what sensors write was never
 * seen before. Of each segment this keeps some bits for each hash in it, and tells the few that may
 * have one. It is never wrong: the writer adds a hash before its commit, and a segment of which not
 * every hash is known may have any.
 */
#ifndef CARVED_CORE_STORE_ABSENT_H
#define CARVED_CORE_STORE_ABSENT_H

#include <sqlite3.h>
#include <stdint.h>

#include "core/base/mem.h"

struct absent;
struct db;
struct error;
struct version;

enum {
	SEGMENT_ROWS_LOG2 = 14, /* ids of a segment, as version.segment in the schema */
	SEGMENTS_OF_A_GROUP = 64,
	SEGMENTS_OF_A_LESSON = 4 /* some 20 ms */
};

/** newest_id: the largest id in the history, whose rows are not known yet. Owned by the caller. */
struct absent *absent_new(int64_t newest_id);
void absent_free(struct absent *absent);
AUTO_DEFINE(absent);

/** The row with this id may have this hash from now on. The writer's. */
void absent_add(struct absent *absent, int64_t id, const uint8_t sha256[32]);

/** The same for a version that has an id and a hash, else nothing, as where one is NULL. */
void absent_note(struct absent *absent, const struct version *version);

/** The newest segment that has rows. Any thread. */
int64_t absent_newest(const struct absent *absent);

/** Bit n is set when a row in segment 64 * group + n may have this hash. Any thread. */
uint64_t absent_candidates(const struct absent *absent, const uint8_t sha256[32], int64_t group);

/** The statement for absent_learn() on a connection; 0, or -errno with err. */
int absent_prepare(const struct db *db, sqlite3_stmt **out, struct error *err);

/** Learns the newest segments that are not known, a lesson of them and none older than first, and
 * forgets those that are much older; does nothing while another thread is at it. So a history is
 * learned by and by, by those who have to look something up anyway. Any thread, with a statement of
 * its own. SQLITE_OK or the failure's code. */
int absent_learn(struct absent *absent, sqlite3_stmt *lesson, int64_t first);

#endif
