/* round: see round.h. */
#include "core/dispose/round.h"

#include <string.h>

#include "core/config/config.h"

void lanes_init(struct lanes *lanes, int64_t floor_ns)
{
	lane_init(&lanes->done, KEPT_DONE, floor_ns);
	lane_init(&lanes->unscanned, KEPT_UNSCANNED, INT64_MIN);
}

void lanes_done(struct lanes *lanes)
{
	lane_done(&lanes->done);
	lane_done(&lanes->unscanned);
}

void round_intend(struct round *round, int64_t version_id, enum removal_cause cause)
{
	struct removal removal = { .version_id = version_id,
				   .action = REMOVAL_DELETE,
				   .cause = cause,
				   .intended_ns = clock_wall_ns() };
	removals_add(&round->choice->intents.list, &removal);
}

size_t round_chosen(const struct round *round)
{
	return round->choice->intents.list.count;
}

bool round_is_full(const struct round *round)
{
	return round_chosen(round) == CHOOSE_AT_ONCE;
}

void round_sooner(struct round *round, struct mono at)
{
	if (at.ns < round->retention->next.ns)
		round->retention->next = at;
}

uint64_t round_less(uint64_t all, uint64_t part)
{
	return all > part ? all - part : 0;
}
