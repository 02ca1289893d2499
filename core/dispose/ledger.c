/* ledger: see ledger.h. */
#include "core/dispose/ledger.h"

#include "core/store/store.h"

void ledger_init(struct ledger *ledger, struct store *store, void *owner)
{
	*ledger = (struct ledger){ .store = store, .op.owner = owner };
	lock_init(&ledger->lock);
	lock_condition_init(&ledger->back);
}

/* The operation is filled in. */
static bool submit(struct ledger *ledger)
{
	list_init(&ledger->op.link);
	lock_take(&ledger->lock);
	ledger->submitted = true;
	lock_drop(&ledger->lock);
	store_submit(ledger->store, &ledger->op);
	lock_take(&ledger->lock);
	while (ledger->submitted && !ledger->stopping)
		lock_wait(&ledger->lock, &ledger->back);
	bool back = !ledger->submitted;
	lock_drop(&ledger->lock);
	return back;
}

bool ledger_write(struct ledger *ledger, enum store_verb verb)
{
	ledger->op = (struct store_op){ .verb = verb,
					.removals = &ledger->batch,
					.told = ledger->told.sink ? &ledger->told : NULL,
					.owner = ledger->op.owner };
	return submit(ledger);
}

bool ledger_sync(struct ledger *ledger)
{
	ledger->op = (struct store_op){ .verb = STORE_INTEND,
					.removals = &ledger->nothing,
					.owner = ledger->op.owner };
	return submit(ledger);
}

void ledger_clear(struct ledger *ledger)
{
	store_removals_done(&ledger->batch);
	ledger->told = (struct store_told){ 0 };
}

void ledger_committed(struct ledger *ledger)
{
	lock_take(&ledger->lock);
	ledger->submitted = false;
	(void)pthread_cond_signal(&ledger->back);
	lock_drop(&ledger->lock);
}

void ledger_stop(struct ledger *ledger)
{
	lock_take(&ledger->lock);
	ledger->stopping = true;
	(void)pthread_cond_signal(&ledger->back);
	lock_drop(&ledger->lock);
}

void ledger_done(struct ledger *ledger)
{
	ledger_clear(ledger);
	(void)pthread_cond_destroy(&ledger->back);
	lock_done(&ledger->lock);
}
