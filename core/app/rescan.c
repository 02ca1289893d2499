/*
 * rescan: see rescan.h.
 *
 * Low priority: versions are fetched only when the first walk is through, no queued row is due, and
 * workers are idle; and one worker is left idle for the file that may come in the next moment. So
 * new files wait for a rescan at most where there is only one worker, and then for one. Rescans end
 * with the run: they are left where they are by a join, by --once and at a stop.
 *
 * A rescan never waits in memory. One whose path or inode another job is at stays in the queue
 * until that job is through; the watcher's news about its path are noted as for any job that is
 * away.
 */
#include "core/app/rescan.h"

#include <sys/stat.h>

#include <string.h>

#include "core/app/announce.h"
#include "core/app/decide.h"
#include "core/app/intake.h"
#include "core/app/pause.h"
#include "core/app/record.h"
#include "core/app/roots.h"
#include "core/app/state.h"
#include "core/app/unread.h"
#include "core/base/error.h"
#include "core/base/log.h"
#include "core/config/config.h"
#include "core/pool/pool.h"
#include "core/store/reader.h"
#include "core/store/rescan.h"
#include "core/store/store.h"

void rescan_begin(struct app *app)
{
	app->rescans = (struct rescans){ .due = true, .next_due_ns = INT64_MAX };
}

void rescan_note(struct app *app)
{
	app->rescans.due = true;
	app->rescans.paused_until_ns = 0;
}

/* How many more workers may be given a rescan. */
static size_t room(const struct app *app)
{
	size_t workers = pool_workers(app->pool);
	size_t most = workers > 1 ? workers - 1 : 1;
	size_t busy = app_with_workers(app);
	return busy < most ? most - busy : 0;
}

static bool may_run(const struct app *app)
{
	return app->mode == APP_RUNNING && !app->options.once && app->walked_all && !app->backlog &&
	       !pause_is_on(app) && store_depth(app->store) < APP_STORE_MAX;
}

struct fetch {
	struct app *app;
	size_t room;
	bool left; /* some that are due stay for a later turn */
};

/* Takes version and rescan. */
static struct job *job_new(struct app *app, struct version *version, struct store_rescan *rescan)
{
	struct job *job = flight_add(&app->flight, app, version->path, version->path_len);
	version_free(job->version);
	job->version = version; /* of the same path, by which the table knows it */
	job->rescan = rescan;
	job->root = roots_of_path(app->roots, version->path, version->path_len);
	job->hint = HINT_QUEUED;
	job->told = TOLD_WHOLE; /* it was when it was scanned */
	job->prior_has_sha256 = version->has_sha256;
	memcpy(job->prior_sha256, version->sha256, sizeof job->prior_sha256);
	version->checked_ns = clock_wall_ns();
	/* attempts are counted, and a detector that is away is waited for, since it was asked for
	 */
	version->tries = rescan->tries;
	version->away_since_ns = rescan->away_since_ns;
	return job;
}

/* Whether the file is with another job, at this path or at another. */
static bool is_in_flight(struct app *app, const struct version *version, struct identity *seen)
{
	*seen = (struct identity){ 0 };
	if (flight_at(&app->flight, version->path, version->path_len))
		return true;
	struct statx st;
	uint32_t root = roots_of_path(app->roots, version->path, version->path_len);
	if (roots_stat(app->roots, root, version->path, &st) < 0)
		return false; /* the worker will find out */
	*seen = identity_of(&st, version->identity.fsid);
	return flight_same_file(&app->flight, seen, NULL) != NULL;
}

static bool take_one(void *context, struct version *version_, struct store_rescan *rescan_)
{
	AUTO(version) struct version *version = version_;
	AUTO(store_rescan) struct store_rescan *rescan = rescan_;
	struct fetch *fetch = context;
	struct app *app = fetch->app;
	struct identity seen;
	if (fetch->room == 0) {
		fetch->left = true;
		return false;
	}
	if (is_in_flight(app, version, &seen)) {
		fetch->left = true;
		return true;
	}
	struct job *job = job_new(app, TAKE(version), TAKE(rescan));
	if (seen.inode)
		flight_set_seen(&app->flight, job, &seen);
	int result = decide_hand_out(app, job);
	app->rescans.running++;
	fetch->room--;
	if (result > 0)
		rescan_given_up(app, job);
	return true;
}

