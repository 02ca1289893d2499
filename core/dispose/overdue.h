/*
 * overdue: what has been in the quarantine for long enough is deleted there, when the configuration
 * says how long. Private to this room; the disposer's thread.
 *
 * That it goes is recorded, and synced, before; a crash in between leaves a row that says so, and
 * is old enough to be met again. Somebody may restore it meanwhile: then it stays.
 */
#ifndef CARVED_CORE_DISPOSE_OVERDUE_H
#define CARVED_CORE_DISPOSE_OVERDUE_H

#include <stdint.h>

struct error;
struct removal_reader;
struct removals;

/** Adds those that were quarantined longer ago than age_ms, at most CHOOSE_AT_ONCE, as they are to
 * be recorded before. *left_ms is when the next one is due, -1: there is none. 0, or -errno with
 * err. */
int overdue_find(struct removal_reader *reader, int64_t age_ms, struct removals *out,
		 int64_t *left_ms, struct error *err);
/** Deletes those that are recorded so still, and sets their state. What cannot be deleted now stays
 * as it is, and err (code 0 before) says why. */
void overdue_do(struct removal_reader *reader, struct removals *removals, struct error *err);

#endif
