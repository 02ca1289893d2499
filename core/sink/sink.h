/*
 * sink: tells events to one receiver, from the history, at least once each and in their order.
 *
 * A thread of its own reads what was committed behind the number that the sink has in the history,
 * tells it, and has the number brought up to date by the store's writer. What it could not tell it
 * tries again, after pauses that double, for ever: the history holds the rest. It sleeps while
 * there is nothing to tell. A crash between telling and the number's commit tells the last ones
 * again, under the same numbers. A receiver that is not to be called often gets what came meanwhile
 * together.
 */
#ifndef CARVED_CORE_SINK_SINK_H
#define CARVED_CORE_SINK_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/mem.h"

struct error;
struct sink;
struct store;
struct store_event;
struct store_op;
struct str;

/* Some events, as the receiver put them. Borrowed for the call. */
struct sink_portion {
	const char *text;
	size_t len; /* not 0 */
	size_t events;
	int64_t waiting; /* further ones, where verdicts are chosen; else 0 */
};

/* The receiver. Borrowed until sink_free(); called by the sink's thread alone. */
struct sink_receiver {
	const char *name; /* its row in the history, and behind "sink " its thread's; static */
	/* Bits of enum outcome: only ends and other verdicts that are one of these; 0: all events
	 */
	unsigned verdicts;
	size_t most_events; /* of one portion */
	size_t most_bytes;  /* a portion that has these gets no further event */
	int64_t every_ms;   /* from one call of take to the next; 0: none. Not kept to at the end */
	int64_t pause_ms;   /* after a failure; it doubles with each further one */
	int64_t pause_max_ms;
	/* Appends what tells the event, whose version is there. */
	void (*put)(struct str *out, const struct store_event *event);
	/* Can anything be told? Asked before, so that it is known also while there is nothing: 0,
	 * or -errno with err. NULL: always. */
	int (*ready)(void *context, struct error *err);
	int64_t take_ms; /* a call of take may last so long; 0: it is a matter of the disk */
	/* Takes what was put for some events: all of it, or none and -errno with err. -ECANCELED:
	 * it is ended, which is no trouble. */
	int (*take)(void *context, const struct sink_portion *portion, struct error *err);
	/* Telling fails (err), or fails no more (NULL). Said when it changes. */
	void (*fails)(void *context, const struct error *err);
	void *context;
};

/** Starts the thread. The store was opened with the receiver's name among its sinks; path is its
 * history's. What waits already is told at once. */
int sink_new(struct sink **out, struct store *store, const char *path,
	     const struct sink_receiver *receiver, struct error *err);
/** How many events waited when it was started. */
int64_t sink_waited(const struct sink *sink);
/** There may be new events. Any thread. NULL is fine. */
void sink_wake(struct sink *sink);
/** A STORE_TOLD came back from the store, whose owner is the sink. Any thread. */
void sink_committed(struct sink *sink);
/** Whether the last try failed: true, and why in err. Any thread. */
bool sink_trouble(struct sink *sink, struct error *err);
/** What was told since the start, and what waited when the last portion was gathered or told. Any
 * thread. */
void sink_counts(struct sink *sink, int64_t *told, int64_t *waiting);
/** Tells what is there, without pauses, until one portion fails, and ends the thread. Before
 * store_close(); nothing comes back to it any more. NULL is fine. */
void sink_stop(struct sink *sink);
/** After store_close(). */
void sink_free(struct sink *sink);
AUTO_DEFINE(sink);

#endif
