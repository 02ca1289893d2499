/*
 * kept: versions whose files may still be there, oldest first: what retention chooses from; and
 * queued ones in the order of the queue. On a read-only connection of one thread.
 *
 * Each question goes on where the one before ended (struct kept_at), so a history of ten million
 * costs what is asked of it. Reading never blocks the writer.
 */
#ifndef CARVED_CORE_STORE_KEPT_H
#define CARVED_CORE_STORE_KEPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/identity.h"
#include "core/base/mem.h"
#include "core/store/version.h"

struct error;
struct kept_reader;

enum kept_kind {
	KEPT_DONE,	/* by first_seen_ns */
	KEPT_UNSCANNED, /* by first_seen_ns; but vanished and not-regular: there is no file */
	KEPT_QUEUED,	/* by due_ns; but those with a writer */
	KEPT_KINDS
};

/* Where a question begins: behind the row with this key (see kept_kind) and id. */
struct kept_at {
	int64_t key;
	int64_t id;
};

/* A row; borrowed for the call. */
struct store_kept {
	struct kept_at at;
	const char *path;
	size_t path_len;
	struct identity identity; /* without ctime_ns */
	const char *mime;	  /* as the name declares it; "": none */
	enum version_reason reason;
};

struct kept_visit {
	bool (*visit)(void *context, const struct store_kept *row); /* false: no more */
	void *context;
};

int kept_reader_open(struct kept_reader **out, const char *path, struct error *err);
void kept_reader_free(struct kept_reader *reader);
AUTO_DEFINE(kept_reader);

/**
 * The rows of a kind behind after, in their order, as far as visit goes. Left out are those that
 * were imported, those that stand for an earlier content of the same file, size and time, and those
 * that somebody removed, or tried to, or restored. 0, or -errno with err.
 */
int kept_each(struct kept_reader *reader, enum kept_kind kind, struct kept_at after,
	      const struct kept_visit *each, struct error *err);
/** The row with this id, if it is of that kind and not left out. */
int kept_one(struct kept_reader *reader, enum kept_kind kind, int64_t id,
	     const struct kept_visit *each, struct error *err);
/** A number in the table meta; *out is 0 when there is none. */
int kept_note(struct kept_reader *reader, const char *key, int64_t *out, struct error *err);
/** Those whose keys are prefix and a number, in the order of that; prefix has nothing of a GLOB. */
int kept_notes(struct kept_reader *reader, const char *prefix,
	       void (*visit)(void *context, int64_t number, int64_t value), void *context,
	       struct error *err);

#endif
