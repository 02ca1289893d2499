/* save: what each operation does to the rows. */
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

TestSuite(save, .init = setup, .fini = teardown);

Test(save, a_done_version_is_one_row_with_its_findings)
{
	struct version *v = world_version("/r/HTTP-F1.p.a.b.c", 1);
	v->entry.scheme = "broapt";
	v->entry.field[ENTRY_PROTOCOL] = (struct slice){ v->path + 3, 4 };
	v->entry.field[ENTRY_FUID] = (struct slice){ v->path + 8, 2 };
	v->entry.field[ENTRY_HASH] = (struct slice){ v->path + 3, 0 };
	strcpy(v->entry.mime, "a/b");
	v->has_sha256 = true;
	memset(v->sha256, 0xab, 32);
	v->checked_ns = 3;
	world_finish(v, OUTCOME_MALICIOUS);
	v->findings[0].signature = xstrdup("Eicar");
	v->findings[0].detail = xstrdup("{}");
	cr_expect(world_put(&w, v) == 1);
	EXPECT_SQL(
		&w,
		"SELECT path, name, scheme, protocol, fuid, pcap, mime, name_hash, size, inode, state,"
		" reason, verdict, incomplete, real_mime, finished_ns - first_seen_ns, checked_ns,"
		" fsid FROM file",
		"/r/HTTP-F1.p.a.b.c|HTTP-F1.p.a.b.c|broapt|HTTP|F1||a/b||10|1001|done||malicious|0||9|"
		"3|7");
	EXPECT_SQL(&w, "SELECT sha256 FROM file",
		   "abababababababababababababababababababababababababababababababab");
	EXPECT_SQL(&w, "SELECT name_hash IS NULL, pcap IS NULL FROM file", "0|1");
	EXPECT_SQL(&w,
		   "SELECT file_id, detector, length(detector_digest), outcome, signature, detail,"
		   " attempt, cached, finished_ns - started_ns FROM scan",
		   "1|noop|64|malicious|Eicar|{}|1|0|5");
	EXPECT_SQL(&w, "SELECT detector, signature, path FROM detections",
		   "noop|Eicar|/r/HTTP-F1.p.a.b.c");
	EXPECT_SQL(&w, "SELECT first_seen, signatures, detectors FROM history",
		   "2025-11-24T16:00:00Z|Eicar|noop=malicious");
	world_tally_is_right(&w);
}

Test(save, the_same_key_again_is_known_and_nothing_is_recorded_twice)
{
	struct version *first = world_version("/r/a", 1);
	struct version *again = world_version("/r/a", 1);
	world_finish(first, OUTCOME_CLEAN);
	world_finish(again, OUTCOME_MALICIOUS);
	int64_t id = world_put(&w, first);
	cr_expect(world_do(&w, STORE_SAVE, again) == STORE_KNOWN);
	cr_expect(again->id == id);
	version_free(again);
	EXPECT_SQL(&w, "SELECT verdict, (SELECT count(*) FROM scan) FROM file", "clean|1");
	world_tally_is_right(&w);
}

Test(save, each_part_of_the_key_makes_another_version)
{
	struct version *v;
	world_put(&w, world_version("/r/a", 1));
	world_put(&w, world_version("/r/b", 1));
	world_put(&w, world_version("/s/a", 1));
	v = world_version("/r/a", 1);
	v->identity.size++;
	world_put(&w, v);
	v = world_version("/r/a", 1);
	v->identity.mtime_ns++;
	world_put(&w, v);
	v = world_version("/r/a", 1);
	v->identity.btime_ns++;
	world_put(&w, v);
	v = world_version("/r/a", 1);
	v->identity.fsid++;
	world_put(&w, v);
	EXPECT_SQL(&w, "SELECT count(*), count(DISTINCT id) FROM file WHERE state = 'queued'",
		   "7|7");
	world_tally_is_right(&w);
}

Test(save, a_queued_row_of_the_same_key_is_brought_to_the_versions_state)
{
	int64_t id = world_put(&w, world_version("/r/a", 1));
	struct version *v = world_version("/r/a", 1);
	v->first_seen_ns += DAY; /* the row keeps its own */
	world_finish(v, OUTCOME_CLEAN);
	cr_expect(world_do(&w, STORE_SAVE, v) == STORE_WRITTEN);
	cr_expect(v->id == id);
	version_free(v);
	EXPECT_SQL(&w, "SELECT state, first_seen_ns, (SELECT count(*) FROM scan) FROM file",
		   "done|1764000000000000001|1");
	world_tally_is_right(&w);
}

