/*
 * fulldisk: the watermark; see round.h.
 *
 * A disk is looked at every second when it is above disk_low or anything is committed, else every
 * ten, and anew behind whatever went for it. When enough was deleted for it, nothing more goes in
 * the next second, as some file systems are late to say what is free.
 */
#include <string.h>

#include "core/base/mem.h"
#include "core/config/config.h"
#include "core/dispose/round.h"

enum {
	DISKS_MAX = 256,
	SOON_MS = 1000,
	LATER_MS = 10000,
	PASS_SHARE = 20, /* a pass over the queue rests so many times as long as it took */
	STUCK_MS = 3000, /* what is on its way to the history may go in a moment */
};

static void disk_lanes_done(struct disk_lanes *on)
{
	lanes_done(&on->lanes);
	shedding_end(&on->shedding);
}

static void begin_lanes(struct disk_lanes *on, int64_t floor_ns)
{
	lanes_init(&on->lanes, floor_ns);
	on->lanes.done.everywhere = on->lanes.unscanned.everywhere = false;
	on->lanes.done.fsid = on->lanes.unscanned.fsid = on->fsid;
}

static struct disk_lanes *lanes_on(struct retention *retention, uint64_t fsid)
{
	for (size_t i = 0; i < retention->on_count; i++) {
		if (retention->on[i].fsid == fsid)
			return &retention->on[i];
	}
	if (retention->on_count == DISKS_MAX) { /* as many roots may have been mounted anew */
		disk_lanes_done(&retention->on[0]);
		retention->on_count--;
		memmove(retention->on, retention->on + 1,
			retention->on_count * sizeof *retention->on);
	}
	if (!retention->on)
		retention->on = xcalloc(DISKS_MAX, sizeof *retention->on);
	struct disk_lanes *on = &retention->on[retention->on_count++];
	*on = (struct disk_lanes){ .fsid = fsid, .passed = true };
	begin_lanes(on, retention->floor_ns);
	return on;
}

/* While bytes alone are short, files that have none were passed over; perhaps by a run before, too,
 * and below the floor. */
static void go_back(struct disk_lanes *on)
{
	if (!on->passed)
		return;
	on->passed = false;
	lanes_done(&on->lanes);
	begin_lanes(on, 0);
}

static bool is_met(const struct disk *disk)
{
	return disk->need_bytes == 0 && disk->need_files == 0;
}

static int choose_for(struct round *round, struct disk *disk, struct disk_lanes *on,
		      struct lane *lane)
{
	const struct lane_file *file = NULL;
	int result = 0;
	while (!round_is_full(round) && !is_met(disk)) {
		result = lane_front(lane, &round->view, &file, round->err);
		if (result < 0 || !file)
			break;
		if (!disk_gains(disk, file->identity.size)) {
			on->passed = true;
			lane_take(lane);
			continue;
		}
		round_intend(round, file->at.id, CAUSE_DISK);
		disk->need_bytes = round_less(disk->need_bytes, disk_takes(file->identity.size));
		disk->need_files = round_less(disk->need_files, 1);
		lane_take(lane);
	}
	return result;
}

/* Nothing may go; told when it stays so. */
static void be_stuck(struct retention *retention)
{
	if (retention->stuck_since.ns == 0)
		retention->stuck_since = mono_now();
	retention->stuck_now = true;
}

static void note_shedding(struct retention *retention, const struct disk_lanes *on)
{
	retention->report.sheds = retention->report.sheds || on->shed_asked > 0;
}

/* Nothing else is left: what waits for a scan. Those that were asked for go through the history
 * like any others, so what they give back is waited for a while. */
static int shed(struct round *round, const struct disk *disk, struct disk_lanes *on)
{
	struct retention *retention = round->retention;
	const struct retention_peer *peer = &retention->peer;
	const struct shedding_view view = { round->config, retention->reader, disk };
	struct mono began = mono_now();
	if (!round->limits->shed) {
		be_stuck(retention);
		return 0;
	}
	if (!mono_passed(on->shed_after)) {
		round_sooner(round, on->shed_after);
		note_shedding(retention, on);
		return 0;
	}
	int result = shedding_choose(&on->shedding, &view, round->err);
	if (result < 0)
		return result;
	on->shed_asked = on->shedding.count;
	if (on->shedding.count > 0 &&
	    !peer->shed(peer->context, on->shedding.ids, on->shedding.count))
		on->shed_asked = 0;
	int64_t took_ms = (mono_now().ns - began.ns) / CLOCK_NS_PER_MS;
	on->shed_after = mono_add_ms(mono_now(), SOON_MS + PASS_SHARE * took_ms);
	round_sooner(round, on->shed_after);
	note_shedding(retention, on);
	if (on->shed_asked == 0)
		shedding_end(&on->shedding); /* from the beginning next time */
	if (on->shedding.count == 0)
		be_stuck(retention);
	return 0;
}

