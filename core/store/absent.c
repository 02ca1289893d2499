/*
 * absent: see absent.h.
 *
 * Eight bits for each hash among 2^18 of its segment: a full one is named in vain for one in 1,700
 * contents. The bits of 64 segments lie beside each other in one word, so that a question is eight
 * words at most for a million rows; these take 2 MiB. A hash is as random as can be, so pieces of
 * it say which bits are its own.
 */
#include "core/store/absent.h"

#include <sys/mman.h>

#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#include "core/store/db.h"
#include "core/store/row.h"
#include "core/store/version.h"

enum {
	WORDS = 1 << 18,  /* of a group */
	PIECES = 8,	  /* of a hash, 32 bits each */
	GROUPS_MAX = 4096 /* four billion rows; those after that may have anything */
};

typedef _Atomic uint64_t word;

#define GROUP_BYTES (WORDS * sizeof(word))

struct absent {
	_Atomic int64_t newest; /* segment */
	atomic_flag learning;	/* somebody is; the next member is theirs */
	int64_t forgotten;	/* groups before this one */
	word known[GROUPS_MAX]; /* segments all of whose hashes are in the words */
	_Atomic(word *) words[GROUPS_MAX];
};

static const char lesson_sql[] =
	"SELECT sha256 FROM version WHERE segment = ?1 AND sha256 IS NOT NULL";

struct absent *absent_new(int64_t newest_id)
{
	struct absent *absent = xcalloc(1, sizeof *absent);
	atomic_init(&absent->newest, newest_id >> SEGMENT_ROWS_LOG2);
	atomic_flag_clear(&absent->learning);
	return absent;
}

void absent_free(struct absent *absent)
{
	if (!absent)
		return;
	for (size_t i = 0; i < GROUPS_MAX; i++) {
		word *words = atomic_load(&absent->words[i]);
		if (words)
			(void)munmap(words, GROUP_BYTES);
	}
	free(absent);
}

