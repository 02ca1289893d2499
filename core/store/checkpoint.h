/*
 * checkpoint: when the write-ahead log is brought back into the database. The writer's thread.
 * Private to this room.
 */
#ifndef CARVED_CORE_STORE_CHECKPOINT_H
#define CARVED_CORE_STORE_CHECKPOINT_H

#include <stdbool.h>

struct store;

/** Brings the log back into the database, as far as readers let it. wait: for a second at most
 * until nobody reads it, so that it begins anew; not soon after that was in vain, unless the log
 * has doubled. True: wholly. A failure is the store's trouble with its log until the next that
 * succeeds. */
bool checkpoint_run(struct store *store, bool wait);
/** Does so when the log is long; how long that is, goes by how much there is to write, and by the
 * disk. */
void checkpoint_if_long(struct store *store);

#endif
