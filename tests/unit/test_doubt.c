/* doubt: whether a row stands for a file that a walk meets. */
#include <criterion/criterion.h>

#include "core/app/doubt.h"
#include "core/base/clock.h"
#include "core/store/reader.h"

#define AT INT64_C(1764000000000000001) /* no whole second */

static const struct identity file = { .fsid = 1, .inode = 2, .ctime_ns = AT };

static struct known row(int64_t checked_ns)
{
	return (struct known){ .as = KNOWN_SAME,
			       .state = VERSION_DONE,
			       .has_sha256 = true,
			       .checked_ns = checked_ns };
}

Test(doubt, a_look_after_the_change_stands)
{
	struct known before = row(AT - 1), at = row(AT), after = row(AT + 1);
	cr_expect(!doubt_stands(true, &file, &before));
	cr_expect(doubt_stands(true, &file, &at));
	cr_expect(doubt_stands(true, &file, &after));
}

Test(doubt, nothing_is_told_without_a_hash)
{
	struct known before = row(AT - 1);
	cr_expect(doubt_stands(false, &file, &before));
	before.has_sha256 = false;
	cr_expect(doubt_stands(true, &file, &before));
}

Test(doubt, where_times_are_whole_seconds_two_of_them_must_have_passed)
{
	const int64_t whole = AT - AT % CLOCK_NS_PER_S;
	const struct identity coarse = { .ctime_ns = whole };
	struct known soon = row(whole + CLOCK_NS_PER_S);
	struct known late = row(whole + 2 * CLOCK_NS_PER_S);
	cr_expect(!doubt_stands(true, &coarse, &soon));
	cr_expect(doubt_stands(true, &coarse, &late));
}

Test(doubt, a_look_in_the_future_vouches_for_its_own_change_time_alone)
{
	const int64_t future = clock_wall_ns() + 3600 * CLOCK_NS_PER_S + 1;
	struct known ahead = row(future);
	const struct identity same = { .ctime_ns = future };
	cr_expect(!doubt_stands(true, &file, &ahead));
	cr_expect(doubt_stands(true, &same, &ahead));
	cr_expect(doubt_may_have_changed(&same, HINT_COMPLETE, &ahead));
}

Test(doubt, an_event_is_given_two_ticks)
{
	struct known soon = row(AT + clock_tick_ns());
	struct known late = row(AT + 2 * clock_tick_ns());
	cr_expect(!doubt_may_have_changed(&file, HINT_WALKED, &soon));
	cr_expect(doubt_may_have_changed(&file, HINT_COMPLETE, &soon));
	cr_expect(!doubt_may_have_changed(&file, HINT_COMPLETE, &late));
}

Test(doubt, what_waits_or_could_not_be_looked_at_does_not_stand)
{
	struct known known = row(AT + 1);
	known.state = VERSION_QUEUED;
	cr_expect(!doubt_stands(false, &file, &known));
	known.state = VERSION_UNSCANNED;
	known.has_sha256 = false;
	for (enum version_reason reason = REASON_NONE + 1; reason < REASONS; reason++) {
		known.reason = reason;
		cr_expect_eq(doubt_stands(false, &file, &known),
			     reason != REASON_UNREADABLE && reason != REASON_VANISHED, "%s",
			     version_reason_name(reason));
	}
}
