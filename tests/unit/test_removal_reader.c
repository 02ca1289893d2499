/* removal_reader: what is due comes with its version; what was restored is told. */
#include <errno.h>

#include "core/store/removal_reader.h"
#include "store_fixture.h"

static struct world w;
static struct removal_reader *reader;
static struct error err;

static void setup(void)
{
	world_init(&w);
	for (unsigned n = 1; n <= 4; n++) {
		char path[32];
		snprintf(path, sizeof path, "/r/%u", n);
		struct version *version = world_version(path, n);
		world_finish(version, OUTCOME_MALICIOUS);
		world_put(&w, version);
	}
	cr_assert(removal_reader_open(&reader, w.db, &err) == 0, "%s", err.text);
}

static void teardown(void)
{
	removal_reader_free(reader);
	world_done(&w);
}

TestSuite(removal_reader, .init = setup, .fini = teardown);

Test(removal_reader, tells_what_is_due_the_longest_due_first)
{
	world_change(
		&w,
		"INSERT INTO removal (version_id, action, cause, due_ns, intended_ns, tries,"
		" note) VALUES (1, 'delete', 'rule', 9, 1, 3, 'why'),"
		" (2, 'quarantine', 'age', 0, 1, 0, NULL), (99, 'delete', 'rule', 5, 1, 0, NULL)");
	struct removal_tasks tasks = { 0 };
	cr_assert(removal_reader_due(reader, 8, 10, &tasks, &err) == 0);
	cr_assert(tasks.count == 2);
	cr_expect(tasks.items[0].removal.id == 2 && tasks.items[0].version->id == 2);
	cr_expect(tasks.items[0].removal.action == REMOVAL_QUARANTINE);
	cr_expect(tasks.items[0].removal.cause == CAUSE_AGE);
	cr_expect(tasks.items[0].version->finding_count == 1);
	cr_expect(tasks.items[1].version == NULL, "the history does not know it");
	removal_tasks_done(&tasks);
	cr_assert(removal_reader_due(reader, 9, 2, &tasks, &err) == 0);
	cr_expect(tasks.count == 2, "not more than asked for");
	removal_tasks_done(&tasks);
	int64_t number = 0;
	cr_expect(removal_reader_intended(reader, &number, &err) == 0 && number == 3);
	cr_expect(removal_reader_next(reader, &number, &err) == 0 && number == 0);
	world_change(&w, "DELETE FROM removal WHERE id > 1");
	cr_expect(removal_reader_next(reader, &number, &err) == 0 && number == 9);
	world_change(&w, "DELETE FROM removal");
	cr_expect(removal_reader_next(reader, &number, &err) == 0 && number == INT64_MAX);
}

static bool collect(void *context, const struct removal_task *task)
{
	str_printf(context, "%lld:%s ", (long long)task->removal.id, task->removal.place);
	return true;
}

Test(removal_reader, tells_what_is_in_the_quarantine)
{
	AUTO_STR got = STR_INIT;
	const struct removal_visit each = { collect, &got };
	world_change(&w,
		     "INSERT INTO removal (version_id, action, cause, state, intended_ns, ended_ns,"
		     " place) VALUES (1, 'quarantine', 'rule', 'quarantined', 1, 2, '/q/1'),"
		     " (2, 'quarantine', 'rule', 'restored', 1, 2, '/q/2'),"
		     " (3, 'quarantine', 'rule', 'quarantined', 1, 2, '/q/3'),"
		     " (4, 'delete', 'rule', 'removed', 1, 2, NULL)");
	cr_expect(removal_reader_quarantined(reader, 0, &each, &err) == 0);
	cr_expect_str_eq(str_text(&got), "1:/q/1 3:/q/3 ");
	str_reset(&got);
	cr_expect(removal_reader_quarantined(reader, 2, &each, &err) == 0);
	cr_expect_str_eq(str_text(&got), "2:/q/2 ", "its restoring may have been cut short");
	str_reset(&got);
	cr_expect(removal_reader_quarantined(reader, 4, &each, &err) == 0);
	cr_expect_str_eq(str_text(&got), "");
}

static bool restored(int64_t id)
{
	bool is = false;
	cr_assert(removal_reader_restored(reader, id, &is, &err) == 0);
	return is;
}

Test(removal_reader, a_restored_content_is_known_at_its_path_and_of_its_file)
{
	world_change(&w,
		     "UPDATE version SET sha256 = 'a' WHERE id < 4;"
		     "UPDATE version SET sha256 = 'b' WHERE id = 4;"
		     "INSERT INTO removal (version_id, action, cause, state, intended_ns, ended_ns,"
		     " place) VALUES (1, 'quarantine', 'rule', 'restored', 1, 2, '/q/1')");
	cr_expect(restored(1));
	cr_expect(!restored(2), "the same content elsewhere is another case");
	world_change(&w, "UPDATE version SET name = '1' WHERE id IN (2, 4)");
	cr_expect(restored(2), "a copy of it at its path");
	cr_expect(!restored(4), "another content at its path");
	world_change(&w, "UPDATE version SET inode = (SELECT inode FROM version WHERE id = 1),"
			 " btime_ns = (SELECT btime_ns FROM version WHERE id = 1) WHERE id = 3");
	cr_expect(restored(3), "the same file under another name");
}

Test(removal_reader, a_history_that_is_not_there_or_cannot_be_read_is_told)
{
	struct removal_reader *none = NULL;
	struct removal_tasks tasks = { 0 };
	AUTO_STR got = STR_INIT;
	const struct removal_visit each = { collect, &got };
	int64_t number = 7;
	bool is = true;
	cr_expect(removal_reader_open(&none, "/nowhere/x.db", &err) == -ENOENT && !none);
	world_change(&w, "ALTER TABLE removal RENAME TO other");
	cr_expect(removal_reader_due(reader, 9, 9, &tasks, &err) < 0);
	cr_expect(strstr(err.text, "no such table: removal"), "%s", err.text);
	cr_expect(removal_reader_next(reader, &number, &err) < 0);
	cr_expect(removal_reader_intended(reader, &number, &err) < 0);
	cr_expect(removal_reader_quarantined(reader, 0, &each, &err) < 0);
	cr_expect(removal_reader_restored(reader, 1, &is, &err) < 0);
	cr_expect(tasks.count == 0 && got.len == 0);
}
