/*
 * manager: what the service manager is told of us by sd_notify(3): ready, reloading, stopping, how
 * we are in words, and that a long first walk or a long stop is still getting on. The loop's.
 */
#ifndef CARVED_CORE_APP_MANAGER_H
#define CARVED_CORE_APP_MANAGER_H

#include <stdbool.h>

#include "core/base/clock.h"

struct app;

/* Embedded in the app. */
struct manager {
	bool there; /* there is one */
	bool ready, stopping, reloading, refused;
	unsigned told;	   /* what the last words were of; 0: none were said */
	bool owes_ready;   /* READY=1 could not be sent yet */
	struct mono again; /* what could not be sent is tried again; ns 0: nothing */
	struct mono due;   /* when it is told next that we need more time; ns 0: we do not */
};

/** Before what takes long: detectors are loaded. */
void manager_begin(struct app *app);
/** The first walk is through. */
void manager_ready(struct app *app);
/** A reload of the configuration begins; manager_reloaded() follows. Not told before we were ready,
 * as the end of the reload would say that we are. */
void manager_reloading(struct app *app);
/** It is through; refused: the old state stays. */
void manager_reloaded(struct app *app, bool refused);
/** We are to stop, and what runs is given so much time. */
void manager_stopping(struct app *app, long long grace_ms);
/** The loop is through, and all is put away. */
void manager_closing(struct app *app);
/** Tells what is otherwise than it was told last. Each turn of the loop. */
void manager_tick(struct app *app);
/** When it is to be called at the latest; ns 0: not by time. */
struct mono manager_due(const struct app *app);

#endif