Test(save, an_update_needs_a_row_that_is_still_queued)
{
	int64_t id = world_put(&w, world_version("/r/a", 1));
	struct version *v = world_version("/r/a", 1);
	v->id = id;
	v->wait = WAIT_RETRY;
	v->due_ns = 77;
	v->attempt = 1;
	struct finding error = world_finding("noop", OUTCOME_ERROR);
	version_add_finding(v, &error);
	cr_expect(world_do(&w, STORE_SAVE, v) == STORE_WRITTEN);
	EXPECT_SQL(&w, "SELECT waits_for, due_ns, attempt FROM pending", "retry|77|1");
	v->finding_count = 0; /* it is in the history now */
	finding_done(v->findings);
	v->wait = WAIT_NOTHING;
	v->due_ns = 0;
	world_finish(v, OUTCOME_CLEAN);
	cr_expect(world_do(&w, STORE_SAVE, v) == STORE_WRITTEN);
	cr_expect(world_do(&w, STORE_SAVE, v) == STORE_KNOWN);
	v->id = 4711;
	cr_expect(world_do(&w, STORE_SAVE, v) == STORE_KNOWN);
	version_free(v);
	EXPECT_SQL(&w, "SELECT outcome FROM scan ORDER BY id", "error\nclean");
	world_tally_is_right(&w);
}

Test(save, an_update_may_move_the_row_to_another_path_and_identity)
{
	int64_t id = world_put(&w, world_version("/r/a", 1));
	struct version *v = world_version("/elsewhere/b", 2);
	v->id = id;
	v->entry.field[ENTRY_FUID] = (struct slice){ v->path, 3 };
	world_finish(v, OUTCOME_CLEAN);
	cr_expect(world_do(&w, STORE_SAVE, v) == STORE_WRITTEN);
	version_free(v);
	EXPECT_SQL(&w, "SELECT id, path, inode, state, fuid FROM file",
		   "1|/elsewhere/b|1002|done|/el");
	world_tally_is_right(&w);
}

Test(save, a_version_whose_row_ended_otherwise_is_recorded_anew)
{
	struct version *v = world_version("/r/a", 1);
	world_fail(v, REASON_VANISHED);
	int64_t ended = world_put(&w, v);
	v = world_version("/r/b", 1); /* the same file, by now under another name */
	v->id = ended;
	world_finish(v, OUTCOME_MALICIOUS);
	cr_expect(world_do(&w, STORE_SAVE, v) == STORE_WRITTEN);
	cr_expect(v->id > ended);
	version_free(v);
	EXPECT_SQL(&w, "SELECT path, state, verdict FROM file ORDER BY id",
		   "/r/a|unscanned|\n/r/b|done|malicious");
	EXPECT_SQL(&w, "SELECT file_id FROM scan", "2");
	world_tally_is_right(&w);
}

Test(save, a_row_that_moves_onto_a_terminal_one_gives_way)
{
	struct version *other = world_version("/r/b", 2);
	world_finish(other, OUTCOME_CLEAN);
	int64_t stands = world_put(&w, other);
	struct version *v = world_version("/r/a", 1);
	struct finding error = world_finding("noop", OUTCOME_ERROR);
	version_add_finding(v, &error);
	int64_t goes = world_put(&w, v);
	v = world_version("/r/b", 2);
	v->id = goes;
	world_finish(v, OUTCOME_MALICIOUS);
	cr_expect(world_do(&w, STORE_SAVE, v) == STORE_KNOWN);
	cr_expect(v->id == stands);
	version_free(v);
	EXPECT_SQL(&w, "SELECT id, verdict FROM file", "1|clean");
	EXPECT_SQL(&w, "SELECT count(*) FROM scan", "1");
}

Test(save, a_row_that_moves_onto_a_queued_one_finishes_that)
{
	int64_t stands = world_put(&w, world_version("/r/b", 2));
	int64_t goes = world_put(&w, world_version("/r/a", 1));
	struct version *v = world_version("/r/b", 2);
	v->id = goes;
	world_finish(v, OUTCOME_MALICIOUS);
	cr_expect(world_do(&w, STORE_SAVE, v) == STORE_WRITTEN);
	cr_expect(v->id == stands);
	version_free(v);
	EXPECT_SQL(&w, "SELECT id, path, verdict FROM file", "1|/r/b|malicious");
	EXPECT_SQL(&w, "SELECT file_id FROM scan", "1");
	world_tally_is_right(&w);
}

