/*
 * chart: lines with a label, a number and a bar, for people. Pure; one thread.
 *
 * Bars are eighths of a character where the terminal has such, else "#".
 */
#ifndef CARVED_CORE_CLI_CHART_H
#define CARVED_CORE_CLI_CHART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct str;

#define CHART_NARROWEST 40

struct chart_row {
	const char *label; /* any bytes, escaped for people; cut when there is no room */
	const char *value; /* of ours */
	double size;	   /* of the bar, 0 or more; what is not 0 has one that is seen */
};

struct chart {
	unsigned width; /* of the terminal; taken for CHART_NARROWEST at least */
	bool utf8;	/* else nothing but ASCII is written */
};

/** Appends one line for each row, no wider than the chart; the longest bar is the largest size's.
 */
void chart_rows(const struct chart *chart, const struct chart_row *rows, size_t count,
		struct str *out);
/** Appends a number with a comma before each three digits. */
void chart_number(struct str *out, int64_t number);
/** Appends milliseconds with the unit that suits them: "0.12 ms", "3.4 s", "5.0 min". */
void chart_time(struct str *out, double ms);
/** Replaces what is not ASCII by \xNN. */
void chart_ascii(struct str *text);
/** Whether the locale of the environment has UTF-8. */
bool chart_locale_is_utf8(void);

#endif
