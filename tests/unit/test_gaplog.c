/* gaplog: gaps have their beginning, their end and what was found; what a killed daemon left open
 * is closed. */
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

TestSuite(gaplog, .init = setup, .fini = teardown);

Test(gaplog, gaps_are_opened_and_closed_through_the_same_struct)
{
	struct store_gap gap = { .root = (char *)"/r", .cause = "overflow", .opened_ns = 5 };
	struct store_op op = { .verb = STORE_GAP_OPEN, .gap = &gap };
	list_init(&op.link);
	store_submit(w.store, &op);
	world_wait(&w, 1);
	cr_assert(gap.id > 0);
	EXPECT_SQL(&w, "SELECT root, cause, opened_ns, closed_ns, found FROM gap",
		   "/r|overflow|5||0");
	gap.closed_ns = 6;
	gap.found = 7;
	op.verb = STORE_GAP_CLOSE;
	store_submit(w.store, &op);
	world_wait(&w, 1);
	EXPECT_SQL(&w, "SELECT closed_ns, found FROM gap", "6|7");
	world_tally_is_right(&w);
}

Test(gaplog, what_was_left_open_is_closed_and_what_was_opened_since_stays)
{
	struct store_gap gap = { .root = (char *)"/r", .cause = "overflow", .opened_ns = 5 };
	struct store_op op = { .verb = STORE_GAP_OPEN, .gap = &gap };
	list_init(&op.link);
	store_submit(w.store, &op);
	world_wait(&w, 1);
	gap.opened_ns = 9;
	store_submit(w.store, &op);
	world_wait(&w, 1);
	struct store_gap old = { .opened_ns = 9, .closed_ns = 8 };
	op.verb = STORE_GAP_CLOSE_OLD;
	op.gap = &old;
	store_submit(w.store, &op);
	world_wait(&w, 1);
	EXPECT_SQL(&w, "SELECT group_concat(opened_ns || ':' || coalesce(closed_ns, '-')) FROM gap",
		   "5:8,9:-");
}
