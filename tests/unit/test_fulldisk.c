/* fulldisk: what goes because a disk is too full. That of the test is used by more than 1%, and by
 * less than 99%. */
#include "retention_fixture.h"
#include "used_disk.h"

static struct rounds r;

static void setup(void)
{
	need_used_disk("/tmp");
	rounds_init(&r);
	r.y.config.retention.disk_high_percent = 2;
	r.y.config.retention.disk_low_percent = 1;
	rounds_put(&r, "a", 1);
	rounds_put(&r, "b", 2);
	rounds_put_failed(&r, "c", 3);
}

static void teardown(void)
{
	rounds_done(&r);
}

TestSuite(fulldisk, .init = setup, .fini = teardown);

static void expect(const char *wanted)
{
	cr_assert(fulldisk_choose(&r.round) == 0, "%s", r.err.text);
	rounds_expect(&r, wanted);
}

Test(fulldisk, without_a_mark_nobody_looks)
{
	r.y.config.retention.disk_high_percent = 0;
	expect("");
	cr_expect_eq(r.retention.next.ns, INT64_MAX);
	cr_expect_eq(r.retention.report.percent, 0);
}

Test(fulldisk, below_the_mark_it_is_looked_at_now_and_then)
{
	r.y.config.retention.disk_high_percent = 101;
	r.y.config.retention.disk_low_percent = 100;
	expect("");
	cr_expect_neq(r.retention.next.ns, INT64_MAX);
	cr_expect(!r.retention.report.over && !r.retention.report.between);
	cr_expect_gt(r.retention.report.percent, 0);
}

Test(fulldisk, the_oldest_go_and_those_without_an_answer_last)
{
	expect("1disk 2disk");
	cr_expect(r.retention.report.over && r.retention.report.between);
	expect("");
	r.y.config.retention.unscanned = true;
	expect("3disk");
}

/* Those that are chosen first may turn out to give enough back. */
Test(fulldisk, those_without_an_answer_are_not_chosen_with_others)
{
	r.y.config.retention.unscanned = true;
	expect("1disk 2disk");
	expect("3disk");
}

Test(fulldisk, that_nothing_may_go_is_told_when_it_stays_so)
{
	expect("1disk 2disk");
	expect("");
	cr_expect(!r.retention.report.stuck);
	r.retention.stuck_since.ns -= INT64_C(3600) * CLOCK_NS_PER_S;
	expect("");
	cr_expect(r.retention.report.stuck);
	rounds_put(&r, "d", 4);
	lane_hear(&r.retention.on[0].lanes.done, (struct kept_at){ 4, 4 });
	expect("4disk");
	cr_expect(!r.retention.report.stuck);
	cr_expect_eq(r.retention.stuck_since.ns, 0);
}

Test(fulldisk, what_waits_is_asked_for_when_nothing_else_is_left)
{
	static char all[] = "*", *globs[] = { all, NULL };
	r.y.config.retention.shed = globs;
	rounds_put_queued(&r, "d", "", 4);
	expect("1disk 2disk");
	cr_expect_eq(r.shed.len, 0);
	r.refuses = true; /* the first walk is under way */
	expect("");
	cr_expect_eq(r.shed.len, 0);
	r.refuses = false;
	r.retention.on[0].shed_after.ns = 0;
	expect("");
	cr_expect_str_eq(str_text(&r.shed), "4");
	cr_expect(r.retention.report.sheds);
	cr_expect_eq(r.retention.on[0].shed_asked, 1);
	rounds_put_queued(&r, "e", "", 5);
	expect("");
	cr_expect_str_eq(str_text(&r.shed), "4", "what was asked for is waited for");
	fulldisk_hear_shed(&r.retention, r.retention.on[0].fsid + 1);
	expect("");
	cr_expect_str_eq(str_text(&r.shed), "4", "it was on another disk");
	fulldisk_hear_shed(&r.retention, r.retention.on[0].fsid);
	expect("");
	cr_expect_str_eq(str_text(&r.shed), "4 5");
}

/* What was found, or put there, counts. */
static void look_at_disks_no_more(void)
{
	r.retention.disks_looked = mono_now();
	r.retention.disks_due = mono_add_ms(mono_now(), 60000);
}

static void need_a_byte(void)
{
	look_at_disks_no_more();
	r.retention.disks.items[0].need_bytes = 1;
	r.retention.disks.items[0].need_files = 0;
}

