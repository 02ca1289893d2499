/*
 * removal_reader: the removals that the history tells of, for whoever does them. On a read-only
 * connection of one thread.
 */
#ifndef CARVED_CORE_STORE_REMOVAL_READER_H
#define CARVED_CORE_STORE_REMOVAL_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/mem.h"
#include "core/store/removal.h"

struct error;
struct removal_reader;
struct version;

/* What is to be done, and to what. */
struct removal_task {
	struct removal removal;
	struct version
		*version; /* with all findings; NULL: the history does not know it any more */
};

/* Owned by the caller, who ends it with removal_tasks_done(). */
struct removal_tasks {
	struct removal_task *items;
	size_t count;
};

void removal_tasks_done(struct removal_tasks *tasks);

/** Opens a reading connection to a history that store_open() made, or a command reads. */
int removal_reader_open(struct removal_reader **out, const char *path, struct error *err);
void removal_reader_free(struct removal_reader *reader);
AUTO_DEFINE(removal_reader);

/** Those that are intended and due by now_ns, at most limit, the longest due first. Nothing of the
 * history is held when it returns. 0, or -errno with err; so for all. */
int removal_reader_due(struct removal_reader *reader, int64_t now_ns, size_t limit,
		       struct removal_tasks *out, struct error *err);
/** When the next one is due, INT64_MAX: none is intended. */
int removal_reader_next(struct removal_reader *reader, int64_t *due_ns, struct error *err);
/** How many are intended. */
int removal_reader_intended(struct removal_reader *reader, int64_t *out, struct error *err);

/** Those in the quarantine, in their order; or the one of that id (else 0), also when it was, or
 * was to be, restored. visit returns false for no more. The task is borrowed for the call. */
struct removal_visit {
	bool (*visit)(void *context, const struct removal_task *task);
	void *context;
};

int removal_reader_quarantined(struct removal_reader *reader, int64_t id,
			       const struct removal_visit *each, struct error *err);

/** The keys of notes (store_removals) that begin so. */
struct note_visit {
	void (*visit)(void *context, const char *key);
	void *context;
};

int removal_reader_notes(struct removal_reader *reader, const char *prefix,
			 const struct note_visit *each, struct error *err);
/** Was this content taken out of the quarantine again, at its path or of its file? */
int removal_reader_restored(struct removal_reader *reader, int64_t version_id, bool *out,
			    struct error *err);

#endif
