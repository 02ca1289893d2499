/* overdue: what has been in the quarantine for long enough goes. */
#include "core/dispose/ages.h"
#include "core/dispose/choose.h"
#include "core/dispose/overdue.h"
#include "dispose_fixture.h"

static struct yard y;
static struct removal_reader *reader;
static struct ages *ages;
static struct overdue overdue;
static struct removals due;
static struct error err;
static const char note[] = "it has been here for long enough, and goes";

static int64_t kept_ns; /* since when the last one is there */

/* In the quarantine since so many seconds. */
static void keep(int id, int seconds)
{
	char sql[512], path[256];
	snprintf(path, sizeof path, "%s/%d-x", y.quarantine, id);
	world_write_file(path, "x", 1);
	strcat(path, ".json");
	world_write_file(path, "{}", 2);
	kept_ns = clock_wall_ns() - seconds * CLOCK_NS_PER_S;
	snprintf(sql, sizeof sql,
		 "INSERT INTO removal (id, version_id, action, cause, state, intended_ns, ended_ns,"
		 " place) VALUES (%d, %d, 'quarantine', 'rule', 'quarantined', 1, %lld, '%s/%d-x')",
		 id, id, (long long)kept_ns, y.quarantine, id);
	world_change(&y.w, sql);
}

static bool there(int id)
{
	char path[256];
	snprintf(path, sizeof path, "%s/%d-x", y.quarantine, id);
	bool file = access(path, F_OK) == 0;
	strcat(path, ".json");
	cr_expect_eq(file, access(path, F_OK) == 0, "it goes with its .json");
	return file;
}

static void setup(void)
{
	yard_init(&y);
	world_open(&y.w);
	cr_assert(removal_reader_open(&reader, y.w.db, &err) == 0, "%s", err.text);
	cr_assert(ages_new(&ages, y.w.db, &err) == 0, "%s", err.text);
	overdue.ages = ages;
	keep(1, 300);
	keep(2, 200);
	keep(3, 50);
}

static void teardown(void)
{
	removals_done(&due);
	ages_free(ages);
	removal_reader_free(reader);
	yard_done(&y);
}

TestSuite(overdue, .init = setup, .fini = teardown);

static int64_t find(void)
{
	cr_assert(overdue_find(&overdue, reader, 100000, &due, &err) == 0, "%s", err.text);
	return overdue.next.ns == INT64_MAX ? -1 : mono_ms_until(overdue.next);
}

static void mark(int id)
{
	char sql[200];
	snprintf(sql, sizeof sql, "UPDATE removal SET note = '%s' WHERE id = %d", note, id);
	world_change(&y.w, sql);
}

Test(overdue, finds_what_is_old_enough_and_when_the_next_one_is)
{
	const int64_t due_ns = kept_ns + 100 * CLOCK_NS_PER_S;
	int64_t most_ns = due_ns - clock_wall_ns();
	int64_t left_ns = find() * CLOCK_NS_PER_MS;
	int64_t least_ns = due_ns - clock_wall_ns();
	cr_expect(left_ns >= least_ns && left_ns <= most_ns + CLOCK_NS_PER_MS, "%lld",
		  (long long)left_ns);
	cr_assert_eq(due.count, 2);
	cr_expect_eq(due.items[0].id, 1);
	cr_expect_eq(due.items[1].state, REMOVAL_QUARANTINED);
	cr_expect_str_eq(due.items[1].note, note);
	world_change(&y.w, "DELETE FROM removal");
	removals_done(&due);
	cr_expect_eq(find(), -1);
	cr_expect_eq(due.count, 0);
}

Test(overdue, only_what_is_recorded_so_goes)
{
	find();
	mark(1);
	mark(2);
	world_change(&y.w, "UPDATE removal SET state = 'restored' WHERE id = 2"); /* meanwhile */
	overdue_do(&overdue, reader, &due, &err);
	cr_expect_eq(err.code, 0, "%s", err.text);
	cr_expect(!there(1) && there(2) && there(3));
	cr_expect_eq(due.items[0].state, REMOVAL_EXPIRED);
	cr_expect_eq(due.items[1].state, REMOVAL_QUARANTINED);
	removals_done(&due);
	find();
	overdue_do(&overdue, reader, &due, &err); /* again, after a crash */
	cr_expect_eq(due.items[0].state, REMOVAL_EXPIRED);
}

