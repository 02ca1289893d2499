/* breaker: see breaker.h. */
#include "core/detect/breaker.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "core/base/error.h"

void breaker_init(struct breaker *breaker)
{
	*breaker = (struct breaker){ .generation = 1 };
	lock_init(&breaker->lock);
}

void breaker_done(struct breaker *breaker)
{
	lock_done(&breaker->lock);
}

static bool is_open(const struct breaker *breaker)
{
	return breaker->pause_ms > 0;
}

/* Would a question be refused now? */
static bool refuses(const struct breaker *breaker, struct mono now)
{
	return is_open(breaker) && (breaker->trying || now.ns < breaker->until.ns);
}

static void say(const struct breaker *breaker, struct mono now, struct error *why)
{
	if (breaker->trying) {
		(void)error_set(why, EHOSTDOWN, "%s; it is being tried again", breaker->words);
		return;
	}
	int64_t left_ns = breaker->until.ns - now.ns;
	int64_t left_s = (left_ns + CLOCK_NS_PER_S - 1) / CLOCK_NS_PER_S;
	(void)error_set(why, EHOSTDOWN, "%s; not tried again for %" PRId64 " s", breaker->words,
			left_s);
}

unsigned breaker_pass(struct breaker *breaker, struct mono now, struct error *why)
{
	unsigned number = 0;
	lock_take(&breaker->lock);
	if (refuses(breaker, now)) {
		say(breaker, now, why);
	} else {
		breaker->trying = is_open(breaker);
		number = breaker->generation;
	}
	lock_drop(&breaker->lock);
	return number;
}

bool breaker_refuses(struct breaker *breaker, struct mono now, struct error *why)
{
	lock_take(&breaker->lock);
	bool refused = refuses(breaker, now);
	if (refused)
		say(breaker, now, why);
	lock_drop(&breaker->lock);
	return refused;
}

static void keep_words(struct breaker *breaker, const char *words)
{
	(void)snprintf(breaker->words, sizeof breaker->words, "%s", words);
}

/* Everybody who has passed so far belongs to the past. */
static void open_until(struct breaker *breaker, struct mono until)
{
	breaker->until = until;
	breaker->trying = false;
	breaker->failures = 0;
	breaker->generation++;
	if (breaker->generation == 0)
		breaker->generation = 1;
}

void breaker_well(struct breaker *breaker)
{
	lock_take(&breaker->lock);
	breaker->failures = 0;
	breaker->pause_ms = 0;
	breaker->trying = false;
	lock_drop(&breaker->lock);
}

static int64_t next_pause_ms(const struct breaker *breaker)
{
	if (!is_open(breaker))
		return BREAKER_PAUSE_MIN_MS;
	return breaker->pause_ms < BREAKER_PAUSE_MAX_MS / 2 ? breaker->pause_ms * 2
							    : BREAKER_PAUSE_MAX_MS;
}

void breaker_ill(struct breaker *breaker, unsigned number, struct mono now, const char *words)
{
	lock_take(&breaker->lock);
	if (number == breaker->generation) {
		keep_words(breaker, words);
		breaker->failures++;
		if (is_open(breaker) || breaker->failures >= BREAKER_FAILURES) {
			breaker->pause_ms = next_pause_ms(breaker);
			open_until(breaker, mono_add_ms(now, breaker->pause_ms));
		}
	}
	lock_drop(&breaker->lock);
}

void breaker_unsaid(struct breaker *breaker, unsigned number)
{
	lock_take(&breaker->lock);
	if (number == breaker->generation)
		breaker->trying = false;
	lock_drop(&breaker->lock);
}

void breaker_hold(struct breaker *breaker, struct mono now, int64_t pause_ms, const char *words)
{
	struct mono until =
		mono_add_ms(now, pause_ms < BREAKER_HOLD_MAX_MS ? pause_ms : BREAKER_HOLD_MAX_MS);
	lock_take(&breaker->lock);
	keep_words(breaker, words);
	if (is_open(breaker) && breaker->until.ns > until.ns)
		until = breaker->until;
	if (!is_open(breaker))
		breaker->pause_ms = BREAKER_PAUSE_MIN_MS;
	open_until(breaker, until);
	lock_drop(&breaker->lock);
}
