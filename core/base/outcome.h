/*
 * outcome: what one detector said of one version, and the verdict over all of them.
 *
 * The order of the enum is the order of verdicts: the verdict is the worst outcome, and "worse" is
 * a smaller number. Definite are malicious, suspicious, clean and unknown. Pure; any thread.
 */
#ifndef CARVED_CORE_BASE_OUTCOME_H
#define CARVED_CORE_BASE_OUTCOME_H

#include <stdbool.h>
#include <stdint.h>

enum outcome {
	OUTCOME_MALICIOUS,
	OUTCOME_SUSPICIOUS,
	OUTCOME_ERROR,
	OUTCOME_TIMEOUT,
	OUTCOME_SKIPPED,
	OUTCOME_UNKNOWN, /* it ran and gave no report */
	OUTCOME_CLEAN,	 /* it looked and found nothing */
	OUTCOMES,	 /* count; also "none yet" */
};

/** "malicious", ...; borrowed for ever. */
const char *outcome_name(enum outcome outcome);
/** The outcome of that name, OUTCOMES when there is none. */
enum outcome outcome_by_name(const char *name);
bool outcome_is_definite(enum outcome outcome);
/** The worse of the two; OUTCOMES counts as "none" and yields to anything. */
enum outcome outcome_worst(enum outcome a, enum outcome b);

/* One outcome as history keeps it: a row of "scan". Strings are owned; finding_done frees them. */
struct finding {
	char *detector;	 /* the configured name */
	char digest[65]; /* hex digest of engine, rules and configuration */
	uint8_t key[16]; /* reuse key: digest and the entry fields that the detector declares to
			    read */
	enum outcome outcome;
	char *signature;  /* NULL: none */
	char *detail;	  /* JSON text or NULL */
	unsigned attempt; /* 1 is the first */
	bool cached;	  /* taken over from an earlier scan of the same content */
	int64_t started_ns;
	int64_t finished_ns;
};

void finding_done(struct finding *finding);
/** A deep copy. */
struct finding finding_copy(const struct finding *finding);

#endif
