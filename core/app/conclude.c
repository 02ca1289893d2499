/* conclude: see conclude.h. */
#include "core/app/conclude.h"

#include <stdlib.h>

#include "core/base/clock.h"
#include "core/config/config.h"
#include "core/store/version.h"

/* Longest pause between two attempts, and between two looks for a detector that is away. */
#define PAUSE_MAX_MS	  INT64_C(3600000)
#define AWAY_PAUSE_MIN_MS 500
#define AWAY_PAUSE_MAX_MS 120000

bool conclude_exhausted(const struct config_detector *row, unsigned failures)
{
	return failures >= row->retries;
}

static int64_t pause_after(const struct config_detector *row, unsigned failures)
{
	int64_t pause = row->retry_pause_ms;
	for (unsigned i = 1; i < failures && pause < PAUSE_MAX_MS; i++)
		pause *= 2;
	if (pause > PAUSE_MAX_MS)
		pause = PAUSE_MAX_MS > row->retry_pause_ms ? PAUSE_MAX_MS : row->retry_pause_ms;
	return pause;
}

int64_t conclude_pause_ms(const struct config_detector *row, unsigned failures)
{
	int64_t pause = pause_after(row, failures);
	int64_t quarter = pause / 4;
	return pause + (int64_t)arc4random_uniform((uint32_t)quarter + 1);
}

int64_t conclude_pause_max_ms(const struct config_detector *row)
{
	int64_t pause = pause_after(row, row->retries);
	pause += pause / 4;
	return pause > AWAY_PAUSE_MAX_MS ? pause : AWAY_PAUSE_MAX_MS;
}

int64_t conclude_away_ms(int64_t away_ms)
{
	int64_t pause = away_ms / 2;
	if (pause < AWAY_PAUSE_MIN_MS)
		return AWAY_PAUSE_MIN_MS;
	return pause < AWAY_PAUSE_MAX_MS ? pause : AWAY_PAUSE_MAX_MS;
}

static void wait_for(struct conclusion *conclusion, int64_t pause_ms)
{
	conclusion->again = true;
	/* nobody is asked before its time */
	if (pause_ms > conclusion->pause_ms)
		conclusion->pause_ms = pause_ms;
}

static void weigh(struct conclusion *conclusion, const struct standing *standing, int64_t away_ms)
{
	conclusion->worst = outcome_worst(conclusion->worst, standing->outcome);
	if (standing->away) {
		conclusion->away = true;
		conclusion->done = false;
		wait_for(conclusion, conclude_away_ms(away_ms));
		return;
	}
	if (outcome_is_definite(standing->outcome))
		return;
	if (standing->row->required)
		conclusion->done = false;
	/* what was skipped would be skipped again */
	if (standing->outcome != OUTCOME_SKIPPED && !standing->final &&
	    !conclude_exhausted(standing->row, standing->failures))
		wait_for(conclusion, conclude_pause_ms(standing->row, standing->failures));
}

struct conclusion conclude(const struct standing *standings, size_t count, int64_t away_ms)
{
	struct conclusion conclusion = { .worst = OUTCOMES, .done = true };
	enum outcome aside = OUTCOMES;
	for (size_t i = 0; i < count; i++) {
		if (standings[i].row && standings[i].abstains)
			aside = outcome_worst(aside, standings[i].outcome);
		else if (standings[i].row)
			weigh(&conclusion, &standings[i], away_ms);
	}
	if (conclusion.worst == OUTCOMES)
		conclusion.worst = aside;
	if (conclusion.worst == OUTCOME_MALICIOUS)
		return (struct conclusion){ .worst = OUTCOME_MALICIOUS, .done = true };
	if (conclusion.again)
		conclusion.done = false;
	return conclusion;
}

void conclude_write(const struct conclusion *conclusion, struct version *version)
{
	const int64_t now_ns = clock_steady_ns();
	version->verdict = conclusion->worst;
	version->finished_ns = clock_wall_ns();
	version->wait = WAIT_NOTHING;
	version->due_ns = 0;
	version->reason = REASON_NONE;
	if (!conclusion->away)
		version->away_since_ns = 0;
	if (conclusion->done) {
		version->state = VERSION_DONE;
	} else if (conclusion->again) {
		version->state = VERSION_QUEUED;
		version->wait = WAIT_RETRY;
		version->due_ns = now_ns + conclusion->pause_ms * CLOCK_NS_PER_MS;
		if (conclusion->away && version->away_since_ns == 0)
			version->away_since_ns = now_ns;
		version->finished_ns = 0;
		version->verdict = OUTCOMES;
	} else {
		version->state = VERSION_UNSCANNED;
		version->reason = REASON_FAILED;
	}
}
