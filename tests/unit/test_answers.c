/* answers: a version's findings, numbered through all its attempts. */
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

TestSuite(answers, .init = setup, .fini = teardown);

static void add(struct version *v, const char *detector, enum outcome outcome)
{
	struct finding finding = world_finding(detector, outcome);
	finding.attempt = v->attempt;
	version_add_finding(v, &finding);
}

Test(answers, a_further_attempt_is_numbered_on)
{
	struct version *v = world_version("/r/a", 1);
	v->attempt = 1;
	add(v, "one", OUTCOME_CLEAN);
	add(v, "two", OUTCOME_ERROR);
	int64_t id = world_put(&w, v);
	v = world_version("/r/a", 1);
	v->id = id;
	v->attempt = 2;
	add(v, "two", OUTCOME_CLEAN);
	v->state = VERSION_DONE;
	v->verdict = OUTCOME_CLEAN;
	world_put(&w, v);
	EXPECT_SQL(&w, "SELECT id & 65535, detector, outcome, attempt FROM scan ORDER BY id",
		   "1|one|clean|1\n2|two|error|1\n3|two|clean|2");
}

Test(answers, a_version_that_has_too_many_gets_no_more)
{
	struct version *v = world_version("/r/a", 1);
	add(v, "one", OUTCOME_ERROR);
	int64_t id = world_put(&w, v);
	sqlite3 *db = NULL;
	cr_assert(sqlite3_open(w.db, &db) == SQLITE_OK);
	cr_assert(sqlite3_exec(db, "UPDATE result SET nr = 65535", NULL, NULL, NULL) == SQLITE_OK);
	sqlite3_close(db);
	v = world_version("/r/a", 1);
	v->id = id;
	add(v, "one", OUTCOME_CLEAN);
	cr_expect(world_do(&w, STORE_SAVE, v) == STORE_REFUSED);
	version_free(v);
	EXPECT_SQL(&w, "SELECT count(*) FROM scan", "1");
}
