/*
 * query: see query.h.
 *
 * That a statement only reads is held three times: the connection is opened read-only, an
 * authorizer refuses what could reach another file or change a setting, and sqlite3_stmt_readonly()
 * is asked.
 */
#include "core/store/query.h"

#include <errno.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/mem.h"
#include "core/store/db.h"

/* Pragmas that only tell. */
static const char *const telling[] = {
	"application_id", "collation_list",  "compile_options", "data_version", "database_list",
	"encoding",	  "freelist_count",  "function_list",	"index_info",	"index_list",
	"index_xinfo",	  "integrity_check", "page_count",	"page_size",	"quick_check",
	"schema_version", "table_info",	     "table_list",	"table_xinfo",	"user_version",
};

/* Of these a value would be one to set; the others take the name of a table or an index. */
static const char *const settable[] = { "application_id", "encoding", "page_size", "schema_version",
					"user_version" };

static bool contains(const char *const *names, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++) {
		if (sqlite3_stricmp(names[i], name) == 0)
			return true;
	}
	return false;
}

static int allow_pragma(const char *name, const char *value)
{
	if (!contains(telling, sizeof telling / sizeof *telling, name))
		return SQLITE_DENY;
	if (value && contains(settable, sizeof settable / sizeof *settable, name))
		return SQLITE_DENY;
	return SQLITE_OK;
}

/* https://www.sqlite.org/c3ref/set_authorizer.html */
/* NOLINTNEXTLINE(readability-function-size): SQLite says what the parameters are */
static int authorize(void *context, int action, const char *first, const char *second,
		     const char *database, const char *trigger)
{
	(void)context;
	(void)database;
	(void)trigger;
	switch (action) {
	case SQLITE_SELECT:
	case SQLITE_READ:
	case SQLITE_RECURSIVE:
		return SQLITE_OK;
	case SQLITE_FUNCTION:
		return sqlite3_stricmp(second, "load_extension") == 0 ? SQLITE_DENY : SQLITE_OK;
	case SQLITE_PRAGMA:
		return allow_pragma(first, second);
	case SQLITE_UPDATE:
		/* asked when json_each() and other built-in table functions are declared; that
		 * the schema really is written to is refused by all the rest */
		return sqlite3_stricmp(first, "sqlite_master") == 0 ? SQLITE_OK : SQLITE_DENY;
	default:
		return SQLITE_DENY;
	}
}

static int fail(const struct db *db, int rc, struct error *err)
{
	int kind = rc & 0xff;
	if (kind == SQLITE_AUTH || kind == SQLITE_READONLY)
		return error_set(err, EINVAL, "the statement does more than read: %s",
				 sqlite3_errmsg(db->handle));
	if (kind == SQLITE_ERROR)
		return error_set(err, EINVAL, "%s", sqlite3_errmsg(db->handle));
	return db_fail(db, rc, "query", err);
}

/* What follows the statement may be blanks, comments and semicolons. */
static int check_alone(const struct db *db, const char *tail, struct error *err)
{
	while (*tail) {
		AUTO_STMT *next = NULL;
		int rc = sqlite3_prepare_v2(db->handle, tail, -1, &next, &tail);
		if (rc != SQLITE_OK || next)
			return error_set(err, EINVAL, "one statement at a time: there is another");
	}
	return 0;
}

static int prepare(const struct db *db, const char *sql, sqlite3_stmt **out, struct error *err)
{
	const char *tail = NULL;
	(void)sqlite3_set_authorizer(db->handle, authorize, NULL);
	int rc = sqlite3_prepare_v2(db->handle, sql, -1, out, &tail);
	if (rc != SQLITE_OK)
		return fail(db, rc, err);
	if (!*out)
		return error_set(err, EINVAL, "there is no statement");
	if (!sqlite3_stmt_readonly(*out))
		return error_set(err, EINVAL, "the statement does more than read");
	return check_alone(db, tail, err);
}

static int bind(sqlite3_stmt *statement, const struct query_parameter *parameters, size_t count,
		struct error *err)
{
	int wanted = sqlite3_bind_parameter_count(statement);
	if ((size_t)wanted != count)
		return error_set(err, EINVAL,
				 "the statement has %d parameters, %zu values were given", wanted,
				 count);
	for (size_t i = 0; i < count; i++) {
		if (parameters[i].text)
			db_bind_bytes(statement, (int)i + 1, parameters[i].text, parameters[i].len);
		else
			db_bind(statement, (int)i + 1, parameters[i].integer);
	}
	return 0;
}

static void read_value(sqlite3_stmt *statement, int column, struct query_value *out)
{
	*out = (struct query_value){ .type = QUERY_NULL };
	switch (sqlite3_column_type(statement, column)) {
	case SQLITE_INTEGER:
		out->type = QUERY_INTEGER;
		out->integer = sqlite3_column_int64(statement, column);
		break;
	case SQLITE_FLOAT:
		out->type = QUERY_REAL;
		out->real = sqlite3_column_double(statement, column);
		break;
	case SQLITE_TEXT:
		out->type = QUERY_TEXT;
		out->bytes = sqlite3_column_text(statement, column);
		out->len = (size_t)sqlite3_column_bytes(statement, column);
		break;
	case SQLITE_BLOB:
		out->type = QUERY_BLOB;
		out->bytes = sqlite3_column_blob(statement, column);
		out->len = (size_t)sqlite3_column_bytes(statement, column);
		break;
	default:
		break;
	}
}

struct rows {
	bool (*each)(void *context, const struct query_row *row);
	void *context;
};

/* SQLITE_DONE at the end or when the callback has enough, else the failure's code. The names are
 * asked for after the first step: it may prepare the statement anew, which frees them and may
 * change the columns (https://www.sqlite.org/c3ref/column_name.html). */
static int step_all(sqlite3_stmt *statement, const struct rows *rows)
{
	int rc = sqlite3_step(statement);
	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		return rc;
	size_t columns = (size_t)sqlite3_column_count(statement);
	AUTO_FREE const char **names = xcalloc(columns, sizeof *names);
	AUTO_FREE struct query_value *values = xcalloc(columns, sizeof *values);
	for (size_t i = 0; i < columns; i++)
		names[i] = sqlite3_column_name(statement, (int)i);
	struct query_row row = { .columns = columns, .names = names };
	bool more = rows->each(rows->context, &row);
	row.values = values;
	while (more && rc == SQLITE_ROW) {
		for (size_t i = 0; i < columns; i++)
			read_value(statement, (int)i, &values[i]);
		more = rows->each(rows->context, &row);
		if (more)
			rc = sqlite3_step(statement);
	}
	return more ? rc : SQLITE_DONE;
}

/* NOLINTNEXTLINE(readability-function-size): what, with which values, and to whom */
int store_query(const char *path, const char *sql, const struct query_parameter *parameters,
		size_t parameter_count, bool (*row)(void *context, const struct query_row *row),
		void *context, struct error *err)
{
	AUTO(db) struct db *db = NULL;
	AUTO_STMT *statement = NULL;
	struct rows rows = { .each = row, .context = context };
	int result = db_open_history(&db, path, DB_READ, err);
	if (result == 0)
		result = prepare(db, sql, &statement, err);
	if (result == 0)
		result = bind(statement, parameters, parameter_count, err);
	if (result < 0)
		return result;
	int rc = step_all(statement, &rows);
	return rc == SQLITE_DONE ? 0 : fail(db, rc, err);
}
