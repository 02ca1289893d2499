/* find: how what is on disk relates to the history. */
#include "core/store/find.h"
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

TestSuite(find, .init = setup, .fini = teardown);

static struct known find(const char *path, const struct identity *identity)
{
	struct known known = { 0 };
	struct error err = { 0 };
	size_t dir_len = (size_t)(strrchr(path, '/') - path);
	cr_assert(store_find(w.reader, identity, path, strlen(path), dir_len, &known, &err) == 0,
		  "%s", err.text);
	return known;
}

/* Changes of the identity of file 1, as it was put. */
struct look {
	const char *path;
	int size, mtime, inode, btime, fsid;
	enum known_as as;
};

static const struct look looks[] = {
	{ "/r/a", 0, 0, 0, 0, 0, KNOWN_SAME },	     { "/r/a", 1, 0, 0, 0, 0, KNOWN_CHANGED },
	{ "/r/a", 0, 1, 0, 0, 0, KNOWN_CHANGED },    { "/r/b", 0, 0, 0, 0, 0, KNOWN_ELSEWHERE },
	{ "/s/a", 0, 0, 0, 0, 0, KNOWN_ELSEWHERE },  { "/a", 0, 0, 0, 0, 0, KNOWN_ELSEWHERE },
	{ "/r/aa", 0, 0, 0, 0, 0, KNOWN_ELSEWHERE }, { "/r/b", 1, 0, 0, 0, 0, KNOWN_NOT },
	{ "/r/a", 0, 0, 1, 0, 0, KNOWN_NOT },	     { "/r/a", 0, 0, 0, 1, 0, KNOWN_NOT },
	{ "/r/a", 0, 0, 0, 0, 1, KNOWN_NOT },	     { "/r/b", 0, 0, 0, 0, 1, KNOWN_NOT },
};

Test(find, each_relation)
{
	struct version *v = world_version("/r/a", 1);
	v->has_sha256 = true;
	v->sha256[31] = 0xc4;
	v->checked_ns = 12;
	world_finish(v, OUTCOME_CLEAN);
	int64_t id = world_put(&w, v);
	AUTO(version) struct version *base = world_version("/r/a", 1);
	for (size_t i = 0; i < sizeof looks / sizeof *looks; i++) {
		const struct look *look = &looks[i];
		struct identity identity = base->identity;
		identity.size += look->size;
		identity.mtime_ns += look->mtime;
		identity.inode += (unsigned)look->inode;
		identity.btime_ns += look->btime;
		identity.fsid += (unsigned)look->fsid;
		struct known known = find(look->path, &identity);
		cr_expect(known.as == look->as, "look %zu: %d", i, known.as);
		if (known.as != KNOWN_NOT) {
			cr_expect(known.id == id && known.state == VERSION_DONE);
			cr_expect(known.size == 10 && known.mtime_ns == T0 &&
				  known.checked_ns == 12);
			cr_expect(known.has_sha256 && known.sha256[31] == 0xc4);
		}
		if (known.as == KNOWN_ELSEWHERE)
			cr_expect(strcmp(known.path, "/r/a") == 0);
		known_done(&known);
	}
}

Test(find, reason_and_wait_are_told)
{
	struct version *v = world_version("/r/a", 1);
	world_fail(v, REASON_OVERSIZE);
	world_put(&w, v);
	v = world_version("/r/b", 2);
	v->wait = WAIT_WRITER;
	world_put(&w, v);
	AUTO(version) struct version *a = world_version("/r/a", 1);
	AUTO(version) struct version *b = world_version("/r/b", 2);
	struct known known = find("/r/a", &a->identity);
	cr_expect(known.state == VERSION_UNSCANNED && known.reason == REASON_OVERSIZE &&
		  !known.has_sha256);
	known = find("/r/b", &b->identity);
	cr_expect(known.state == VERSION_QUEUED && known.wait == WAIT_WRITER);
}

Test(find, elsewhere_prefers_queued_then_done_then_the_newest)
{
	AUTO(version) struct version *base = world_version("/r/new", 1);
	static const char *const order[] = { "/r/u1", "/r/u2", "/r/d1", "/r/d2", "/r/q" };
	static const char *const wanted[] = { "/r/u1", "/r/u2", "/r/d1", "/r/d2", "/r/q" };
	for (size_t i = 0; i < 5; i++) {
		struct version *v = world_version(order[i], 1);
		if (i < 2)
			world_fail(v, REASON_FAILED);
		else if (i < 4)
			world_finish(v, OUTCOME_CLEAN);
		world_put(&w, v);
		struct known known = find("/r/new", &base->identity);
		cr_expect(known.as == KNOWN_ELSEWHERE && strcmp(known.path, wanted[i]) == 0, "%s",
			  known.path);
		known_done(&known);
	}
	/* what was queued first stays preferred over what is done later */
	struct version *v = world_version("/r/later", 1);
	world_finish(v, OUTCOME_CLEAN);
	world_put(&w, v);
	struct known known = find("/r/new", &base->identity);
	cr_expect(strcmp(known.path, "/r/q") == 0);
	known_done(&known);
}

