/*
 * overdue: what has been in the quarantine for long enough is deleted there, when the configuration
 * says how long. Private to this room; the disposer's thread.
 *
 * That it goes is recorded, and synced, before; a crash in between leaves a row that says so, and
 * is old enough to be met again. Somebody may restore it meanwhile: then it stays.
 */
#ifndef CARVED_CORE_DISPOSE_OVERDUE_H
#define CARVED_CORE_DISPOSE_OVERDUE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/clock.h"
#include "core/store/removal.h"

struct ages;
struct error;
struct removal_reader;

/* What is kept of it. All of it is gone through in portions, so that what cannot be deleted keeps
 * nothing behind it waiting. */
struct overdue {
	const struct ages *ages; /* borrowed */
	int64_t after_id;	 /* what was intended up to there had its turn */
	bool failed;		 /* something of that, or of the last time, cannot be deleted */
	struct mono again;	 /* nothing before, as it failed */
	struct mono next;	 /* when there is something to do; ns INT64_MAX: never */
};

/** Adds the next ones that were quarantined longer ago than age_ms, at most CHOOSE_AT_ONCE, as they
 * are to be recorded before. 0, or -errno with err. */
int overdue_find(struct overdue *overdue, struct removal_reader *reader, int64_t age_ms,
		 struct removals *out, struct error *err);
/** Deletes those that are recorded so still, and sets their state. What cannot be deleted now stays
 * as it is, and err (else code 0) says why. True: there may be more. */
bool overdue_do(struct overdue *overdue, struct removal_reader *reader, struct removals *removals,
		struct error *err);

#endif
