/*
 * amount: number and bytes; see round.h.
 *
 * Nobody tells of files that others delete, so what is counted by what is heard is an upper bound:
 * before anything goes because there is too much, it is counted anew, unless that was just done.
 */
#include "core/config/config.h"
#include "core/dispose/round.h"

enum {
	COUNT_SHARE = 20,  /* a count holds so many times as long as it took */
	COUNT_LOOK = 1000, /* files between two looks whether to leave off */
};

struct counting {
	const struct round *round;
	struct census census;
	bool left_off;
	size_t rows;
};

static bool count_row(void *context, const struct store_kept *row)
{
	struct counting *counting = context;
	const struct retention_peer *peer = &counting->round->retention->peer;
	if (lane_is_there(counting->round->config, row)) {
		counting->census.files++;
		counting->census.bytes += (uint64_t)row->identity.size;
	}
	if (++counting->rows % COUNT_LOOK == 0)
		counting->left_off = peer->ends(peer->context);
	return !counting->left_off;
}

/* A pass over the history from the floor on, each file looked at. *made is false when it had to
 * leave off. */
static int count(struct round *round, bool *made)
{
	struct retention *retention = round->retention;
	struct kept_reader *reader = retention->reader;
	struct counting counting = { .round = round };
	const struct kept_visit each = { count_row, &counting };
	struct mono began = mono_now();
	struct kept_at from = { lane_floor_ns(&retention->all.done), 0 };
	int result = kept_each(reader, KEPT_DONE, from, &each, round->err);
	from.key = INT64_MIN;
	if (result == 0 && round->limits->unscanned && !counting.left_off)
		result = kept_each(reader, KEPT_UNSCANNED, from, &each, round->err);
	*made = result == 0 && !counting.left_off;
	if (!*made)
		return result;
	int64_t took_ms = (mono_now().ns - began.ns) / CLOCK_NS_PER_MS;
	retention->census = counting.census;
	retention->census.until = mono_add_ms(mono_now(), COUNT_SHARE * took_ms);
	return 0;
}

static bool is_too_much(const struct round *round)
{
	const struct census *census = &round->retention->census;
	const struct config_retention *limits = round->limits;
	return (limits->count && census->files > limits->count) ||
	       (limits->bytes && census->bytes > (uint64_t)limits->bytes);
}

static int choose_excess(struct round *round, struct lane *lane)
{
	struct retention *retention = round->retention;
	struct census *census = &retention->census;
	const struct lane_file *file = NULL;
	int result = 0;
	while (!round_is_full(round) && is_too_much(round)) {
		result = lane_front(lane, &round->view, &file, round->err);
		if (result < 0 || !file)
			break;
		bool by_count = round->limits->count && census->files > round->limits->count;
		round_intend(round, file->at.id, by_count ? CAUSE_COUNT : CAUSE_BYTES);
		census->files = round_less(census->files, 1);
		census->bytes = round_less(census->bytes, (uint64_t)file->identity.size);
		lane_take(lane);
	}
	return result;
}

int amount_choose(struct round *round)
{
	struct retention *retention = round->retention;
	bool counted = retention->census.until.ns != 0;
	int result = 0;
	if (!round->limits->count && !round->limits->bytes)
		return 0;
	if (!counted || (is_too_much(round) && mono_passed(retention->census.until)))
		result = count(round, &counted);
	if (result == 0 && counted)
		result = choose_excess(round, &retention->all.done);
	if (result == 0 && counted && round_chosen(round) == 0 && round->limits->unscanned)
		result = choose_excess(round, &retention->all.unscanned);
	return result;
}
