/*
 * find: the look-up of one (identity, path), which reconcile does a million times. Private to this
 * room.
 */
#ifndef CARVED_CORE_STORE_FIND_H
#define CARVED_CORE_STORE_FIND_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct db;
struct error;
struct identity;
struct known;
struct store_dir;
struct store_name;

/* Embedded in the reader. */
struct find {
	sqlite3_stmt *by_file; /* rows of one (inode, birth time) */
	sqlite3_stmt *later;   /* whether one of another size or time says that it was written to */
	/* of a file of very many rows: */
	sqlite3_stmt *by_key;
	sqlite3_stmt *by_stamp;
	sqlite3_stmt *contents;
	sqlite3_stmt *other_stamp;
	sqlite3_stmt *at_path;
	sqlite3_stmt *by_path; /* an imported row */
	sqlite3_stmt *dir;
	sqlite3_stmt *recorded;
	sqlite3_stmt *any_imported; /* whether there is one at all */
	bool imported;		    /* what it said when the data version was this: */
	uint32_t data_version;
	bool asked;
};

struct find_path {
	const char *path;
	size_t len;
	size_t dir_len;
};

int find_init(struct find *find, const struct db *db, struct error *err);
void find_done(struct find *find);
/** See store_find(). SQLITE_OK or the failure's code. */
int find_known(struct find *find, const struct identity *identity, const struct find_path *path,
	       struct known *out);

/** See store_dir(). SQLITE_OK or the failure's code. */
int find_dir(struct find *find, const struct store_dir *dir, int64_t *out);
/** See store_recorded(). SQLITE_OK or the failure's code. */
int find_recorded(struct find *find, const struct identity *identity, const struct store_name *name,
		  struct known *out);

#endif
