/* expire: the writer lets versions go that may, and nothing else, and gives pages back. */
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

TestSuite(expire, .init = setup, .fini = teardown);

static int64_t put(unsigned n, int64_t finished_ns)
{
	struct version *v = world_version("/r/a", n);
	world_finish(v, OUTCOME_CLEAN);
	if (finished_ns)
		v->finished_ns = finished_ns;
	return world_put(&w, v);
}

static void expire(struct store_expire *work)
{
	struct store_op op = { .verb = STORE_EXPIRE, .expire = work };
	list_init(&op.link);
	store_submit(w.store, &op);
	world_wait(&w, 1);
	cr_assert(op.result == STORE_WRITTEN);
}

Test(expire, what_waits_or_finished_since_stays)
{
	int64_t ids[] = { put(1, 0), put(2, T0 + 1000), world_put(&w, world_version("/r/a", 3)),
			  put(4, 0), put(5, 0),		4711 };
	char sql[128];
	snprintf(sql, sizeof sql, "INSERT INTO rescan_queue (version_id, asked_ns) VALUES (%d, 1)",
		 (int)ids[3]);
	world_change(&w, sql);
	struct store_expire work = { .ids = ids, .count = 6, .before_ns = T0 + 500 };
	expire(&work);
	cr_expect(work.gone == 2);
	EXPECT_SQL(&w, "SELECT group_concat(id) FROM (SELECT id FROM version ORDER BY id)",
		   "2,3,4");
	EXPECT_SQL(&w, "SELECT count(*) FROM result WHERE version_id IN (1, 5)", "0");
	world_tally_is_right(&w);
}

Test(expire, what_is_in_the_quarantine_or_is_to_be_removed_stays)
{
	int64_t ids[] = { put(1, 0), put(2, 0), put(3, 0), put(4, 0) };
	world_change(&w,
		     "INSERT INTO removal (version_id, action, cause, state, intended_ns, ended_ns)"
		     " VALUES (1, 'delete', 'rule', 'intended', 1, NULL),"
		     " (2, 'quarantine', 'rule', 'quarantined', 1, 2),"
		     " (3, 'delete', 'rule', 'removed', 1, 2)");
	struct store_expire work = { .ids = ids, .count = 4, .before_ns = T0 + 500 };
	expire(&work);
	cr_expect(work.gone == 2);
	EXPECT_SQL(&w, "SELECT group_concat(id) FROM version", "1,2");
	EXPECT_SQL(&w, "SELECT group_concat(version_id) FROM removal", "1,2");
	world_tally_is_right(&w);
}

Test(expire, gaps_that_closed_before_go)
{
	world_change(&w, "INSERT INTO gap (cause, opened_ns, closed_ns)"
			 " VALUES ('down', 1, 5), ('down', 2, 9), ('down', 3, NULL)");
	struct store_expire work = { .before_ns = 9 };
	expire(&work);
	EXPECT_SQL(&w, "SELECT count(*) FROM gap", "3");
	work.gaps = true;
	expire(&work);
	EXPECT_SQL(&w, "SELECT group_concat(opened_ns) FROM (SELECT opened_ns FROM gap ORDER BY 1)",
		   "2,3");
}

Test(expire, pages_are_given_back_some_at_a_time)
{
	world_change(&w, "CREATE TABLE big (b); INSERT INTO big VALUES (zeroblob(2000000));"
			 "DROP TABLE big");
	struct store_expire work = { 0 };
	expire(&work);
	int64_t pages = work.pages;
	int64_t free_pages = work.free_pages;
	cr_assert(free_pages > 200);
	work.give_back = 32;
	expire(&work);
	cr_expect(work.free_pages == free_pages - 32 && work.pages == pages - 32);
	EXPECT_SQL(&w, "PRAGMA integrity_check", "ok");
}
