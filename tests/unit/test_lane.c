/* lane: files that are in place, oldest first. */
#include <sys/fsuid.h>

#include "core/dispose/lane.h"
#include "dispose_fixture.h"

static struct yard y;
static struct kept_reader *reader;
static struct lane lane;
static struct lane_view view;
static struct error err;

static void setup(void)
{
	yard_init(&y);
	world_open(&y.w);
	cr_assert(kept_reader_open(&reader, y.w.db, &err) == 0, "%s", err.text);
	view = (struct lane_view){ &y.config, reader };
	lane_init(&lane, KEPT_DONE, 0);
}

static void teardown(void)
{
	lane_done(&lane);
	kept_reader_free(reader);
	yard_done(&y);
}

TestSuite(lane, .init = setup, .fini = teardown);

/* A file that is done, first seen at that time; its place. */
static struct kept_at put(const char *name, int64_t seen_ns)
{
	yard_file(&y, name, name);
	struct version *version = yard_version(&y, name, OUTCOME_CLEAN);
	version->first_seen_ns = seen_ns;
	return (struct kept_at){ seen_ns, world_put(&y.w, version) };
}

static void expect_front(const char *name)
{
	const struct lane_file *file = NULL;
	cr_assert(lane_front(&lane, &view, &file, &err) == 0, "%s", err.text);
	if (!name)
		cr_expect_null(file, "%s", file ? file->path : "");
	else
		cr_expect_str_eq(file ? file->path : "nothing", yard_path(&y, name));
}

static void expect_taken(const char *name)
{
	expect_front(name);
	lane_take(&lane);
}

Test(lane, goes_from_the_oldest_on_and_passes_what_is_not_there)
{
	put("b", 20);
	put("a", 10);
	put("gone", 5);
	put("changed", 6);
	put("linked", 7);
	put("c", 30);
	cr_assert(unlink(yard_path(&y, "gone")) == 0);
	yard_file(&y, "changed", "another size");
	cr_assert(unlink(yard_path(&y, "linked")) == 0 &&
		  symlink("a", yard_path(&y, "linked")) == 0);
	expect_front("a");
	cr_expect_eq(lane_floor_ns(&lane), 7, "nothing is before");
	expect_front("a");
	expect_taken("a");
	cr_assert(unlink(yard_path(&y, "b")) == 0); /* it was read ahead */
	expect_taken("c");
	expect_front(NULL);
	cr_expect_eq(lane_floor_ns(&lane), 30);
}

Test(lane, lives_on_what_it_hears_of_once_it_has_come_to_the_end)
{
	expect_front(NULL);
	put("unheard", 40);
	expect_front(NULL);
	struct kept_at c = put("c", 30), b = put("b", 20), a = put("a", 10);
	lane_hear(&lane, c);
	lane_hear(&lane, a);
	lane_hear(&lane, b);
	cr_expect_eq(lane_floor_ns(&lane), 0);
	expect_taken("a");
	expect_taken("b");
	cr_expect_eq(lane_floor_ns(&lane), 20);
	lane_hear(&lane, put("late", 5));
	cr_expect_eq(lane_floor_ns(&lane), 5, "it ended after younger ones");
	expect_taken("late");
	expect_taken("c");
	expect_front(NULL);
}

Test(lane, what_it_will_meet_it_need_not_hear_of)
{
	for (int i = 0; i < 300; i++) {
		char name[16];
		snprintf(name, sizeof name, "%03d", i);
		put(name, 1000 + i);
	}
	expect_taken("000");
	lane_hear(&lane, put("late", 500));
	lane_hear(&lane, put("between", 1100)); /* on the page that was read */
	lane_hear(&lane, put("behind", 9000));
	expect_taken("late");
	for (int i = 1; i < 300; i++) {
		char name[16];
		snprintf(name, sizeof name, "%03d", i);
		expect_taken(name);
		if (i == 100)
			expect_taken("between");
	}
	expect_taken("behind");
	expect_front(NULL);
}

Test(lane, what_comes_while_a_younger_one_is_in_front_has_its_turn_behind_it)
{
	expect_front(NULL);
	lane_hear(&lane, put("b", 20));
	expect_front("b");
	lane_hear(&lane, put("a", 10));
	expect_taken("b");
	expect_taken("a");
	expect_front(NULL);
}

Test(lane, too_much_to_remember_is_found_in_the_history)
{
	expect_front(NULL);
	struct kept_at first = put("first", 100);
	lane_hear(&lane, first);
	for (int64_t i = 1; i < LANE_HEARD_MAX + 10; i++)
		lane_hear(&lane, (struct kept_at){ 100 + i, 1000000 + i });
	put("second", 200); /* never heard of */
	expect_taken("first");
	expect_taken("second");
	expect_front(NULL);
}

Test(lane, too_much_that_came_late_is_found_there_too)
{
	put("young", 500);
	expect_taken("young");
	expect_front(NULL);
	lane_hear(&lane, put("first", 100));
	for (int64_t i = 1; i < LANE_HEARD_MAX + 10; i++)
		lane_hear(&lane, (struct kept_at){ 100 + i, 1000000 + i });
	expect_taken("first");
}

/* What stands in the way, a failing disk, say, is told by who removes it. */
Test(lane, what_cannot_be_told_is_not_passed_over)
{
	put("a", 10);
	cr_assert(chmod(y.root, 0) == 0);
	(void)setfsuid(65534); /* not root, for file systems */
	expect_taken("a");
	(void)setfsuid(geteuid());
	cr_assert(chmod(y.root, 0700) == 0);
}

Test(lane, may_be_of_one_file_system)
{
	put("a", 10);
	lane.everywhere = false;
	lane.fsid = 99;
	expect_front(NULL);
}

Test(lane, what_lies_below_no_root_is_nobodys)
{
	put("a", 10);
	y.root_row.path = y.quarantine;
	expect_front(NULL);
}
