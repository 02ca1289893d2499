/*
 * removal: one removal of a version's file, intended or done: a row of "removal".
 *
 * A plain value with one owner at a time: the disposer's thread, the store's writer while an
 * operation holds it.
 */
#ifndef CARVED_CORE_STORE_REMOVAL_H
#define CARVED_CORE_STORE_REMOVAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/mem.h"

enum removal_action {
	REMOVAL_DELETE,
	REMOVAL_QUARANTINE,
	REMOVAL_ACTIONS
};

enum removal_cause {
	CAUSE_RULE, /* "dispose" in the configuration */
	CAUSE_AGE,
	CAUSE_COUNT,
	CAUSE_BYTES,
	CAUSE_DISK,
	CAUSE_SHED,
	REMOVAL_CAUSES
};

enum removal_state {
	REMOVAL_INTENDED,
	REMOVAL_REMOVED,
	REMOVAL_QUARANTINED,
	REMOVAL_GONE,	  /* it was not there any more */
	REMOVAL_REPLACED, /* something else stood there, and was left alone */
	REMOVAL_LEFT,	  /* it was left alone for what the note says */
	REMOVAL_RESTORED, /* taken out of the quarantine to where it had been */
	REMOVAL_EXPIRED,  /* deleted in the quarantine */
	REMOVAL_STATES
};

struct removal {
	int64_t id; /* 0: not in the history. Written by the store's writer only */
	int64_t version_id;
	enum removal_action action;
	enum removal_cause cause;
	enum removal_state state;
	unsigned tries; /* in vain */
	int64_t due_ns; /* intended: not before this time (clock_steady_ns); 0: now */
	int64_t intended_ns;
	int64_t ended_ns; /* 0 while intended */
	char *place;	  /* quarantined: its path there; owned */
	char *note;	  /* owned; NULL: none */
};

/* Several that go to the history at once. The array grows by removals_add(). */
struct removals {
	struct removal *items; /* owned */
	size_t count;
};

/* What STORE_INTEND and STORE_REMOVED write. */
struct store_removals {
	struct removals list;
	/* STORE_INTEND */
	char *note_key; /* a key of meta that gets the value note; owned; NULL: none */
	int64_t note;
	const char
		*note_of; /* with it: keys that are this GLOB, and another, go; static; or NULL */
	bool afresh;	  /* all that are intended are due at once, as if never tried */
};

void removal_done(struct removal *removal);
/** Moves removal to the end. */
void removals_add(struct removals *removals, struct removal *removal);
/** Empties and frees. */
void removals_done(struct removals *removals);
/** The same for all of it. */
void store_removals_done(struct store_removals *removals);

/** A try was in vain, for what words say: the next one is 1 s, 2 s, ... 10 min after now_ns. */
void removal_put_off(struct removal *removal, int64_t now_ns, const char *words);

/** As stored. */
const char *removal_action_name(enum removal_action action);
const char *removal_cause_name(enum removal_cause cause);
const char *removal_state_name(enum removal_state state);
enum removal_action removal_action_by_name(const char *name); /* REMOVAL_ACTIONS: none such */
enum removal_cause removal_cause_by_name(const char *name);   /* REMOVAL_CAUSES: none such */
enum removal_state removal_state_by_name(const char *name);   /* REMOVAL_STATES: none such */

#endif
