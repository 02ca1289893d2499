/*
 * maintain: changes that commands make beside a running daemon: retry, prune, import. Each opens its own
 * connection, waits for the daemon's transactions (they are short), and commits in bounded batches.
 */
#ifndef CARVED_CORE_STORE_MAINTAIN_H
#define CARVED_CORE_STORE_MAINTAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;

/** Queues unscanned rows again: all with reason "failed" (or "unreadable") when ids is NULL, else these ids
 * (any reason but not-regular). *out: how many. Their attempts start anew. Unknown ids: -ENOENT, named. */
int store_retry(const char *path, const int64_t *ids, size_t id_count, int64_t *out,
		struct error *err);

/** Deletes terminal versions, their scan rows, and closed gaps that finished before before_ns; with dry_run only
 * counts. Files that are still on disk would be found and scanned again, so rows whose path exists are kept
 * unless gone says otherwise: exists is asked for each path. */
int store_prune(const char *path, int64_t before_ns, bool dry_run,
		bool (*exists)(const char *path), int64_t *out, struct error *err);

/** Records paths as done by BroAPT: verdict unknown, one scan row of detector "broapt". identity's inode is
 * 0 when the file is not there now. Call begin/end around many. */
struct store_import;
struct identity;
int store_import_begin(struct store_import **out, const char *path, struct error *err);
int store_import_path(struct store_import *import, const char *path, size_t len,
		      const struct identity *identity, bool *fresh, struct error *err);
int store_import_end(struct store_import *import, struct error *err);

#endif
