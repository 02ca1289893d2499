/*
 * ledger: what one thread says of removals in the history, and waits for until it is committed.
 * Private to this room.
 */
#ifndef CARVED_CORE_DISPOSE_LEDGER_H
#define CARVED_CORE_DISPOSE_LEDGER_H

#include <pthread.h>
#include <stdbool.h>

#include "core/base/lock.h"
#include "core/store/op.h"

struct store;

struct ledger {
	/* what is said next: the thread's, while none is under way */
	struct store_removals batch;
	struct store_told told; /* sink NULL: no cursor */
	/* the ledger's own */
	struct store *store;
	struct store_removals nothing;
	struct store_op op;
	pthread_cond_t back;
	struct lock lock;
	/* guarded by lock */
	bool submitted; /* op is with the store */
	bool stopping;
};

/** owner: that of the operations. Borrows both. */
void ledger_init(struct ledger *ledger, struct store *store, void *owner);
/** Has the batch written, and waits until that is committed. False: it is being stopped, and what
 * was to be written is left with the store. */
bool ledger_write(struct ledger *ledger, enum store_verb verb);
/** What was committed by anybody up to now is on the disk. False as above. The batch stays. */
bool ledger_sync(struct ledger *ledger);
/** Empties the batch. */
void ledger_clear(struct ledger *ledger);
/** The operation came back. Any thread. */
void ledger_committed(struct ledger *ledger);
/** Nothing is waited for any more. Any thread. */
void ledger_stop(struct ledger *ledger);
/** When nothing is with the store any more. */
void ledger_done(struct ledger *ledger);

#endif