Test(find, changed_is_the_newest_row_of_the_path)
{
	for (int i = 0; i < 3; i++) {
		struct version *v = world_version("/r/a", 1);
		v->identity.size = 100 + i;
		world_finish(v, OUTCOME_CLEAN);
		world_put(&w, v);
	}
	AUTO(version) struct version *now = world_version("/r/a", 1);
	struct known known = find("/r/a", &now->identity);
	cr_expect(known.as == KNOWN_CHANGED && known.size == 102 && known.id == 3);
}

/* An inode with so many links that not all of its rows are looked at. */
Test(find, the_very_version_is_found_among_very_many_rows_of_one_file)
{
	enum {
		LINKS = 3000
	};
	static struct store_op ops[LINKS];
	for (unsigned i = 0; i < LINKS; i++) {
		char path[32];
		snprintf(path, sizeof path, "/r/%04u", i);
		struct version *v = world_version(path, 1);
		world_finish(v, OUTCOME_CLEAN);
		ops[i] = (struct store_op){ .verb = STORE_SAVE, .version = v };
		list_init(&ops[i].link);
		store_submit(w.store, &ops[i]);
	}
	world_wait(&w, LINKS);
	AUTO(version) struct version *now = world_version("/r/new", 1);
	struct known known = find("/r/2999", &now->identity);
	cr_expect(known.as == KNOWN_SAME && known.id == ops[LINKS - 1].version->id && !known.path);
	known = find("/r/new", &now->identity);
	cr_expect(known.as == KNOWN_ELSEWHERE && known.path);
	known_done(&known);
	now->identity.size++;
	known = find("/r/2999", &now->identity);
	cr_expect(known.as == KNOWN_CHANGED && known.id == ops[LINKS - 1].version->id);
	known = find("/r/new", &now->identity);
	cr_expect(known.as == KNOWN_NOT);
	now->identity.size--;
	now->identity.fsid++;
	known = find("/r/2999", &now->identity);
	cr_expect(known.as == KNOWN_NOT);
	for (unsigned i = 0; i < LINKS; i++)
		version_free(ops[i].version);
}

Test(find, an_imported_path_is_known_whatever_lies_there)
{
	AUTO(version) struct version *now = world_version("/r/a", 1);
	struct known known = find("/r/a", &now->identity);
	cr_expect(known.as == KNOWN_NOT);
	struct version *v = world_version("/r/a", 1);
	v->identity = (struct identity){ 0 };
	world_finish(v, OUTCOME_UNKNOWN);
	int64_t id = world_put(&w, v);
	known = find("/r/a", &now->identity);
	cr_expect(known.as == KNOWN_IMPORTED && known.id == id && !known.path);
	known = find("/r/b", &now->identity);
	cr_expect(known.as == KNOWN_NOT);
	/* a row of the very version counts more; one at another path less */
	world_put(&w, world_version("/r/b", 1));
	known = find("/r/a", &now->identity);
	cr_expect(known.as == KNOWN_IMPORTED && !known.path);
	known_done(&known);
	world_put(&w, world_version("/r/a", 1));
	known = find("/r/a", &now->identity);
	cr_expect(known.as == KNOWN_SAME);
}

Test(find, a_vanished_row_without_identity_is_not_an_imported_one)
{
	struct version *v = world_version("/r/a", 1);
	v->identity = (struct identity){ .mtime_ns = v->first_seen_ns };
	world_fail(v, REASON_VANISHED);
	world_put(&w, v);
	AUTO(version) struct version *now = world_version("/r/a", 1);
	struct known known = find("/r/a", &now->identity);
	cr_expect(known.as == KNOWN_NOT);
}

Test(find, many_look_ups_share_a_snapshot)
{
	AUTO(version) struct version *now = world_version("/r/a", 1);
	store_reader_begin(w.reader);
	struct known known = find("/r/a", &now->identity);
	cr_expect(known.as == KNOWN_NOT);
	world_put(&w, world_version("/r/a", 1));
	known = find("/r/a", &now->identity);
	cr_expect(known.as == KNOWN_NOT, "the snapshot is from before");
	store_reader_end(w.reader);
	known = find("/r/a", &now->identity);
	cr_expect(known.as == KNOWN_SAME);
}

Test(find, the_last_of_several_contents_under_one_stamp_stands_for_the_file)
{
	for (char byte = 1; byte < 4; byte++) {
		struct version *v = world_version("/r/a", 1);
		world_finish(v, OUTCOME_CLEAN);
		v->has_sha256 = true;
		memset(v->sha256, byte, 32);
		world_put(&w, v);
	}
	AUTO(version) struct version *v = world_version("/r/a", 1);
	struct known known = find("/r/a", &v->identity);
	cr_expect(known.as == KNOWN_SAME && known.id == 3 && known.sha256[0] == 3);
	known = find("/r/b", &v->identity);
	cr_expect(known.as == KNOWN_ELSEWHERE && known.ambiguous);
	known_done(&known);
	v->identity.mtime_ns++;
	known = find("/r/b", &v->identity);
	cr_expect(known.as == KNOWN_NOT && !known.ambiguous);
}

