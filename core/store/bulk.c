/*
 * bulk: see bulk.h.
 *
 * Both virtual tables are eponymous (no schema names them, only the statements here) and have the
 * parameters of the statement for one row as their columns. A cursor goes once over the operations
 * that bulk_insert() was called with.
 */
#include "core/store/bulk.h"

#include <stdbool.h>

#include "core/base/error.h"
#include "core/base/list.h"
#include "core/base/outcome.h"
#include "core/store/db.h"
#include "core/store/keys.h"
#include "core/store/row.h"
#include "core/store/store.h"
#include "core/store/tally.h"
#include "core/store/timing.h"
#include "core/store/version.h"

enum statement {
	INSERT_VERSIONS,
	INSERT_FINDINGS,
	HAS_ROW,
	STATEMENTS
};

/* OR FAIL: what was inserted before a failure stays until the transaction is rolled back, so that
 * no page needs to be kept for undoing the statement alone. */
static const char *const sql[STATEMENTS] = {
	[INSERT_VERSIONS] = "INSERT OR FAIL INTO version (" ROW_INSERT_COLUMNS
			    ") SELECT * FROM bulk_version WHERE true ON CONFLICT DO NOTHING",
	[INSERT_FINDINGS] =
		"INSERT OR FAIL INTO result (" ROW_FINDING_COLUMNS ") SELECT * FROM bulk_finding",
	[HAS_ROW] = "SELECT EXISTS (SELECT 1 FROM version WHERE id = ?1)",
};

struct bulk {
	sqlite3 *handle;
	struct keys *keys;
	struct tally *tally;
	sqlite3_stmt *statements[STATEMENTS];
	/* what the cursors go over */
	struct list *first;
	size_t count;
};

/* As SQLite sees it: its own part comes first. */
struct bulk_table {
	sqlite3_vtab base;
	struct bulk *bulk;
};

struct bulk_cursor {
	sqlite3_vtab_cursor base;
	struct bulk *bulk;
	struct list *at;
	size_t left;	/* operations from at on; 0: the end */
	size_t finding; /* of the operation's version; 0 in the table of versions */
	struct row_scratch scratch;
};

static struct store_op *op_of(struct list *link)
{
	return LIST_OF(link, struct store_op, link);
}

static int connect_as(sqlite3 *handle, struct bulk *bulk, const char *columns, sqlite3_vtab **out)
{
	int rc = sqlite3_declare_vtab(handle, columns);
	if (rc != SQLITE_OK)
		return rc;
	struct bulk_table *table = xcalloc(1, sizeof *table);
	table->bulk = bulk;
	*out = &table->base;
	return SQLITE_OK;
}

/* NOLINTNEXTLINE(readability-function-size): the parameters are SQLite's */
static int connect_versions(sqlite3 *handle, void *bulk, int argc, const char *const *argv,
			    sqlite3_vtab **out, char **err)
{
	(void)argc;
	(void)argv;
	(void)err;
	return connect_as(handle, bulk, "CREATE TABLE x (" ROW_INSERT_COLUMNS ")", out);
}

/* NOLINTNEXTLINE(readability-function-size): the parameters are SQLite's */
static int connect_findings(sqlite3 *handle, void *bulk, int argc, const char *const *argv,
			    sqlite3_vtab **out, char **err)
{
	(void)argc;
	(void)argv;
	(void)err;
	return connect_as(handle, bulk, "CREATE TABLE x (" ROW_FINDING_COLUMNS ")", out);
}

static int disconnect(sqlite3_vtab *table)
{
	free(table); /* base is its first member */
	return SQLITE_OK;
}

static int best_index(sqlite3_vtab *table, sqlite3_index_info *info)
{
	(void)table;
	info->estimatedRows = 1000;
	info->estimatedCost = 1000;
	return SQLITE_OK;
}

static int open_cursor(sqlite3_vtab *table, sqlite3_vtab_cursor **out)
{
	struct bulk_cursor *cursor = xcalloc(1, sizeof *cursor);
	cursor->bulk = ((struct bulk_table *)table)->bulk;
	*out = &cursor->base;
	return SQLITE_OK;
}

static int close_cursor(sqlite3_vtab_cursor *cursor)
{
	free(cursor); /* base is its first member */
	return SQLITE_OK;
}

static struct bulk_cursor *own(sqlite3_vtab_cursor *cursor)
{
	return (struct bulk_cursor *)cursor;
}

static void rewind_cursor(struct bulk_cursor *cursor)
{
	cursor->at = cursor->bulk->first;
	cursor->left = cursor->bulk->count;
	cursor->finding = 0;
}

