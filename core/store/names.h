/*
 * names: where else in the history a file stands: earlier rows at its path, and its other paths.
 * Private to this room; embedded in the reader.
 */
#ifndef CARVED_CORE_STORE_NAMES_H
#define CARVED_CORE_STORE_NAMES_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/store/find.h"

struct db;
struct error;
struct identity;
struct known;
struct store_name_visit;

struct names {
	sqlite3_stmt *earlier;
	sqlite3_stmt *others;
};

int names_init(struct names *names, const struct db *db, struct error *err);
void names_done(struct names *names);
/** See store_earlier(). SQLITE_OK or the failure's code. */
int names_earlier(struct names *names, const struct identity *identity,
		  const struct find_path *path, int64_t not_id, struct known *out);
/** See store_names(). SQLITE_OK or the failure's code. */
int names_each(struct names *names, const struct identity *identity, unsigned limit,
	       const struct store_name_visit *each);

#endif
