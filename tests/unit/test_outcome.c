/* outcome: what one detector said, and the worst of several. */
#include <criterion/criterion.h>

#include "core/base/mem.h"
#include "core/base/outcome.h"

static const struct {
	const char *name;
	bool definite;
} rows[OUTCOMES] = {
	[OUTCOME_MALICIOUS] = { "malicious", true }, [OUTCOME_SUSPICIOUS] = { "suspicious", true },
	[OUTCOME_ERROR] = { "error", false },	     [OUTCOME_TIMEOUT] = { "timeout", false },
	[OUTCOME_SKIPPED] = { "skipped", false },    [OUTCOME_UNKNOWN] = { "unknown", true },
	[OUTCOME_CLEAN] = { "clean", true },
};

Test(outcome, names_go_both_ways)
{
	for (unsigned i = 0; i < OUTCOMES; i++) {
		cr_assert_str_eq(outcome_name((enum outcome)i), rows[i].name);
		cr_assert_eq(outcome_by_name(rows[i].name), (enum outcome)i);
		cr_assert_eq(outcome_is_definite((enum outcome)i), rows[i].definite);
	}
	cr_assert_eq(outcome_by_name("Clean"), OUTCOMES);
	cr_assert_eq(outcome_by_name(""), OUTCOMES);
	cr_assert_not(outcome_is_definite(OUTCOMES));
}

/* The design's order: malicious, suspicious, error, timeout, skipped, unknown, clean. */
Test(outcome, the_worst_is_the_earlier_in_the_order)
{
	for (unsigned a = 0; a <= OUTCOMES; a++) {
		for (unsigned b = 0; b <= OUTCOMES; b++)
			cr_assert_eq(outcome_worst((enum outcome)a, (enum outcome)b),
				     (enum outcome)(a < b ? a : b));
	}
}

Test(outcome, a_copy_shares_nothing)
{
	struct finding finding = { .detector = xstrdup("hashlist"),
				   .digest = "d",
				   .key = { 1, 2 },
				   .outcome = OUTCOME_MALICIOUS,
				   .signature = xstrdup("EICAR"),
				   .attempt = 2,
				   .cached = true,
				   .started_ns = 5,
				   .finished_ns = 6 };
	struct finding copy = finding_copy(&finding);
	cr_assert_neq(copy.detector, finding.detector);
	cr_assert_neq(copy.signature, finding.signature);
	finding_done(&finding);
	cr_assert_eq(finding.outcome, OUTCOMES);
	cr_assert_null(finding.detector);
	cr_assert_str_eq(copy.detector, "hashlist");
	cr_assert_str_eq(copy.signature, "EICAR");
	cr_assert_str_eq(copy.digest, "d");
	cr_assert_null(copy.detail);
	cr_assert_eq(copy.key[1], 2);
	cr_assert_eq(copy.attempt, 2u);
	cr_assert(copy.cached);
	cr_assert_eq(copy.finished_ns, 6);
	finding_done(&copy);
	finding_done(&copy);
}
