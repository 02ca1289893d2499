/* earlier: what of earlier answers spares asking again. Taking over is tried by test_ask and
 * test_reuse on a history. */
#include <criterion/criterion.h>
#include <string.h>

#include "core/app/ask.h"
#include "core/app/earlier.h"
#include "core/app/job.h"
#include "core/config/config.h"
#include "core/store/rescan.h"

static struct job job;
static struct asking asking;
static struct store_rescan rescan;
static struct config_detector row = { .retries = 2 };

static void setup(void)
{
	job = (struct job){ .version = version_new("/r/a", 4) };
	asking = (struct asking){ .job = &job, .earlier_stands = true };
}

static void teardown(void)
{
	earlier_forget(&asking);
	version_free(job.version);
}

TestSuite(earlier, .init = setup, .fini = teardown);

static struct finding finding(const char *detector, enum outcome outcome, char key)
{
	struct finding made = { .detector = (char *)detector, .outcome = outcome };
	memset(made.key, key, sizeof made.key);
	return made;
}

/* As the history gives it: each in an attempt of its own. */
static void said(const char *detector, enum outcome outcome, char key)
{
	struct finding made = finding(detector, outcome, key);
	made.detector = xstrdup(detector);
	made.attempt = ++job.version->attempt;
	asking.earlier = realloc(asking.earlier, (asking.earlier_count + 1) * sizeof made);
	asking.earlier[asking.earlier_count++] = made;
}

static const struct finding *look_back(char key, unsigned *failures)
{
	struct finding wanted = finding("d", OUTCOMES, key);
	*failures = 0;
	return earlier_look_back(&asking, &row, &wanted, failures);
}

Test(earlier, a_definite_answer_by_the_same_key_stands)
{
	unsigned failures;
	said("d", OUTCOME_CLEAN, 'a');
	said("other", OUTCOME_CLEAN, 'b');
	said("d", OUTCOME_ERROR, 'a');
	job.version->tries = job.version->attempt;
	const struct finding *found = look_back('a', &failures);
	cr_assert(found);
	cr_expect(found->outcome == OUTCOME_CLEAN);
	cr_expect_null(look_back('b', &failures));
	cr_expect(failures == 1);
	asking.earlier_stands = false;
	cr_expect_null(look_back('a', &failures));
}

Test(earlier, failures_of_this_stay_in_the_queue_count_and_the_last_stands_when_none_is_left)
{
	unsigned failures;
	said("d", OUTCOME_ERROR, 'a');
	said("d", OUTCOME_TIMEOUT, 'a');
	job.version->tries = 1;
	cr_expect_null(look_back('a', &failures));
	cr_expect(failures == 1);
	job.version->tries = 2;
	const struct finding *found = look_back('a', &failures);
	cr_assert(found);
	cr_expect(found->outcome == OUTCOME_TIMEOUT && failures == 2);
}

Test(earlier, a_rescan_wants_the_last_word_to_be_by_the_rules_in_force)
{
	unsigned failures;
	said("d", OUTCOME_CLEAN, 'a');
	said("d", OUTCOME_MALICIOUS, 'b');
	cr_expect(look_back('a', &failures), "a new file's answers stand as they are");
	job.rescan = &rescan;
	cr_expect_null(look_back('a', &failures));
	const struct finding *found = look_back('b', &failures);
	cr_assert(found);
	cr_expect(found->outcome == OUTCOME_MALICIOUS);
	cr_expect(earlier_newest(&asking, "d") == found);
	cr_expect_null(earlier_newest(&asking, "other"));
}

Test(earlier, what_was_skipped_by_the_rules_in_force_is_fresh_and_what_failed_is_not)
{
	struct finding a = finding("d", OUTCOMES, 'a');
	struct finding b = finding("d", OUTCOMES, 'b');
	job.rescan = &rescan;
	cr_expect(!earlier_is_fresh(&asking, &a));
	said("d", OUTCOME_CLEAN, 'a');
	cr_expect(earlier_is_fresh(&asking, &a));
	said("d", OUTCOME_ERROR, 'b');
	cr_expect(earlier_is_fresh(&asking, &a) && !earlier_is_fresh(&asking, &b));
	said("d", OUTCOME_SKIPPED, 'b');
	cr_expect(!earlier_is_fresh(&asking, &a) && earlier_is_fresh(&asking, &b));
	cr_expect(earlier_newest(&asking, "d")->outcome == OUTCOME_CLEAN, "the verdict's");
}

Test(earlier, one_that_was_spared_is_fresh_until_it_is_asked)
{
	struct finding a = finding("d", OUTCOMES, 'a');
	job.rescan = &rescan;
	cr_expect(!earlier_was_spared(&asking, "d"));
	said("d", OUTCOME_SKIPPED, 0);
	said("d", OUTCOME_ERROR, 'a');
	cr_expect(earlier_was_spared(&asking, "d") && earlier_is_fresh(&asking, &a));
	said("d", OUTCOME_CLEAN, 'b');
	cr_expect(!earlier_was_spared(&asking, "d") && !earlier_is_fresh(&asking, &a));
	said("d", OUTCOME_SKIPPED, 'a');
	cr_expect(!earlier_was_spared(&asking, "d") && earlier_is_fresh(&asking, &a));
}
