/* ages: how old something is, though somebody sets the clock. */
#include "core/dispose/ages.h"
#include "dispose_fixture.h"

#define S CLOCK_NS_PER_S

static struct yard y;
static struct ages *ages;
static struct error err;
static int64_t began_ns, offset_ns;

static void open_ages(void)
{
	cr_assert(ages_new(&ages, y.w.db, &err) == 0, "%s", err.text);
}

static void setup(void)
{
	yard_init(&y);
	world_open(&y.w);
	open_ages();
	began_ns = clock_wall_ns();
	offset_ns = 0;
}

static void teardown(void)
{
	ages_free(ages);
	yard_done(&y);
}

TestSuite(ages, .init = setup, .fini = teardown);

/* The wall clock is wrong by so many seconds now. */
static void set(int64_t offset_s)
{
	offset_ns = offset_s * S;
	ages_look(ages, clock_wall_ns() + offset_ns, mono_now());
}

/* What the clock, as it is now, said so many seconds ago. */
static int64_t ago(int64_t s)
{
	return began_ns + offset_ns - s * S;
}

/* To the second, as time goes on; 240 s for a slow machine. */
static void expect(int64_t then_ns, int64_t age_s)
{
	int64_t got_s = ages_ms(ages, then_ns) / 1000;
	cr_expect(got_s >= age_s && got_s < age_s + 240, "%lld, not %lld", (long long)got_s,
		  (long long)age_s);
}

Test(ages, set_forward_makes_nothing_older)
{
	int64_t before = ago(1000);
	expect(before, 1000);
	set(1000000);
	expect(before, 1000);
	expect(ago(0), 0);
	int64_t between = ago(0);
	set(3000000);
	expect(before, 1000);
	expect(between, 0);
}

Test(ages, set_forward_by_mistake_and_back_changes_nothing)
{
	int64_t before = ago(1000);
	set(1000000);
	set(400000);
	expect(before, 1000);
	set(0);
	expect(before, 1000);
	expect(began_ns - 5000 * S, 5000);
}

Test(ages, set_back_makes_younger_and_forward_again_as_old_as_before)
{
	int64_t before = ago(1000);
	set(-1000000);
	cr_expect_lt(ages_ms(ages, before), 0);
	int64_t meanwhile = ago(0);
	set(0);
	expect(before, 1000);
	expect(meanwhile, 0);
}

Test(ages, a_few_seconds_are_no_step_but_add_up)
{
	struct choice choice = { 0 };
	struct chooser chooser = ages_chooser(ages);
	set(9);
	expect(ago(1000), 991);
	set(18);
	expect(began_ns - 1000 * S, 1000);
	set(0);
	cr_assert(chooser.choose(chooser.context, &y.config, &choice, &err) == 0);
	store_removals_done(&choice.intents);
}

/* As the disposer does, until there is nothing to be noted. */
static unsigned note(void)
{
	const struct chooser chooser = ages_chooser(ages);
	unsigned count = 0;
	for (bool more = true; more;) {
		struct choice choice = { 0 };
		cr_assert(chooser.choose(chooser.context, &y.config, &choice, &err) == 0);
		struct store_op op = { .verb = STORE_INTEND, .removals = &choice.intents };
		list_init(&op.link);
		more = choice.more;
		if (!choice.intents.note_key)
			continue;
		store_submit(y.w.store, &op);
		world_wait(&y.w, 1);
		store_removals_done(&choice.intents);
		count++;
	}
	return count;
}

Test(ages, what_was_seen_of_it_outlives_the_daemon)
{
	int64_t before = began_ns - 1000000 * S;
	world_change(&y.w, "INSERT INTO meta VALUES ('retention_floor_1', 5)");
	/* it is right again when they look themselves */
	set(-500000);
	set(-200000);
	cr_expect_eq(note(), 2, "and what is found then");
	cr_expect_eq(note(), 0);
	int64_t age_ms = ages_ms(ages, before);
	ages_free(ages);
	open_ages();
	cr_expect_lt(llabs(ages_ms(ages, before) - age_ms), 240000);
	cr_expect_lt(age_ms, 1000000000);
	EXPECT_SQL(&y.w, "SELECT count(*) FROM meta WHERE key = 'retention_floor_1'", "1");
}

Test(ages, it_is_looked_at_once_an_hour_where_that_matters)
{
	const struct chooser chooser = ages_chooser(ages);
	cr_expect_eq(note(), 0);
	cr_expect_eq(chooser.next(chooser.context).ns, INT64_MAX);
	y.config.retention.age_ms = 5;
	cr_expect_eq(note(), 0);
	cr_expect_leq(mono_ms_until(chooser.next(chooser.context)), 3600000);
}