Test(save, add_leaves_a_queued_row_alone)
{
	world_put(&w, world_version("/r/a", 1));
	struct version *v = world_version("/r/a", 1);
	world_finish(v, OUTCOME_UNKNOWN);
	cr_expect(world_do(&w, STORE_ADD, v) == STORE_KNOWN);
	version_free(v);
	EXPECT_SQL(&w, "SELECT state, (SELECT count(*) FROM scan) FROM file", "queued|0");
	world_tally_is_right(&w);
}

Test(save, refresh_brings_size_and_mtime_up_to_date)
{
	struct version *v = world_version("/r/a", 1);
	world_finish(v, OUTCOME_CLEAN);
	int64_t id = world_put(&w, v);
	v = world_version("/r/a", 1);
	v->id = id;
	v->identity.size = 20;
	v->identity.mtime_ns = 21;
	v->identity.inode = 5; /* it is known already: not touched */
	v->checked_ns = 22;
	cr_expect(world_do(&w, STORE_REFRESH, v) == STORE_WRITTEN);
	EXPECT_SQL(&w, "SELECT size, mtime_ns, checked_ns, inode, state FROM file",
		   "20|21|22|1001|done");
	v->id = world_put(&w, world_version("/r/q", 3));
	cr_expect(world_do(&w, STORE_REFRESH, v) == STORE_KNOWN, "a queued row is not refreshed");
	version_free(v);
	world_tally_is_right(&w);
}

Test(save, refresh_fills_in_a_file_that_was_unknown)
{
	struct version *v = world_version("/r/a", 1);
	v->identity = (struct identity){ 0 };
	world_finish(v, OUTCOME_UNKNOWN);
	int64_t id = world_put(&w, v);
	v = world_version("/r/a", 1);
	v->id = id;
	cr_expect(world_do(&w, STORE_REFRESH, v) == STORE_WRITTEN);
	version_free(v);
	EXPECT_SQL(&w, "SELECT inode, fsid, size, path, state FROM file", "1001|7|10|/r/a|done");
	world_tally_is_right(&w);
}

Test(save, refresh_onto_another_rows_key_leaves_both)
{
	struct version *v = world_version("/r/a", 1);
	world_finish(v, OUTCOME_CLEAN);
	int64_t id = world_put(&w, v);
	v = world_version("/r/a", 1);
	v->identity.size = 20;
	world_finish(v, OUTCOME_CLEAN);
	world_put(&w, v);
	v = world_version("/r/a", 1);
	v->id = id;
	v->identity.size = 20;
	cr_expect(world_do(&w, STORE_REFRESH, v) == STORE_KNOWN);
	version_free(v);
	EXPECT_SQL(&w, "SELECT size FROM file ORDER BY id", "10\n20");
	world_tally_is_right(&w);
}

/* A row of file 1 at /r/a; its content is this byte. */
static struct version *hashed(int64_t id, int size, uint8_t byte)
{
	struct version *v = world_version("/r/a", 1);
	v->id = id;
	v->identity.size = size;
	v->has_sha256 = true;
	v->sha256[0] = byte;
	return v;
}

Test(save, refresh_onto_a_stamp_of_other_contents_is_one_more_of_them)
{
	struct version *v = hashed(0, 10, 0xa);
	world_finish(v, OUTCOME_CLEAN);
	world_put(&w, v);
	v = hashed(0, 20, 0xb);
	world_finish(v, OUTCOME_CLEAN);
	v = hashed(world_put(&w, v), 10, 0xb);
	cr_expect(world_do(&w, STORE_REFRESH, v) == STORE_WRITTEN);
	version_free(v);
	EXPECT_SQL(&w, "SELECT size, content, substr(sha256, 1, 2) FROM version ORDER BY id",
		   "10|0|0a\n10|1|0b");
	v = hashed(0, 20, 0xb); /* a content that is there already is left as it is */
	world_finish(v, OUTCOME_CLEAN);
	v = hashed(world_put(&w, v), 10, 0xb);
	cr_expect(world_do(&w, STORE_REFRESH, v) == STORE_KNOWN);
	version_free(v);
	EXPECT_SQL(&w, "SELECT size, content FROM version ORDER BY id", "10|0\n10|1\n20|0");
	world_tally_is_right(&w);
}

