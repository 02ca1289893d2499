/*
 * report: what commands say on descriptor 3, as JSON lines, and servers in their answers.
 *
 *	{"outcome": "malicious", "signature": "Eicar-Test", "detail": {"any": "JSON value"}}
 *
 * outcome is one of the outcomes' names; signature (a string) and detail (any JSON value) may be
 * missing or null, further keys are ignored, empty lines too; the last line may lack its newline.
 * Anything else is a bad report, and a bad report is an error, whatever else was said. Several
 * lines may be written: the first of the worst outcome counts. Format: ours; JSON is RFC 8259 as
 * jansson reads it, with duplicate keys, U+0000 and deep nesting refused. One thread.
 */
#ifndef CARVED_CORE_DETECT_REPORT_H
#define CARVED_CORE_DETECT_REPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/outcome.h"

/* Bytes that one command may write on descriptor 3. */
#define REPORT_MAX 65536
/* Bytes of a signature and of a detail (as ASCII JSON) that are kept. A longer signature is cut, a
 * longer detail dropped, and note says so: no attacker escapes a finding by making its words long.
 */
#define REPORT_SIGNATURE_MAX 512
#define REPORT_DETAIL_MAX    49152
/* Levels of arrays and objects in one line. */
#define REPORT_DEPTH_MAX 32

struct report {
	size_t count;	      /* well-formed lines */
	enum outcome outcome; /* the worst; OUTCOMES when there was no line */
	char *signature;      /* of the worst; owned, NULL: none */
	char *detail;	      /* of the worst; owned, ASCII JSON, NULL: none */
	bool extendable;      /* detail is an object without the keys "log" and "note" */
	const char *note; /* static words when something of the worst was left out; NULL: nothing */
	char error[256];  /* what is wrong with the first bad line; "" when all are well */
};

#define REPORT_INIT                 \
	{                           \
		.outcome = OUTCOMES \
	}

/** Adds what one command wrote; cut: it wrote more than was kept, which is a bad report. */
void report_read(struct report *report, const char *bytes, size_t len, bool cut);
/** Adds a report that is one JSON object over as many lines as it likes: what servers answer. The
 * words of an error do not quote it. */
void report_read_one(struct report *report, const char *bytes, size_t len);
/** True when the JSON text is nested deeper than REPORT_DEPTH_MAX: jansson recurses, and workers'
 * stacks are small, so that is measured before anything is parsed. */
bool report_too_deep(const char *text, size_t len);
void report_done(struct report *report);

static inline void report_cleanup(struct report *report)
{
	report_done(report);
}

#endif
