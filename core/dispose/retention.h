/*
 * retention: chooses what goes because there is too much of it: by age, number, bytes, and by how
 * full a root's disk is.
 *
 * Files that are done go first, the oldest first; those that ended without an answer only with
 * "unscanned: delete", when none that is done could go instead; those that wait for a scan only by
 * "shed", when a disk is too full and nothing else is left. Those the loop is asked to give up: it
 * ends their rows, and what is heard of that makes them go. The disposer's thread.
 */
#ifndef CARVED_CORE_DISPOSE_RETENTION_H
#define CARVED_CORE_DISPOSE_RETENTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/clock.h"
#include "core/base/mem.h"
#include "core/dispose/choose.h"

struct ages;
struct config;
struct error;
struct retention;

/** The cursor's name: one of store_options.sinks while there is retention. */
#define RETENTION_SINK "retention"

struct retention_report {
	unsigned percent; /* of the fullest disk; 0: none is looked at */
	bool between;	  /* a disk is above disk_low */
	bool over;	  /* one reached disk_high, and is not at disk_low yet */
	bool sheds;	  /* files that wait for a scan are given up */
	bool stuck;	  /* one is over and nothing may go any more */
};

/* Whom it asks and tells. Called on its thread. */
struct retention_peer {
	/* Gives up the queued versions with these ids; false: not now, since not all that waits is
	 * known, or the history takes nothing. */
	bool (*shed)(void *context, const int64_t *ids, size_t count);
	/* The report has changed. */
	void (*changed)(void *context, const struct retention_report *report);
	/* Whether to leave off: something takes long, and the thread is to end. */
	bool (*ends)(void *context);
	void *context;
	const struct ages *ages; /* borrowed */
};

/** history is a path, of one that store_open() made. */
int retention_new(struct retention **out, const char *history, const struct retention_peer *peer,
		  struct error *err);
void retention_free(struct retention *retention);
AUTO_DEFINE(retention);

/** As a chooser. Borrows retention. */
struct chooser retention_chooser(struct retention *retention);

#endif
