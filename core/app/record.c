/* record: see record.h. */
#include "core/app/record.h"

#include <sys/stat.h>

#include <assert.h>
#include <stdlib.h>

#include "core/app/announce.h"
#include "core/app/backlog.h"
#include "core/app/decide.h"
#include "core/app/disposing.h"
#include "core/app/forget.h"
#include "core/app/gaps.h"
#include "core/app/intake.h"
#include "core/app/pace.h"
#include "core/app/rescan.h"
#include "core/app/roots.h"
#include "core/app/rules.h"
#include "core/app/samefile.h"
#include "core/app/sidecar.h"
#include "core/app/sinks.h"
#include "core/app/state.h"
#include "core/app/twins.h"
#include "core/app/unread.h"
#include "core/app/writers.h"
#include "core/base/error.h"
#include "core/base/log.h"
#include "core/config/config.h"
#include "core/store/reader.h"

/* An operation of the loop's own, beside any job. */
struct side_op {
	struct store_op op;
	struct version *version; /* owned */
	uint64_t interim;	 /* ordinal of a row of record_interim(), 0: another operation */
	int64_t ends; /* the queued row that it gives its end, which is to be announced; 0: none */
	struct list link;	       /* in app->side_ops */
	uint64_t number;	       /* of those that were sent */
	struct table_link ending_link; /* in app->ending, when it ends a row */
};

static void submit_job(struct app *app, struct job *job, enum store_verb verb)
{
	job->op.verb = verb;
	job->op.version = job->version;
	job->op.owner = job;
	flight_move(&app->flight, job, JOB_SAVING);
	store_submit(app->store, &job->op);
}

/* Takes version; to be given to the store by its caller. */
static struct side_op *side_new(struct app *app, struct version *version, enum store_verb verb)
{
	struct side_op *side = xcalloc(1, sizeof *side);
	side->version = version;
	list_init(&side->op.link);
	side->op.verb = verb;
	side->op.version = side->version;
	list_append(&app->side_ops, &side->link);
	side->number = ++app->side_ops_sent;
	return side;
}

/* Takes version. */
static void submit_side(struct app *app, struct version *version, enum store_verb verb)
{
	store_submit(app->store, &side_new(app, version, verb)->op);
}

static uint64_t ending_hash(int64_t row)
{
	return table_hash(&row, sizeof row);
}

static void side_free(struct app *app, struct side_op *side)
{
	if (side->ends)
		table_remove(&app->ending, &side->ending_link);
	list_unlink(&side->link);
	version_free(side->version);
	free(side);
}

void record_done(struct app *app)
{
	while (!list_empty(&app->side_ops))
		side_free(app, LIST_OF(app->side_ops.next, struct side_op, link));
	table_done(&app->ending);
}

static void end_unscanned(struct version *version, enum version_reason reason, const char *note)
{
	version->state = VERSION_UNSCANNED;
	version->reason = reason;
	version->finished_ns = clock_wall_ns();
	version->wait = WAIT_NOTHING;
	version->due_ns = 0;
	free(version->note);
	version->note = xstrdup(note);
}

void record_unscanned(struct app *app, struct job *job, enum version_reason reason,
		      const char *note)
{
	end_unscanned(job->version, reason, note);
	submit_job(app, job, STORE_SAVE);
}

void record_spill(struct app *app, struct job *job)
{
	struct version *version = job->version;
	version->has_sha256 = false; /* as in scan.c, forget_look() */
	version->state = VERSION_QUEUED;
	version->reason = REASON_NONE;
	version->due_ns = 0;
	submit_job(app, job, STORE_SAVE);
}

void record_requeue(struct app *app, struct job *job)
{
	struct version *version = job->version;
	version->state = VERSION_QUEUED;
	version->reason = REASON_NONE;
	version->tries = 0;
	version->away_since_ns = 0;
	app->counters.retries++;
	submit_side(app, version_clone(version), STORE_REQUEUE);
	job->recorded = true;
	decide_dispatch(
		app,
		job); /* operations run in order, so the row is queued when the outcome comes */
}

void record_refresh(struct app *app, struct job *job, int64_t id, int64_t checked_ns)
{
	job->version->id = id;
	job->version->checked_ns = checked_ns;
	submit_job(app, job, STORE_REFRESH);
}

void record_doubt(struct app *app, const struct version *version, int64_t id)
{
	struct version *row = version_clone(version);
	row->id = id;
	row->checked_ns = version->identity.ctime_ns - 1;
	submit_side(app, row, STORE_REFRESH);
}

void record_mark(struct app *app, struct version *version)
{
	submit_side(app, version, STORE_MARK);
}

void record_end_row(struct app *app, struct version *version, enum version_reason reason,
		    const char *note)
{
	end_unscanned(version, reason, note);
	int64_t row = version->id; /* the writer's from now on */
	struct side_op *side = side_new(app, version, STORE_SAVE);
	side->ends = row;
	table_insert(&app->ending, &side->ending_link, ending_hash(row));
	store_submit(app->store, &side->op);
}

