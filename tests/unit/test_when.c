/* when: moments and spans. */
#include <criterion/criterion.h>

#include "core/cli/when.c"

#define S   INT64_C(1000000000)
#define NOW (1764000000 * S)

struct span {
	const char *text;
	int64_t seconds; /* -1: none */
};

static const struct span spans[] = {
	{ "90s", 90 },
	{ "30m", 1800 },
	{ "12h", 43200 },
	{ "7d", 604800 },
	{ "2w", 1209600 },
	{ "0s", 0 },
	{ "1", -1 },
	{ "h", -1 },
	{ "-1h", -1 },
	{ "1h ", -1 },
	{ "1hh", -1 },
	{ "", -1 },
	{ " 1h", -1 },
	{ "1.5h", -1 },
	{ "1y", -1 },
	{ "9223372036s", 9223372036 },
	{ "9999999999999999999s", -1 },
	{ "9223372036w", -1 },
};

Test(when, spans)
{
	for (size_t i = 0; i < sizeof spans / sizeof *spans; i++) {
		int64_t got = -1;
		bool is = when_span(spans[i].text, &got);
		cr_expect(is == (spans[i].seconds >= 0), "%s", spans[i].text);
		if (is)
			cr_expect(got == spans[i].seconds * S, "%s", spans[i].text);
	}
}

struct moment {
	const char *text;
	int64_t seconds; /* INT64_MIN: none */
};

static const struct moment moments[] = {
	{ "2025-11-24", 1763942400 },
	{ "2025-11-24T10:00:00Z", 1763978400 },
	{ "2025-11-24T10:00:00", 1763978400 },
	{ "2025-11-24 10:00", 1763978400 },
	{ "2025-11-24T10:00Z", 1763978400 },
	{ "1969-12-31T23:59:59Z", -1 },
	{ "2024-02-29", 1709164800 },
	{ "1764000000", 1764000000 },
	{ "0", 0 },
	{ "1h", 1764000000 - 3600 },
	{ "7d", 1764000000 - 604800 },
	{ "2025-02-29", INT64_MIN },
	{ "2025-11-31", INT64_MIN },
	{ "2025-13-01", INT64_MIN },
	{ "2025-11-24T25:00:00Z", INT64_MIN },
	{ "2025-11-24T10:00:00+01:00", INT64_MIN },
	{ "yesterday", INT64_MIN },
	{ "", INT64_MIN },
	{ "-5", INT64_MIN },
	{ "99999999999999", INT64_MIN },
	{ "9999-12-31", INT64_MIN },
};

Test(when, moments)
{
	for (size_t i = 0; i < sizeof moments / sizeof *moments; i++) {
		int64_t got = 0;
		bool is = when_moment(moments[i].text, NOW, &got);
		cr_expect(is == (moments[i].seconds != INT64_MIN), "%s", moments[i].text);
		if (is)
			cr_expect(got == moments[i].seconds * S, "%s: %lld", moments[i].text,
				  (long long)got);
	}
}
