/* reader: loading, the queue, findings, totals. */
#include "core/store/reader.h"
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

TestSuite(reader, .init = setup, .fini = teardown);

static bool slice_is(const struct version *v, enum entry_field field, const char *text)
{
	struct slice slice = v->entry.field[field];
	return slice.at >= v->path && slice.at + slice.len <= v->path + v->path_len &&
	       slice.len == strlen(text) && memcmp(slice.at, text, slice.len) == 0;
}

Test(reader, a_row_is_loaded_as_it_was_saved)
{
	static const char path[] = "/r/application/pdf/HTTP-F1.p\xff.x";
	struct version *v = world_version(path, 1);
	v->entry.scheme = "broapt";
	v->entry.field[ENTRY_PROTOCOL] = (struct slice){ v->path + 19, 4 };
	v->entry.field[ENTRY_FUID] = (struct slice){ v->path + 24, 2 };
	v->entry.field[ENTRY_MEDIA_TYPE] = (struct slice){ v->path + 3, 11 };
	v->entry.field[ENTRY_PCAP] = (struct slice){ v->path + 27, 2 };
	v->entry.field[ENTRY_EXTENSION] = (struct slice){ v->path + 30, 0 };
	strcpy(v->entry.mime, "application/pdf");
	v->note = xstrdup("why");
	v->wait = WAIT_RETRY;
	v->due_ns = 5;
	v->attempt = 2;
	v->checked_ns = 6;
	v->has_sha256 = true;
	for (int i = 0; i < 32; i++)
		v->sha256[i] = (uint8_t)(i * 8 + 7);
	cr_assert(world_do(&w, STORE_SAVE, v) == STORE_WRITTEN);
	AUTO(version) struct version *got = NULL;
	cr_assert(store_load(w.reader, v->id, &got, &err) == 0 && got, "%s", err.text);
	cr_expect(got->id == v->id && strcmp(got->path, path) == 0 && got->dir_len == v->dir_len);
	cr_expect(identity_same_version(&got->identity, &v->identity));
	cr_expect(strcmp(got->entry.scheme, "broapt") == 0);
	cr_expect(strcmp(got->entry.mime, "application/pdf") == 0);
	cr_expect(slice_is(got, ENTRY_PROTOCOL, "HTTP") && slice_is(got, ENTRY_FUID, "F1"));
	cr_expect(slice_is(got, ENTRY_MEDIA_TYPE, "application") &&
		  slice_is(got, ENTRY_PCAP, "p\xff"));
	cr_expect(slice_is(got, ENTRY_EXTENSION, ""));
	cr_expect(got->entry.field[ENTRY_TS].at == NULL);
	cr_expect(got->state == VERSION_QUEUED && got->reason == REASON_NONE &&
		  got->verdict == OUTCOMES && got->wait == WAIT_RETRY);
	cr_expect(got->due_ns == 5 && got->attempt == 2 && got->checked_ns == 6);
	cr_expect(got->first_seen_ns == v->first_seen_ns && got->finished_ns == 0);
	cr_expect(got->has_sha256 && memcmp(got->sha256, v->sha256, 32) == 0);
	cr_expect(strcmp(got->note, "why") == 0 && got->finding_count == 0);
	version_free(v);
}

Test(reader, a_row_that_is_not_there_is_null)
{
	struct version *got = (struct version *)&w;
	cr_assert(store_load(w.reader, 12, &got, &err) == 0);
	cr_expect(got == NULL);
}

struct seen {
	char order[64];
	size_t limit;
};

static bool see(void *context, struct version *version)
{
	struct seen *seen = context;
	size_t len = 0;
	strncat(seen->order, version_name(version, &len), 1);
	version_free(version);
	return strlen(seen->order) < seen->limit;
}

Test(reader, the_queue_is_visited_in_the_order_of_due_time_and_id)
{
	static const int64_t due[] = { 30, 10, 0, 10, 99 };
	for (unsigned i = 0; i < 5; i++) {
		char path[8];
		snprintf(path, sizeof path, "/r/%c", 'a' + i);
		struct version *v = world_version(path, i);
		v->due_ns = due[i];
		world_put(&w, v);
	}
	struct version *done = world_version("/r/z", 9);
	world_finish(done, OUTCOME_CLEAN);
	world_put(&w, done);
	struct seen all = { .limit = 60 };
	cr_assert(store_due(w.reader, 30, see, &all, &err) == 0);
	cr_expect(strcmp(all.order, "cbda") == 0, "%s", all.order);
	struct seen two = { .limit = 2 };
	cr_assert(store_due(w.reader, 30, see, &two, &err) == 0);
	cr_expect(strcmp(two.order, "cb") == 0, "%s", two.order);
	int64_t next = 0;
	cr_expect(store_next_due(w.reader, 10, &next, &err) == 0 && next == 30);
	cr_expect(store_next_due(w.reader, 30, &next, &err) == 0 && next == 99);
	cr_expect(store_next_due(w.reader, 99, &next, &err) == 0 && next == INT64_MAX);
}

