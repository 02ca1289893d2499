/* settle: see settle.h. */
#include "core/app/settle.h"

#include <sys/stat.h>

#include <assert.h>
#include <stdlib.h>

#include "core/app/intake.h"
#include "core/app/outbox.h"
#include "core/app/pause.h"
#include "core/app/record.h"
#include "core/app/rescan.h"
#include "core/app/roots.h"
#include "core/app/sidecar.h"
#include "core/app/state.h"
#include "core/app/want.h"
#include "core/app/writers.h"
#include "core/base/error.h"
#include "core/base/log.h"
#include "core/config/config.h"
#include "watcher/watcher.h"

/* Until what limbo has no room for is looked at again. */
#define CROWDED_OUT_MS 5000

/* 100 ms, 200 ms, ... up to the rescan interval. */
static void wait_longer(struct app *app, struct job *job, enum version_wait why)
{
	int64_t pause = APP_CREATED_MS << (job->waits < 10 ? job->waits : 10);
	if (pause > app->config->rescan_interval_ms)
		pause = app->config->rescan_interval_ms;
	job->waits++;
	job->version->wait = why;
	job->told = TOLD_NOTHING;
	flight_wait(&app->flight, job, mono_add_ms(mono_now(), pause));
}

/* How long nothing was written, ms. Every write sets the change time to now, and nobody can set
 * that; mtime is what somebody set it to, and is asked only where there is nothing else. Negative:
 * the clock was set back. */
static int64_t rested_for_ms(const struct identity *identity)
{
	int64_t last = identity->ctime_ns ? identity->ctime_ns : identity->mtime_ns;
	return (clock_wall_ns() - last) / CLOCK_NS_PER_MS;
}

/* Leases do not work here: the file must rest for the settling time. */
static void wait_to_settle(struct app *app, struct job *job)
{
	int64_t settle_ms = roots_settle_ms(app->roots, job->root);
	int64_t rested_ms = rested_for_ms(&job->version->identity);
	bool unchanged = identity_same_version(&job->version->identity, &job->seen);
	if (unchanged && (rested_ms >= settle_ms || rested_ms < 0)) {
		/* a time in the future tells nothing; then being unchanged since our last look
		 * must do */
		if (rested_ms >= settle_ms || job->waits > 0) {
			job->told = TOLD_WHOLE;
			/* that it rested tells nothing of what was written before a walk met it */
			if (job->hint != HINT_WALKED && job->hint != HINT_QUEUED)
				job->hint = HINT_COMPLETE;
			intake_consider(app, job, NULL);
			return;
		}
	}
	job->waits++;
	job->version->wait = WAIT_SETTLE;
	int64_t pause = unchanged && rested_ms >= 0 ? settle_ms - rested_ms + 1 : settle_ms;
	flight_wait(&app->flight, job, mono_add_ms(mono_now(), pause));
}

/* Somebody changed it under the worker: looked at again soon, less and less soon. */
static void look_again_later(struct app *app, struct job *job)
{
	int64_t pause = job->waits ? APP_CREATED_MS << (job->waits < 8 ? job->waits : 8) : 1;
	if (pause > app->config->rescan_interval_ms)
		pause = app->config->rescan_interval_ms;
	job->waits++;
	flight_wait(&app->flight, job, mono_add_ms(mono_now(), pause));
}

static bool is_drained(struct app *app, const struct job *job)
{
	return app->mode != APP_RUNNING ||
	       (!app->walking && watcher_passed(app->watcher, job->ticket));
}

/* A directory above may be a link for a moment only, and be back before the watcher has seen that
 * it was gone: nobody would tell of the file again. So it counts as long as events are on their
 * way. */
