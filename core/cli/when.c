/* when: see when.h. */
#include "core/cli/when.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/clock.h"

struct unit {
	char letter;
	int64_t seconds;
};

static const struct unit units[] = {
	{ 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 }, { 'w', 604800 },
};

/* Digits only, at most as large as limit; *end is what follows. */
static bool read_number(const char *text, int64_t limit, int64_t *out, const char **end)
{
	char *after = NULL;
	if (!isdigit((unsigned char)*text))
		return false;
	errno = 0;
	long long value = strtoll(text, &after, 10);
	if (errno || value > limit)
		return false;
	*out = value;
	*end = after;
	return true;
}

bool when_span(const char *text, int64_t *out_ns)
{
	int64_t count = 0;
	const char *end = NULL;
	if (!read_number(text, INT64_MAX / CLOCK_NS_PER_S, &count, &end) || !end[0] || end[1])
		return false;
	for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
		if (units[i].letter != *end)
			continue;
		return !__builtin_mul_overflow(count, units[i].seconds * CLOCK_NS_PER_S, out_ns);
	}
	return false;
}

static bool read_date(const char *text, int64_t *out_ns)
{
	static const char *const forms[] = { "%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S",
					     "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S" };
	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
		struct tm tm = { 0 };
		const char *end = strptime(text, forms[i], &tm);
		if (!end || (*end && strcmp(end, "Z") != 0))
			continue;
		struct tm same = tm;
		time_t seconds = timegm(&same);
		if (same.tm_mday != tm.tm_mday) /* the 31st of November */
			return false;
		return !__builtin_mul_overflow((int64_t)seconds, CLOCK_NS_PER_S, out_ns);
	}
	return false;
}

bool when_moment(const char *text, int64_t now_ns, int64_t *out_ns)
{
	int64_t value = 0;
	const char *end = NULL;
	if (when_span(text, &value)) {
		*out_ns = now_ns - value;
		return true;
	}
	if (read_number(text, INT64_MAX / CLOCK_NS_PER_S, &value, &end) && !*end) {
		*out_ns = value * CLOCK_NS_PER_S;
		return true;
	}
	return read_date(text, out_ns);
}
