#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>

#include "core/store/backup.h"
#include "store_fixture.h"

static int backup_to(const struct world *w, const char *name, bool (*go_on)(void *), void *context)
{
	char to[128];
	struct error err = { 0 };
	int64_t bytes = 0;
	snprintf(to, sizeof to, "%s/%s", w->dir, name);
	const struct store_backup_options options = {
		.history = w->db, .to = to, .go_on = go_on, .context = context
	};
	int result = store_backup(&options, &bytes, &err);
	struct stat st;
	cr_assert_eq(result == 0, bytes > 0, "%s", err.text);
	if (result == 0)
		cr_assert(stat(to, &st) == 0 && st.st_size == bytes);
	return result;
}

static unsigned names_that_begin_with(const struct world *w, const char *prefix)
{
	unsigned count = 0;
	DIR *dir = opendir(w->dir);
	cr_assert(dir);
	for (const struct dirent *entry; (entry = readdir(dir));)
		count += strncmp(entry->d_name, prefix, strlen(prefix)) == 0;
	closedir(dir);
	return count;
}

static bool never(void *context)
{
	(void)context;
	return false;
}

static bool count_down(void *context)
{
	unsigned *left = context;
	return (*left)-- > 0;
}

static void fill(const struct world *w)
{
	world_change(w, "INSERT INTO meta (key, value) VALUES ('kept', 7)");
}

/* So that there is time to ask while it is copied, and while it is checked. */
static void make_large(const struct world *w)
{
	world_change(w, "CREATE TABLE large (x); WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL "
			"SELECT i + 1 FROM n WHERE i < 40000) INSERT INTO large SELECT "
			"zeroblob(1000) FROM n");
}

static int64_t kept(const struct world *w, const char *name)
{
	char path[128];
	sqlite3 *handle = NULL;
	sqlite3_stmt *statement = NULL;
	snprintf(path, sizeof path, "%s/%s", w->dir, name);
	cr_assert_eq(sqlite3_open_v2(path, &handle, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	cr_assert_eq(sqlite3_prepare_v2(handle, "SELECT value FROM meta WHERE key = 'kept'", -1,
					&statement, NULL),
		     SQLITE_OK);
	cr_assert_eq(sqlite3_step(statement), SQLITE_ROW);
	int64_t value = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	cr_assert_eq(sqlite3_close(handle), SQLITE_OK);
	return value;
}

Test(backup, the_copy_is_one_file_with_all_that_was_committed)
{
	struct world w;
	world_init(&w);
	fill(&w);
	cr_assert_eq(backup_to(&w, "copy", NULL, NULL), 0);
	cr_assert_eq(kept(&w, "copy"), 7);
	cr_assert_eq(names_that_begin_with(&w, "copy"), 1);
	world_done(&w);
}

/* Somebody commits between any two steps; too often, and it has begun anew each time. */
static bool commit_one(void *context)
{
	struct world *w = context;
	world_change(w, "UPDATE meta SET value = value + 1 WHERE key = 'kept'");
	return kept(w, "history.db") < 1000;
}

Test(backup, it_is_of_one_moment_whatever_is_committed_meanwhile)
{
	struct world w;
	world_init(&w);
	fill(&w);
	make_large(&w);
	cr_assert_eq(backup_to(&w, "copy", commit_one, &w), 0);
	cr_assert_eq(kept(&w, "copy"), 7);
	cr_assert_gt(kept(&w, "history.db"), 8);
	world_done(&w);
}

Test(backup, a_store_takes_it_for_its_history)
{
	struct world w;
	world_init(&w);
	fill(&w);
	cr_assert_eq(backup_to(&w, "copy", NULL, NULL), 0);
	world_close(&w);
	snprintf(w.db, sizeof w.db, "%s/copy", w.dir);
	world_open(&w);
	cr_assert_eq(kept(&w, "copy"), 7);
	world_done(&w);
}

Test(backup, what_is_there_is_never_overwritten)
{
	struct world w;
	world_init(&w);
	cr_assert_eq(backup_to(&w, "copy", NULL, NULL), 0);
	fill(&w);
	cr_assert_eq(backup_to(&w, "copy", NULL, NULL), -EEXIST);
	cr_assert_eq(backup_to(&w, "history.db", NULL, NULL), -EEXIST);
	cr_assert_eq(names_that_begin_with(&w, "copy"), 1);
	world_done(&w);
}

static bool put_in_its_way(void *context)
{
	const struct world *w = context;
	char to[128];
	snprintf(to, sizeof to, "%s/copy", w->dir);
	int fd = open(to, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	cr_assert_geq(fd, 0);
	close(fd);
	return true;
}

Test(backup, nor_what_comes_there_meanwhile)
{
	struct world w;
	struct stat st;
	char to[128];
	world_init(&w);
	make_large(&w);
	cr_assert_eq(backup_to(&w, "copy", put_in_its_way, &w), -EEXIST);
	snprintf(to, sizeof to, "%s/copy", w.dir);
	cr_assert(stat(to, &st) == 0 && st.st_size == 0);
	cr_assert_eq(names_that_begin_with(&w, "copy"), 1);
	world_done(&w);
}

Test(backup, whoever_gives_up_leaves_nothing)
{
	struct world w;
	world_init(&w);
	make_large(&w);
	cr_assert_eq(backup_to(&w, "copy", never, NULL), -ECANCELED);
	for (unsigned at = 1;; at++) {
		unsigned left = at;
		int result = backup_to(&w, "copy", count_down, &left);
		cr_assert(result == -ECANCELED || at > 4, "asked %u times only", at);
		if (result == 0)
			break;
		cr_assert_eq(result, -ECANCELED);
		cr_assert_eq(names_that_begin_with(&w, "copy"), 0);
	}
	world_done(&w);
}

Test(backup, it_may_be_read_by_no_more_than_the_history)
{
	static const mode_t modes[] = { 0600, 0640, 0644 };
	struct world w;
	world_init(&w);
	for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
		char name[16], path[128];
		struct stat st;
		snprintf(name, sizeof name, "copy%zu", i);
		snprintf(path, sizeof path, "%s/%s", w.dir, name);
		cr_assert_eq(chmod(w.db, modes[i]), 0);
		cr_assert_eq(backup_to(&w, name, NULL, NULL), 0);
		cr_assert_eq(stat(path, &st), 0);
		cr_assert_eq(st.st_mode & 07777, modes[i]);
	}
	world_done(&w);
}

Test(backup, a_history_whose_log_was_replaced_is_not_copied)
{
	struct world w;
	char wal[128];
	world_init(&w);
	fill(&w);
	snprintf(wal, sizeof wal, "%s-wal", w.db);
	int fd = open(wal, O_WRONLY | O_TRUNC | O_CLOEXEC);
	cr_assert_geq(fd, 0);
	close(fd);
	cr_assert_eq(backup_to(&w, "copy", NULL, NULL), -ESTALE);
	cr_assert_eq(names_that_begin_with(&w, "copy"), 0);
	world_done(&w);
}
