/*
 * amount: number and bytes; see round.h.
 *
 * Nobody tells of files that others delete or write anew, so what is heard of since the last count
 * is an upper bound. It says when to count again; what goes is what a count found to be too much.
 */
#include "core/config/config.h"
#include "core/dispose/round.h"

enum {
	COUNT_SHARE = 20,  /* a count rests so many times as long as it took */
	COUNT_LOOK = 1000, /* files between two looks whether to leave off */
};

struct counting {
	const struct round *round;
	struct amount there;
	bool left_off;
	size_t rows;
};

static bool count_row(void *context, const struct store_kept *row)
{
	struct counting *counting = context;
	const struct retention_peer *peer = &counting->round->retention->peer;
	if (lane_is_there(counting->round->config, row)) {
		counting->there.files++;
		counting->there.bytes += (uint64_t)row->identity.size;
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
	retention->census = (struct census){
		.there = counting.there,
		.until = mono_add_ms(mono_now(), COUNT_SHARE * took_ms),
	};
	return 0;
}

static bool is_too_much(const struct round *round, struct amount amount)
{
	const struct config_retention *limits = round->limits;
	return (limits->count && amount.files > limits->count) ||
	       (limits->bytes && amount.bytes > (uint64_t)limits->bytes);
}

static bool may_be_too_much(const struct round *round)
{
	const struct census *census = &round->retention->census;
	return is_too_much(round, (struct amount){ census->there.files + census->heard.files,
						   census->there.bytes + census->heard.bytes });
}

static int choose_excess(struct round *round, struct lane *lane)
{
	struct amount *there = &round->retention->census.there;
	const struct lane_file *file = NULL;
	int result = 0;
	while (!round_is_full(round) && is_too_much(round, *there)) {
		result = lane_front(lane, &round->view, &file, round->err);
		if (result < 0 || !file)
			break;
		bool by_count = round->limits->count && there->files > round->limits->count;
		round_intend(round, file->at.id, by_count ? CAUSE_COUNT : CAUSE_BYTES);
		there->files = round_less(there->files, 1);
		there->bytes = round_less(there->bytes, (uint64_t)file->identity.size);
		lane_take(lane);
	}
	return result;
}

/* Where that was just done, and more may have come since, it waits. */
static int count_if_due(struct round *round, bool *counted)
{
	const struct census *census = &round->retention->census;
	*counted = census->until.ns != 0;
	if (*counted && !may_be_too_much(round))
		return 0;
	if (!*counted || mono_passed(census->until))
		return count(round, counted);
	round_sooner(round, census->until);
	return 0;
}

int amount_choose(struct round *round)
{
	struct retention *retention = round->retention;
	bool counted = false;
	if (!round->limits->count && !round->limits->bytes)
		return 0;
	int result = count_if_due(round, &counted);
	if (result == 0 && counted)
		result = choose_excess(round, &retention->all.done);
	if (result == 0 && counted && round_chosen(round) == 0 && round->limits->unscanned)
		result = choose_excess(round, &retention->all.unscanned);
	return result;
}
