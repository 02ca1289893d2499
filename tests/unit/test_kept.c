/* kept: versions whose files may be there, in their order. */
#include <errno.h>

#include "core/store/kept.c" /* its questions */
#include "store_fixture.h"

static struct world w;
static struct kept_reader *reader;
static struct error err;

static void setup(void)
{
	world_init(&w);
	cr_assert(kept_reader_open(&reader, w.db, &err) == 0, "%s", err.text);
}

static void teardown(void)
{
	kept_reader_free(reader);
	world_done(&w);
}

TestSuite(kept, .init = setup, .fini = teardown);

struct seen {
	struct str text;
	struct kept_at last;
	size_t most, count;
};

static bool note(void *context, const struct store_kept *row)
{
	struct seen *seen = context;
	str_printf(&seen->text, "%s%s", seen->count ? " " : "", row->path);
	seen->last = row->at;
	cr_expect_eq(row->identity.fsid, 7);
	cr_expect_eq(row->path_len, strlen(row->path));
	return ++seen->count < seen->most;
}

static struct kept_at expect_rows(enum kept_kind kind, struct kept_at after, size_t most,
				  const char *wanted)
{
	struct seen seen = { .most = most };
	const struct kept_visit each = { note, &seen };
	cr_assert(kept_each(reader, kind, after, &each, &err) == 0, "%s", err.text);
	cr_expect_str_eq(str_text(&seen.text), wanted);
	str_done(&seen.text);
	return seen.last;
}

static void put(const char *path, unsigned n, enum version_reason reason)
{
	struct version *v = world_version(path, n);
	if (reason == REASON_NONE)
		world_finish(v, OUTCOME_CLEAN);
	else
		world_fail(v, reason);
	world_put(&w, v);
}

static const struct kept_at all = { INT64_MIN, 0 };

Test(kept, goes_on_where_it_ended_the_oldest_first)
{
	put("/r/c", 3, REASON_NONE);
	put("/r/a", 1, REASON_NONE);
	put("/r/b", 2, REASON_NONE);
	put("/r/x", 4, REASON_FAILED);
	world_put(&w, world_version("/r/q", 5));
	struct kept_at at = expect_rows(KEPT_DONE, all, 2, "/r/a /r/b");
	at = expect_rows(KEPT_DONE, at, 9, "/r/c");
	cr_expect_eq(at.key, T0 + 3);
	expect_rows(KEPT_DONE, at, 9, "");
	/* the same moment: by id */
	world_change(&w, "UPDATE version SET first_seen_ns = 5");
	at = expect_rows(KEPT_DONE, all, 2, "/r/c /r/a");
	expect_rows(KEPT_DONE, at, 9, "/r/b");
}

Test(kept, each_kind_for_itself)
{
	put("/r/failed", 1, REASON_FAILED);
	put("/r/gone", 2, REASON_VANISHED);
	put("/r/pipe", 3, REASON_NOT_REGULAR);
	struct version *v = world_version("/r/written", 4);
	v->wait = WAIT_WRITER;
	world_put(&w, v);
	v = world_version("/r/later", 5);
	v->due_ns = T0;
	v->wait = WAIT_RETRY;
	world_put(&w, v);
	world_put(&w, world_version("/r/waiting", 6));
	expect_rows(KEPT_DONE, all, 9, "");
	expect_rows(KEPT_UNSCANNED, all, 9, "/r/failed");
	expect_rows(KEPT_QUEUED, all, 9, "/r/waiting /r/later");
}

