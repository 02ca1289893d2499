/*
 * timing: what detectors said and how long they took, by day, detector and outcome, gathered in
 * memory during a transaction and written at its end. Private to this room; a part of the tally of
 * one writing connection, which writes and clears it with its own counts.
 */
#ifndef CARVED_CORE_STORE_TIMING_H
#define CARVED_CORE_STORE_TIMING_H

#include <stdint.h>

#include "core/base/mem.h"

struct db;
struct error;
struct finding;
struct timing;

int timing_new(struct timing **out, const struct db *db, struct error *err);
void timing_free(struct timing *timing);
AUTO_DEFINE(timing);

/** Counts an answer of the detector with this id. */
void timing_add(struct timing *timing, int64_t detector_id, const struct finding *finding);
/** Deletes all answers of a version, and counts them as gone: SQLITE_OK or the failure's code. */
int timing_delete(struct timing *timing, int64_t version_id);
/** As tally_write() and tally_clear(). NULL has nothing to clear. */
int timing_write(struct timing *timing);
void timing_clear(struct timing *timing);

#endif
