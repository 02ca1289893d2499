/* ends: see ends.h. */
#include "core/app/ends.h"

#include <stdint.h>
#include <unistd.h>

#include "core/app/backlog.h"
#include "core/app/disposing.h"
#include "core/app/outbox.h"
#include "core/app/pause.h"
#include "core/app/settle.h"
#include "core/app/sinks.h"
#include "core/app/state.h"
#include "core/app/unread.h"
#include "core/base/error.h"
#include "core/base/list.h"
#include "core/base/log.h"
#include "core/config/config.h"
#include "core/pool/pool.h"
#include "core/store/reader.h"
#include "core/store/store.h"
#include "watcher/watcher.h"

static void cancel_detectors(struct app *app)
{
	if (app->cancelled)
		return;
	app->cancelled = true;
	const uint64_t one = 1;
	ssize_t ignored = write(app->cancel_fd, &one, sizeof one); /* 1 always fits: eventfd(2) */
	(void)ignored;
}

void ends_stop(struct app *app)
{
	if (app->mode == APP_STOPPING) {
		cancel_detectors(app);
		return;
	}
	log_notice("stopping: running detectors have %lld ms",
		   (long long)app->config->stop_grace_ms);
	app->mode = APP_STOPPING;
	manager_stopping(app, app->config->stop_grace_ms);
	sinks_end(app);
	app->stop_deadline = mono_add_ms(mono_now(), app->config->stop_grace_ms);
	struct list abandoned;
	list_init(&abandoned);
	pool_stop(app->pool, &abandoned);
	for (struct list *link; (link = list_shift(&abandoned));) {
		struct job *job =
			LIST_OF(LIST_OF(link, struct pool_job, link), struct job, pool_job);
		job->result = JOB_CANCELLED;
		outbox_put(app->outbox, job);
	}
	settle_leave(app);
}

void ends_abandon(struct app *app)
{
	struct list abandoned;
	list_init(&abandoned);
	pool_stop(app->pool, &abandoned);
	while (list_shift(&abandoned))
		; /* the flight table's */
	cancel_detectors(app);
}

void ends_join(struct app *app)
{
	if (app->mode != APP_RUNNING)
		return;
	log_notice("joining: no new files are taken, what is queued is finished");
	(void)pause_end(app, "by the join");
	app->mode = APP_JOINING;
	app->backlog = true;
}

/* Everything that was given to the history is written, and what was written beside the jobs' own
 * rows was told of as well: a mark that a sidecar asks for has its line to come. */
static bool written(const struct app *app)
{
	return store_depth(app->store) == 0 && list_empty(&app->side_ops);
}

static bool stopped(struct app *app)
{
	if (mono_passed(app->stop_deadline))
		cancel_detectors(app);
	if (app->cancelled)
		app->stop_deadline.ns = 0; /* done with: no timer for it */
	size_t waiting;
	size_t running;
	pool_counts(app->pool, &waiting, &running);
	if (waiting + running > 0 || !outbox_is_empty(app->outbox))
		return false;
	/* what a worker gave to the store counts as running until its commit */
	/* a history that cannot be written within the grace is no reason to stay: a walk finds the
	 * files again */
	return written(app) || (app->cancelled && store_trouble(app->store, NULL));
}

/* Only files that somebody is still writing are left to the next start. */
static bool only_writers_wait(const struct app *app)
{
	const struct flight *flight = &app->flight;
	if (flight->counts[JOB_RUNNING] || flight->counts[JOB_SAVING] ||
	    flight->counts[JOB_LIMBO] || flight->counts[JOB_PARKED])
		return false;
	LIST_FOREACH(at, &flight->lists[JOB_WAITING]) {
		if (LIST_OF(at, struct job, state_link)->version->wait != WAIT_WRITER)
			return false;
	}
	return true;
}

static bool joined(struct app *app)
{
	if (disposing_busy(app))
		return false;
	if (app->backlog || !only_writers_wait(app) || !written(app))
		return false;
	/* those go on waiting in the history, to be told of and looked at by the next start */
	if (settle_put_off_all(app))
		return false;
	if (app->options.own_only) /* what others left queued is not waited for */
		return !backlog_has_own(app);
	struct store_totals totals = { 0 };
	struct error err = { 0 };
	if (store_totals(app->reader, &totals, &err) < 0) {
		unread_tell(app, &err);
		return true;
	}
	if (totals.waiting[WAIT_NOTHING] > 0)
		app->backlog = true;
	return totals.queued == totals.waiting[WAIT_WRITER];
}

/* The walk is through, and so is what it met on the move: a directory that was renamed meanwhile is
 * listed where it is. */
static bool once_is_in(struct app *app)
{
	if (!app->walked_all || app->walking || app->events_left)
		return false;
	if (!app->once_asked)
		app->once_ticket = watcher_ticket(app->watcher);
	app->once_asked = true;
	return watcher_passed(app->watcher, app->once_ticket);
}

bool ends_reached(struct app *app)
{
	if (app->options.once && app->mode == APP_RUNNING && once_is_in(app)) {
		app->mode = APP_JOINING;
		app->backlog = true;
	}
	switch (app->mode) {
	case APP_RUNNING:
		return false;
	case APP_JOINING:
		return joined(app);
	case APP_STOPPING:
		return stopped(app);
	}
	return false;
}

static void tell_job(void *context, struct job *job)
{
	const struct app *app = context;
	if (job->sidecar)
		return;
	job->version->state = VERSION_QUEUED;
	job->version->reason = REASON_NONE;
	app->options.left(app->options.context, job->version);
}

void ends_tell(struct app *app)
{
	if (app->options.cut_short)
		*app->options.cut_short = app->options.once && app->mode == APP_STOPPING;
	if (!app->options.left)
		return;
	flight_each(&app->flight, tell_job, app);
	backlog_tell(app);
}
