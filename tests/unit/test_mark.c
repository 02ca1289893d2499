/* mark: which rows a mark goes to, and what comes back. */
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

TestSuite(mark, .init = setup, .fini = teardown);

#define MARKS \
	"SELECT group_concat(incomplete || coalesce(note, '-'), ' ') FROM (SELECT * FROM file ORDER BY path)"

static enum store_result mark(const char *path, unsigned n)
{
	struct version *v = world_version(path, n);
	v->note = xstrdup("cut");
	enum store_result result = world_do(&w, STORE_MARK, v);
	version_free(v);
	return result;
}

Test(mark, a_mark_goes_to_the_rows_of_the_file_at_the_path_and_stays)
{
	struct version *done = world_version("/r/a", 1);
	world_finish(done, OUTCOME_CLEAN);
	world_put(&w, done);
	struct version *link = world_version("/r/b", 1);
	world_finish(link, OUTCOME_CLEAN);
	world_put(&w, link);
	cr_expect(mark("/r/c", 1) == STORE_PENDING);
	cr_expect(mark("/r/a", 2) == STORE_PENDING);
	cr_expect(mark("/r/a", 1) == STORE_WRITTEN);
	cr_expect(mark("/r/a", 1) == STORE_KNOWN);
	EXPECT_SQL(&w, MARKS, "1cut 0-");
	world_tally_is_right(&w);
}

Test(mark, a_queued_row_keeps_its_mark_when_it_gets_its_end)
{
	int64_t id = world_put(&w, world_version("/r/a", 1));
	cr_expect(mark("/r/a", 1) == STORE_PENDING);
	struct version *v = world_version("/r/a", 1);
	v->id = id;
	world_finish(v, OUTCOME_CLEAN);
	world_put(&w, v);
	EXPECT_SQL(&w, MARKS, "1-");
	cr_expect(mark("/r/a", 1) == STORE_KNOWN);
}

Test(mark, a_mark_finds_the_content_that_the_name_claims_when_the_file_is_gone)
{
	static const char path[] =
		"/ab/abababababababababababababababababababababababababababababababab";
	struct version *v = world_version(path, 1);
	v->has_sha256 = true;
	memset(v->sha256, 0xab, 32);
	world_finish(v, OUTCOME_CLEAN);
	world_put(&w, v);
	struct version *gone = world_version(path, 1);
	gone->identity = (struct identity){ .fsid = gone->identity.fsid };
	gone->entry.field[ENTRY_HASH] = (struct slice){ gone->path + 4, 64 };
	gone->note = xstrdup("cut");
	cr_expect(world_do(&w, STORE_MARK, gone) == STORE_WRITTEN);
	version_free(gone);
	EXPECT_SQL(&w, MARKS, "1cut");
}
