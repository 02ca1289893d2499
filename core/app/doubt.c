/* doubt: see doubt.h. */
#include "core/app/doubt.h"

#include "core/app/limits.h"
#include "core/base/clock.h"
#include "core/store/reader.h"

/* Of file systems that keep whole seconds (ext4 with small inodes, NFSv2, vfat's two). */
#define COARSE_TICK_NS (2 * CLOCK_NS_PER_S)

/* Two changes within a tick look like one (git calls such an index entry racy): where a
 * close tells that somebody wrote, doubt is enough. A walk tells nothing, and must not hash every
 * file again that was scanned at once. A change of metadata alone is left to the next walk.
 *
 * Ticks of whole seconds are long enough for a second write, and for its scan, so there a walk
 * doubts as well; once, as the look that it leads to is later. A look in the future was made before
 * the clock was set back: nothing tells whether the change came after it. refresh_row() makes it
 * the change time then, so that this too costs one hash. */
int64_t doubt_slack_after_event_ns(const struct identity *identity)
{
	bool coarse = identity->ctime_ns % CLOCK_NS_PER_S == 0;
	return coarse ? COARSE_TICK_NS : 2 * clock_tick_ns();
}

int64_t doubt_slack_ns(const struct identity *identity, enum job_hint hint)
{
	bool coarse = identity->ctime_ns % CLOCK_NS_PER_S == 0;
	return coarse || hint == HINT_COMPLETE ? doubt_slack_after_event_ns(identity) : 0;
}

bool doubt_may_have_changed(const struct identity *identity, enum job_hint hint,
			    const struct known *known)
{
	if (known->checked_ns > clock_wall_ns())
		return hint == HINT_COMPLETE || identity->ctime_ns != known->checked_ns;
	return identity->ctime_ns + doubt_slack_ns(identity, hint) > known->checked_ns;
}

bool doubt_stands(bool hashes, const struct identity *identity, const struct known *known)
{
	if (known->state == VERSION_QUEUED || known->reason == REASON_UNREADABLE ||
	    known->reason == REASON_VANISHED)
		return false;
	return !hashes || !known->has_sha256 ||
	       !doubt_may_have_changed(identity, HINT_WALKED, known);
}

bool doubt_half_open(const struct job *job)
{
	const struct identity *identity = &job->version->identity;
	int64_t age_ns = clock_wall_ns() - identity->ctime_ns;
	return identity->size == 0 && job->told == TOLD_NOTHING && job->waits < 2 && age_ns >= 0 &&
	       age_ns < APP_CREATED_MS * CLOCK_NS_PER_MS;
}
