/* Tests of conclude.c: what becomes of a version, from what its detectors said. */
#include <criterion/criterion.h>

#include "core/app/conclude.h"
#include "core/config/config.h"
#include "core/store/version.h"

static const struct config_detector must = {
	.name = "must", .retries = 3, .retry_pause_ms = 1000, .required = true
};
static const struct config_detector may = { .name = "may", .retries = 1, .retry_pause_ms = 1000 };

static struct standing said(const struct config_detector *row, enum outcome outcome,
			    unsigned failures)
{
	return (struct standing){ .row = row, .outcome = outcome, .failures = failures };
}

static struct conclusion of_two(struct standing a, struct standing b)
{
	const struct standing both[] = { a, b };
	return conclude(both, 2, 0);
}

Test(conclude, done_is_what_every_required_detector_was_definite_about)
{
	struct conclusion got =
		of_two(said(&must, OUTCOME_CLEAN, 0), said(&must, OUTCOME_UNKNOWN, 0));
	cr_assert(got.done && !got.again);
	cr_assert_eq(got.worst, OUTCOME_UNKNOWN);
}

Test(conclude, a_detector_that_does_not_want_the_version_does_not_count)
{
	struct conclusion got = of_two((struct standing){ 0 }, said(&must, OUTCOME_CLEAN, 0));
	cr_assert(got.done);
	cr_assert_eq(got.worst, OUTCOME_CLEAN);
}

Test(conclude, malicious_decides_at_once_whatever_others_failed)
{
	struct conclusion got =
		of_two(said(&must, OUTCOME_ERROR, 1), said(&may, OUTCOME_MALICIOUS, 0));
	cr_assert(got.done && !got.again && !got.away);
}

Test(conclude, a_failure_comes_again_until_its_attempts_are_used_up)
{
	struct conclusion got =
		of_two(said(&must, OUTCOME_TIMEOUT, 2), said(&must, OUTCOME_CLEAN, 0));
	cr_assert(!got.done && got.again);
	cr_assert_geq(got.pause_ms, 2000);
	cr_assert_leq(got.pause_ms, 2500);
	got = of_two(said(&must, OUTCOME_TIMEOUT, 3), said(&must, OUTCOME_CLEAN, 0));
	cr_assert(!got.done && !got.again);
}

Test(conclude, what_is_not_required_may_fail_and_is_shown)
{
	struct conclusion got = of_two(said(&may, OUTCOME_ERROR, 1), said(&must, OUTCOME_CLEAN, 0));
	cr_assert(got.done && !got.again);
	cr_assert_eq(got.worst, OUTCOME_ERROR);
}

Test(conclude, what_was_skipped_is_not_asked_again_and_not_clean)
{
	struct conclusion got =
		of_two(said(&must, OUTCOME_SKIPPED, 0), said(&must, OUTCOME_CLEAN, 0));
	cr_assert(!got.done && !got.again);
	cr_assert_eq(got.worst, OUTCOME_SKIPPED);
}

Test(conclude, one_that_is_away_is_waited_for)
{
	const struct standing both[] = { { .row = &must, .outcome = OUTCOMES, .away = true },
					 said(&must, OUTCOME_CLEAN, 0) };
	struct conclusion got = conclude(both, 2, 10000);
	cr_assert(!got.done && got.again && got.away);
	cr_assert_eq(got.pause_ms, 5000);
	cr_assert_eq(conclude_away_ms(0), 500);
	cr_assert_eq(conclude_away_ms(INT64_MAX), 120000);
}

Test(conclude, pauses_double_up_to_an_hour_and_a_longer_one_stands)
{
	const struct config_detector slow = { .retry_pause_ms = 7200000 };
	const struct config_detector none = { .retry_pause_ms = 0 };
	cr_assert_leq(conclude_pause_ms(&must, 4000000000), 3600000 * 5 / 4);
	cr_assert_geq(conclude_pause_ms(&must, 4000000000), 3600000);
	cr_assert_geq(conclude_pause_ms(&slow, 1), 7200000);
	cr_assert_geq(conclude_pause_ms(&slow, 9), 7200000);
	cr_assert_eq(conclude_pause_ms(&none, 3), 0);
}

Test(conclude, no_pause_is_longer_than_the_longest)
{
	const struct config_detector rows[] = {
		{ .retry_pause_ms = 10000, .retries = 1 },
		{ .retry_pause_ms = 10000, .retries = 100 },
		{ .retry_pause_ms = 7200000, .retries = 3 },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		for (unsigned failures = 1; failures < rows[i].retries; failures++)
			cr_assert_leq(conclude_pause_ms(&rows[i], failures),
				      conclude_pause_max_ms(&rows[i]));
		cr_assert_leq(conclude_away_ms(INT64_MAX), conclude_pause_max_ms(&rows[i]));
	}
}

Test(conclude, a_version_that_waits_has_no_verdict_yet_and_remembers_since_when)
{
	AUTO(version) struct version *version = version_new("/r/a", 4);
	const struct conclusion away = { .again = true, .away = true, .pause_ms = 5000 };
	conclude_write(&away, version);
	cr_assert_eq(version->state, VERSION_QUEUED);
	cr_assert_eq(version->wait, WAIT_RETRY);
	cr_assert_eq(version->verdict, OUTCOMES);
	cr_assert_eq(version->finished_ns, 0);
	int64_t since = version->away_since_ns;
	cr_assert_gt(since, 0);
	cr_assert_eq(version->due_ns, since + INT64_C(5000000000));
	conclude_write(&away, version);
	cr_assert_eq(version->away_since_ns, since, "the first time counts");
	const struct conclusion failed = { .worst = OUTCOME_ERROR };
	conclude_write(&failed, version);
	cr_assert_eq(version->state, VERSION_UNSCANNED);
	cr_assert_eq(version->reason, REASON_FAILED);
	cr_assert_eq(version->verdict, OUTCOME_ERROR);
	cr_assert_eq(version->away_since_ns, 0);
}

Test(conclude, who_abstains_counts_only_where_nobody_else_does)
{
	struct standing list = { .row = &must, .outcome = OUTCOME_UNKNOWN, .abstains = true };
	struct standing spared = { .row = &must, .outcome = OUTCOME_SKIPPED, .abstains = true };
	struct conclusion got = of_two(list, said(&must, OUTCOME_CLEAN, 0));
	cr_assert(got.done);
	cr_assert_eq(got.worst, OUTCOME_CLEAN);
	got = of_two(spared, said(&must, OUTCOME_CLEAN, 0));
	cr_assert(got.done && !got.again);
	cr_assert_eq(got.worst, OUTCOME_CLEAN);
	got = of_two(list, said(&must, OUTCOME_ERROR, 3));
	cr_assert(!got.done);
	cr_assert_eq(got.worst, OUTCOME_ERROR);
	got = of_two(list, (struct standing){ 0 });
	cr_assert(got.done);
	cr_assert_eq(got.worst, OUTCOME_UNKNOWN);
	/* skipped for any other reason is a failure */
	spared.abstains = false;
	got = of_two(spared, said(&must, OUTCOME_CLEAN, 0));
	cr_assert(!got.done && !got.again);
}
