/*
 * limbo: directories that lost their place and may turn up at another one.
 *
 * A directory that was moved within the roots is told in two halves, and a listing can miss it
 * while it moves. So a lost node keeps its watch for a short while (one to two ticks, and until all
 * that the kernel had queued by then was read); the same watch descriptor coming back gives it its
 * new place (adopt.h). Then the disk is asked once more, and the node with all below it is
 * forgotten, a bounded number at a time. The tick runs only while something waits here.
 */
#ifndef CARVED_WATCHER_LIMBO_H
#define CARVED_WATCHER_LIMBO_H

#include "watcher/inside.h"

void limbo_init(struct limbo *limbo);

/** The directory lost its place; it may have moved. */
void limbo_enter(struct watcher *w, struct node *node);
/** The directory is gone for good: tells WATCHER_DIR_GONE unless another stands there now. */
void limbo_bury(struct watcher *w, struct node *node);
/** The same without telling it: something else was told instead. */
void limbo_bury_quietly(struct watcher *w, struct node *node);
/** The directory is known to be dead: it need not wait, if it does. */
void limbo_despair(struct watcher *w, struct node *node);
/** Takes a node out, which has found a place. */
void limbo_leave(struct node *node);

/** Lets time pass. */
void limbo_tick(struct watcher *w, int64_t now_ns);
/** Does a bounded piece of work; false when there is none. */
bool limbo_step(struct watcher *w);
/** True when limbo_step() has something to do. */
bool limbo_busy(const struct watcher *w);
/** Stream position since which something waits here undecided; UINT64_MAX when nothing does. */
uint64_t limbo_since(const struct watcher *w);
/** Frees all nodes that were buried, however many (the end). */
void limbo_clear(struct watcher *w);

#endif
