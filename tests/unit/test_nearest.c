/* Tests of core/config/nearest.c. */
#include <criterion/criterion.h>
#include <string.h>

#include "core/config/nearest.h"

static const char *const words[] = { "roots", "history",       "workers",
				     "hash",  "max_file_size", "detectors" };

#define WORDS (sizeof words / sizeof *words)

Test(nearest, finds_what_was_meant)
{
	static const struct {
		const char *written, *word;
		size_t distance;
		bool close;
	} rows[] = {
		{ "rots", "roots", 1, true },
		{ "histroy", "history", 1, true },
		{ "WORKERS", "workers", 0, true },
		{ "hsah", "hash", 1, true },
		{ "detector", "detectors", 1, true },
		{ "max_size", "max_file_size", 5, true },
		{ "worker_count", "workers", 6, false },
		{ "zzzzzz", "roots", 6, false },
		{ "", "hash", 4, false },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct nearest nearest = nearest_of(rows[i].written, words, WORDS);
		cr_expect_str_eq(nearest.word, rows[i].word, "%s", rows[i].written);
		cr_expect_eq(nearest.distance, rows[i].distance, "%s: %zu", rows[i].written,
			     nearest.distance);
		cr_expect_eq(nearest.close, rows[i].close, "%s", rows[i].written);
	}
}

Test(nearest, takes_words_of_any_length)
{
	char longest[5000];
	memset(longest, 'x', sizeof longest);
	longest[sizeof longest - 1] = '\0';
	const char *const candidates[] = { longest, "x" };
	cr_assert_eq(nearest_of(longest, candidates, 2).distance, 0);
	cr_assert_eq(nearest_of("", candidates, 2).distance, 1);
}

Test(nearest, words_its_hint)
{
	char buffer[64];
	struct nearest none = { 0 };
	cr_assert_str_eq(nearest_hint(&none, "key", buffer, sizeof buffer), "");
	struct nearest close = nearest_of("rots", words, WORDS);
	cr_assert_str_eq(nearest_hint(&close, "key", buffer, sizeof buffer),
			 " (did you mean \"roots\"?)");
	struct nearest far = nearest_of("zzzzzz", words, WORDS);
	cr_assert_str_eq(nearest_hint(&far, "key", buffer, sizeof buffer),
			 " (the nearest known key is \"roots\")");
}