/* NULL: there is no memory, or no place in the table. */
static word *words_of(struct absent *absent, int64_t group)
{
	if (group < 0 || group >= GROUPS_MAX)
		return NULL;
	word *words = atomic_load_explicit(&absent->words[group], memory_order_acquire);
	if (words)
		return words;
	word *made =
		mmap(NULL, GROUP_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (made == MAP_FAILED)
		return NULL;
	if (atomic_compare_exchange_strong(&absent->words[group], &words, made))
		return made;
	(void)munmap(made, GROUP_BYTES);
	return words;
}

static uint64_t bit_of(int64_t segment)
{
	return UINT64_C(1) << (segment % SEGMENTS_OF_A_GROUP);
}

static size_t place(const uint8_t sha256[32], size_t piece)
{
	uint32_t bits;
	memcpy(&bits, sha256 + piece * sizeof bits, sizeof bits);
	return bits % WORDS;
}

static void set_bits(word *words, uint64_t bit, const uint8_t sha256[32])
{
	for (size_t i = 0; i < PIECES; i++)
		(void)atomic_fetch_or_explicit(&words[place(sha256, i)], bit, memory_order_relaxed);
}

/* Who asks about a row has got word of it by a lock that was taken after its bits were set: that of
 * the commit, or of the twins. A segment that was just begun has no other rows. */
void absent_add(struct absent *absent, int64_t id, const uint8_t sha256[32])
{
	int64_t segment = id >> SEGMENT_ROWS_LOG2;
	int64_t group = segment / SEGMENTS_OF_A_GROUP;
	word *words = words_of(absent, group);
	if (words)
		set_bits(words, bit_of(segment), sha256);
	if (segment <= atomic_load_explicit(&absent->newest, memory_order_relaxed))
		return;
	if (words)
		(void)atomic_fetch_or_explicit(&absent->known[group], bit_of(segment),
					       memory_order_release);
	atomic_store_explicit(&absent->newest, segment, memory_order_release);
}

void absent_note(struct absent *absent, const struct version *version)
{
	if (absent && version && version->has_sha256 && version->id)
		absent_add(absent, version->id, version->sha256);
}

int64_t absent_newest(const struct absent *absent)
{
	return atomic_load_explicit(&absent->newest, memory_order_acquire);
}

uint64_t absent_candidates(const struct absent *absent, const uint8_t sha256[32], int64_t group)
{
	if (group < 0 || group >= GROUPS_MAX)
		return ~UINT64_C(0);
	uint64_t known = atomic_load_explicit(&absent->known[group], memory_order_acquire);
	if (!known)
		return ~UINT64_C(0);
	const word *words = atomic_load_explicit(&absent->words[group], memory_order_acquire);
	uint64_t have = known;
	for (size_t i = 0; i < PIECES && have; i++)
		have &= atomic_load_explicit(&words[place(sha256, i)], memory_order_relaxed);
	return have | ~known;
}

int absent_prepare(const struct db *db, sqlite3_stmt **out, struct error *err)
{
	return db_prepare(db, out, lesson_sql, err);
}

static int learn_segment(struct absent *absent, sqlite3_stmt *lesson, int64_t segment)
{
	int64_t group = segment / SEGMENTS_OF_A_GROUP;
	word *words = words_of(absent, group);
	if (!words)
		return SQLITE_OK;
	db_bind(lesson, 1, segment);
	while (sqlite3_step(lesson) == SQLITE_ROW) {
		uint8_t sha256[32];
		if (row_sha256(lesson, 0, sha256))
			set_bits(words, bit_of(segment), sha256);
	}
	int rc = sqlite3_reset(lesson);
	if (rc == SQLITE_OK)
		(void)atomic_fetch_or_explicit(&absent->known[group], bit_of(segment),
					       memory_order_release);
	return rc;
}

/* -1: all from first on are known. */
static int64_t newest_unknown(const struct absent *absent, int64_t first)
{
	const int64_t last = (int64_t)GROUPS_MAX * SEGMENTS_OF_A_GROUP - 1;
	int64_t newest = absent_newest(absent);
	for (int64_t at = newest < last ? newest : last; at >= first && at >= 0; at--) {
		int64_t group = at / SEGMENTS_OF_A_GROUP;
		uint64_t known = atomic_load_explicit(&absent->known[group], memory_order_relaxed);
		if (!(known & bit_of(at)))
			return at;
		if (known == ~UINT64_C(0))
			at = group * SEGMENTS_OF_A_GROUP; /* so are the others of its group */
	}
	return -1;
}

/* Nobody asks for what is as old any more: answers are reused for some days only. The pages read as
 * zeros from then on, which is why what they knew goes first. */
static void forget(struct absent *absent, int64_t first)
{
	int64_t keep = first / SEGMENTS_OF_A_GROUP;
	if (keep < absent->forgotten)
		absent->forgotten = keep < 0 ? 0 : keep; /* days count anew */
	for (; absent->forgotten < keep && absent->forgotten < GROUPS_MAX; absent->forgotten++) {
		word *words = atomic_load(&absent->words[absent->forgotten]);
		atomic_store(&absent->known[absent->forgotten], 0);
		if (words)
			(void)madvise(words, GROUP_BYTES, MADV_DONTNEED);
	}
}

int absent_learn(struct absent *absent, sqlite3_stmt *lesson, int64_t first)
{
	if (atomic_flag_test_and_set_explicit(&absent->learning, memory_order_acquire))
		return SQLITE_OK;
	forget(absent, first);
	int rc = SQLITE_OK;
	for (int i = 0; i < SEGMENTS_OF_A_LESSON && rc == SQLITE_OK; i++) {
		int64_t segment = newest_unknown(absent, first);
		if (segment < 0)
			break;
		rc = learn_segment(absent, lesson, segment);
	}
	atomic_flag_clear_explicit(&absent->learning, memory_order_release);
	return rc;
}
