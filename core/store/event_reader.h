/*
 * event_reader: what happened to versions, in its order, for those who tell it to others.
 *
 * On a read-only connection of one thread. Reading never blocks the writer. The daemon notes events
 * only when store_options names sinks.
 */
#ifndef CARVED_CORE_STORE_EVENT_READER_H
#define CARVED_CORE_STORE_EVENT_READER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/mem.h"
#include "core/base/outcome.h"

struct error;
struct event_reader;
struct version;

enum store_event_kind {
	EVENT_END,	  /* the version got its end */
	EVENT_INCOMPLETE, /* it lacks a part, as became known behind its end */
	EVENT_RESCAN,	  /* it has another verdict now */
};

struct store_event {
	int64_t seq; /* never another one's in this history */
	enum store_event_kind kind;
	enum outcome was;	 /* EVENT_RESCAN: the verdict before; OUTCOMES: none */
	struct version *version; /* as it stands now, with all findings. NULL: its row is gone, or
				    queued again: nothing is to be told */
};

struct event_visit {
	bool (*visit)(void *context, const struct store_event *event); /* false: no more */
	void *context;
	/* Bits of enum outcome: only ends and other verdicts, and only of versions whose verdict is
	 * one of these now. 0: everything. */
	unsigned verdicts;
};

/** Opens a reading connection to a history that store_open() made. */
int event_reader_open(struct event_reader **out, const char *path, struct error *err);
void event_reader_free(struct event_reader *reader);
AUTO_DEFINE(event_reader);

/** The events behind number after, in their order, as far as visit goes; borrowed for the call.
 * *through (may be NULL) is set when visit has met all that there is: the number up to which that
 * holds. 0, or -errno with err. */
int event_reader_each(struct event_reader *reader, int64_t after, const struct event_visit *each,
		      int64_t *through, struct error *err);
/** How many events behind number after have such a version; verdicts as above, not 0. */
int event_reader_count(struct event_reader *reader, int64_t after, unsigned verdicts,
		       int64_t *count, struct error *err);
/** The number of the last event that a sink has told, and how many wait for it; both 0 for one that
 * is not known. 0, or -errno with err. */
int event_reader_sink(struct event_reader *reader, const char *name, int64_t *seq, int64_t *behind,
		      struct error *err);

#endif