Test(overdue, what_cannot_be_deleted_stays_and_is_told)
{
	char path[256];
	find();
	mark(1);
	snprintf(path, sizeof path, "%s/1-x", y.quarantine);
	cr_assert(unlink(path) == 0 && mkdir(path, 0700) == 0);
	overdue_do(&overdue, reader, &due, &err);
	cr_expect_neq(err.code, 0);
	cr_expect_not_null(strstr(err.text, "1-x: it cannot be deleted"), "%s", err.text);
	cr_expect_eq(due.items[0].state, REMOVAL_QUARANTINED);
}

Test(overdue, what_cannot_be_read_or_is_no_place_of_ours_is_told_and_stays)
{
	world_change(&y.w, "UPDATE removal SET place = 'nowhere' WHERE id = 1");
	find();
	mark(1);
	mark(2);
	overdue_do(&overdue, reader, &due, &err);
	cr_expect_eq(err.code, EBADMSG, "%s", err.text);
	cr_expect_eq(due.items[0].state, REMOVAL_QUARANTINED);
	cr_expect(due.items[1].state == REMOVAL_EXPIRED && !there(2), "the others go");
	removals_done(&due);
	overdue.again.ns = 0;
	find();
	world_change(&y.w, "ALTER TABLE removal RENAME TO other");
	overdue_do(&overdue, reader, &due, &err);
	cr_expect(strstr(err.text, "no such table: removal"), "%s", err.text);
	cr_expect_eq(due.items[0].state, REMOVAL_QUARANTINED);
	overdue.again.ns = 0;
	cr_expect(overdue_find(&overdue, reader, 1, &due, &err) < 0);
}

/* Its directory, one of an earlier configuration, is gone, say. */
Test(overdue, what_cannot_be_deleted_keeps_nothing_behind_it_waiting)
{
	world_change(&y.w, "WITH RECURSIVE n (id) AS (SELECT 1000 UNION ALL SELECT id + 1 FROM n"
			   " WHERE id < 1299) INSERT INTO removal (id, version_id, action, cause,"
			   " state, intended_ns, ended_ns, place) SELECT id, id, 'quarantine',"
			   " 'rule', 'quarantined', 1, 1, '/nowhere/' || id FROM n");
	keep(2000, 300);
	keep(2001, 50);
	world_change(&y.w, "DELETE FROM removal WHERE id = 3");
	for (int portion = 0; portion < 2; portion++) {
		removals_done(&due);
		find();
		world_change(&y.w, "UPDATE removal SET note = 'it has been here for long enough,"
				   " and goes' WHERE id <> 2001");
		cr_expect_eq(overdue_do(&overdue, reader, &due, &err), portion == 0);
	}
	cr_expect(!there(1) && !there(2) && !there(2000) && there(2001));
	cr_expect(overdue.failed && overdue.next.ns == overdue.again.ns);
	cr_expect(!mono_passed(overdue.again));
	removals_done(&due);
	find();
	cr_expect_eq(due.count, 0, "not again and again");
	overdue.again.ns = 0;
	world_change(&y.w, "DELETE FROM removal WHERE id < 1300");
	find();
	cr_expect(!overdue.failed);
}

/* The clock was a year ahead when it was brought there. */
Test(overdue, what_came_in_the_future_keeps_nobody_waiting)
{
	world_change(&y.w,
		     "UPDATE removal SET ended_ns = ended_ns + 31536000000000000 WHERE id = 1");
	find();
	cr_assert_eq(due.count, 1);
	cr_expect_eq(due.items[0].id, 2);
}

Test(overdue, a_clock_that_is_set_forward_makes_nothing_older)
{
	ages_look(ages, clock_wall_ns() + INT64_C(31536000000000000), mono_now());
	find();
	cr_expect_eq(due.count, 2);
}