static void look_past_link(struct app *app, struct job *job)
{
	if (!job->linked || !is_drained(app, job)) {
		if (!job->linked)
			job->ticket = watcher_ticket(app->watcher);
		job->linked = true;
		flight_wait(&app->flight, job, mono_add_ms(mono_now(), APP_LIMBO_MS));
		return;
	}
	/* what was stat'ed lies elsewhere, at the link's end: nothing is told of it */
	struct identity *identity = &job->version->identity;
	*identity = (struct identity){ .fsid = identity->fsid,
				       .mtime_ns = job->version->first_seen_ns };
	record_unscanned(app, job, REASON_UNREADABLE,
			 "a symbolic link is in the way; nothing below a root is followed");
}

static void handle_result(struct app *app, struct job *job)
{
	switch (job->result) {
	case JOB_GONE:
		roots_invalidate(app->roots, job->root);
		intake_gone(app, job);
		return;
	case JOB_LINKED:
		look_past_link(app, job);
		return;
	case JOB_WRITER:
		wait_longer(app, job, WAIT_WRITER);
		return;
	case JOB_UNSETTLED:
		wait_to_settle(app, job);
		return;
	case JOB_CHANGED:
		look_again_later(app, job);
		if (job->waits > 3) /* whoever changes it so often has it open, now and then */
			job->version->wait = WAIT_WRITER;
		return;
	case JOB_LATER:
		if (job->result_errno)
			want_tell(app, job->version->path, job->result_errno);
		look_again_later(app, job);
		return;
	case JOB_SIDECAR:
		sidecar_came(app, job);
		return;
	case JOB_CANCELLED:
		if (job->recorded || job->prior_stands)
			record_let_wait(app, job);
		else
			record_spill(app, job);
		return;
	case JOB_HELD:
		pause_take_back(app, job);
		return;
	}
}

static void take_back(struct app *app, struct job *job)
{
	assert(job->state == JOB_RUNNING);
	if (job->rescan) {
		rescan_given_up(app, job);
		return;
	}
	/* it may have its row by now, so that nobody looks out for it any more */
	if (app->next_interim.ns == 0)
		app->next_interim = mono_add_ms(mono_now(), APP_INTERIM_MS);
	writers_heard(app, job);
	bool again = job->again;
	job->again = false;
	if (again && job->result != JOB_CANCELLED) {
		/* an event came while the worker was at it, so whatever it found is old */
		if (job->again_told) {
			job->hint = HINT_COMPLETE;
			job->told = job->again_told;
		}
		job->again_told = TOLD_NOTHING;
		flight_wait(&app->flight, job, mono_now());
		return;
	}
	handle_result(app, job);
}

static void take_results(struct app *app)
{
	struct list jobs;
	list_init(&jobs);
	outbox_take(app->outbox, &jobs);
	for (struct list *link; (link = list_shift(&jobs));) {
		take_back(app, LIST_OF(link, struct job, result_link));
	}
}

static void wake_waiting(struct app *app)
{
	if (app->mode == APP_STOPPING)
		return;
	struct mono now = mono_now();
	for (struct job *job; (job = flight_first(&app->flight, JOB_WAITING));) {
		if (job->due.ns > now.ns)
			return;
		intake_consider(app, job, NULL);
	}
}

/* No room for it in limbo: the events that may say where it went are read only while there is room
 * for them. Where the history can hold it, it comes back later. */
static void crowd_out(struct app *app, struct job *job)
{
	if (!job->in_inode_table || job->prior_stands) {
		intake_vanished(app, job);
	} else if (!flight_row_is_known(app->interims_committed, job)) {
		flight_move(&app->flight, job, JOB_LIMBO); /* to the end; soon it is */
	} else {
		job->due = mono_add_ms(mono_now(), CROWDED_OUT_MS);
		record_put_off(app, job);
	}
}

static void resolve_one(struct app *app, struct job *job, bool drained)
{
	struct statx st;
	int result = roots_stat(app->roots, job->root, job->version->path, &st);
	if (result == 0)
		intake_consider(app, job, &st);
	else if (error_is_ours(-result))
		intake_want(app, job, -result);
	else if (drained)
		intake_vanished(app, job);
	else
		crowd_out(app, job);
}

