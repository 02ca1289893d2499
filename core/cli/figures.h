/*
 * figures: what a history counts of some days: files, verdicts, the queue, detectors. From what is
 * counted beside the versions, so it is as quick in a large history as in a small one. One thread.
 */
#ifndef CARVED_CORE_CLI_FIGURES_H
#define CARVED_CORE_CLI_FIGURES_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/mem.h"

struct error;

/* Days are counted from the epoch, in UTC. */
#define FIGURES_NS_PER_DAY INT64_C(86400000000000)

struct figures_day {
	int64_t day; /* on which the files were first seen */
	int64_t files;
	int64_t alarms; /* of them, those that are malicious or suspicious */
};

/* How many there are of one kind; the name is owned. */
struct figures_kind {
	char *name;
	int64_t count;
};

struct figures_kinds {
	struct figures_kind *at;
	size_t count;
};

/* The days are those on which it answered; what was taken over has no part in the times. */
struct figures_detector {
	char *name;
	int64_t answers;
	int64_t cached;	  /* of them, taken over from another file of the same content */
	int64_t failures; /* of them, errors and timeouts */
	double mean_ms;
	double max_ms;
};

struct figures {
	struct figures_day *days; /* those that have files, in their order */
	size_t day_count;
	struct figures_kinds verdicts;	    /* of files that were looked at, the worst first */
	struct figures_kinds unscanned;	    /* by reason */
	struct figures_kinds queued;	    /* by what they wait for, of all days */
	int64_t rescans;		    /* that wait, of all days */
	struct figures_detector *detectors; /* the slowest first */
	size_t detector_count;
};

/** Reads them from since_day on. -ENOENT: there is no history; err in any failure. */
int figures_read(struct figures **out, const char *history, int64_t since_day, struct error *err);
void figures_free(struct figures *figures);
AUTO_DEFINE(figures);

#endif
