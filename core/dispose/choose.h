/*
 * choose: what choosers of files to remove and the thread that asks them say to each other.
 *
 * Each chooser is asked in its turn, on the disposer's thread, until it has no more; what it chose
 * is committed, and synced, before it is asked again.
 */
#ifndef CARVED_CORE_DISPOSE_CHOOSE_H
#define CARVED_CORE_DISPOSE_CHOOSE_H

#include <stdbool.h>

#include "core/base/clock.h"
#include "core/store/op.h"

struct config;
struct error;

enum {
	CHOOSE_AT_ONCE = 256
};

/* Empty at first. */
struct choice {
	struct store_removals intents; /* at most CHOOSE_AT_ONCE, and a note for meta */
	struct store_told told;	       /* a cursor that goes on with them; sink NULL: none */
	bool more;		       /* there may be more: ask again */
};

struct chooser {
	/* 0, or -errno with err: tried again later, nothing was chosen. */
	int (*choose)(void *context, const struct config *config, struct choice *out,
		      struct error *err);
	/* When to be asked again although nothing was committed; ns INT64_MAX: never. */
	struct mono (*next)(void *context);
	void *context;
};

#endif
