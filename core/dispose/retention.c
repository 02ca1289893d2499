/*
 * retention: see retention.h. Here are what is heard of and what goes by age; amount.c and
 * fulldisk.c have the rest.
 */
#include "core/dispose/retention.h"

#include <sys/vfs.h>

#include <stdio.h>
#include <string.h>

#include "core/config/config.h"
#include "core/dispose/ages.h"
#include "core/dispose/round.h"
#include "core/store/event_reader.h"

#define FLOOR "retention_floor_" /* and a hash of the roots */

enum {
	EVENTS_AT_ONCE = 1024
};

int retention_new(struct retention **out, const char *history, const struct retention_peer *peer,
		  struct error *err)
{
	AUTO(retention) struct retention *retention = xcalloc(1, sizeof *retention);
	int64_t behind = 0;
	retention->peer = *peer;
	retention->next.ns = INT64_MAX;
	int result = kept_reader_open(&retention->reader, history, err);
	if (result == 0)
		result = event_reader_open(&retention->events, history, err);
	if (result == 0)
		result = event_reader_sink(retention->events, RETENTION_SINK, &retention->seq,
					   &behind, err);
	if (result == 0)
		*out = TAKE(retention);
	return result;
}

static void forget(struct retention *retention)
{
	lanes_done(&retention->all);
	fulldisk_forget(retention);
	retention->census.until.ns = 0;
	retention->roots = 0;
}

void retention_free(struct retention *retention)
{
	if (!retention)
		return;
	forget(retention);
	event_reader_free(retention->events);
	kept_reader_free(retention->reader);
	free(retention);
}

/* Whether files go by more than how full a disk is. */
static bool goes_everywhere(const struct config_retention *limits)
{
	return limits->age_ms || limits->count || limits->bytes;
}

static uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t len)
{
	const unsigned char *at = bytes;
	for (size_t i = 0; i < len; i++)
		hash = (hash ^ at[i]) * UINT64_C(0x100000001b3);
	return hash;
}

/* What lies below a floor that was found for other roots, for one disk, or while a root was away,
 * may be ours now. FNV-1a: the same in every run. */
static uint64_t roots_hash(const struct config *config)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	const bool everywhere = goes_everywhere(&config->retention);
	for (size_t i = 0; i < config->root_count; i++) {
		const char *path = config->roots[i].path;
		struct statfs st;
		hash = hash_bytes(hash, path, strlen(path) + 1);
		if (statfs(path, &st) == 0)
			hash = hash_bytes(hash, &st.f_fsid, sizeof st.f_fsid);
	}
	return hash_bytes(hash, &everywhere, sizeof everywhere) | 1;
}

/* The limits may be others than in the round before; other roots make it begin anew, which is noted
 * at once, as it forgets the floor of those before. */
static int prepare(struct round *round)
{
	struct retention *retention = round->retention;
	uint64_t roots = roots_hash(round->config);
	if (retention->roots == roots)
		return 0;
	char key[sizeof retention->floor_key];
	int64_t floor_ns = 0;
	(void)snprintf(key, sizeof key, FLOOR "%016llx", (unsigned long long)roots);
	int result = kept_note(retention->reader, key, &floor_ns, round->err);
	if (result < 0)
		return result;
	forget(retention);
	memcpy(retention->floor_key, key, sizeof key);
	retention->floor_ns = floor_ns;
	retention->roots = roots;
	lanes_init(&retention->all, floor_ns);
	round->late = floor_ns == 0;
	return 0;
}

