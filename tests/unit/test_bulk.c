/* bulk: what one statement writes is what a statement for each would have written. */
#include "core/store/bulk.h"
#include "core/store/db.h"
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

TestSuite(bulk, .init = setup, .fini = teardown);

static struct version *finished(const char *path, unsigned n)
{
	struct version *version = world_version(path, n);
	world_finish(version, OUTCOME_CLEAN);
	return version;
}

/* A version with something in each column. */
static struct version *full(const char *path, unsigned n)
{
	struct version *version = finished(path, n);
	struct finding second = world_finding("other", OUTCOME_SUSPICIOUS);
	second.signature = xstrdup("Eicar");
	second.detail = xstrdup("{\"a\":1}");
	second.cached = true;
	version_add_finding(version, &second);
	version->verdict = OUTCOME_SUSPICIOUS;
	version->has_sha256 = true;
	memset(version->sha256, 0x0a + (int)n, sizeof version->sha256);
	version->note = xstrdup("a note");
	version->real_mime = xstrdup("text/plain");
	version->attempt = 3;
	version->tries = 2;
	version->checked_ns = T0 + 7;
	version->due_ns = 8;
	version->away_since_ns = 9;
	version->incomplete = true;
	version->entry.scheme = "broapt";
	(void)strcpy(version->entry.mime, "image/png");
	for (int i = 0; i < ENTRY_FIELDS; i++)
		version->entry.field[i] = (struct slice){ version->path + i % 4, 1 };
	return version;
}

static const char everything[] =
	"SELECT count(*), count(DISTINCT id) FROM (SELECT v.id, d.path, v.* FROM version v JOIN dir d "
	"ON d.id = v.dir_id)";

/* The columns of two rows but for what tells them apart. */
static const char differing[] =
	"SELECT count(*) FROM version a JOIN version b ON b.id = 2 WHERE a.id = 1 AND NOT ("
	"(a.state, a.reason, a.verdict, a.wait, a.due_ns, a.attempt, a.checked_ns, a.finished_ns, "
	"a.note, a.mime, a.scheme, a.fuid, a.protocol, a.pcap, a.media_type, a.subtype, a.extension, "
	"a.conn_uid, a.ts, a.orig_h, a.resp_h, a.name_hash, a.tries, a.content, a.away_since_ns, "
	"a.real_mime, a.incomplete, a.size, a.mtime_ns, a.dir_id, a.inode + 1, a.btime_ns + 1, "
	"a.first_seen_ns + 1) IS (b.state, b.reason, b.verdict, b.wait, b.due_ns, b.attempt, "
	"b.checked_ns, b.finished_ns, b.note, b.mime, b.scheme, b.fuid, b.protocol, b.pcap, "
	"b.media_type, b.subtype, b.extension, b.conn_uid, b.ts, b.orig_h, b.resp_h, b.name_hash, "
	"b.tries, b.content, b.away_since_ns, b.real_mime, b.incomplete, b.size, b.mtime_ns, b.dir_id, "
	"b.inode, b.btime_ns, b.first_seen_ns))";

Test(bulk, rows_are_as_if_each_had_been_written_for_itself)
{
	AUTO(version) struct version *alone = full("/r/x0", 0);
	AUTO(version) struct version *first = full("/r/x1", 1);
	AUTO(version) struct version *second = full("/r/x2", 2);
	struct store_op one[] = { { .verb = STORE_SAVE, .version = alone } };
	struct store_op two[] = {
		{ .verb = STORE_SAVE, .version = first },
		{ .verb = STORE_ADD, .version = second },
	};
	world_submit(&w, one, 1);
	world_submit(&w, two, 2);
	cr_expect(alone->id == 1 && first->id == 2 && second->id == 3);
	cr_expect(two[0].result == STORE_WRITTEN && two[1].result == STORE_WRITTEN);
	EXPECT_SQL(&w, differing, "0");
	EXPECT_SQL(&w, "SELECT sum(v IS NULL) FROM (SELECT dir_id AS v FROM version)", "0");
	EXPECT_SQL(&w, "SELECT name, substr(sha256, 1, 4), fuid IS NOT NULL FROM version",
		   "x0|0a0a|1\nx1|0b0b|1\nx2|0c0c|1");
	EXPECT_SQL(&w,
		   "SELECT count(*), count(DISTINCT key), count(DISTINCT detector_id || outcome || "
		   "attempt || cached || started_ns || finished_ns || coalesce(signature, '') || "
		   "coalesce(detail, '') || nr) FROM result",
		   "6|1|2");
	EXPECT_SQL(&w, everything, "3|3");
	world_tally_is_right(&w);
}

