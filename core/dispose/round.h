/*
 * round: what the parts of retention share: what is kept between two rounds, and what one is about.
 * Private to this room; the disposer's thread.
 */
#ifndef CARVED_CORE_DISPOSE_ROUND_H
#define CARVED_CORE_DISPOSE_ROUND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/clock.h"
#include "core/dispose/disk.h"
#include "core/dispose/lane.h"
#include "core/dispose/retention.h"
#include "core/dispose/shedding.h"

struct config_retention;
struct event_reader;

/* Files that may go, on one file system or on all. */
struct lanes {
	struct lane done, unscanned;
};

struct disk_lanes {
	uint64_t fsid;
	struct mono after; /* nothing goes for it before */
	struct lanes lanes;
	bool passed; /* files without bytes may lie behind where the lanes are */
	struct shedding shedding;
	size_t shed_asked;	/* for, and not heard of yet */
	struct mono shed_after; /* nobody is asked before */
};

struct amount {
	uint64_t files, bytes;
};

struct census {
	struct amount there; /* when it was made, less what was chosen since */
	struct amount heard; /* of since then: it may be gone by now, or counted already */
	struct mono until;   /* none is made before; ns 0: it was never made */
};

struct retention {
	struct retention_peer peer;
	struct event_reader *events;
	struct kept_reader *reader;
	int64_t seq;	/* of the last event that was heard */
	uint64_t roots; /* a hash of them, and of what is there; 0: none yet */
	char floor_key[48];
	int64_t floor_ns; /* as it was noted last, or lower: something below it has ended */
	struct census census;
	struct lanes all;
	struct disks disks;
	struct mono disks_looked, disks_due;
	struct disk_lanes *on; /* of disks that were over; owned */
	size_t on_count;
	bool stuck_now; /* nothing may go in this round */
	struct mono stuck_since;
	struct mono next; /* as far as this round knows */
	struct retention_report report;
};

/* What one round is about. */
struct round {
	struct retention *retention;
	const struct config *config;
	const struct config_retention *limits;
	struct lane_view view;
	struct choice *choice;
	size_t events; /* heard */
	bool late;     /* the floor is lower than it was noted */
	struct error *err;
};

/* round.c */

void lanes_init(struct lanes *lanes, int64_t floor_ns);
void lanes_done(struct lanes *lanes);
/** One more file is to go. */
void round_intend(struct round *round, int64_t version_id, enum removal_cause cause);
/** How many are to go so far. */
size_t round_chosen(const struct round *round);
bool round_is_full(const struct round *round);
/** The next round is not to be later. */
void round_sooner(struct round *round, struct mono at);
/** all less part, 0 at least. */
uint64_t round_less(uint64_t all, uint64_t part);

/* amount.c */

/** What goes because there are too many files, or bytes. 0, or -errno with the round's err. */
int amount_choose(struct round *round);

/* fulldisk.c */

/** What goes because a disk is too full; fills the report. 0, or -errno with the round's err. */
int fulldisk_choose(struct round *round);
/** A file of that file system that was given up is heard of. */
void fulldisk_hear_shed(struct retention *retention, uint64_t fsid);
/** Forgets what it knows of disks. */
void fulldisk_forget(struct retention *retention);

#endif
