/*
 * agenda: the directories that wait to be listed, in numbered batches.
 *
 * One batch is worked off while the next one fills: directories found by a listing belong to the
 * batch of that listing, everything that comes from outside (events, roots, retries) to the filling
 * one. So each batch ends however much goes on, and "the walk that began after X is through" is
 * "the batch that was filling at X is finished". Within a batch the last found comes first (an
 * explicit stack). Not thread-safe.
 */
#ifndef CARVED_WATCHER_AGENDA_H
#define CARVED_WATCHER_AGENDA_H

#include "watcher/tree.h"

struct agenda {
	struct link batch[2]; /* by parity of the batch's number */
	size_t count[2];
	uint64_t since[2];    /* oldest stream position at which one of the batch was known */
	uint64_t number;      /* the batch that is worked off; number + 1 is filling */
	uint64_t finished;    /* the last one that was told to be finished */
	uint64_t wanted;      /* a batch whose end will be told even if it stays empty */
	size_t pulled;	      /* how many the batch that is worked off was given by agenda_pull() */
	struct node *current; /* the directory that is being listed */
	bool again;	      /* current must be listed once more */
	bool again_force;
	uint64_t again_since;
};

/* Where a directory waits. */
struct slot {
	bool taken;
	bool force;
	uint64_t number; /* of the batch */
	uint64_t since;	 /* of that batch */
};

void agenda_init(struct agenda *agenda);

/** Number of the batch that is filling. */
static inline uint64_t agenda_filling(const struct agenda *agenda)
{
	return agenda->number + 1;
}

/** Puts node on the filling batch; position is that of the event stream now. */
void agenda_push(struct agenda *agenda, struct node *node, bool force, uint64_t position);
/** Puts node on the batch that is worked off, also from the filling one: a listing found it, and
 * the batch is not through without it. */
void agenda_push_found(struct agenda *agenda, struct node *node, bool force);
/** Puts node, whose name was on the batch that is worked off and lost its turn, there once more, so
 * that the batch is not through without it; on the filling one when there were most of them (who
 * renames without an end must not keep a batch open). */
void agenda_pull(struct agenda *agenda, struct node *node, uint64_t position, size_t most);
/** Where node waits: for another one that takes its name, and with it its turn. */
struct slot agenda_slot(const struct agenda *agenda, const struct node *node);
/** Gives node the turn that another one had; the earlier one of the two if it has one too. */
void agenda_give(struct agenda *agenda, struct node *node, const struct slot *slot);
/** Takes node off; harmless when it is not on. */
void agenda_remove(struct agenda *agenda, struct node *node);
/** The next directory to list, taken off, or NULL. */
struct node *agenda_pop(struct agenda *agenda);
/** True, once for each, when a batch is finished; *out is its number. Turns to the next batch. */
bool agenda_turn(struct agenda *agenda, uint64_t *out);
/** True when nothing waits and nothing is being listed. */
bool agenda_idle(const struct agenda *agenda);
/** The end of the filling batch will be told even if nothing is put on it. Returns its number. */
uint64_t agenda_want(struct agenda *agenda);
/** Position at which the oldest work still to be done was known; UINT64_MAX when there is none. */
uint64_t agenda_since(const struct agenda *agenda);

#endif
