/*
 * shed: see shed.h.
 *
 * A row may have its job in memory: one that waits ends there. One that a worker holds in its hand
 * is taken out of it again, unless it has begun. Else the row ends in the history alone. It is one
 * row and one job in each case, since the loop alone gives jobs their rows.
 */
#include "core/app/shed.h"

#include "core/app/record.h"
#include "core/app/state.h"
#include "core/app/unread.h"
#include "core/base/error.h"
#include "core/base/lock.h"
#include "core/base/mem.h"
#include "core/pool/pool.h"
#include "core/store/reader.h"

#define NOTE "given up for want of room on its disk"

struct shed {
	struct lock lock;
	/* guarded by lock */
	int64_t *ids;
	size_t count;
};

struct shed *shed_new(void)
{
	struct shed *shed = xcalloc(1, sizeof *shed);
	lock_init(&shed->lock);
	return shed;
}

void shed_free(struct shed *shed)
{
	if (!shed)
		return;
	lock_done(&shed->lock);
	free(shed->ids);
	free(shed);
}

/* Bounded by the disposer: it asks again only when what it asked for is through, or in vain. */
void shed_ask(struct shed *shed, const int64_t *ids, size_t count)
{
	lock_take(&shed->lock);
	shed->ids = xrealloc(shed->ids, shed->count + count, sizeof *shed->ids);
	for (size_t i = 0; i < count; i++)
		shed->ids[shed->count++] = ids[i];
	lock_drop(&shed->lock);
}

static void give_up(struct app *app, struct job *job)
{
	job->version->id = job->row;
	record_unscanned(app, job, REASON_SHED, NOTE);
}

static void give_up_row(struct app *app, int64_t id)
{
	AUTO(version) struct version *version = NULL;
	struct error err = { 0 };
	if (record_is_ending(app, id))
		return;
	if (store_load(app->reader, id, &version, &err) < 0)
		unread_tell(app, &err);
	if (!version || version->state != VERSION_QUEUED || version->wait == WAIT_WRITER ||
	    flight_at(&app->flight, version->path, version->path_len))
		return; /* the job at its path is looking whether that is another file */
	record_end_row(app, TAKE(version), REASON_SHED, NOTE);
}

static bool is_wanted(struct pool_job *pool_job)
{
	return LIST_OF(pool_job, struct job, pool_job)->shed == SHED_WANTED;
}

/* Workers have these, most of them in the pool's queue. */
static void withdraw(struct app *app)
{
	struct list out;
	list_init(&out);
	(void)pool_withdraw(app->pool, is_wanted, &out);
	for (struct list *link; (link = list_shift(&out));)
		LIST_OF(LIST_OF(link, struct pool_job, link), struct job, pool_job)->shed =
			SHED_TAKEN;
}

static void want(struct app *app, int64_t id)
{
	struct job *job = flight_row_holder(&app->flight, id);
	if (job && job->state == JOB_RUNNING)
		job->shed = SHED_WANTED;
}

static void give_up_one(struct app *app, int64_t id)
{
	struct job *job = flight_row_holder(&app->flight, id);
	if (!job) {
		give_up_row(app, id);
		return;
	}
	bool taken = job->shed == SHED_TAKEN;
	job->shed = SHED_NOT; /* begun with meanwhile, perhaps: it goes on */
	switch (job->state) {
	case JOB_RUNNING:
		if (taken)
			give_up(app, job);
		return;
	case JOB_WAITING:
		if (job->version->wait != WAIT_WRITER)
			give_up(app, job);
		return;
	case JOB_SAVING:
	case JOB_PARKED:
	case JOB_LIMBO:
	case JOB_STATES:
		return;
	}
}

/* In the order in which they were asked for. */
void shed_tick(struct app *app, struct shed *shed)
{
	lock_take(&shed->lock);
	AUTO_FREE int64_t *ids = TAKE(shed->ids);
	size_t count = shed->count;
	shed->count = 0;
	lock_drop(&shed->lock);
	if (count == 0 || app->mode == APP_STOPPING)
		return;
	for (size_t i = 0; i < count; i++)
		want(app, ids[i]);
	withdraw(app);
	for (size_t i = 0; i < count; i++)
		give_up_one(app, ids[i]);
}