static int filter_versions(sqlite3_vtab_cursor *cursor, int number, const char *name, int argc,
			   sqlite3_value **argv)
{
	(void)number;
	(void)name;
	(void)argc;
	(void)argv;
	rewind_cursor(own(cursor));
	return SQLITE_OK;
}

static void next_op(struct bulk_cursor *cursor)
{
	cursor->at = cursor->at->next;
	cursor->left--;
	cursor->finding = 0;
}

static int next_version(sqlite3_vtab_cursor *cursor)
{
	next_op(own(cursor));
	return SQLITE_OK;
}

static int at_end(sqlite3_vtab_cursor *cursor)
{
	return own(cursor)->left == 0;
}

/* On to the first finding from here whose version was inserted. */
static void find_finding(struct bulk_cursor *cursor)
{
	while (cursor->left > 0) {
		const struct store_op *op = op_of(cursor->at);
		if (op->result == STORE_WRITTEN && cursor->finding < op->version->finding_count)
			return;
		next_op(cursor);
	}
}

static int filter_findings(sqlite3_vtab_cursor *cursor, int number, const char *name, int argc,
			   sqlite3_value **argv)
{
	(void)number;
	(void)name;
	(void)argc;
	(void)argv;
	rewind_cursor(own(cursor));
	find_finding(own(cursor));
	return SQLITE_OK;
}

static int next_finding(sqlite3_vtab_cursor *cursor)
{
	own(cursor)->finding++;
	find_finding(own(cursor));
	return SQLITE_OK;
}

static void give(sqlite3_context *context, const struct row_value *value)
{
	if (value->kind == ROW_INTEGER)
		sqlite3_result_int64(context, value->integer);
	else if (value->kind == ROW_TEXT)
		sqlite3_result_text64(context, value->bytes, value->len, SQLITE_STATIC,
				      SQLITE_UTF8);
	else if (value->kind == ROW_BLOB)
		sqlite3_result_blob64(context, value->bytes, value->len, SQLITE_STATIC);
}

static int version_column(sqlite3_vtab_cursor *base, sqlite3_context *context, int column)
{
	struct bulk_cursor *cursor = own(base);
	const struct store_op *op = op_of(cursor->at);
	struct row_value value = row_value(op->version, op->dir_id, column + 1, &cursor->scratch);
	give(context, &value);
	return SQLITE_OK;
}

static int finding_column(sqlite3_vtab_cursor *base, sqlite3_context *context, int column)
{
	struct bulk_cursor *cursor = own(base);
	const struct version *version = op_of(cursor->at)->version;
	const struct finding *finding = &version->findings[cursor->finding];
	struct row_value value = { .kind = ROW_INTEGER };
	int64_t detector = 0;
	int rc = SQLITE_OK;
	switch (column + 1) {
	case ROW_FINDING_VERSION:
		value.integer = version->id;
		break;
	case ROW_FINDING_NR:
		value.integer = (int64_t)cursor->finding + 1;
		break;
	case ROW_FINDING_DETECTOR:
		rc = keys_detector(cursor->bulk->keys, finding->detector, finding->digest,
				   &detector);
		value.integer = detector;
		break;
	default:
		value = row_finding_value(finding, column + 1);
	}
	give(context, &value);
	return rc;
}

static int row_number(sqlite3_vtab_cursor *cursor, sqlite3_int64 *out)
{
	*out = (sqlite3_int64)own(cursor)->left;
	return SQLITE_OK;
}

static const sqlite3_module version_module = {
	.xConnect = connect_versions,
	.xBestIndex = best_index,
	.xDisconnect = disconnect,
	.xOpen = open_cursor,
	.xClose = close_cursor,
	.xFilter = filter_versions,
	.xNext = next_version,
	.xEof = at_end,
	.xColumn = version_column,
	.xRowid = row_number,
};

static const sqlite3_module finding_module = {
	.xConnect = connect_findings,
	.xBestIndex = best_index,
	.xDisconnect = disconnect,
	.xOpen = open_cursor,
	.xClose = close_cursor,
	.xFilter = filter_findings,
	.xNext = next_finding,
	.xEof = at_end,
	.xColumn = finding_column,
	.xRowid = row_number,
};

