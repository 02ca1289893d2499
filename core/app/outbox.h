/*
 * outbox: jobs that workers hand back to the loop, with a descriptor that wakes it.
 */
#ifndef CARVED_CORE_APP_OUTBOX_H
#define CARVED_CORE_APP_OUTBOX_H

#include "core/base/list.h"

struct error;
struct job;
struct outbox;

int outbox_new(struct outbox **out, struct error *err);
void outbox_free(struct outbox *outbox);
/** Moves job back to the loop (by result_link). Any thread. */
void outbox_put(struct outbox *outbox, struct job *job);
/** Moves everything to the end of jobs. The loop. */
void outbox_take(struct outbox *outbox, struct list *jobs);
/** Wakes the loop, for what it looks at in each turn. Any thread. */
void outbox_kick(struct outbox *outbox);
/** Whether nothing is to be taken. */
bool outbox_is_empty(struct outbox *outbox);
/** Readable when outbox_take() has something. */
int outbox_fd(const struct outbox *outbox);

#endif
