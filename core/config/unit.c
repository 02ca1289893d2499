/*
 * unit: see unit.h. "MB" is refused rather than guessed at: some mean 10^6, others 2^20.
 * Integer arithmetic throughout, so that nothing is rounded twice.
 */
#include "core/config/unit.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <strings.h>

#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

struct suffix {
	enum unit unit;
	const char *text;
	int64_t factor;
};

/* Within a unit the first row of a factor is the one that is written. */
static const struct suffix suffixes[] = {
	{ UNIT_COUNT, "", 1 },
	{ UNIT_BYTES, "", 1 },
	{ UNIT_BYTES, "B", 1 },
	{ UNIT_BYTES, "K", INT64_C(1) << 10 },
	{ UNIT_BYTES, "KiB", INT64_C(1) << 10 },
	{ UNIT_BYTES, "M", INT64_C(1) << 20 },
	{ UNIT_BYTES, "MiB", INT64_C(1) << 20 },
	{ UNIT_BYTES, "G", INT64_C(1) << 30 },
	{ UNIT_BYTES, "GiB", INT64_C(1) << 30 },
	{ UNIT_BYTES, "T", INT64_C(1) << 40 },
	{ UNIT_BYTES, "TiB", INT64_C(1) << 40 },
	{ UNIT_DURATION, "ms", 1 },
	{ UNIT_DURATION, "s", SECOND },
	{ UNIT_DURATION, "", SECOND },
	{ UNIT_DURATION, "m", MINUTE },
	{ UNIT_DURATION, "min", MINUTE },
	{ UNIT_DURATION, "h", HOUR },
	{ UNIT_DURATION, "d", DAY },
	{ UNIT_DURATION, "w", 7 * DAY },
	{ UNIT_DAYS, "d", 1 },
	{ UNIT_DAYS, "", 1 },
	{ UNIT_DAYS, "w", 7 },
	{ UNIT_PERCENT, "%", 1 },
	{ UNIT_PERCENT, "", 1 },
};

#define SUFFIXES (sizeof suffixes / sizeof *suffixes)

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static const struct suffix *find_suffix(enum unit unit, const char *text)
{
	for (size_t i = 0; i < SUFFIXES; i++) {
		if (suffixes[i].unit == unit && strcasecmp(suffixes[i].text, text) == 0)
			return &suffixes[i];
	}
	return NULL;
}

/* Reads digits into value; false when they are too many. */
static bool read_whole(const char **at, int64_t *value)
{
	*value = 0;
	for (; is_digit(**at); (*at)++) {
		if (__builtin_mul_overflow(*value, 10, value) ||
		    __builtin_add_overflow(*value, **at - '0', value))
			return false;
	}
	return true;
}

/* Reads decimals: at most six count, the others are below anything that matters here. */
static int64_t read_millionths(const char **at)
{
	int64_t value = 0;
	int64_t place = 100000;
	for (; is_digit(**at); (*at)++) {
		value += (**at - '0') * place;
		place /= 10;
	}
	return value;
}

enum unit_result unit_parse(enum unit unit, const char *text, int64_t *out)
{
	const char *at = text;
	if (!is_digit(*at))
		return UNIT_MALFORMED;
	int64_t whole;
	if (!read_whole(&at, &whole))
		return UNIT_TOO_LARGE;
	int64_t millionths = 0;
	if (*at == '.' && is_digit(at[1]) && (unit == UNIT_BYTES || unit == UNIT_DURATION)) {
		at++;
		millionths = read_millionths(&at);
	}
	if (*at == ' ' && at[1])
		at++;
	const struct suffix *suffix = find_suffix(unit, at);
	if (!suffix)
		return UNIT_MALFORMED;
	int64_t value, part;
	if (__builtin_mul_overflow(whole, suffix->factor, &value) ||
	    __builtin_mul_overflow(millionths, suffix->factor, &part) ||
	    __builtin_add_overflow(value, part / 1000000, &value))
		return UNIT_TOO_LARGE;
	*out = value;
	return UNIT_FINE;
}

const char *unit_format(enum unit unit, int64_t value, char *buffer, size_t size)
{
	const struct suffix *best = NULL;
	for (size_t i = 0; i < SUFFIXES; i++) {
		const struct suffix *s = &suffixes[i];
		bool fits = s->unit == unit && value % s->factor == 0 && (value || s->factor == 1);
		if (fits && (!best || s->factor > best->factor))
			best = s;
	}
	(void)snprintf(buffer, size, "%" PRId64 "%s", best ? value / best->factor : value,
		       best && value ? best->text : "");
	return buffer;
}

const char *unit_expected(enum unit unit)
{
	switch (unit) {
	case UNIT_COUNT:
		return "a whole number";
	case UNIT_BYTES:
		return "a size such as 256M";
	case UNIT_DURATION:
		return "a time such as 10s";
	case UNIT_DAYS:
		return "a number of days such as 30d";
	case UNIT_PERCENT:
		return "a share such as 90%";
	}
	return "";
}
