/*
 * pulse: whether a thread that has work gets on with it, for whoever watches over all of them.
 *
 * A pulse beats whenever its thread has come a step further. It works from the moment that there is
 * something to do, said by whoever gives it (so that a thread which is never woken is noticed too),
 * until its thread has found that nothing is left. One that works and does not beat has stalled;
 * one that rests is well, for ever. All of them are in one list of this process.
 */
#ifndef CARVED_CORE_BASE_PULSE_H
#define CARVED_CORE_BASE_PULSE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/base/clock.h"
#include "core/base/list.h"

/* Embedded in what it is the pulse of. */
struct pulse {
	char name[24];
	atomic_uint_fast64_t beats;    /* odd: it works */
	atomic_int_fast64_t silent_ms; /* it may be silent for so much longer */
	/* guarded by the list's lock */
	struct list link;
	uint64_t seen;	   /* beats, when it was looked at last */
	struct mono since; /* when it was first seen so */
};

/** Puts a resting pulse into the list; name is copied. Any thread. */
void pulse_init(struct pulse *pulse, const char *name);
/** Takes it out, before its memory goes. */
void pulse_done(struct pulse *pulse);
/** The calling thread's from now on, for pulse_beat() and pulse_silent(); NULL: it has none. */
void pulse_take(struct pulse *pulse);

/** There is something to do. Any thread. */
void pulse_work(struct pulse *pulse);
/** Nothing is left to do. Not beside pulse_work(): under the lock of what is to be done. */
void pulse_rest(struct pulse *pulse);
/** A step further. Any thread. */
void pulse_step(struct pulse *pulse);

/** The calling thread has come a step further; does nothing where it has no pulse. */
void pulse_beat(void);
/** A step further, and the next may take so much longer than others; 0: no longer. For the calling
 * thread, as pulse_beat(). */
void pulse_silent(int64_t ms);

/** Whoever looks was away itself: nobody has stalled before now. Any thread. */
void pulse_forgive(void);
/** Looks at all of them, as they are at now: how long the one that has stalled longest beyond what
 * it may be silent is silent already, ms, and its name in out (24 bytes); 0: none for longer than
 * limit_ms. Needs an earlier look to compare with. Any thread. */
int64_t pulse_stalled_ms(struct mono now, int64_t limit_ms, char out[24]);

#endif