static void find_next_due(struct app *app, int64_t now)
{
	struct error err = { 0 };
	if (store_next_rescan(app->reader, now, &app->rescans.next_due_ns, &err) < 0)
		unread_tell(app, &err);
}

void rescan_refill(struct app *app)
{
	struct rescans *rescans = &app->rescans;
	int64_t now = clock_steady_ns();
	if (rescans->next_due_ns <= now) {
		rescans->next_due_ns = INT64_MAX;
		rescans->due = true;
	}
	if (rescans->due && now < rescans->paused_until_ns) {
		rescans->due = false;
		rescans->next_due_ns = rescans->paused_until_ns;
	}
	struct fetch fetch = { .app = app, .room = room(app) };
	if (!rescans->due || fetch.room == 0 || !may_run(app))
		return;
	struct error err = { 0 };
	if (store_rescans(app->reader, now, take_one, &fetch, &err) < 0) {
		unread_tell(app, &err);
		rescans->due = false;
		rescans->next_due_ns = now + CLOCK_NS_PER_S;
		return;
	}
	rescans->due = fetch.left;
	if (!rescans->due)
		find_next_due(app, now);
}

static void count_end(struct rescans *rescans, enum rescan_end end)
{
	switch (end) {
	case RESCAN_GONE:
		rescans->gone++;
		return;
	case RESCAN_REPLACED:
		rescans->replaced++;
		return;
	case RESCAN_FAILED:
		rescans->failed++;
		return;
	case RESCAN_ANSWERED:
	case RESCAN_WAITING:
	case RESCAN_ENDS:
		return;
	}
}

/* 500 ms, 1 s, ... 32 s: ten thousand versions must not be opened one after the other while clamd
 * is down. */
static void hold_on(struct rescans *rescans)
{
	int64_t ms = INT64_C(500) << (rescans->away < 6 ? rescans->away : 6);
	rescans->paused_until_ns = clock_steady_ns() + ms * CLOCK_NS_PER_MS;
	rescans->away++;
}

void rescan_recorded(struct app *app, const struct job *job, const struct store_op *op)
{
	const struct store_rescan *rescan = job->rescan;
	const struct version *version = job->version;
	struct rescans *rescans = &app->rescans;
	rescans->running--;
	if (op->result != STORE_WRITTEN)
		return; /* refused, or pruned meanwhile */
	count_end(rescans, rescan->end);
	if (rescan->end == RESCAN_WAITING && rescan->due_ns < rescans->next_due_ns)
		rescans->next_due_ns = rescan->due_ns;
	/* one that got answers of others was worth its look, though it waits on */
	if (version->finding_count > 0)
		rescans->away = 0;
	else if (rescan->end == RESCAN_WAITING && rescan->away_since_ns)
		hold_on(rescans);
	if (rescan->end > RESCAN_WAITING)
		log_info("cannot be looked at again path=%s reason=%s%s%s", version->path,
			 rescan_end_name(rescan->end), rescan->note ? " note=" : "",
			 rescan->note ? rescan->note : "");
	if (version->finding_count == 0)
		return;
	rescans->answered++;
	rescans->changed += rescan->was != version->verdict;
	announce_rescan(app, version, rescan->was);
}

bool rescan_was_refused(struct app *app, struct job *job)
{
	struct version *version = job->version;
	if (!job->rescan || job->op.result != STORE_REFUSED || version->finding_count == 0)
		return false;
	for (size_t i = 0; i < version->finding_count; i++)
		finding_done(&version->findings[i]);
	version->finding_count = 0;
	job->rescan->end = RESCAN_FAILED;
	free(job->rescan->note);
	job->rescan->note = xstrdup("the history refused its answers");
	store_submit(app->store, &job->op);
	return true;
}

void rescan_given_up(struct app *app, struct job *job)
{
	app->rescans.running--;
	app->rescans.due = true;
	record_let_wait(app, job);
}
