/*
 * breaker: keeps a server that does not answer from costing every file its time.
 *
 * Closed, every question passes. BREAKER_FAILURES failures in a row open it: nobody passes for a
 * pause. After the pause one question passes as a trial while the others are still refused: when
 * it goes well the breaker is closed, else it is open for twice as long, up to a minute. Whoever
 * passed says how it went, with the number that he was given; what is said of questions from before
 * the last opening is not counted twice.
 *
 * It knows no clock: now is always the caller's. Any thread.
 */
#ifndef CARVED_CORE_DETECT_BREAKER_H
#define CARVED_CORE_DETECT_BREAKER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/clock.h"
#include "core/base/lock.h"

struct error;

#define BREAKER_FAILURES     3
#define BREAKER_PAUSE_MIN_MS INT64_C(1000)
#define BREAKER_PAUSE_MAX_MS INT64_C(60000)
/* The longest pause that a server may ask for. */
#define BREAKER_HOLD_MAX_MS INT64_C(3600000)

struct breaker {
	struct lock lock;
	/* guarded by lock */
	unsigned generation; /* counts openings; the number of who passes; never 0 */
	unsigned failures;   /* in a row, while it is closed */
	int64_t pause_ms;    /* the last one; 0: it is closed */
	struct mono until;   /* of the pause */
	bool trying;	     /* a trial is under way */
	char words[256];     /* the last failure */
};

void breaker_init(struct breaker *breaker);
void breaker_done(struct breaker *breaker);

/** A number for whoever passes; 0: refused, and why says what failed and when it is tried again.
 * Who passes calls one of the three below, once. */
unsigned breaker_pass(struct breaker *breaker, struct mono now, struct error *why);
/** True while every question would be refused; why as above. Changes nothing. */
bool breaker_refuses(struct breaker *breaker, struct mono now, struct error *why);

/** The server answered: the breaker is closed. */
void breaker_well(struct breaker *breaker);
/** The server failed; words say how. */
void breaker_ill(struct breaker *breaker, unsigned number, struct mono now, const char *words);
/** Nothing was learnt of the server. */
void breaker_unsaid(struct breaker *breaker, unsigned number);
/** The server wants to be left alone for so long (at most BREAKER_HOLD_MAX_MS): opens, and does not
 * count as a failure. */
void breaker_hold(struct breaker *breaker, struct mono now, int64_t pause_ms, const char *words);

#endif
