/* wal_index: it keeps its room, and is made anew in place. */
#include "core/store/wal_index.h"
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

TestSuite(wal_index, .init = setup, .fini = teardown);

static struct stat index_stat(void)
{
	char path[128];
	struct stat st;
	snprintf(path, sizeof path, "%s-shm", w.db);
	cr_assert(stat(path, &st) == 0);
	return st;
}

static void put(unsigned n)
{
	char path[32];
	snprintf(path, sizeof path, "/r/f%u", n);
	struct version *version = world_version(path, n);
	world_finish(version, OUTCOME_CLEAN);
	(void)world_put(&w, version);
}

Test(wal_index, without_a_history_there_is_none)
{
	cr_expect_eq(wal_index_hold("/nonexistent/history.db"), -1);
	wal_index_release(-1);
	cr_expect(!wal_index_log_is_spent(-1));
}

/* As it is on a disk that others fill: nothing of it is given back in between. */
Test(wal_index, who_opens_first_does_not_cut_it)
{
	put(1);
	world_close(&w);
	struct stat before = index_stat();
	int fd = wal_index_hold(w.db);
	cr_assert_geq(fd, 0);
	cr_expect_geq(index_stat().st_blocks * 512, 32768);
	world_open(&w);
	cr_expect_eq(index_stat().st_ino, before.st_ino);
	cr_expect_eq(index_stat().st_size, 32768);
	EXPECT_SQL(&w, "SELECT count(*) FROM file", "1");
	put(2);
	world_close(&w);
	cr_expect(wal_index_log_is_spent(fd));
	wal_index_release(fd);
	world_open(&w);
	EXPECT_SQL(&w, "SELECT count(*) FROM file", "2");
	EXPECT_SQL(&w, "PRAGMA integrity_check", "ok");
}

/* What a killed process left there may not be believed: the log says what is true. */
Test(wal_index, its_contents_are_made_anew_from_the_log)
{
	put(1);
	world_close(&w);
	char path[128];
	snprintf(path, sizeof path, "%s-shm", w.db);
	int index = open(path, O_WRONLY | O_CLOEXEC);
	static const char nonsense[32768] = { 1, 2, 3 };
	cr_assert(write(index, nonsense, sizeof nonsense) == sizeof nonsense);
	close(index);
	int fd = wal_index_hold(w.db);
	world_open(&w);
	put(2);
	EXPECT_SQL(&w, "SELECT count(*) FROM file", "2");
	EXPECT_SQL(&w, "PRAGMA integrity_check", "ok");
	world_close(&w);
	wal_index_release(fd);
	world_open(&w);
}

Test(wal_index, a_log_is_not_spent_while_somebody_has_it_open)
{
	put(1);
	int fd = wal_index_hold(w.db); /* its contents are left alone, they are in use */
	cr_assert_geq(fd, 0);
	put(2);
	EXPECT_SQL(&w, "SELECT count(*) FROM file", "2");
	cr_expect(!wal_index_log_is_spent(fd));
	world_close(&w);
	wal_index_release(fd);
	world_open(&w);
	EXPECT_SQL(&w, "SELECT count(*) FROM file", "2");
}