static int choose_on(struct round *round, struct disk *disk)
{
	struct retention *retention = round->retention;
	struct disk_lanes *on = lanes_on(retention, disk->fsid);
	if (disk->read_only) { /* else all would go, once it can be written again */
		be_stuck(retention);
		return 0;
	}
	if (!mono_passed(on->after)) {
		round_sooner(round, on->after);
		return 0;
	}
	if (disk->need_files > 0)
		go_back(on);
	int result = choose_for(round, disk, on, &on->lanes.done);
	if (result == 0 && round_chosen(round) == 0 && round->limits->unscanned)
		result = choose_for(round, disk, on, &on->lanes.unscanned);
	if (result < 0)
		return result;
	if (round_chosen(round) == 0)
		return shed(round, disk, on);
	if (is_met(disk))
		on->after = mono_add_ms(mono_now(), SOON_MS);
	retention->disks_due.ns = 0; /* to be looked at when they are gone */
	return 0;
}

static void end_shedding(struct retention *retention, uint64_t fsid)
{
	for (size_t i = 0; i < retention->on_count; i++) {
		if (retention->on[i].fsid == fsid)
			shedding_end(&retention->on[i].shedding);
	}
}

/* Who is woken, by what others do, looks as well, once a second. */
static void look_at_disks(struct round *round)
{
	struct retention *retention = round->retention;
	struct mono now = mono_now();
	if (retention->disks_due.ns == 0 || now.ns >= retention->disks_due.ns ||
	    mono_passed(mono_add_ms(retention->disks_looked, SOON_MS))) {
		disks_look(&retention->disks, round->config);
		bool near = disks_percent(&retention->disks) >= round->limits->disk_low_percent;
		retention->disks_looked = now;
		retention->disks_due = mono_add_ms(now, near ? SOON_MS : LATER_MS);
	}
	round_sooner(round, retention->disks_due);
}

int fulldisk_choose(struct round *round)
{
	struct retention *retention = round->retention;
	bool over = false;
	int result = 0;
	retention->report = (struct retention_report){ 0 };
	retention->stuck_now = false;
	if (!round->limits->disk_high_percent)
		return 0;
	look_at_disks(round);
	retention->report.percent = disks_percent(&retention->disks);
	retention->report.between = retention->report.percent > round->limits->disk_low_percent;
	for (size_t i = 0; i < retention->disks.count && result == 0; i++) {
		struct disk *disk = &retention->disks.items[i];
		over = over || disk->over;
		if (disk->over && round_chosen(round) == 0)
			result = choose_on(round, disk);
		else if (!disk->over)
			end_shedding(retention, disk->fsid);
	}
	retention->report.over = over;
	if (!retention->stuck_now)
		retention->stuck_since.ns = 0;
	retention->report.stuck =
		retention->stuck_now && mono_passed(mono_add_ms(retention->stuck_since, STUCK_MS));
	return result;
}

void fulldisk_hear_shed(struct retention *retention, uint64_t fsid)
{
	for (size_t i = 0; i < retention->on_count; i++) {
		struct disk_lanes *on = &retention->on[i];
		if (on->fsid != fsid || on->shed_asked == 0 || --on->shed_asked > 0)
			continue;
		on->shed_after.ns = 0;
		retention->disks_due.ns = 0; /* to be looked at when they are gone */
	}
}

void fulldisk_forget(struct retention *retention)
{
	for (size_t i = 0; i < retention->on_count; i++)
		disk_lanes_done(&retention->on[i]);
	free(TAKE(retention->on));
	retention->on_count = 0;
	disks_done(&retention->disks);
	retention->disks_due.ns = 0;
}
