/*
 * engine: one configuration with its detectors opened. Immutable and counted: a reload makes a new
 * one, jobs that run keep the one they began with.
 */
#ifndef CARVED_CORE_APP_ENGINE_H
#define CARVED_CORE_APP_ENGINE_H

#include <stdatomic.h>
#include <stddef.h>

#include "core/base/mem.h"

struct config;
struct detector;
struct error;

struct engine {
	atomic_uint refs;
	struct config *config; /* a reference */
	struct detector **detectors;
	size_t detector_count;
	atomic_bool *told_away; /* of each detector: its being away was logged (away.h) */
};

/** Opens all detectors of config (a reference is taken). On failure err names the detector. */
int engine_new(struct engine **out, struct config *config, struct error *err);
/** The same, in the place of earlier (NULL: of none), whose detectors may lend what they know. It
 * is given up when cancel_fd becomes readable (-1: never). */
int engine_new_after(struct engine **out, struct config *config, const struct engine *earlier,
		     int cancel_fd, struct error *err);
struct engine *engine_ref(struct engine *engine);
/** Drops a reference; the last one closes the detectors. NULL is fine. Any thread. */
void engine_unref(struct engine *engine);

static inline void engine_cleanup(struct engine **engine)
{
	engine_unref(*engine);
}

#endif