Test(save, requeue_makes_an_unscanned_row_queued_again)
{
	struct version *v = world_version("/r/a", 1);
	v->note = xstrdup("Permission denied");
	world_fail(v, REASON_UNREADABLE);
	int64_t id = world_put(&w, v);
	EXPECT_SQL(&w, "SELECT reason, note, path FROM unscanned",
		   "unreadable|Permission denied|/r/a");
	v = world_version("/r/a", 1);
	v->id = id;
	v->identity.size = 11;
	v->due_ns = 5;
	cr_expect(world_do(&w, STORE_REQUEUE, v) == STORE_WRITTEN);
	EXPECT_SQL(&w, "SELECT state, reason, note, size, due_ns, finished_ns FROM file",
		   "queued|||11|5|");
	cr_expect(world_do(&w, STORE_REQUEUE, v) == STORE_KNOWN, "it is not unscanned any more");
	version_free(v);
	world_tally_is_right(&w);
}

Test(save, requeue_leaves_done_rows_and_clashes_alone)
{
	struct version *v = world_version("/r/a", 1);
	world_finish(v, OUTCOME_CLEAN);
	int64_t done = world_put(&w, v);
	v = world_version("/r/b", 2);
	world_fail(v, REASON_VANISHED);
	int64_t gone = world_put(&w, v);
	v = world_version("/r/a", 1);
	v->id = done;
	cr_expect(world_do(&w, STORE_REQUEUE, v) == STORE_KNOWN);
	v->id = gone;
	cr_expect(world_do(&w, STORE_REQUEUE, v) == STORE_KNOWN);
	version_free(v);
	EXPECT_SQL(&w, "SELECT state, path FROM file ORDER BY id", "done|/r/a\nunscanned|/r/b");
	world_tally_is_right(&w);
}

Test(save, forget_deletes_only_what_is_queued)
{
	struct version *v = world_version("/r/a", 1);
	world_finish(v, OUTCOME_CLEAN);
	int64_t done = world_put(&w, v);
	v = world_version("/r/b", 2);
	struct finding error = world_finding("noop", OUTCOME_ERROR);
	version_add_finding(v, &error);
	int64_t queued = world_put(&w, v);
	v = world_version("/r/x", 3);
	v->id = done;
	cr_expect(world_do(&w, STORE_FORGET, v) == STORE_KNOWN);
	v->id = queued;
	cr_expect(world_do(&w, STORE_FORGET, v) == STORE_WRITTEN);
	version_free(v);
	EXPECT_SQL(&w, "SELECT path FROM file", "/r/a");
	EXPECT_SQL(&w, "SELECT file_id FROM scan", "1");
	world_tally_is_right(&w);
}

Test(save, an_id_is_not_given_out_again_when_its_row_is_gone)
{
	struct version *v = world_version("/r/a", 1);
	int64_t id = world_put(&w, v);
	v = world_version("/r/a", 1);
	v->id = id;
	cr_expect(world_do(&w, STORE_FORGET, v) == STORE_WRITTEN);
	cr_expect(world_put(&w, world_version("/r/b", 2)) > id);
	version_free(v);
}

Test(save, alive_is_the_latest_sign_of_life)
{
	struct store_gap now = { .opened_ns = T0 + 500 };
	struct store_op op = { .verb = STORE_ALIVE, .gap = &now };
	cr_expect(store_last_alive_ns(w.store) == 0, "a new history");
	list_init(&op.link);
	store_submit(w.store, &op);
	world_wait(&w, 1);
	world_close(&w);
	world_open(&w);
	cr_expect(store_last_alive_ns(w.store) == T0 + 500);
	world_put(&w, world_version("/r/a", 900));
	world_close(&w);
	world_open(&w);
	cr_expect(store_last_alive_ns(w.store) == T0 + 900, "a newer row counts as well");
	world_tally_is_right(&w);
}

Test(save, names_are_kept_byte_by_byte)
{
	static const char *const names[] = {
		"/r/new\nline", "/r/\xff\xfe\x80",	 "/r/\xed\xa0\x80",
		"/r/a'b\"c;--", "/r/\xc3\xa9t\xc3\xa9 ", "/\xff/x",
		"/top"
	};
	for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
		char sql[128];
		AUTO_STR wanted = STR_INIT;
		int64_t id = world_put(&w, world_version(names[i], i));
		str_hex(&wanted, names[i], strlen(names[i]));
		snprintf(sql, sizeof sql,
			 "SELECT lower(hex(CAST(path AS BLOB))) FROM file WHERE id = %d", (int)id);
		EXPECT_SQL(&w, sql, str_text(&wanted));
		snprintf(sql, sizeof sql, "SELECT path FROM file WHERE id = %d", (int)id);
		EXPECT_SQL(&w, sql, names[i]);
	}
	world_tally_is_right(&w);
}