Test(reader, the_oldest_queued_is_the_one_that_was_recorded_first)
{
	static const int64_t due[] = { 0, 30, 10 };
	struct version *oldest = NULL;
	cr_assert(store_oldest_queued(w.reader, &oldest, &err) == 0);
	cr_expect_null(oldest);
	for (unsigned i = 0; i < 3; i++) {
		char path[8];
		snprintf(path, sizeof path, "/r/%c", 'a' + i);
		struct version *v = world_version(path, i);
		v->due_ns = due[i];
		if (i == 0)
			world_finish(v, OUTCOME_CLEAN);
		world_put(&w, v);
	}
	cr_assert(store_oldest_queued(w.reader, &oldest, &err) == 0);
	cr_assert_not_null(oldest);
	cr_expect_str_eq(oldest->path, "/r/b");
	version_free(oldest);
}

Test(reader, findings_are_those_of_all_attempts_in_their_order)
{
	struct version *v = world_version("/r/a", 1);
	struct finding first = world_finding("one", OUTCOME_ERROR);
	struct finding other = world_finding("two", OUTCOME_CLEAN);
	version_add_finding(v, &first);
	version_add_finding(v, &other);
	v->wait = WAIT_RETRY;
	cr_assert(world_do(&w, STORE_SAVE, v) == STORE_WRITTEN);
	for (size_t i = 0; i < v->finding_count; i++)
		finding_done(&v->findings[i]);
	v->finding_count = 0;
	v->wait = WAIT_NOTHING;
	world_finish(v, OUTCOME_MALICIOUS);
	finding_done(v->findings);
	v->findings[0] = world_finding("one", OUTCOME_MALICIOUS);
	v->findings[0].attempt = 2;
	v->findings[0].signature = xstrdup("Sig\xff");
	v->findings[0].cached = true;
	cr_assert(world_do(&w, STORE_SAVE, v) == STORE_WRITTEN);
	struct finding *findings = NULL;
	size_t count = 0;
	cr_assert(store_findings(w.reader, v->id, &findings, &count, &err) == 0);
	cr_assert(count == 3);
	cr_expect(strcmp(findings[0].detector, "one") == 0 && findings[0].attempt == 1 &&
		  findings[0].outcome == OUTCOME_ERROR);
	cr_expect(strcmp(findings[2].detector, "one") == 0 && findings[2].attempt == 2 &&
		  findings[2].outcome == OUTCOME_MALICIOUS && findings[2].cached &&
		  strcmp(findings[2].signature, "Sig\xff") == 0 && !findings[2].detail);
	cr_expect(strcmp(findings[1].detector, "two") == 0 && !findings[1].cached);
	cr_expect(strlen(findings[2].digest) == 64 && findings[2].key[15] == 'k' &&
		  findings[2].started_ns == T0);
	for (size_t i = 0; i < count; i++)
		finding_done(&findings[i]);
	free(findings);
	cr_assert(store_findings(w.reader, 99, &findings, &count, &err) == 0);
	cr_expect(count == 0);
	free(findings);
	version_free(v);
}

Test(reader, totals_account_for_every_row)
{
	static const enum version_wait waits[] = { WAIT_NOTHING, WAIT_NOTHING, WAIT_WRITER,
						   WAIT_RETRY };

	for (unsigned i = 0; i < 4; i++) {
		struct version *v = world_version("/r/a", i);
		v->wait = waits[i];
		world_put(&w, v);
	}
	for (unsigned i = 4; i < 9; i++) {
		struct version *v = world_version("/r/a", i);
		if (i < 7)
			world_finish(v, OUTCOME_CLEAN);
		else
			world_fail(v, REASON_FAILED);
		world_put(&w, v);
	}
	struct store_totals totals;
	cr_assert(store_totals(w.reader, &totals, &err) == 0);
	cr_expect(totals.rows == 9 && totals.queued == 4 && totals.done == 3 &&
		  totals.unscanned == 2);
	cr_expect(totals.waiting[WAIT_NOTHING] == 2 && totals.waiting[WAIT_WRITER] == 1 &&
		  totals.waiting[WAIT_SETTLE] == 0 && totals.waiting[WAIT_RETRY] == 1);
	world_tally_is_right(&w);
}

Test(reader, a_history_that_is_not_there_is_named)
{
	struct store_reader *reader = NULL;
	cr_expect(store_reader_open(&reader, "/nowhere/history.db", &err) < 0);
	cr_expect(strstr(err.text, "/nowhere/history.db"), "%s", err.text);
}
