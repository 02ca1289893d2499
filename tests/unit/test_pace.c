#include <criterion/criterion.h>

#include "core/app/pace.h"
#include "core/base/str.h"
#include "core/store/version.h"

static struct mono at(int64_t second)
{
	return (struct mono){ (1000 + second) * CLOCK_NS_PER_S };
}

static struct version *ended(enum version_state state, int64_t size)
{
	struct version *version = version_new("/r/f", 4);
	version->state = state;
	version->identity.size = size;
	return version;
}

static void answer(struct version *version, const char *detector, enum outcome outcome,
		   int64_t took_ns)
{
	struct finding finding = { .detector = strdup(detector),
				   .outcome = outcome,
				   .started_ns = 5,
				   .finished_ns = 5 + took_ns };
	version_add_finding(version, &finding);
}

Test(pace, a_minute_is_counted_and_then_forgotten)
{
	struct pace *pace = pace_new(at(0));
	AUTO(version) struct version *done = ended(VERSION_DONE, 10);
	AUTO(version) struct version *not = ended(VERSION_UNSCANNED, 10);
	cr_assert_eq(pace_last_minute(pace, at(0)).seconds, 1);
	pace_ended(pace, done, at(0));
	pace_ended(pace, done, at(0));
	pace_ended(pace, not, at(30));
	struct pace_sum sum = pace_last_minute(pace, at(30));
	cr_assert_eq(sum.seconds, 31);
	cr_assert_eq(sum.files, 3);
	cr_assert_eq(sum.bytes, 20);
	cr_assert_eq(pace_last_minute(pace, at(59)).files, 3);
	sum = pace_last_minute(pace, at(60));
	cr_assert_eq(sum.seconds, 60);
	cr_assert_eq(sum.files, 1);
	cr_assert_eq(sum.bytes, 0);
	cr_assert_eq(pace_last_minute(pace, at(90)).files, 0);
	/* the slot of the 30th second is another second's by now */
	pace_ended(pace, done, at(90));
	cr_assert_eq(pace_last_minute(pace, at(90)).files, 1);
	cr_assert_eq(pace_last_minute(pace, at(100000)).files, 0);
	pace_free(pace);
}

Test(pace, detectors_are_told_apart_and_what_was_taken_over_does_not_count)
{
	struct pace *pace = pace_new(at(0));
	AUTO(version) struct version *version = ended(VERSION_DONE, 10);
	answer(version, "one", OUTCOME_CLEAN, 100);
	answer(version, "one", OUTCOME_ERROR, 300);
	answer(version, "two", OUTCOME_TIMEOUT, 7);
	answer(version, "two", OUTCOME_SKIPPED, 1000);
	answer(version, "two", OUTCOME_MALICIOUS, -1000); /* no clock does that, but a row may */
	answer(version, "three", OUTCOME_CLEAN, 1000);
	version->findings[5].cached = true;
	pace_answered(pace, version, at(1));
	struct pace_detector one = pace_of(pace, "one"), two = pace_of(pace, "two");
	cr_assert_eq(one.answers, 2);
	cr_assert_eq(one.errors, 1);
	cr_assert_eq(one.timeouts, 0);
	cr_assert_eq(one.total_ns, 400);
	cr_assert_eq(one.longest_ns, 300);
	cr_assert_eq(two.answers, 2);
	cr_assert_eq(two.timeouts, 1);
	cr_assert_eq(two.longest_ns, 7);
	cr_assert_eq(pace_of(pace, "three").answers, 0);
	cr_assert_eq(pace_last_minute(pace, at(1)).answers, 4);
	pace_free(pace);
}

Test(pace, rates_are_json)
{
	struct pace *pace = pace_new(at(0));
	AUTO(version) struct version *done = ended(VERSION_DONE, 10);
	AUTO_STR text = STR_INIT;
	pace_ended(pace, done, at(3));
	pace_json(pace, at(3), &text);
	cr_assert_str_eq(
		str_text(&text),
		"{\"seconds\":4,\"files\":1,\"bytes\":10,\"answers\":0,\"files_per_second\""
		":0.25,\"bytes_per_second\":2.50,\"answers_per_second\":0.00}");
	pace_free(pace);
}