Test(kept, what_was_removed_imported_or_replaced_is_left_out)
{
	put("/r/a", 1, REASON_NONE);
	put("/r/b", 2, REASON_NONE);
	put("/r/c", 3, REASON_NONE);
	put("/r/d", 4, REASON_NONE);
	world_change(&w,
		     "INSERT INTO removal (version_id, action, cause, intended_ns)"
		     " VALUES (1, 'delete', 'rule', 1);"
		     "INSERT INTO removal (version_id, action, cause, state, intended_ns, ended_ns)"
		     " VALUES (2, 'quarantine', 'rule', 'restored', 1, 2);"
		     "UPDATE version SET inode = 0 WHERE id = 3");
	expect_rows(KEPT_DONE, all, 9, "/r/d");
	/* another content under the same size and time */
	world_change(&w,
		     "INSERT INTO version (dir_id, name, inode, btime_ns, size, mtime_ns, content,"
		     " state, verdict, first_seen_ns) SELECT dir_id, name, inode, btime_ns, size,"
		     " mtime_ns, 1, 'done', 'clean', first_seen_ns + 9 FROM version WHERE id = 4");
	struct seen seen = { .most = 9 };
	const struct kept_visit each = { note, &seen };
	cr_assert(kept_one(reader, KEPT_DONE, 4, &each, &err) == 0);
	cr_expect_eq(seen.count, 0, "an earlier content stands for nothing");
	cr_assert(kept_one(reader, KEPT_DONE, 5, &each, &err) == 0);
	cr_assert(kept_one(reader, KEPT_UNSCANNED, 2, &each, &err) == 0);
	cr_expect_str_eq(str_text(&seen.text), "/r/d");
	str_done(&seen.text);
}

Test(kept, a_note_is_a_number_in_meta)
{
	int64_t value = 5;
	cr_assert(kept_note(reader, "floor", &value, &err) == 0);
	cr_expect_eq(value, 0);
	world_change(&w, "INSERT INTO meta VALUES ('floor', 7)");
	cr_assert(kept_note(reader, "floor", &value, &err) == 0);
	cr_expect_eq(value, 7);
}

/* In a history of ten million each question must begin in the middle of its index, whose order is
 * that of the answer. */
Test(kept, goes_by_indexes_in_their_order)
{
	for (enum statement which = DONE; which < ONE; which++) {
		AUTO_STR plan = STR_INIT;
		AUTO_STR asked = STR_INIT;
		str_printf(&asked, "EXPLAIN QUERY PLAN %s", sql[which]);
		sqlite3_stmt *row = NULL;
		cr_assert(db_prepare(reader->db, &row, str_text(&asked), &err) == 0);
		while (sqlite3_step(row) == SQLITE_ROW)
			str_printf(&plan, "%s\n", sqlite3_column_text(row, 3));
		sqlite3_finalize(row);
		char key[64];
		snprintf(key, sizeof key, "(%s%s)",
			 which == QUEUED || which == SAME_QUEUED ? "due_ns" : "first_seen_ns",
			 which < SAME ? ">?" : "=? AND rowid>?");
		cr_expect_not_null(strstr(str_text(&plan), key), "%s", str_text(&plan));
		cr_expect_null(strstr(str_text(&plan), "SCAN"), "%s", str_text(&plan));
		cr_expect_null(strstr(str_text(&plan), "TEMP B-TREE"), "%s", str_text(&plan));
	}
}

Test(kept, a_history_that_is_not_there_or_cannot_be_read_is_told)
{
	struct kept_reader *none = NULL;
	struct seen seen = { .most = 9 };
	const struct kept_visit each = { note, &seen };
	int64_t value = 5;
	cr_expect(kept_reader_open(&none, "/nowhere/x.db", &err) == -ENOENT && !none);
	world_change(&w, "ALTER TABLE removal RENAME TO other; ALTER TABLE meta RENAME TO another");
	cr_expect(kept_each(reader, KEPT_DONE, all, &each, &err) < 0);
	cr_expect(strstr(err.text, "no such table: removal"), "%s", err.text);
	cr_expect(kept_one(reader, KEPT_QUEUED, 1, &each, &err) < 0);
	cr_expect(kept_note(reader, "floor", &value, &err) < 0);
	cr_expect_eq(value, 5);
	cr_expect_eq(seen.count, 0);
}
