/*
 * keys: see keys.h. Both kinds are (text, second) -> id; a direct-mapped cache of a few slots,
 * because a burst comes from a few directories in turn, and detectors are few.
 */
#include "core/store/keys.h"

#include <string.h>

#include "core/base/table.h"
#include "core/store/db.h"

enum {
	SLOTS = 64
};

enum statement {
	DIR_FIND,
	DIR_INSERT,
	DETECTOR_FIND,
	DETECTOR_INSERT,
	STATEMENTS
};

static const char *const sql[STATEMENTS] = {
	[DIR_FIND] = "SELECT id FROM dir WHERE path = ?1 AND fsid = ?2",
	[DIR_INSERT] = "INSERT INTO dir (path, fsid) VALUES (?1, ?2)",
	[DETECTOR_FIND] = "SELECT id FROM detector WHERE name = ?1 AND digest = ?2",
	[DETECTOR_INSERT] = "INSERT INTO detector (name, digest) VALUES (?1, ?2)",
};

struct slot {
	char *text; /* NULL: empty */
	size_t len;
	uint64_t fsid;
	char digest[65];
	int64_t id;
};

struct keys {
	sqlite3 *handle;
	sqlite3_stmt *statements[STATEMENTS];
	struct slot dirs[SLOTS];
	struct slot detectors[SLOTS];
};

int keys_new(struct keys **out, const struct db *db, struct error *err)
{
	AUTO(keys) struct keys *keys = xcalloc(1, sizeof *keys);
	keys->handle = db->handle;
	int result = db_prepare_all(db, keys->statements, sql, STATEMENTS, err);
	if (result < 0)
		return result;
	*out = TAKE(keys);
	return 0;
}

static void slot_clear(struct slot *slot)
{
	free(slot->text);
	*slot = (struct slot){ 0 };
}

void keys_forget(struct keys *keys)
{
	for (size_t i = 0; i < SLOTS; i++) {
		slot_clear(&keys->dirs[i]);
		slot_clear(&keys->detectors[i]);
	}
}

void keys_free(struct keys *keys)
{
	if (!keys)
		return;
	keys_forget(keys);
	db_finalize_all(keys->statements, STATEMENTS);
	free(keys);
}

/* Both statements have their parameters bound. */
static int find_or_insert(struct keys *keys, sqlite3_stmt *find, sqlite3_stmt *insert, int64_t *out)
{
	int rc = sqlite3_step(find);
	if (rc == SQLITE_ROW)
		*out = sqlite3_column_int64(find, 0);
	int reset = sqlite3_reset(find);
	if (rc == SQLITE_ROW || reset != SQLITE_OK)
		return reset;
	rc = db_run(insert);
	if (rc == SQLITE_OK)
		*out = sqlite3_last_insert_rowid(keys->handle);
	return rc;
}

int keys_dir(struct keys *keys, const char *path, size_t len, uint64_t fsid, int64_t *out)
{
	struct slot *slot = &keys->dirs[table_hash(path, len) % SLOTS];
	if (slot->text && slot->fsid == fsid && slot->len == len &&
	    memcmp(slot->text, path, len) == 0) {
		*out = slot->id;
		return SQLITE_OK;
	}
	sqlite3_stmt *find = keys->statements[DIR_FIND];
	sqlite3_stmt *insert = keys->statements[DIR_INSERT];
	db_bind_bytes(find, 1, path, len);
	db_bind(find, 2, (int64_t)fsid);
	db_bind_bytes(insert, 1, path, len);
	db_bind(insert, 2, (int64_t)fsid);
	int rc = find_or_insert(keys, find, insert, out);
	if (rc != SQLITE_OK)
		return rc;
	slot_clear(slot);
	*slot = (struct slot){ .text = xmemdup(path, len), .len = len, .fsid = fsid, .id = *out };
	return rc;
}

int keys_detector(struct keys *keys, const char *name, const char *digest, int64_t *out)
{
	size_t len = strlen(name);
	struct slot *slot = &keys->detectors[table_hash(name, len) % SLOTS];
	if (slot->text && strcmp(slot->text, name) == 0 && strcmp(slot->digest, digest) == 0) {
		*out = slot->id;
		return SQLITE_OK;
	}
	sqlite3_stmt *find = keys->statements[DETECTOR_FIND];
	sqlite3_stmt *insert = keys->statements[DETECTOR_INSERT];
	db_bind_text(find, 1, name);
	db_bind_text(find, 2, digest);
	db_bind_text(insert, 1, name);
	db_bind_text(insert, 2, digest);
	int rc = find_or_insert(keys, find, insert, out);
	if (rc != SQLITE_OK)
		return rc;
	slot_clear(slot);
	*slot = (struct slot){ .text = xmemdup(name, len), .len = len, .id = *out };
	memcpy(slot->digest, digest, strnlen(digest, sizeof slot->digest - 1));
	return rc;
}
