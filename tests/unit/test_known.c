/* known: who is spared a file that is known to be good, and whose word has no part in the verdict.
 */
#include <criterion/criterion.h>

#include "core/app/ask.h"
#include "core/app/conclude.h"
#include "core/app/engine.h"
#include "core/app/job.h"
#include "core/app/known.h"
#include "core/config/config.h"
#include "tests/unit/detect_fixture.h"

static struct fixture fixture;
static char *list;
static char *all[] = { (char *)"*", NULL };
static char *two[] = { (char *)"two", NULL };
static struct config_detector rows[4];
static struct config config = { .refs = 1, .detectors = rows, .detector_count = 4 };
static struct standing standings[4];
static struct asking asking;

enum {
	ONE,
	TWO,
	BAD,
	GOOD
};

static void setup(void)
{
	fixture_init(&fixture, "sample");
	list = fixture_path(&fixture, "list");
	fixture_write(list, "");
	rows[ONE] = (struct config_detector){ .type = (char *)"noop", .name = (char *)"one" };
	rows[TWO] = (struct config_detector){ .type = (char *)"noop", .name = (char *)"two" };
	rows[BAD] = (struct config_detector){ .type = (char *)"hashlist",
					      .name = (char *)"bad",
					      .file = list };
	rows[GOOD] = (struct config_detector){ .type = (char *)"hashlist",
					       .name = (char *)"good",
					       .file = list,
					       .known = CONFIG_KNOWN_GOOD,
					       .skips = all };
	asking = (struct asking){ .standings = standings };
	cr_assert_eq(engine_new(&asking.engine, &config, NULL), 0);
}

static void teardown(void)
{
	engine_unref(asking.engine);
	free(list);
	fixture_done(&fixture);
}

TestSuite(known, .init = setup, .fini = teardown);

static void say(int detector, enum outcome outcome)
{
	standings[detector] = (struct standing){ .row = &rows[detector], .outcome = outcome };
}

static const struct detector *skipping(int detector)
{
	return known_skips(&asking, &rows[detector]);
}

Test(known, only_lists_of_good_files_are_such_lists)
{
	for (int i = 0; i < 4; i++)
		cr_expect_eq(known_is_list(asking.engine->detectors[i]), i == GOOD);
}

Test(known, a_file_on_the_list_spares_those_it_names_and_no_hash_list)
{
	cr_assert_null(skipping(ONE), "nobody was asked yet");
	say(GOOD, OUTCOME_CLEAN);
	cr_assert_eq(skipping(ONE), asking.engine->detectors[GOOD]);
	cr_assert_null(skipping(BAD));
	cr_assert_null(skipping(GOOD));
	rows[GOOD].skips = two;
	cr_assert_null(skipping(ONE));
	cr_assert_eq(skipping(TWO), asking.engine->detectors[GOOD]);
}

Test(known, other_words_of_the_list_spare_nobody)
{
	static const enum outcome words[] = { OUTCOME_UNKNOWN, OUTCOME_ERROR, OUTCOME_TIMEOUT };

	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		say(GOOD, words[i]);
		cr_expect_null(skipping(ONE));
	}
}

Test(known, a_list_that_does_not_want_the_file_spares_nobody)
{
	say(GOOD, OUTCOME_CLEAN);
	standings[GOOD].row = NULL;
	cr_assert_null(skipping(ONE));
}

static struct finding skipped_before(uint8_t key)
{
	return (struct finding){ .detector = xstrdup("one"),
				 .outcome = OUTCOME_SKIPPED,
				 .key = { key } };
}

/* Skips the detector "one" and returns how many findings the version has then. */
static size_t skip_one(struct version *version)
{
	struct job job = { .version = version };
	struct standing standing = { .row = &rows[ONE], .outcome = OUTCOMES };
	struct finding wanted = { .detector = xstrdup("one"), .outcome = OUTCOMES, .key = { 1 } };
	asking.job = &job;
	known_skip(&asking, &standing, &wanted, asking.engine->detectors[GOOD]);
	finding_done(&wanted);
	cr_assert(standing.abstains && standing.outcome == OUTCOME_SKIPPED);
	return version->finding_count;
}

Test(known, what_is_skipped_says_why)
{
	static const uint8_t none[16];
	AUTO(version) struct version *version = version_new("/r/x", 4);
	cr_assert_eq(skip_one(version), 1);
	const struct finding *finding = version->findings;
	cr_assert_eq(finding->outcome, OUTCOME_SKIPPED);
	cr_assert_str_eq(finding->detector, "one");
	cr_assert_str_eq(finding->detail, "{\"reason\": \"known good\", \"by\": \"good\"}");
	cr_assert_gt(finding->started_ns, 0);
	cr_assert_arr_eq(finding->key, none, sizeof none);
	cr_assert_not(finding->cached);
}

Test(known, what_was_skipped_in_an_earlier_attempt_is_not_told_again)
{
	AUTO(version) struct version *version = version_new("/r/x", 4);
	struct finding earlier = skipped_before(0);
	asking.earlier = &earlier;
	asking.earlier_count = 1;
	asking.earlier_stands = true;
	cr_assert_eq(skip_one(version), 0);
	earlier.key[0] = 1; /* skipped by itself, for its size maybe */
	cr_assert_eq(skip_one(version), 1);
	earlier.key[0] = 0;
	asking.earlier_stands = false; /* of the row that this is a sighting of */
	cr_assert_eq(skip_one(version), 2);
	finding_done(&earlier);
}