static int64_t smaller(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* The floor of what has been gone through. */
static int64_t floor_ns(const struct round *round)
{
	const struct retention *retention = round->retention;
	const struct config_retention *limits = round->limits;
	if (goes_everywhere(limits)) {
		int64_t floor = lane_floor_ns(&retention->all.done);
		for (size_t i = 0; i < retention->on_count; i++)
			floor = smaller(floor, lane_floor_ns(&retention->on[i].lanes.done));
		return floor;
	}
	/* what one disk's lane has passed may lie on another */
	bool alone = retention->disks.count == 1 && retention->disks.missing == 0;
	if (!alone || retention->on_count != 1)
		return retention->floor_ns;
	return lane_floor_ns(&retention->on[0].lanes.done);
}

/* What is committed with a removal is synced, so it costs: it is noted with those, and when it must
 * be, for what was heard of late. */
static void note_floor(struct round *round)
{
	struct retention *retention = round->retention;
	int64_t floor = floor_ns(round);
	if (round_chosen(round) == 0 && floor >= retention->floor_ns && !round->late)
		return;
	/* files of a root that went meanwhile were passed over */
	bool same = roots_hash(round->config) == retention->roots;
	retention->floor_ns = same ? floor : 0;
	round->choice->intents.note_key = xstrdup(retention->floor_key);
	round->choice->intents.note = retention->floor_ns;
	round->choice->intents.note_of = FLOOR "*"; /* others do not know what has happened since */
	if (!same)
		forget(retention);
}

/* Events */

/* Lanes that are made later are to find it. */
static void lower_floor(struct round *round, int64_t to_ns)
{
	if (to_ns >= round->retention->floor_ns)
		return;
	round->retention->floor_ns = to_ns;
	round->late = true;
}

static void hear_end(struct round *round, const struct version *version)
{
	struct retention *retention = round->retention;
	const struct kept_at at = { version->first_seen_ns, version->id };
	bool done = version->state == VERSION_DONE;
	if (!done && (version->reason == REASON_VANISHED || version->reason == REASON_NOT_REGULAR))
		return;
	if (done)
		lower_floor(round, at.key);
	lane_hear(done ? &retention->all.done : &retention->all.unscanned, at);
	for (size_t i = 0; i < retention->on_count; i++) {
		struct disk_lanes *on = &retention->on[i];
		if (on->fsid == version->identity.fsid)
			lane_hear(done ? &on->lanes.done : &on->lanes.unscanned, at);
	}
	if (!done && !round->limits->unscanned)
		return;
	retention->census.heard.files++;
	retention->census.heard.bytes += (uint64_t)version->identity.size;
}

static bool hear(void *context, const struct store_event *event)
{
	struct round *round = context;
	struct retention *retention = round->retention;
	const struct version *version = event->version;
	round->choice->told.seq = event->seq;
	round->choice->told.sink = RETENTION_SINK;
	if (!version || event->kind != EVENT_END)
		return true;
	if (version->reason == REASON_SHED) {
		round_intend(round, version->id, CAUSE_SHED);
		fulldisk_hear_shed(retention, version->identity.fsid);
	} else {
		hear_end(round, version);
	}
	return ++round->events < EVENTS_AT_ONCE && !round_is_full(round);
}

/* What is committed with the cursor may be less than what was there. */
static int hear_all(struct round *round)
{
	struct retention *retention = round->retention;
	const struct event_visit each = { .visit = hear, .context = round };
	int result = event_reader_each(retention->events, retention->seq, &each, NULL, round->err);
	if (result < 0 || !round->choice->told.sink)
		return result;
	retention->seq = round->choice->told.seq;
	round->choice->more = true;
	return 0;
}

/* Age */

static int64_t age_left_ms(const struct round *round, const struct lane_file *file)
{
	return round->limits->age_ms - ages_ms(round->retention->peer.ages, file->at.key);
}

static int choose_old(struct round *round, struct lane *lane)
{
	const struct lane_file *file = NULL;
	int result = 0;
	while (!round_is_full(round)) {
		result = lane_front(lane, &round->view, &file, round->err);
		if (result < 0 || !file || age_left_ms(round, file) > 0)
			break;
		round_intend(round, file->at.id, CAUSE_AGE);
		lane_take(lane);
	}
	if (result < 0 || !file || round_is_full(round))
		return result;
	round_sooner(round, mono_add_ms(mono_now(), age_left_ms(round, file)));
	return 0;
}

static int choose_by_age(struct round *round)
{
	struct lanes *all = &round->retention->all;
	if (!round->limits->age_ms)
		return 0;
	int result = choose_old(round, &all->done);
	if (result == 0 && round_chosen(round) == 0 && round->limits->unscanned)
		result = choose_old(round, &all->unscanned);
	return result;
}

static void tell(struct retention *retention, const struct retention_report *before)
{
	const struct retention_report *now = &retention->report;
	const struct retention_peer *peer = &retention->peer;
	if (now->percent != before->percent || now->between != before->between ||
	    now->over != before->over || now->sheds != before->sheds || now->stuck != before->stuck)
		peer->changed(peer->context, now);
}

static int choose_now(struct round *round)
{
	const struct retention_report before = round->retention->report;
	round->retention->next.ns = INT64_MAX;
	/* first: there may always be something that goes by age or number */
	int result = fulldisk_choose(round);
	if (result == 0)
		tell(round->retention, &before);
	if (result == 0 && round_chosen(round) == 0)
		result = choose_by_age(round);
	if (result == 0 && round_chosen(round) == 0)
		result = amount_choose(round);
	round->choice->more = round->choice->more || round_chosen(round) > 0;
	return result;
}

/* What waits to be heard comes first; but where files end all the time, there is always one. */
static bool hears_more(const struct round *round)
{
	return round->events == EVENTS_AT_ONCE || round_chosen(round) > 0;
}

static int choose(void *context, const struct config *config, struct choice *out, struct error *err)
{
	struct retention *retention = context;
	struct round round = { .retention = retention,
			       .config = config,
			       .limits = &config->retention,
			       .view = { config, retention->reader },
			       .choice = out,
			       .err = err };
	int result = prepare(&round);
	int64_t seq = retention->seq;
	if (result == 0)
		result = hear_all(&round);
	if (result == 0 && !hears_more(&round))
		result = choose_now(&round);
	if (result == 0)
		note_floor(&round);
	if (result < 0) {
		forget(retention); /* lanes may have passed what was not chosen after all */
		retention->seq = seq;
	}
	return result;
}

static struct mono next(void *context)
{
	return ((struct retention *)context)->next;
}

struct chooser retention_chooser(struct retention *retention)
{
	return (struct chooser){ .choose = choose, .next = next, .context = retention };
}
