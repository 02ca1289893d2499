/*
 * query: one read-only SQL statement over the history, rows streamed, never held. For the commands
 * sql, history, list, retry and friends. Opens its own connection; any thread.
 */
#ifndef CARVED_CORE_STORE_QUERY_H
#define CARVED_CORE_STORE_QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;

enum query_type {
	QUERY_NULL,
	QUERY_INTEGER,
	QUERY_REAL,
	QUERY_TEXT,
	QUERY_BLOB
};

struct query_value {
	enum query_type type;
	int64_t integer;
	double real;
	const void *bytes; /* text (raw bytes of names included) and blobs; borrowed for the row */
	size_t len;
};

/** A number of either kind; 0 for NULL. */
static inline double query_number(const struct query_value *value)
{
	return value->type == QUERY_REAL ? value->real : (double)value->integer;
}

struct query_row {
	size_t columns;
	const char *const *names;
	const struct query_value *values;
};

struct query_parameter {
	const char *text; /* NULL: integer is bound */
	size_t len;
	int64_t integer;
};

/**
 * Runs one statement, which must be read-only (checked by sqlite3_stmt_readonly and an authorizer:
 * no ATTACH, no writing PRAGMA), binding parameters to ?1, ?2, ...; calls row for each row until it
 * returns false. names is also given once with values == NULL before the first row. -ENOENT when
 * there is no history at path; err says what SQLite said. A row callback's stop is not an error.
 */
int store_query(const char *path, const char *sql, const struct query_parameter *parameters,
		size_t parameter_count, bool (*row)(void *context, const struct query_row *row),
		void *context, struct error *err);

#endif
