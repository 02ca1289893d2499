/*
 * maintain: changes that commands make beside a running daemon: retry, import (and prune.h). Each
 * opens its own connection, waits for the daemon's transactions (they are short), and commits in
 * bounded batches.
 */
#ifndef CARVED_CORE_STORE_MAINTAIN_H
#define CARVED_CORE_STORE_MAINTAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/mem.h"

struct error;

/** Queues unscanned rows again: all with reason "failed" or "unreadable" when ids is NULL, else
 * these ids (any reason but not-regular). *out: how many. Their attempts start anew. Unknown ids:
 * -ENOENT, named. */
int store_retry(const char *path, const int64_t *ids, size_t id_count, int64_t *out,
		struct error *err);

struct store_import;
struct version;

struct store_imported {
	int64_t fresh; /* recorded */
	int64_t known; /* in the history before, whatever it says of them */
};

/**
 * Records versions as done by BroAPT: verdict unknown, one scan row of detector "broapt". begin
 * makes the history when there is none; versions are gathered and written some hundred to a
 * transaction; end writes the last, tells how many there were, and frees import, also when it
 * fails.
 */
int store_import_begin(struct store_import **out, const char *path, struct error *err);
/** Moves version, of which path, entry and identity are set. An inode of 0 says that the file is
 * not there now: then the row counts for whatever is found at this path. A version that is queued
 * stays queued: its scan may be under way. -EINVAL, here and from end, also when the history
 * refused a row, which err names; the others are recorded. */
int store_import_add(struct store_import *import, struct version *version, struct error *err);
int store_import_end(struct store_import *import, struct store_imported *out, struct error *err);
void store_import_free(struct store_import *import);
AUTO_DEFINE(store_import);

#endif