Test(fulldisk, a_disk_that_needs_no_more_is_left_alone_for_a_while)
{
	expect("1disk 2disk");
	cr_expect_eq(r.retention.on[0].after.ns, 0, "it needs more");
	rounds_put(&r, "d", 4);
	lane_hear(&r.retention.on[0].lanes.done, (struct kept_at){ 4, 4 });
	need_a_byte();
	expect("4disk");
	cr_expect_gt(r.retention.on[0].after.ns, mono_now().ns - CLOCK_NS_PER_S);
	rounds_put(&r, "e", 5);
	lane_hear(&r.retention.on[0].lanes.done, (struct kept_at){ 5, 5 });
	r.retention.on[0].after = mono_add_ms(mono_now(), 60000);
	need_a_byte();
	expect("");
	cr_expect_leq(r.retention.next.ns, r.retention.on[0].after.ns);
	r.retention.on[0].after.ns = 0;
	expect("5disk");
}

/* All of it would be meant to go, and go once it can be written again. */
Test(fulldisk, nothing_is_chosen_where_nothing_can_be_removed)
{
	expect("1disk 2disk");
	rounds_put(&r, "d", 4);
	lane_hear(&r.retention.on[0].lanes.done, (struct kept_at){ 4, 4 });
	r.retention.disks.items[0].read_only = true;
	need_a_byte();
	expect("");
	cr_expect_neq(r.retention.stuck_since.ns, 0);
	r.retention.disks.items[0].read_only = false;
	expect("4disk");
}

/* On the other one, which is full as well, there is nothing of ours. */
Test(fulldisk, each_disk_has_its_turn_to_give_up_what_waits)
{
	static char all[] = "*", *globs[] = { all, NULL };
	r.y.config.retention.shed = globs;
	rounds_put_queued(&r, "d", "", 4);
	expect("1disk 2disk");
	struct disk *both = xcalloc(2, sizeof *both);
	both[0] = (struct disk){ .fsid = 1, .percent = 99, .over = true, .need_bytes = 4096 };
	both[1] = r.retention.disks.items[0];
	both[1].need_bytes = 1;
	disks_done(&r.retention.disks);
	r.retention.disks = (struct disks){ .items = both, .count = 2 };
	look_at_disks_no_more();
	expect("");
	cr_expect_str_eq(str_text(&r.shed), "4");
	cr_expect(r.retention.report.sheds);
}

Test(fulldisk, what_was_given_up_is_gone_before_more_is_asked_for)
{
	static char all[] = "*", *globs[] = { all, NULL };
	r.y.config.retention.shed = globs;
	rounds_put_queued(&r, "d", "", 4);
	rounds_put_queued(&r, "e", "", 5);
	expect("1disk 2disk");
	need_a_byte();
	expect("");
	cr_expect_str_eq(str_text(&r.shed), "4");
	fulldisk_hear_shed(&r.retention, r.retention.on[0].fsid);
	r.y.config.retention.disk_high_percent = 101; /* as if that had made room */
	r.y.config.retention.disk_low_percent = 100;
	expect("");
	cr_expect_str_eq(str_text(&r.shed), "4", "%s", str_text(&r.shed));
}

/* A file without bytes, which is done. */
static void put_empty(const char *name, int64_t n)
{
	yard_file(&r.y, name, "");
	struct version *version = yard_version(&r.y, name, OUTCOME_CLEAN);
	version->first_seen_ns = n;
	world_put(&r.y.w, version);
}

Test(fulldisk, a_file_without_bytes_goes_when_files_are_short)
{
	put_empty("d", 4);
	rounds_put(&r, "e", 5);
	expect("1disk 2disk 4disk 5disk");
}

Test(fulldisk, a_file_without_bytes_gains_nothing_where_bytes_are_short)
{
	r.y.config.retention.disk_high_percent =
		101; /* nothing goes, so that the disks are known */
	expect("");
	put_empty("d", 4);
	rounds_put(&r, "e", 5);
	r.retention.disks.items[0].over = true;
	look_at_disks_no_more();
	r.retention.disks.items[0].need_bytes = 1 << 30;
	r.retention.disks.items[0].need_files = 0;
	expect("1disk 2disk 5disk");
	/* it was passed over, and is not lost */
	r.retention.disks.items[0].need_files = 1;
	r.retention.on[0].after.ns = 0;
	cr_assert(unlink(yard_path(&r.y, "a")) == 0 && unlink(yard_path(&r.y, "b")) == 0);
	look_at_disks_no_more();
	r.retention.disks.items[0].need_bytes = 0;
	expect("4disk");
	cr_expect(!r.retention.on[0].passed);
}