/* To be called before anything of this turn comes here: the loop has just heard of every mount
 * there was, so what was not found before that was not covered by one that has come and gone
 * unseen.
 *
 * The first has waited longest: where its ticket has not passed, no other's has. Whatever makes its
 * path lead somewhere again is told by an event, or by a walk. */
static void resolve_limbo(struct app *app)
{
	size_t count = app->flight.counts[JOB_LIMBO];
	struct job *job;
	while (count-- > 0 && (job = flight_first(&app->flight, JOB_LIMBO))) {
		bool drained = is_drained(app, job);
		if (!drained && app->flight.counts[JOB_LIMBO] <= APP_LIMBO_MAX)
			return;
		resolve_one(app, job, drained);
	}
}

static bool is_slow(const struct job *job, struct mono now)
{
	return job->in_inode_table && now.ns - job->admitted.ns >= APP_INTERIM_MS * CLOCK_NS_PER_MS;
}

static bool row_is_known(const struct app *app, const struct job *job)
{
	return flight_row_is_known(app->interims_committed, job);
}

/* A doubt about a row that stands has no row of its own to wait in; a writer's close renews it. */
static bool has_waited_long(const struct app *app, const struct job *job)
{
	return is_slow(job, mono_now()) && row_is_known(app, job) &&
	       (!job->prior_stands || job->version->wait == WAIT_WRITER);
}

static bool has_no_row(const struct app *app, const struct job *job)
{
	(void)app;
	return !job->recorded && !job->prior_stands && job->in_inode_table;
}

/* Waiting jobs go on waiting in the history; true when there are others. */
static bool put_off(struct app *app, bool (*which)(const struct app *, const struct job *))
{
	struct list *head = &app->flight.lists[JOB_WAITING];
	bool left = false;
	for (struct list *at = head->next, *next; at != head; at = next) {
		next = at->next;
		struct job *job = LIST_OF(at, struct job, state_link);
		if (which(app, job))
			record_put_off(app, job);
		else
			left = true;
	}
	return left;
}

/* Gives rows to jobs that are with workers for long; true when younger ones are left. */
static bool record_slow(struct app *app)
{
	struct mono now = mono_now();
	bool left = false;
	LIST_FOREACH(at, &app->flight.lists[JOB_RUNNING]) {
		struct job *job = LIST_OF(at, struct job, state_link);
		/* what is on its way to the history needs no second row */
		if (job->recorded || job->prior_stands || job->rescan ||
		    atomic_load(&job->submitted))
			continue;
		if (is_slow(job, now))
			record_interim(app, job);
		else
			left = true;
	}
	return left;
}

void settle_leave(struct app *app)
{
	(void)put_off(app, has_no_row);
}

bool settle_put_off_all(struct app *app)
{
	bool any = app->flight.counts[JOB_WAITING] > 0;
	(void)put_off(app, row_is_known);
	return any;
}

void settle_tick(struct app *app)
{
	resolve_limbo(app);
	take_results(app);
	wake_waiting(app);
	struct mono now = mono_now();
	if (app->next_interim.ns == 0 || now.ns < app->next_interim.ns)
		return;
	app->next_interim.ns = 0;
	if (app->mode == APP_STOPPING)
		return;
	bool left = record_slow(app);
	/* a thousand files that are held open must not take the place of others */
	left = put_off(app, has_waited_long) || left;
	if (left)
		app->next_interim = mono_add_ms(now, APP_INTERIM_MS);
}

struct mono settle_next(const struct app *app)
{
	struct mono next = { .ns = INT64_MAX };
	const struct job *waiting = flight_first(&app->flight, JOB_WAITING);
	if (waiting && app->mode != APP_STOPPING)
		next = waiting->due;
	if (app->flight.counts[JOB_LIMBO] > 0) {
		struct mono soon = mono_add_ms(mono_now(), APP_LIMBO_MS);
		next = soon.ns < next.ns ? soon : next;
	}
	if (app->next_interim.ns && app->next_interim.ns < next.ns)
		next = app->next_interim;
	return next;
}