Test(bulk, what_is_known_is_left_alone_and_what_is_queued_gets_its_end)
{
	AUTO(version) struct version *known = finished("/r/known", 1);
	AUTO(version) struct version *queued = world_version("/r/queued", 2);
	struct store_op before[] = {
		{ .verb = STORE_SAVE, .version = known },
		{ .verb = STORE_SAVE, .version = queued },
	};
	world_submit(&w, before, 2);

	AUTO(version) struct version *a = finished("/r/a", 3);
	AUTO(version) struct version *known_again = finished("/r/known", 1);
	AUTO(version) struct version *queued_again = finished("/r/queued", 2);
	AUTO(version) struct version *b = finished("/r/b", 4);
	AUTO(version) struct version *b_again = finished("/r/b", 4);
	AUTO(version) struct version *c = finished("/r/c", 5);
	struct store_op ops[] = {
		{ .verb = STORE_SAVE, .version = a },
		{ .verb = STORE_ADD, .version = known_again },
		{ .verb = STORE_SAVE, .version = queued_again },
		{ .verb = STORE_SAVE, .version = b },
		{ .verb = STORE_SAVE, .version = b_again },
		{ .verb = STORE_SAVE, .version = c },
	};
	world_submit(&w, ops, 6);
	cr_expect(ops[0].result == STORE_WRITTEN && ops[1].result == STORE_KNOWN);
	cr_expect(ops[2].result == STORE_WRITTEN && ops[3].result == STORE_WRITTEN);
	cr_expect(ops[4].result == STORE_KNOWN && ops[5].result == STORE_WRITTEN);
	cr_expect(known_again->id == known->id && queued_again->id == queued->id);
	cr_expect(b_again->id == b->id && c->id != a->id);
	EXPECT_SQL(&w, "SELECT path, state FROM file ORDER BY path",
		   "/r/a|done\n/r/b|done\n/r/c|done\n/r/known|done\n/r/queued|done");
	EXPECT_SQL(&w, "SELECT file_id, count(*) FROM scan GROUP BY file_id HAVING count(*) <> 1",
		   "");
	world_tally_is_right(&w);
}

Test(bulk, another_content_under_the_same_stamp_gets_a_number)
{
	AUTO(version) struct version *one = full("/r/x", 1);
	AUTO(version) struct version *two = full("/r/x", 1);
	AUTO(version) struct version *same = full("/r/x", 1);
	two->sha256[5] = 0xff;
	struct store_op ops[] = {
		{ .verb = STORE_SAVE, .version = one },
		{ .verb = STORE_SAVE, .version = two },
		{ .verb = STORE_SAVE, .version = same },
	};
	world_submit(&w, ops, 3);
	cr_expect(ops[1].result == STORE_WRITTEN && two->content == 1 && two->id != one->id);
	cr_expect(ops[2].result == STORE_KNOWN && same->id == one->id);
	EXPECT_SQL(&w, "SELECT content FROM version ORDER BY id", "0\n1");
	EXPECT_SQL(&w, "SELECT count(*) FROM scan", "4");
	world_tally_is_right(&w);
}

Test(bulk, a_run_ends_at_what_is_more_than_an_insert)
{
	AUTO(version) struct version *version = world_version("/r/a", 1);
	AUTO(version) struct version *with_row = world_version("/r/b", 2);
	with_row->id = 7;
	struct store_op ops[] = {
		{ .verb = STORE_SAVE, .version = version },
		{ .verb = STORE_ADD, .version = version },
		{ .verb = STORE_REFRESH, .version = version },
		{ .verb = STORE_SAVE, .version = with_row },
		{ .verb = STORE_SAVE, .version = version, .result = STORE_REFUSED },
		{ .verb = STORE_SAVE, .version = version },
	};
	struct list list;
	list_init(&list);
	for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
		list_append(&list, &ops[i].link);
	cr_expect(bulk_length(&ops[0].link, &list) == 2);
	cr_expect(bulk_length(&ops[2].link, &list) == 0);
	cr_expect(bulk_length(&ops[3].link, &list) == 0);
	cr_expect(bulk_length(&ops[4].link, &list) == 0);
	cr_expect(bulk_length(&ops[5].link, &list) == 1);
}
