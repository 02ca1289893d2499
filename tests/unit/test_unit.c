/* Tests of core/config/unit.c. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/config/unit.h"

Test(unit, parses_what_people_write)
{
	static const struct {
		enum unit unit;
		const char *text;
		int64_t value;
	} rows[] = {
		{ UNIT_COUNT, "0", 0 },
		{ UNIT_COUNT, "256", 256 },
		{ UNIT_COUNT, "007", 7 },
		{ UNIT_COUNT, "9223372036854775807", INT64_MAX },
		{ UNIT_BYTES, "1", 1 },
		{ UNIT_BYTES, "1B", 1 },
		{ UNIT_BYTES, "256M", 268435456 },
		{ UNIT_BYTES, "256m", 268435456 },
		{ UNIT_BYTES, "1.5G", 1610612736 },
		{ UNIT_BYTES, "10 KiB", 10240 },
		{ UNIT_BYTES, "2TiB", INT64_C(2) << 40 },
		{ UNIT_DURATION, "10", 10000 },
		{ UNIT_DURATION, "0.5", 500 },
		{ UNIT_DURATION, "10s", 10000 },
		{ UNIT_DURATION, "250ms", 250 },
		{ UNIT_DURATION, "2m", 120000 },
		{ UNIT_DURATION, "2min", 120000 },
		{ UNIT_DURATION, "1.5h", 5400000 },
		{ UNIT_DURATION, "1d", 86400000 },
		{ UNIT_DURATION, "1w", 604800000 },
		{ UNIT_DURATION, "0.1234567890123456789s", 123 },
		{ UNIT_DAYS, "30d", 30 },
		{ UNIT_DAYS, "30", 30 },
		{ UNIT_DAYS, "2w", 14 },
		{ UNIT_PERCENT, "90%", 90 },
		{ UNIT_PERCENT, "90", 90 },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		int64_t value = -1;
		cr_expect_eq(unit_parse(rows[i].unit, rows[i].text, &value), UNIT_FINE, "%s",
			     rows[i].text);
		cr_expect_eq(value, rows[i].value, "%s: %" PRId64, rows[i].text, value);
	}
}

Test(unit, refuses_the_rest)
{
	static const struct {
		enum unit unit;
		const char *text;
		enum unit_result result;
	} rows[] = {
		{ UNIT_COUNT, "", UNIT_MALFORMED },
		{ UNIT_COUNT, "-1", UNIT_MALFORMED },
		{ UNIT_COUNT, "+1", UNIT_MALFORMED },
		{ UNIT_COUNT, " 1", UNIT_MALFORMED },
		{ UNIT_COUNT, "1 ", UNIT_MALFORMED },
		{ UNIT_COUNT, "1.5", UNIT_MALFORMED },
		{ UNIT_COUNT, "0x10", UNIT_MALFORMED },
		{ UNIT_COUNT, "1K", UNIT_MALFORMED },
		{ UNIT_COUNT, "9223372036854775808", UNIT_TOO_LARGE },
		{ UNIT_BYTES, "M", UNIT_MALFORMED },
		{ UNIT_BYTES, "1MB", UNIT_MALFORMED },
		{ UNIT_BYTES, "1.M", UNIT_MALFORMED },
		{ UNIT_BYTES, "1 M ", UNIT_MALFORMED },
		{ UNIT_BYTES, "1  M", UNIT_MALFORMED },
		{ UNIT_BYTES, "99999999T", UNIT_TOO_LARGE },
		{ UNIT_DURATION, "10q", UNIT_MALFORMED },
		{ UNIT_DURATION, "1h30m", UNIT_MALFORMED },
		{ UNIT_DURATION, "99999999999999999999999w", UNIT_TOO_LARGE },
		{ UNIT_DAYS, "1.5d", UNIT_MALFORMED },
		{ UNIT_DAYS, "5h", UNIT_MALFORMED },
		{ UNIT_PERCENT, "90.5%", UNIT_MALFORMED },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		int64_t value = -1;
		cr_expect_eq(unit_parse(rows[i].unit, rows[i].text, &value), rows[i].result, "%s",
			     rows[i].text);
		cr_expect_eq(value, -1, "%s", rows[i].text);
	}
}

Test(unit, formats_in_the_largest_whole_unit)
{
	static const struct {
		enum unit unit;
		int64_t value;
		const char *text;
	} rows[] = {
		{ UNIT_COUNT, 256, "256" },
		{ UNIT_BYTES, 0, "0" },
		{ UNIT_BYTES, 1, "1" },
		{ UNIT_BYTES, 268435456, "256M" },
		{ UNIT_BYTES, INT64_C(1) << 50, "1024T" },
		{ UNIT_DURATION, 100, "100ms" },
		{ UNIT_DURATION, 10000, "10s" },
		{ UNIT_DURATION, 86400000, "1d" },
		{ UNIT_DURATION, 90000, "90s" },
		{ UNIT_DAYS, 36500, "36500d" },
		{ UNIT_DAYS, 14, "2w" },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char buffer[32];
		cr_expect_str_eq(unit_format(rows[i].unit, rows[i].value, buffer, sizeof buffer),
				 rows[i].text);
		int64_t again = -1;
		cr_expect_eq(unit_parse(rows[i].unit, buffer, &again), UNIT_FINE);
		cr_expect_eq(again, rows[i].value);
	}
}
