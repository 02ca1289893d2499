/* batch: all or none, in order, and one refused row does not hold the others up. */
#include <errno.h>

#include "core/store/batch.h"
#include "core/store/db.h"
#include "core/store/save.h"
#include "store_fixture.h"

static struct world w;

static void setup(void)
{
	world_init(&w);
}

static void teardown(void)
{
	world_done(&w);
}

TestSuite(batch, .init = setup, .fini = teardown);

Test(batch, a_refused_row_does_not_hold_the_others_up)
{
	AUTO(version) struct version *a = world_version("/r/a", 1);
	AUTO(version) struct version *bad = world_version("/r/bad", 2);
	AUTO(version) struct version *c = world_version("/r/c", 3);
	world_finish(a, OUTCOME_CLEAN);
	world_finish(c, OUTCOME_CLEAN);
	bad->state = VERSION_UNSCANNED; /* without a reason: the schema refuses it */
	struct store_op ops[] = {
		{ .verb = STORE_SAVE, .version = a },
		{ .verb = STORE_SAVE, .version = bad },
		{ .verb = STORE_SAVE, .version = c },
	};
	world_submit(&w, ops, 3);
	cr_expect(ops[0].result == STORE_WRITTEN && ops[1].result == STORE_REFUSED &&
		  ops[2].result == STORE_WRITTEN);
	cr_expect(a->id > 0 && bad->id == 0 && c->id > a->id);
	EXPECT_SQL(&w, "SELECT path FROM file ORDER BY id", "/r/a\n/r/c");
	EXPECT_SQL(&w, "SELECT count(*) FROM scan", "2");
	cr_expect(!store_trouble(w.store, NULL));
	world_tally_is_right(&w);
}

Test(batch, a_failure_undoes_ids_in_memory)
{
	world_close(&w);
	AUTO(db) struct db *db = NULL;
	AUTO(save) struct save *save = NULL;
	struct error err = { 0 };
	cr_assert(db_open_history(&db, w.db, DB_WRITE, &err) == 0, "%s", err.text);
	cr_assert(save_new(&save, db, &err) == 0, "%s", err.text);
	/* no room for more than a few pages: SQLITE_FULL in the middle */
	cr_assert(sqlite3_exec(db->handle, "PRAGMA max_page_count = 1", NULL, NULL, NULL) ==
		  SQLITE_OK);

	enum {
		COUNT = 2000
	};
	struct store_op *ops = calloc(COUNT, sizeof *ops);
	struct store_gap gap = { .cause = "down" };
	struct list list;
	list_init(&list);
	for (unsigned i = 0; i < COUNT; i++) {
		ops[i] = (struct store_op){ .verb = STORE_SAVE,
					    .version = world_version("/r/a", i) };
		if (i == 0)
			ops[i].verb = STORE_GAP_OPEN;
		ops[i].gap = &gap;
		list_append(&list, &ops[i].link);
	}
	cr_expect(batch_write(db, save, NULL, &list, &err) == -ENOSPC, "%s", err.text);
	cr_expect(strstr(err.text, "disk is full") && strstr(err.text, w.db), "%s", err.text);
	cr_expect(gap.id == 0);
	for (unsigned i = 0; i < COUNT; i++)
		cr_assert(ops[i].version->id == 0);
	cr_assert(sqlite3_exec(db->handle, "PRAGMA max_page_count = 1000000", NULL, NULL, NULL) ==
		  SQLITE_OK);
	cr_expect(batch_write(db, save, NULL, &list, &err) == 0, "%s", err.text);
	EXPECT_SQL(&w, "SELECT count(*), count(DISTINCT id) FROM file", "1999|1999");
	EXPECT_SQL(&w, "SELECT count(*) FROM gap", "1");
	for (unsigned i = 0; i < COUNT; i++)
		version_free(ops[i].version);
	free(ops);
	world_tally_is_right(&w);
}

static struct version *stamped(int size, uint8_t byte)
{
	struct version *v = world_version("/r/a", 1);
	world_finish(v, OUTCOME_CLEAN);
	v->identity.size = size;
	v->has_sha256 = true;
	v->sha256[0] = byte;
	return v;
}

/* The number that a refresh got among the contents of a stamp was of the transaction that failed.
 */
Test(batch, a_refresh_that_is_tried_again_is_written)
{
	world_put(&w, stamped(10, 0xa));
	int64_t id = world_put(&w, stamped(20, 0xb));
	world_close(&w);
	AUTO(db) struct db *db = NULL;
	AUTO(save) struct save *save = NULL;
	struct error err = { 0 };
	cr_assert(db_open_history(&db, w.db, DB_WRITE, &err) == 0, "%s", err.text);
	cr_assert(save_new(&save, db, &err) == 0, "%s", err.text);
	AUTO(version) struct version *moved = stamped(10, 0xb);
	moved->id = id;
	struct store_op op = { .verb = STORE_REFRESH, .version = moved };
	struct list list;
	list_init(&list);
	list_append(&list, &op.link);
	cr_assert(
		sqlite3_exec(db->handle,
			     "CREATE TEMP TRIGGER no BEFORE UPDATE ON version WHEN NEW.content = 1"
			     " BEGIN SELECT RAISE(ABORT, 'a failing disk'); END",
			     NULL, NULL, NULL) == SQLITE_OK);
	(void)batch_write(db, save, NULL, &list, &err);
	cr_expect(moved->content == 0);
	cr_assert(sqlite3_exec(db->handle, "DROP TRIGGER temp.no", NULL, NULL, NULL) == SQLITE_OK);
	cr_expect(batch_write(db, save, NULL, &list, &err) == 0, "%s", err.text);
	cr_expect(op.result == STORE_WRITTEN);
	EXPECT_SQL(&w, "SELECT size, content FROM version ORDER BY id", "10|0\n10|1");
}
