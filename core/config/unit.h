/*
 * unit: numbers as people write them: 8, 256M, 1.5G, 10s, 250ms, 30d, 90%. Pure; any thread.
 */
#ifndef CARVED_CORE_CONFIG_UNIT_H
#define CARVED_CORE_CONFIG_UNIT_H

#include <stddef.h>
#include <stdint.h>

enum unit {
	UNIT_COUNT,    /* a whole number */
	UNIT_BYTES,    /* B, K, M, G, T (also KiB, MiB, ...): powers of 1024; none: bytes */
	UNIT_DURATION, /* ms, s, m (min), h, d, w: in milliseconds; none: seconds */
	UNIT_DAYS,     /* d, w: in days; none: days */
	UNIT_PERCENT,  /* %, or none */
};

enum unit_result {
	UNIT_FINE = 0,
	UNIT_MALFORMED,
	UNIT_TOO_LARGE, /* more than INT64_MAX */
};

/** Parses text, which is that number and nothing else; bytes and durations may have decimals. */
enum unit_result unit_parse(enum unit unit, const char *text, int64_t *out);
/** Writes value (>= 0) as it would be written, with the largest unit that gives a whole number,
 * into buffer; returns buffer. */
const char *unit_format(enum unit unit, int64_t value, char *buffer, size_t size);
/** "a size such as 256M", ...: what was expected, for messages. */
const char *unit_expected(enum unit unit);

#endif
