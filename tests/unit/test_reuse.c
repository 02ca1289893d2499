/* reuse: what was said of the same content before. */
#include "core/store/reuse.h"
#include "store_fixture.h"

static struct world w;
static struct error err;
static unsigned number;

static void setup(void)
{
	world_init(&w);
}

static void teardown(void)
{
	world_done(&w);
}

TestSuite(reuse, .init = setup, .fini = teardown);

/* A done version with content c, seen and scanned so many days after T0. */
static void put(uint8_t c, int day, const char *detector, enum outcome outcome)
{
	struct version *v = world_version("/r/a", ++number);
	v->first_seen_ns += day * DAY;
	v->has_sha256 = true;
	memset(v->sha256, c, 32);
	struct finding finding = world_finding(detector, outcome);
	finding.finished_ns += day * DAY;
	version_add_finding(v, &finding);
	if (outcome_is_definite(outcome)) {
		v->state = VERSION_DONE;
		v->verdict = outcome;
	} else {
		world_fail(v, REASON_FAILED);
	}
	world_put(&w, v);
}

static enum outcome reused(uint8_t c, const char *detector, int since_day)
{
	uint8_t sha256[32];
	struct finding wanted = world_finding(detector, OUTCOMES);
	struct finding got = { .outcome = OUTCOMES };
	bool found = false;
	memset(sha256, c, 32);
	cr_assert(store_reuse(w.reader, sha256, &wanted, T0 + since_day * DAY, &got, &found,
			      &err) == 0,
		  "%s", err.text);
	enum outcome outcome = got.outcome;
	cr_expect(found == (outcome != OUTCOMES));
	if (found)
		cr_expect(strcmp(got.detector, detector) == 0 && strlen(got.digest) == 64 &&
			  got.key[0] == 'k' && got.attempt == 1);
	finding_done(&got);
	finding_done(&wanted);
	return outcome;
}

Test(reuse, an_empty_history_has_nothing)
{
	cr_expect(reused(1, "noop", -30) == OUTCOMES);
}

Test(reuse, a_definite_finding_on_the_same_content_is_found)
{
	put(1, 0, "noop", OUTCOME_MALICIOUS);
	cr_expect(reused(1, "noop", -30) == OUTCOME_MALICIOUS);
	cr_expect(reused(2, "noop", -30) == OUTCOMES, "other content");
	cr_expect(reused(1, "other", -30) == OUTCOMES, "another detector");
}

Test(reuse, errors_are_not_reused)
{
	put(1, 0, "noop", OUTCOME_ERROR);
	put(1, 0, "noop", OUTCOME_TIMEOUT);
	cr_expect(reused(1, "noop", -30) == OUTCOMES);
	put(1, 0, "noop", OUTCOME_UNKNOWN);
	cr_expect(reused(1, "noop", -30) == OUTCOME_UNKNOWN);
}

Test(reuse, another_key_or_digest_is_another_question)
{
	put(1, 0, "noop", OUTCOME_CLEAN);
	uint8_t sha256[32];
	memset(sha256, 1, 32);
	for (int i = 0; i < 2; i++) {
		struct finding wanted = world_finding("noop", OUTCOMES);
		struct finding got;
		bool found = true;
		if (i == 0)
			wanted.key[15] ^= 1;
		else
			wanted.digest[0] = 'e';
		cr_assert(store_reuse(w.reader, sha256, &wanted, T0 - DAY, &got, &found, &err) ==
			  0);
		cr_expect(!found);
		finding_done(&wanted);
	}
}

Test(reuse, days_are_looked_at_back_to_the_limit)
{
	put(1, 0, "noop", OUTCOME_CLEAN);
	put(2, 3, "noop", OUTCOME_MALICIOUS);
	put(3, 9, "noop", OUTCOME_CLEAN);
	cr_expect(reused(1, "noop", -1) == OUTCOME_CLEAN);
	cr_expect(reused(2, "noop", 2) == OUTCOME_MALICIOUS);
	cr_expect(reused(1, "noop", 1) == OUTCOMES, "too old");
	cr_expect(reused(2, "noop", 4) == OUTCOMES, "too old");
	cr_expect(reused(1, "noop", -400) == OUTCOME_CLEAN, "further back than before");
	put(4, 20, "noop", OUTCOME_SUSPICIOUS);
	cr_expect(reused(4, "noop", 4) == OUTCOME_SUSPICIOUS, "a day that has just begun");
	cr_expect(reused(1, "noop", -1) == OUTCOME_CLEAN);
}
