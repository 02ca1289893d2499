/* prune: what is old, has its end and is gone leaves the history, beside a running store. */
#include <errno.h>

#include "core/store/old_reader.h"
#include "core/store/prune.h"
#include "store_fixture.h"

static struct world w;
static struct error err;

static void setup(void)
{
	world_init(&w);
}

static void teardown(void)
{
	world_done(&w);
}

TestSuite(prune, .init = setup, .fini = teardown);

static void put_vanished(unsigned n)
{
	struct version *v = world_version("/r/a", n);
	world_fail(v, REASON_VANISHED);
	(void)world_put(&w, v);
}

static bool keep_b(void *context, const struct old_version *version)
{
	++*(int *)context;
	return strcmp(version->path, "/r/b") == 0;
}

Test(prune, prune_deletes_what_is_old_terminal_and_gone)
{
	static const char *const paths[] = { "/r/a", "/r/b", "/r/c", "/r/d" };
	for (unsigned i = 0; i < 4; i++) {
		struct version *v = world_version(paths[i], i);
		if (i < 3)
			world_finish(v, OUTCOME_CLEAN);
		if (i == 2)
			v->finished_ns = T0 + 1000; /* not old */
		world_put(&w, v);
	}
	put_vanished(9);
	struct store_gap gap = { .cause = "down", .opened_ns = 1 };
	struct store_op op = { .verb = STORE_GAP_OPEN, .gap = &gap };
	for (int i = 0; i < 3; i++) {
		op.verb = STORE_GAP_OPEN;
		list_init(&op.link);
		store_submit(w.store, &op);
		world_wait(&w, 1);
		if (i == 2)
			continue; /* stays open */
		gap.closed_ns = T0 + i * 1000;
		op.verb = STORE_GAP_CLOSE;
		store_submit(w.store, &op);
		world_wait(&w, 1);
	}
	struct store_pruned pruned = { 0 };
	int asked = 0;
	struct store_prune_options options = {
		.before_ns = T0 + 500,
		.dry_run = true,
		.keep = keep_b,
		.context = &asked,
	};
	cr_assert(store_prune(w.db, &options, &pruned, &err) == 0, "%s", err.text);
	cr_expect(pruned.versions == 2 && asked == 3);
	EXPECT_SQL(&w, "SELECT (SELECT count(*) FROM file), (SELECT count(*) FROM gap)", "5|3");
	options.dry_run = false;
	cr_assert(store_prune(w.db, &options, &pruned, &err) == 0, "%s", err.text);
	cr_expect(pruned.versions == 2);
	EXPECT_SQL(&w, "SELECT path FROM file ORDER BY id", "/r/b\n/r/c\n/r/d");
	EXPECT_SQL(&w, "SELECT file_id FROM scan ORDER BY 1", "2\n3");
	EXPECT_SQL(&w, "SELECT closed_ns FROM gap ORDER BY id", "1764000000000001000\n");
	/* the daemon goes on beside it */
	world_put(&w, world_version("/r/a", 0));
	world_tally_is_right(&w);
}

Test(prune, what_a_sink_is_yet_to_tell_stays_and_is_said)
{
	struct store_pruned pruned = { 0 };
	const struct store_prune_options options = { .before_ns = INT64_MAX };
	put_vanished(1);
	put_vanished(2);
	world_change(&w, "INSERT INTO sink VALUES ('one', 0);"
			 "INSERT INTO event (version_id, kind) VALUES (2, 'end')");
	cr_assert(store_prune(w.db, &options, &pruned, &err) == 0, "%s", err.text);
	cr_expect(pruned.versions == 1 && pruned.untold);
	EXPECT_SQL(&w, "SELECT id FROM version", "2");
	world_change(&w, "DELETE FROM sink");
	cr_assert(store_prune(w.db, &options, &pruned, &err) == 0, "%s", err.text);
	cr_expect(pruned.versions == 1 && !pruned.untold);
}

static bool keep_from_then_on(void *context, const struct old_version *version)
{
	(void)version;
	return ++*(int *)context > 2;
}