static struct version *content(char byte)
{
	struct version *v = world_version("/r/a", 1);
	world_finish(v, OUTCOME_CLEAN);
	v->has_sha256 = true;
	memset(v->sha256, byte, 32);
	return v;
}

Test(save, contents_under_one_size_and_time_are_numbered_and_none_is_recorded_twice)
{
	for (char byte = 0; byte < 3; byte++)
		cr_expect_eq(world_put(&w, content(byte)), byte + 1);
	AUTO(version) struct version *again = content(1);
	cr_expect_eq(world_do(&w, STORE_SAVE, again), STORE_KNOWN);
	cr_expect_eq(again->id, 2);
	EXPECT_SQL(&w,
		   "SELECT group_concat(content) FROM (SELECT content FROM version ORDER BY id)",
		   "0,1,2");
	EXPECT_SQL(&w, "SELECT count(DISTINCT mtime_ns), count(DISTINCT sha256) FROM version",
		   "1|3");
	world_tally_is_right(&w);
}

Test(save, an_end_without_a_look_keeps_the_hash_that_earlier_outcomes_belong_to)
{
	struct version *v = content(7);
	v->state = VERSION_QUEUED;
	v->verdict = OUTCOMES;
	v->wait = WAIT_RETRY;
	v->attempt = 1;
	int64_t id = world_put(&w, v);
	v = world_version("/r/a", 1);
	v->id = id;
	world_fail(v, REASON_VANISHED);
	world_put(&w, v);
	EXPECT_SQL(&w, "SELECT reason, substr(sha256, 1, 4) FROM version", "vanished|0707");
	world_tally_is_right(&w);
}

Test(save, incomplete_is_saved_and_read)
{
	struct version *v = world_version("/r/a", 1);
	version_set_incomplete(v, "cut");
	int64_t id = world_put(&w, v);
	struct version *back = NULL;
	struct error err = { 0 };
	cr_assert_eq(store_load(w.reader, id, &back, &err), 0);
	cr_expect(back->incomplete);
	version_free(back);
}

/* The clock was a year ahead when a retry was put off: it does not wait for a year. */
Test(save, what_is_due_later_than_anything_may_be_is_due_at_once)
{
	const int64_t now = T0 + 1000;
	const int64_t year = INT64_C(31536000000000000);
	struct version *soon = world_version("/r/soon", 1);
	struct version *ahead = world_version("/r/ahead", 2);
	soon->wait = ahead->wait = WAIT_RETRY;
	soon->due_ns = now + 50;
	soon->away_since_ns = now - 5;
	ahead->due_ns = now + year;
	ahead->away_since_ns = now + year - 100;
	cr_assert(world_put(&w, soon) > 0 && world_put(&w, ahead) > 0);
	struct store_gap times = { .opened_ns = now, .closed_ns = now + 60 };
	struct store_op op = { .verb = STORE_DUE_BY, .gap = &times };
	list_init(&op.link);
	store_submit(w.store, &op);
	world_wait(&w, 1);
	cr_expect_eq(op.result, STORE_WRITTEN);
	char query[160];
	snprintf(
		query, sizeof query,
		"SELECT name, due_ns - %lld, (SELECT away_since_ns - %lld FROM version v WHERE v.id ="
		" file.id) FROM file ORDER BY name",
		(long long)now, (long long)now);
	EXPECT_SQL(&w, query, "ahead|0|0\nsoon|50|-5");
	store_submit(w.store, &op);
	world_wait(&w, 1);
	cr_expect_eq(op.result, STORE_KNOWN);
}

/* The row that says "queued" was on its way when the worker was through with its first attempt. */
Test(save, a_row_that_is_added_late_takes_no_attempt_back)
{
	struct version *tried = world_version("/r/a", 1);
	struct finding finding = world_finding("failing", OUTCOME_ERROR);
	tried->attempt = tried->tries = 1;
	tried->wait = WAIT_RETRY;
	tried->due_ns = T0 + 99;
	version_add_finding(tried, &finding);
	int64_t id = world_put(&w, tried);
	struct version *late = world_version("/r/a", 1);
	cr_expect_eq(world_do(&w, STORE_ADD, late), STORE_KNOWN);
	cr_expect_eq(late->id, id, "the row that is there is told");
	version_free(late);
	EXPECT_SQL(&w, "SELECT count(*), max(attempt), max(wait), max(due_ns) > 0 FROM file",
		   "1|1|retry|1");
}
