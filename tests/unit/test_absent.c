/* absent: what surely is in no segment. */
#include "core/store/absent.h"
#include "core/store/db.h"
#include "store_fixture.h"

enum {
	ROWS = 1 << SEGMENT_ROWS_LOG2
};

static struct world w;
static struct error err;
static struct db *db;
static sqlite3_stmt *lesson;

static void setup(void)
{
	world_init(&w);
	cr_assert(db_open_history(&db, w.db, DB_READ, &err) == 0, "%s", err.text);
	cr_assert(absent_prepare(db, &lesson, &err) == 0, "%s", err.text);
}

static void teardown(void)
{
	sqlite3_finalize(lesson);
	db_free(db);
	world_done(&w);
}

TestSuite(absent, .init = setup, .fini = teardown);

/* Something as random as a hash. */
static void hash_of(unsigned n, uint8_t out[32])
{
	uint64_t state = n;
	for (size_t i = 0; i < 32; i += 8) {
		state += UINT64_C(0x9e3779b97f4a7c15);
		uint64_t mixed = state;
		mixed = (mixed ^ mixed >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
		mixed = (mixed ^ mixed >> 27) * UINT64_C(0x94d049bb133111eb);
		mixed ^= mixed >> 31;
		memcpy(out + i, &mixed, 8);
	}
}

static bool may_be(const struct absent *absent, unsigned n, int64_t segment)
{
	uint8_t sha256[32];
	hash_of(n, sha256);
	uint64_t found = absent_candidates(absent, sha256, segment / SEGMENTS_OF_A_GROUP);
	return found >> (segment % SEGMENTS_OF_A_GROUP) & 1;
}

static void add(struct absent *absent, int64_t id, unsigned n)
{
	uint8_t sha256[32];
	hash_of(n, sha256);
	absent_add(absent, id, sha256);
}

/* A row in this segment with the hash of n, past the writer. */
static void insert(int64_t segment, unsigned n)
{
	static int64_t inode;
	uint8_t sha256[32];
	char hex[65];
	char sql[512];
	hash_of(n, sha256);
	for (size_t i = 0; i < 32; i++)
		snprintf(hex + 2 * i, 3, "%02x", sha256[i]);
	inode++;
	snprintf(sql, sizeof sql,
		 "INSERT INTO version (id, dir_id, name, inode, btime_ns, size, mtime_ns, state,"
		 " verdict, first_seen_ns, sha256) VALUES (%lld, 1, 'x', %lld, 0, 0, 0, 'done',"
		 " 'clean', 5, '%s')",
		 (long long)(segment * ROWS + inode), (long long)inode, hex);
	world_change(&w, sql);
}

Test(absent, what_is_not_known_may_be_anywhere)
{
	AUTO(absent) struct absent *absent = absent_new(3 * ROWS);
	for (int64_t segment = 0; segment <= 3; segment++)
		cr_expect(may_be(absent, 1, segment));
	add(absent, 3 * ROWS + 1, 2); /* the others of that segment are still not known */
	cr_expect(may_be(absent, 1, 3));
	cr_expect(absent_newest(absent) == 3);
}

Test(absent, a_segment_that_begins_is_known)
{
	AUTO(absent) struct absent *absent = absent_new(ROWS - 1);
	add(absent, ROWS, 1);
	cr_expect(absent_newest(absent) == 1);
	cr_expect(may_be(absent, 1, 1));
	cr_expect(!may_be(absent, 2, 1));
	cr_expect(may_be(absent, 2, 2), "nothing is told of what is not there yet");
}

Test(absent, segments_are_learned_newest_first_and_none_is_forgotten)
{
	for (int64_t segment = 62; segment <= 66; segment++) {
		insert(segment, 10 + (unsigned)segment);
		insert(segment, 1000);
	}
	AUTO(absent) struct absent *absent = absent_new(66 * ROWS + 1);
	for (int64_t known = 66; known >= 62;) {
		cr_assert(absent_learn(absent, lesson, 62) == SQLITE_OK);
		known -= SEGMENTS_OF_A_LESSON;
		for (int64_t at = 62; at <= 66; at++) {
			cr_expect(may_be(absent, 10 + (unsigned)at, at));
			cr_expect(may_be(absent, 1000, at));
			cr_expect(may_be(absent, 1, at) == (at <= known), "%lld, %lld",
				  (long long)at, (long long)known);
		}
	}
	cr_assert(absent_learn(absent, lesson, 62) == SQLITE_OK);
	cr_expect(may_be(absent, 1, 61), "nobody has asked for it");
}

Test(absent, few_are_named_in_vain)
{
	AUTO(absent) struct absent *absent = absent_new(0);
	unsigned vain = 0;
	for (unsigned n = 0; n < ROWS; n++)
		add(absent, ROWS + (int64_t)n, n);
	for (unsigned n = 0; n < ROWS; n++) {
		cr_assert(may_be(absent, n, 1));
		vain += may_be(absent, 1000000 + n, 1);
	}
	cr_expect(vain < ROWS / 1000, "%u of %d", vain, ROWS);
}

Test(absent, what_is_too_old_is_forgotten_and_may_be_anywhere_then)
{
	insert(0, 5);
	insert(130, 6);
	AUTO(absent) struct absent *absent = absent_new(130 * ROWS + 9);
	for (int i = 0; i < 131; i++)
		cr_assert(absent_learn(absent, lesson, 0) == SQLITE_OK);
	cr_expect(!may_be(absent, 1, 0) && may_be(absent, 5, 0) && !may_be(absent, 1, 130));
	cr_assert(absent_learn(absent, lesson, 129) == SQLITE_OK);
	cr_expect(may_be(absent, 1, 0) && may_be(absent, 1, 127));
	cr_expect(!may_be(absent, 1, 128) && !may_be(absent, 1, 130) && may_be(absent, 6, 130));
	add(absent, 5, 7); /* a row of long ago gets its hash: its segment is not known by that */
	cr_expect(may_be(absent, 1, 0) && may_be(absent, 5, 0));
	for (int i = 0; i < 131; i++) /* further back again */
		cr_assert(absent_learn(absent, lesson, 0) == SQLITE_OK);
	cr_expect(!may_be(absent, 1, 0) && may_be(absent, 5, 0));
}

Test(absent, ids_beyond_the_table_may_have_anything)
{
	const int64_t far = INT64_C(1) << 40;
	AUTO(absent) struct absent *absent = absent_new(far);
	add(absent, far + ROWS, 1);
	cr_expect(may_be(absent, 2, (far + ROWS) / ROWS));
	cr_assert(absent_learn(absent, lesson, far / ROWS) == SQLITE_OK);
	cr_expect(may_be(absent, 2, far / ROWS));
}