Test(prune, a_file_that_comes_back_meanwhile_is_told_of)
{
	struct store_pruned pruned = { 0 };
	int asked = -10;
	const struct store_prune_options options = { .before_ns = INT64_MAX,
						     .keep = keep_from_then_on,
						     .context = &asked };
	put_vanished(1);
	cr_assert(store_prune(w.db, &options, &pruned, &err) == 0, "%s", err.text);
	cr_expect(pruned.versions == 1 && !pruned.came_back);
	put_vanished(1);
	put_vanished(2);
	asked = 0;
	cr_assert(store_prune(w.db, &options, &pruned, &err) == 0, "%s", err.text);
	cr_expect(pruned.versions == 2 && pruned.came_back && asked == 3);
}

static void fill(unsigned count)
{
	struct store_op *ops = calloc(count, sizeof *ops);
	for (unsigned i = 0; i < count; i++) {
		struct version *v = world_version("/r/a", i);
		world_finish(v, OUTCOME_CLEAN);
		ops[i] = (struct store_op){ .verb = STORE_SAVE, .version = v };
		list_init(&ops[i].link);
		store_submit(w.store, &ops[i]);
	}
	world_wait(&w, count);
	for (unsigned i = 0; i < count; i++)
		version_free(ops[i].version);
	free(ops);
}

static int64_t integer(const char *sql)
{
	sqlite3 *handle = NULL;
	sqlite3_stmt *row = NULL;
	cr_assert(sqlite3_open_v2(w.db, &handle, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK);
	cr_assert(sqlite3_prepare_v2(handle, sql, -1, &row, NULL) == SQLITE_OK);
	cr_assert(sqlite3_step(row) == SQLITE_ROW);
	int64_t value = sqlite3_column_int64(row, 0);
	sqlite3_finalize(row);
	cr_assert(sqlite3_close(handle) == SQLITE_OK);
	return value;
}

Test(prune, what_is_free_is_given_back_beside_the_daemon)
{
	fill(3000);
	int64_t pages = integer("PRAGMA page_count");
	struct store_pruned pruned = { 0 };
	struct store_prune_options options = { .before_ns = INT64_MAX };
	cr_assert(store_prune(w.db, &options, &pruned, &err) == 0, "%s", err.text);
	cr_expect(pruned.versions == 3000 && pruned.free == 0);
	cr_expect(pruned.given_back > 0);
	cr_expect(integer("PRAGMA page_count") < pages / 2);
	cr_expect(integer("PRAGMA freelist_count") == 0);
	world_put(&w, world_version("/r/a", 1));
	EXPECT_SQL(&w, "PRAGMA integrity_check", "ok");
	world_tally_is_right(&w);
}

/* A history from before the map was made. */
static void without_map(void)
{
	store_reader_free(w.reader);
	w.reader = NULL;
	store_close(w.store);
	w.store = NULL;
	world_change(&w, "PRAGMA journal_mode = DELETE; PRAGMA auto_vacuum = NONE; VACUUM;"
			 "PRAGMA journal_mode = WAL");
}

Test(prune, an_old_history_keeps_its_size_until_it_is_written_anew)
{
	fill(3000);
	without_map();
	int64_t pages = integer("PRAGMA page_count");
	struct store_pruned pruned = { 0 };
	struct store_prune_options options = { .before_ns = INT64_MAX };
	cr_assert(store_prune(w.db, &options, &pruned, &err) == 0, "%s", err.text);
	cr_expect(pruned.versions == 3000 && pruned.given_back == 0 && pruned.free > 0);
	cr_expect(integer("PRAGMA page_count") >= pages);
	int64_t saved = 0;
	cr_assert(store_vacuum(w.db, &saved, &err) == 0, "%s", err.text);
	cr_expect(saved > 0);
	cr_expect(integer("PRAGMA auto_vacuum") == 2 && integer("PRAGMA freelist_count") == 0);
	cr_expect(integer("PRAGMA page_count") < pages / 2);
	world_open(&w);
}

Test(prune, a_history_that_is_open_is_not_written_anew)
{
	int64_t saved = 0;
	cr_expect(store_vacuum(w.db, &saved, &err) == -EBUSY, "%s", err.text);
	cr_expect(store_vacuum("/nowhere/x.db", &saved, &err) == -ENOENT);
}

Test(prune, a_history_that_is_not_there_is_not_made)
{
	struct store_pruned pruned = { 0 };
	struct store_prune_options options = { 0 };
	cr_expect(store_prune("/nowhere/x.db", &options, &pruned, &err) == -ENOENT);
}