static void put_content(const char *path, int64_t mtime_ns, int64_t checked_ns, char byte)
{
	struct version *v = world_version(path, 1);
	v->identity.mtime_ns = mtime_ns;
	v->checked_ns = checked_ns;
	world_finish(v, OUTCOME_CLEAN);
	v->has_sha256 = true;
	memset(v->sha256, byte, 32);
	world_put(&w, v);
}

static bool is_ambiguous(int64_t mtime_ns)
{
	AUTO(version) struct version *now = world_version("/r/new", 1);
	now->identity.mtime_ns = mtime_ns;
	struct known known = find("/r/new", &now->identity);
	bool ambiguous = known.ambiguous;
	cr_expect(known.as == KNOWN_ELSEWHERE);
	known_done(&known);
	return ambiguous;
}

static struct known recorded(const char *dir, const char *name, const struct identity *identity)
{
	struct known known = { 0 };
	struct error err = { 0 };
	struct store_name at = { 0, name, strlen(name) };
	struct store_dir in = { dir, strlen(dir), identity->fsid };
	cr_assert(store_dir(w.reader, &in, &at.dir, &err) == 0);
	cr_assert(store_recorded(w.reader, identity, &at, &known, &err) == 0, "%s", err.text);
	return known;
}

Test(find, the_very_version_at_its_path_is_recorded_and_nothing_else)
{
	put_content("/r/a", 1000, 10, 1);
	put_content("/r/a", 1000, 20, 2);
	AUTO(version) struct version *base = world_version("/r/a", 1);
	base->identity.mtime_ns = 1000;
	struct known known = recorded("/r", "a", &base->identity);
	cr_expect(known.as == KNOWN_SAME && known.state == VERSION_DONE && known.has_sha256);
	cr_expect(known.checked_ns == 20, "the last content stands for the file");
	cr_expect(known.mtime_ns == 1000 && known.size == base->identity.size);
	for (unsigned i = 0; i < 5; i++) {
		struct identity other = base->identity;
		other.fsid += i == 0;
		other.inode += i == 1;
		other.btime_ns += i == 2;
		other.size += i == 3;
		other.mtime_ns += i == 4;
		cr_expect(recorded("/r", "a", &other).as == KNOWN_NOT, "%u", i);
	}
	cr_expect(recorded("/r", "b", &base->identity).as == KNOWN_NOT);
	cr_expect(recorded("/s", "a", &base->identity).as == KNOWN_NOT);
}

Test(find, what_a_recorded_version_waits_for_or_lacks_is_told)
{
	struct version *v = world_version("/r/a", 1);
	AUTO(version) struct version *base = world_version("/r/a", 1);
	AUTO(version) struct version *next = world_version("/r/b", 2);
	world_put(&w, v);
	v = world_version("/r/b", 2);
	world_fail(v, REASON_UNREADABLE);
	world_put(&w, v);
	struct known known = recorded("/r", "a", &base->identity);
	cr_expect(known.as == KNOWN_SAME && known.state == VERSION_QUEUED && !known.has_sha256);
	known = recorded("/r", "b", &next->identity);
	cr_expect(known.as == KNOWN_SAME && known.state == VERSION_UNSCANNED &&
		  known.reason == REASON_UNREADABLE);
}

Test(find, a_row_does_not_stand_for_a_file_that_had_another_content_since)
{
	put_content("/r/a", 1000, 10, 1);
	put_content("/r/a", 2000, 20, 1); /* touched */
	cr_expect(!is_ambiguous(1000) && !is_ambiguous(2000));
	put_content("/r/a", 1500, 30, 2);
	cr_expect(is_ambiguous(1000) && is_ambiguous(2000) && !is_ambiguous(1500));
}

Test(find, nor_among_very_many_rows)
{
	for (int i = 0; i < 64; i++) {
		char path[32];
		snprintf(path, sizeof path, "/r/%d", i);
		put_content(path, 1000, 10, 1);
	}
	cr_expect(!is_ambiguous(1000));
	put_content("/r/a", 2000, 20, 2);
	cr_expect(is_ambiguous(1000) && !is_ambiguous(2000));
}

Test(find, a_row_does_not_stand_for_a_file_that_waits_with_another_time)
{
	put_content("/r/a", 1000, 10, 1);
	struct version *v = world_version("/r/a", 1);
	v->identity.mtime_ns = 2000;
	world_put(&w, v);
	cr_expect(is_ambiguous(1000));
}

Test(find, a_row_does_not_stand_for_a_file_that_had_another_content_since_the_clock_was_set_back)
{
	put_content("/r/a", 1000, 30, 1);
	put_content("/r/a", 2000, 10, 2);
	cr_expect(is_ambiguous(1000));
}
