/* ledger: what it says is committed when it says so, and it can be stopped while it waits. */
#include "core/dispose/ledger.h"
#include "store_fixture.h"

static struct world w;
static struct ledger ledger;
static int owner;

static void setup(void)
{
	world_dir(&w);
	world_open(&w);
	ledger_init(&ledger, w.store, &owner);
}

static void teardown(void)
{
	world_done(&w);
	ledger_done(&ledger);
}

TestSuite(ledger, .init = setup, .fini = teardown);

static void *serve(void *context)
{
	for (int *left = context; *left > 0; (*left)--) {
		struct list out;
		list_init(&out);
		struct pollfd ready = { .fd = store_fd(w.store), .events = POLLIN };
		cr_assert(poll(&ready, 1, 240000) == 1);
		store_committed(w.store, &out);
		struct list *link = list_shift(&out);
		cr_assert(link && LIST_OF(link, struct store_op, link)->owner == &owner);
		ledger_committed(&ledger);
	}
	return NULL;
}

static void say(int64_t version_id)
{
	struct removal removal = { .version_id = version_id, .intended_ns = 5 };
	removals_add(&ledger.batch.list, &removal);
}

Test(ledger, is_through_when_it_is_committed)
{
	int operations = 3;
	pthread_t thread;
	cr_assert(pthread_create(&thread, NULL, serve, &operations) == 0);
	say(7);
	cr_expect(ledger_write(&ledger, STORE_INTEND));
	EXPECT_SQL(&w, "SELECT id, version_id, state FROM removal", "1|7|intended");
	struct removal *removal = &ledger.batch.list.items[0];
	cr_expect(removal->id == 1);
	removal->state = REMOVAL_REMOVED;
	removal->ended_ns = 9;
	cr_expect(ledger_sync(&ledger) && ledger.batch.list.count == 1, "the batch stays");
	EXPECT_SQL(&w, "SELECT state FROM removal", "intended");
	cr_expect(ledger_write(&ledger, STORE_REMOVED));
	EXPECT_SQL(&w, "SELECT state FROM removal", "removed");
	ledger_clear(&ledger);
	cr_expect(ledger.batch.list.count == 0);
	pthread_join(thread, NULL);
}

Test(ledger, what_is_stopped_is_left_with_the_history)
{
	ledger_stop(&ledger);
	say(7);
	ledger.batch.note_key = xstrdup("floor");
	ledger.batch.note = 42;
	cr_expect(!ledger_write(&ledger, STORE_INTEND));
	world_close(&w);
	world_open(&w);
	EXPECT_SQL(&w, "SELECT value FROM meta WHERE key = 'floor'", "42");
	EXPECT_SQL(&w, "SELECT version_id, state FROM removal", "7|intended");
}