/* A queued row with outcomes, whose content was replaced before all of them were there, or whose
 * file went on elsewhere: it keeps them, and says so. False: it has none. */
static bool end_if_tried(struct app *app, int64_t row)
{
	if (record_is_ending(app, row))
		return true;
	AUTO(version) struct version *version = NULL;
	struct error err = { 0 };
	if (store_load(app->reader, row, &version, &err) < 0)
		unread_tell(app, &err);
	if (!version || version->attempt == 0 || version->state != VERSION_QUEUED)
		return false;
	record_end_row(app, TAKE(version), REASON_VANISHED,
		       "it went, or was replaced, between two attempts");
	return true;
}

bool record_is_ending(const struct app *app, int64_t row)
{
	struct table_link *link = table_first(&app->ending, ending_hash(row));
	for (; link; link = table_next(link)) {
		if (TABLE_OF(link, struct side_op, ending_link)->ends == row)
			return true;
	}
	return false;
}

void record_forget(struct app *app, struct job *job)
{
	if (end_if_tried(app, job->version->id))
		record_let_wait(app, job);
	else
		submit_job(app, job, STORE_FORGET);
}

void record_forget_row(struct app *app, const struct version *version, int64_t row)
{
	if (end_if_tried(app, row))
		return;
	struct version *left = version_clone(version);
	left->id = row;
	submit_side(app, left, STORE_FORGET);
}

/* Tells whoever asked for this path what the history has of it. */
static void tell_known(struct app *app, int64_t id)
{
	if (!app->options.recorded)
		return;
	AUTO(version) struct version *known = NULL;
	struct error err = { 0 };
	if (store_load(app->reader, id, &known, &err) < 0)
		unread_tell(app, &err);
	else if (known)
		app->options.recorded(app->options.context, known, false);
}

void record_known(struct app *app, struct job *job, int64_t id)
{
	tell_known(app, id);
	record_let_wait(app, job);
}

void record_let_wait(struct app *app, struct job *job)
{
	record_release_parked(app, job);
	flight_drop(&app->flight, job);
}

void record_interim(struct app *app, struct job *job)
{
	assert(!job->recorded);
	job->recorded = true;
	struct version *version = job->version;
	/* a worker may be changing the version: the copy is made of what the loop knows */
	struct version *copy = version_new(version->path, version->path_len);
	copy->first_seen_ns = job->version->first_seen_ns;
	copy->identity = job->seen;
	copy->state = VERSION_QUEUED;
	copy->verdict = OUTCOMES;
	if (!job_is_whole(job))
		copy->wait = WAIT_SETTLE;
	intake_name(app, job->root, copy);
	job->interim = ++app->interims_sent;
	/* never over a row that is there: the worker may have just given the store an attempt,
	 * whose number would be taken back, and its outcomes recorded once more */
	struct side_op *side = side_new(app, copy, STORE_ADD);
	side->interim = job->interim;
	store_submit(app->store, &side->op);
}

void record_put_off(struct app *app, struct job *job)
{
	struct version *version = job->version;
	version->state = VERSION_QUEUED;
	version->reason = REASON_NONE;
	int64_t pause_ms = mono_ms_until(job->due);
	if (version->wait != WAIT_WRITER)
		version->wait = WAIT_SETTLE;
	/* a writer's close comes first, mostly; and settling must not depend on a clock that may be
	 * set, nor on a time that may be configured anew */
	if (version->wait == WAIT_WRITER || pause_ms > app->config->rescan_interval_ms)
		pause_ms = app->config->rescan_interval_ms;
	version->due_ns = clock_steady_ns() + pause_ms * CLOCK_NS_PER_MS;
	if (job->row)
		version->id = job->row;
	submit_job(app, job, STORE_SAVE);
}

void record_release_parked(struct app *app, struct job *job)
{
	struct list parked;
	list_init(&parked);
	list_splice(&parked, &job->parked);
	for (struct list *link; (link = list_shift(&parked));) {
		struct job *next = LIST_OF(link, struct job, state_link);
		/* out of the list of its state already: a wait puts it where it can be considered
		 */
		flight_wait(&app->flight, next, mono_now());
	}
}

static void count(struct app *app, const struct version *version)
{
	if (version->state == VERSION_DONE && version->verdict < OUTCOMES)
		app->counters.done[version->verdict]++;
	else if (version->state == VERSION_UNSCANNED)
		app->counters.unscanned[version->reason]++;
}

/* The version has got its end. */
static void tell_end(struct app *app, const struct version *version)
{
	count(app, version);
	pace_ended(app->pace, version, mono_now());
	announce(app, version);
	if (app->options.recorded)
		app->options.recorded(app->options.context, version, true);
}

