/* Tests of core/config/skips.c. */
#include "config_support.h"

TestSuite(skips, .init = support_setup, .fini = support_teardown);

#define NOOPS "  - { type: noop, name: one }\n  - { type: noop, name: two }\n"

Test(skips, name_the_detectors_that_are_spared)
{
	support_write("list", "");
	struct config *config = support_load_good(
		"detectors:\n"
		"  - { type: hashlist, name: bad, file: list }\n"
		"  - { type: hashlist, name: good, file: list, known: good, skips: [two] }\n"
		"  - { type: hashlist, name: best, file: list, known: good, skips: '*' }\n"
		"  - { type: hashlist, name: mild, file: list, known: good }\n" NOOPS);
	const struct config_detector *rows = config->detectors;
	cr_assert_eq(rows[0].known, CONFIG_KNOWN_BAD);
	cr_assert_eq(rows[1].known, CONFIG_KNOWN_GOOD);
	static const bool expected[4][6] = {
		{ 0 },
		{ false, false, false, false, false, true },
		{ false, false, false, false, true, true },
		{ 0 },
	};
	for (size_t by = 0; by < 4; by++) {
		for (size_t row = 0; row < 6; row++)
			cr_expect_eq(config_skips(&rows[by], &rows[row]), expected[by][row],
				     "%zu skips %zu", by, row);
	}
	config_unref(config);
}

Test(skips, that_make_no_sense_are_refused)
{
	static const struct refusal refusals[] = {
		{ "detectors:\n"
		  "  - { type: hashlist, file: x, known: good, skips: [one, twoo] }\n" NOOPS,
		  "2:58", "no detector called \"twoo\"", "two" },
		{ "detectors:\n  - { type: hashlist, file: x, skips: [one] }\n" NOOPS, "2:39",
		  "known: good", NULL },
		{ "detectors:\n"
		  "  - { type: hashlist, name: g, file: x, known: good, skips: g }\n" NOOPS,
		  "2:61", "\"g\" is a hashlist", NULL },
		{ "detectors:\n  - { type: hashlist, file: x, known: goood }\n", "2:39",
		  "expected bad or good", "good" },
		{ "detectors:\n  - { type: hashlist, known: good }\n", "2:5",
		  "names no \"file\": none is shipped", NULL },
		{ "detectors:\n  - { type: noop, skips: ['*'] }\n", "2:19",
		  "belongs to type hashlist", NULL },
	};
	SUPPORT_EXPECT_REFUSALS(refusals);
}
