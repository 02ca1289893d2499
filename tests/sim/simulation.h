/* simulation: what the parts of the simulation share: driver (sim.c), what processes do (deeds.c),
 * and what must be true (oracle.c). */
#ifndef CARVED_TESTS_SIMULATION_H
#define CARVED_TESTS_SIMULATION_H

#include "tests/sim/memfs.h"
#include "watcher/inside.h"
#include "watcher/limbo.h"
#include "watcher/root.h"
#include "watcher/watcher.h"

#define SIM_ROOTS     2
#define SIM_PATH_MOST 256
#define SIM_SPOTS     256

enum sim_feature {
	SIM_MODES = 1, /* directories become unreadable */
	SIM_MOUNTS = 2,
	SIM_LIMITS = 4, /* watches run out */
	SIM_ROOT_MOVES = 8,
	SIM_HOLDS = 16,	  /* directories are removed while somebody is in them */
	SIM_GARBAGE = 32, /* the reader finds bytes that the kernel never wrote */
	SIM_BINDS = 64,
	SIM_FAULTS = 128, /* what the watcher asks for fails, for reasons of ours */
};

struct sim {
	const uint8_t *data;
	size_t size;
	size_t at;
	unsigned features;
	unsigned race;	/* of 256 */
	bool racing;	/* processes run while the watcher works */
	uint64_t clock; /* counts what happens; orders doing and telling */
	struct watcher *w;
	const char *roots[SIM_ROOTS];
	unsigned root_count;
	bool late_root; /* another one may be added */
	bool disturbed; /* a root's path has led elsewhere, or nowhere */
	bool reloaded;	/* a root went and came back, or began anew */
	bool mounted;	/* there was a mount or umount */
	bool mounts_untold;
	bool fed_garbage;
	uint64_t overflows_read;
	bool failed;
	char words[512];
};

extern struct sim sim;

/** The next decision: 0 to below - 1; 0 when the bytes are used up. */
unsigned sim_dice(unsigned below);
bool sim_done(void);
void sim_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
void sim_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* ------- deeds.c ------- */

/** Something that a process does. */
void sim_deed(void);
/** How it all begins: a tree, and roots. */
void sim_first_tree(void);
/** What stood in the way is taken away: modes, limits, open files. */
void sim_heal(void);
/** A new file in each directory below the roots. */
void sim_touch_everywhere(void);
/** All directories that paths lead to, below from. */
size_t sim_directories(struct mem_spot from, struct mem_spot *out, size_t most);

/* ------- oracle.c ------- */

void oracle_begin(void);
/** To be called after whatever a process did. */
void oracle_look(void);
/** A name under which somebody wrote was closed. */
void oracle_closed(const struct mem_entry *entry);
void oracle_told(const struct watcher_event *event);
/** The watcher was asked to walk everything. */
void oracle_walk(void);
/** There is an instance at last: what was done before is told by the walk that follows. */
void oracle_instance(void);
void oracle_ticket(void);
/** Looks whether a ticket has passed, and whether it should have. */
void oracle_look_at_tickets(void);
/** Everything is at rest: is it right? settled: nothing stands in the way either. */
void oracle_rest(bool settled);
/** Something stands in the way of being told everything: then only sim_heal() brings it right. */
bool oracle_hindered(void);

#endif