static void told(struct app *app, struct job *job, const struct store_op *op)
{
	const struct version *version = job->version;
	if (op->verb == STORE_REFRESH)
		app->counters.refreshed++;
	if (op->result == STORE_REFUSED)
		log_error(
			"the history refused a row, the file is looked at again at the next walk path=%s",
			version->path);
	if (op->result == STORE_WRITTEN) {
		rules_heard(app, version);
		pace_answered(app->pace, version, mono_now());
	}
	if (op->verb == STORE_RESCAN)
		rescan_recorded(app, job, op);
	if (op->verb != STORE_SAVE || op->result == STORE_REFUSED)
		return;
	if ((job->prior_id || job->written) && job->links > 1 && version->state != VERSION_QUEUED &&
	    op->result == STORE_WRITTEN)
		samefile_tell_others(app, job);
	if (version->state == VERSION_QUEUED)
		backlog_note(app, version->due_ns);
	if (version->state != VERSION_QUEUED && op->result == STORE_WRITTEN)
		tell_end(app, version);
}

/* The job got a row while it waited, and then another row stood for what it found: the file had
 * changed in between, or was known. The first one is not left queued. */
static void leave_row(struct app *app, struct job *job)
{
	const struct version *version = job->version;
	if (!job->row || job->row == version->id)
		return;
	record_forget_row(app, version, job->row);
	/* it may have held the very key that the known row was to get */
	if (job->op.verb == STORE_REFRESH && job->op.result == STORE_KNOWN)
		submit_side(app, version_clone(version), STORE_REFRESH);
}

/* The interim row of a job is in the history: from now on the job goes on with it. */
static void interim_committed(struct app *app, const struct side_op *side)
{
	const struct version *version = side->version;
	app->interims_committed = side->interim;
	struct job *job = flight_at(&app->flight, version->path, version->path_len);
	if (job && job->interim == side->interim && !flight_row_holder(&app->flight, version->id))
		(void)flight_claim_row(&app->flight, job, version->id);
	else if (job && job->interim == side->interim)
		job->recorded = false; /* the file was met elsewhere, and its row taken there */
	else
		app->backlog =
			true; /* its job has gone on without it: the row is judged for itself */
}

static bool could_not_be_looked_at(const struct version *version)
{
	return version->state == VERSION_UNSCANNED &&
	       (version->reason == REASON_UNREADABLE || version->reason == REASON_VANISHED);
}

static bool has_changed(struct app *app, const struct job *job)
{
	struct statx st;
	if (roots_stat(app->roots, job->root, job->version->path, &st) < 0)
		return false; /* gone after its answer */
	struct identity now = identity_of(&st, job->seen.fsid);
	return !identity_same_version(&now, &job->version->identity);
}

/* Did something happen at the path while the job was away that its row does not tell? */
static bool is_to_be_seen_again(struct app *app, const struct job *job, enum job_hint *hint)
{
	if (job->again) {
		*hint = job->again_told ? HINT_COMPLETE : HINT_WALKED;
		return true;
	}
	bool unanswered = could_not_be_looked_at(job->version);
	*hint = job->again_unanswered ? HINT_WALKED : HINT_TOUCHED;
	return ((job->again_unanswered || job->touched) && unanswered) ||
	       (job->touched && has_changed(app, job));
}

static void job_committed(struct app *app, struct job *job)
{
	if (atomic_exchange(&job->submitted, false))
		atomic_fetch_sub_explicit(&app->submitted, 1, memory_order_relaxed);
	if (rescan_was_refused(app, job))
		return;
	writers_heard(app, job);
	sidecar_committed(app, job->version, &job->op);
	told(app, job, &job->op);
	leave_row(app, job);
	twins_leave(app->twins, job);
	if (job->op.verb == STORE_REFRESH)
		tell_known(app, job->version->id);
	record_release_parked(app, job);
	enum job_hint hint = HINT_WALKED;
	bool again = app->mode != APP_STOPPING && is_to_be_seen_again(app, job, &hint);
	if (again)
		intake_again(app, job, hint);
	else
		flight_drop(&app->flight, job);
}

bool record_side_ops_are_back(const struct app *app, uint64_t number)
{
	return list_empty(&app->side_ops) ||
	       LIST_OF(app->side_ops.next, struct side_op, link)->number > number;
}

static void side_committed(struct app *app, struct store_op *op)
{
	struct side_op *side = LIST_OF(op, struct side_op, op);
	if (op->verb == STORE_MARK)
		sidecar_marked(app, op);
	if (side->interim)
		interim_committed(app, side);
	if (side->ends && op->result == STORE_WRITTEN)
		tell_end(app, side->version);
	side_free(app, side);
}

void record_committed(struct app *app)
{
	struct list ops;
	list_init(&ops);
	store_committed(app->store, &ops);
	bool news = false;
	app->health.commits += !list_empty(&ops);
	for (struct list *link; (link = list_shift(&ops));) {
		struct store_op *op = LIST_OF(link, struct store_op, link);
		news = news || !(op->told || op->expire || op->removals);
		if (op->removals)
			disposing_committed(op);
		else if (op->told)
			sinks_committed(op);
		else if (op->expire)
			forget_committed(app, op);
		else if (op->gap)
			gaps_committed(app, op);
		else if (op->rules)
			rules_committed(app, op);
		else if (op->owner)
			job_committed(app, op->owner);
		else
			side_committed(app, op);
	}
	if (!news)
		return;
	sinks_wake(app);
	disposing_wake(app);
}
