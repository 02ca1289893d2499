/*
 * keys: ids of directories and detectors, made when they are new. Private to this room.
 *
 * One writing connection's; remembers what it used last. Ids that a transaction made are forgotten
 * with it (keys_forget() after a rollback). Rows of dir and detector are never deleted, so an id
 * stays right.
 */
#ifndef CARVED_CORE_STORE_KEYS_H
#define CARVED_CORE_STORE_KEYS_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/mem.h"

struct db;
struct error;
struct keys;

int keys_new(struct keys **out, const struct db *db, struct error *err);
void keys_free(struct keys *keys);
AUTO_DEFINE(keys);
void keys_forget(struct keys *keys);

/** The id of the directory path (len bytes) on file system fsid. SQLITE_OK, or the failure's code.
 */
int keys_dir(struct keys *keys, const char *path, size_t len, uint64_t fsid, int64_t *out);
/** The id of the detector of that name and digest. */
int keys_detector(struct keys *keys, const char *name, const char *digest, int64_t *out);

#endif