int bulk_new(struct bulk **out, const struct db *db, struct keys *keys, struct tally *tally,
	     struct error *err)
{
	AUTO(bulk) struct bulk *bulk = xcalloc(1, sizeof *bulk);
	bulk->handle = db->handle;
	bulk->keys = keys;
	bulk->tally = tally;
	int rc = sqlite3_create_module(db->handle, "bulk_version", &version_module, bulk);
	if (rc == SQLITE_OK)
		rc = sqlite3_create_module(db->handle, "bulk_finding", &finding_module, bulk);
	if (rc != SQLITE_OK)
		return db_fail(db, rc, "history", err);
	int result = db_prepare_all(db, bulk->statements, sql, STATEMENTS, err);
	if (result < 0)
		return result;
	*out = TAKE(bulk);
	return 0;
}

void bulk_free(struct bulk *bulk)
{
	if (!bulk)
		return;
	db_finalize_all(bulk->statements, STATEMENTS);
	(void)sqlite3_create_module(bulk->handle, "bulk_version", NULL, NULL);
	(void)sqlite3_create_module(bulk->handle, "bulk_finding", NULL, NULL);
	free(bulk);
}

static bool is_insert(const struct store_op *op)
{
	return (op->verb == STORE_SAVE || op->verb == STORE_ADD) && op->version->id == 0 &&
	       op->result == STORE_WRITTEN;
}

size_t bulk_length(struct list *first, const struct list *end)
{
	size_t length = 0;
	for (struct list *at = first; at != end; at = at->next) {
		if (!is_insert(op_of(at)))
			break;
		length++;
	}
	return length;
}

/* Finds the ids of directories and detectors, which may be inserted as well: not while a statement
 * runs. */
static int find_keys(struct bulk *bulk, struct store_op *op)
{
	const struct version *version = op->version;
	int rc = keys_dir(bulk->keys, version->path, version->dir_len, version->identity.fsid,
			  &op->dir_id);
	for (size_t i = 0; i < version->finding_count && rc == SQLITE_OK; i++) {
		int64_t detector = 0;
		rc = keys_detector(bulk->keys, version->findings[i].detector,
				   version->findings[i].digest, &detector);
	}
	return rc;
}

static int prepare(struct bulk *bulk, int64_t *next_id)
{
	struct list *at = bulk->first;
	int rc = SQLITE_OK;
	for (size_t i = 0; i < bulk->count && rc == SQLITE_OK; i++, at = at->next) {
		op_of(at)->version->id = (*next_id)++;
		rc = find_keys(bulk, op_of(at));
	}
	return rc;
}

/* Some were not inserted. */
static int tell_known(struct bulk *bulk)
{
	sqlite3_stmt *has_row = bulk->statements[HAS_ROW];
	struct list *at = bulk->first;
	for (size_t i = 0; i < bulk->count; i++, at = at->next) {
		struct store_op *op = op_of(at);
		db_bind(has_row, 1, op->version->id);
		bool has = sqlite3_step(has_row) == SQLITE_ROW && sqlite3_column_int(has_row, 0);
		int rc = sqlite3_reset(has_row);
		if (rc != SQLITE_OK)
			return rc;
		if (!has) {
			op->version->id = 0;
			op->result = STORE_KNOWN;
		}
	}
	return SQLITE_OK;
}

static int count_findings(struct bulk *bulk, const struct version *version)
{
	int rc = SQLITE_OK;
	for (size_t i = 0; i < version->finding_count && rc == SQLITE_OK; i++) {
		const struct finding *finding = &version->findings[i];
		int64_t detector = 0;
		rc = keys_detector(bulk->keys, finding->detector, finding->digest, &detector);
		if (rc == SQLITE_OK)
			timing_add(tally_timing(bulk->tally), detector, finding);
	}
	return rc;
}

static int count(struct bulk *bulk)
{
	struct list *at = bulk->first;
	int rc = SQLITE_OK;
	for (size_t i = 0; i < bulk->count && rc == SQLITE_OK; i++, at = at->next) {
		const struct store_op *op = op_of(at);
		if (op->result != STORE_WRITTEN)
			continue;
		tally_version(bulk->tally, op->version, op->version->first_seen_ns);
		rc = count_findings(bulk, op->version);
	}
	return rc;
}

int bulk_insert(struct bulk *bulk, struct list *first, size_t length, int64_t *next_id)
{
	bulk->first = first;
	bulk->count = length;
	int rc = prepare(bulk, next_id);
	if (rc == SQLITE_OK)
		rc = db_run(bulk->statements[INSERT_VERSIONS]);
	if (rc == SQLITE_OK && sqlite3_changes64(bulk->handle) != (sqlite3_int64)length)
		rc = tell_known(bulk);
	if (rc == SQLITE_OK)
		rc = db_run(bulk->statements[INSERT_FINDINGS]);
	return rc == SQLITE_OK ? count(bulk) : rc;
}
