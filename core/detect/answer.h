/*
 * answer: how what a child did becomes what a detector says.
 *
 * The exit status is read by the class's rule (enum outcome for 0 and for 1, all else is an error);
 * the reports on descriptor 3 say more, and their worst outcome wins over the exit status, with two
 * exceptions that keep a broken tool from ever looking like a clean file: an exit status that is an
 * error stays an error, and a report of "clean" or "unknown" does not undo one that is malicious.
 * Pure; any thread.
 */
#ifndef CARVED_CORE_DETECT_ANSWER_H
#define CARVED_CORE_DETECT_ANSWER_H

#include "core/base/outcome.h"

struct answer;
struct child_result;
struct report;

struct answer_rule {
	enum outcome zero; /* what exit status 0 says */
	enum outcome one;  /* what exit status 1 says */
	const char *step;  /* put before the words of an error, "report.1"; NULL: nothing */
	const char *log; /* why the command's log could not be written, for detail; NULL: nothing */
};

/** answer: a child could not be run, for reasons of errno code (positive): unable when we lack
 * something, else an error with words. */
void answer_not_run(struct answer *answer, int code, const char *words);
/** answer: outcome, with {"error": words} as detail. Words may hold raw bytes. */
void answer_fail(struct answer *answer, enum outcome outcome, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/** answer: skipped, with {"reason": words} as detail. */
void answer_skip(struct answer *answer, const char *words);

/** answer: the detector's peer cannot be reached, in words. */
void answer_away(struct answer *answer, const char *words);

/** Fills answer, which is empty, with the report of a server that is called who in words. */
void answer_from_report(struct answer *answer, const struct report *report, const char *who);

/** Fills answer, which is empty, with what child and its reports said. */
void answer_from_child(struct answer *answer, const struct child_result *child,
		       const struct report *report, const struct answer_rule *rule);

#endif
