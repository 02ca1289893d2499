/*
 * intake: see intake.h.
 *
 * At most one job per path, and one file (inode) is dealt with at one path at a time: others of the
 * same inode are parked behind it. So every look into the history finds what was decided before,
 * and no decision races with another.
 */
#include "core/app/intake.h"

#include <sys/stat.h>

#include <errno.h>
#include <string.h>

#include "core/app/decide.h"
#include "core/app/record.h"
#include "core/app/roots.h"
#include "core/app/state.h"
#include "core/base/error.h"
#include "core/base/log.h"
#include "core/base/mem.h"
#include "core/config/config.h"
#include "core/entry/scheme.h"
#include "core/store/reader.h"
#include "watcher/watcher.h"

static struct job *admit(struct app *app, const char *path, size_t len, uint32_t root)
{
	struct job *job = flight_add(&app->flight, app, path, len);
	job->root = root == WATCHER_NO_ROOT ? roots_of_path(app->roots, path, len) : root;
	job->version->first_seen_ns = clock_wall_ns();
	job->version->verdict = OUTCOMES;
	app->queue_unsure = true;
	if (app->next_interim.ns == 0)
		app->next_interim = mono_add_ms(job->admitted, APP_INTERIM_MS);
	return job;
}

/* Where a path leads now. */
enum leads {
	LEADS_NOWHERE,
	LEADS_ELSEWHERE, /* to another file */
	LEADS_THERE,
};

static enum leads leads(struct app *app, const struct job *job, const struct identity *identity)
{
	struct statx st;
	if (roots_stat(app->roots, job->root, job->version->path, &st) < 0)
		return LEADS_NOWHERE;
	struct identity now = identity_of(&st, job->version->identity.fsid);
	return identity_same_file(&now, identity) ? LEADS_THERE : LEADS_ELSEWHERE;
}

/* path is looked at at the loop's next turn, unless a job is there. */
static void look_soon(struct app *app, const char *path, size_t len, bool complete)
{
	if (flight_at(&app->flight, path, len))
		return;
	struct job *job = admit(app, path, len, WATCHER_NO_ROOT);
	job->hint = complete ? HINT_COMPLETE : HINT_WALKED;
	job->complete = complete;
	flight_wait(&app->flight, job, mono_now());
}

/* other's file has moved to where job looks: job goes on with other's row and other's followers.
 * Where other looked there may be another file by now, whose events other has taken. */
static void succeed(struct app *app, struct job *job, struct job *other, enum leads there)
{
	struct version *heir = job->version;
	const struct version *late = other->version;
	int64_t row = late->id ? late->id : other->row;
	if (row && !heir->id && !job->row) {
		heir->id = row;
		heir->attempt = late->attempt;
		job->row = row;
		job->earlier_void = other->earlier_void;
	} else if (row && row != heir->id && row != job->row) {
		record_forget_row(app, late, row);
	}
	if (late->first_seen_ns < heir->first_seen_ns)
		heir->first_seen_ns = late->first_seen_ns;
	job->recorded = job->recorded || other->recorded;
	list_splice(&job->parked, &other->parked);
	size_t len = late->path_len;
	AUTO_FREE char *path = xmemdup(late->path, len);
	bool complete = other->complete;
	flight_drop(&app->flight, other);
	if (there == LEADS_ELSEWHERE)
		look_soon(app, path, len, complete);
}

/* The history has an answer for this very version at another path: a sighting needs no turn. */
static bool is_answered(struct app *app, const struct job *job, const struct identity *identity)
{
	const struct version *version = job->version;
	struct known known = { .as = KNOWN_NOT };
	struct error err = { 0 };
	if (store_find(app->reader, identity, version->path, version->path_len, version->dir_len,
		       &known, &err) < 0)
		log_error("cannot read the history: %s", err.text);
	bool answered = (known.as == KNOWN_ELSEWHERE || known.as == KNOWN_SAME) &&
			known.state == VERSION_DONE;
	known_done(&known);
	return answered;
}

/* True when another job of the same inode goes first. */
static bool wait_for_same_file(struct app *app, struct job *job, const struct identity *identity)
{
	struct job *other = flight_same_file(&app->flight, identity, job);
	if (!other)
		return false;
	bool idle = other->state == JOB_WAITING || other->state == JOB_LIMBO;
	if (idle && flight_row_is_known(app->interims_committed, other)) {
		enum leads there = leads(app, other, identity);
		if (there != LEADS_THERE) {
			succeed(app, job, other, there);
			return false;
		}
	}
	if (is_answered(app, job, identity))
		return false;
	flight_park(&app->flight, job, other);
	return true;
}

static void drop(struct app *app, struct job *job)
{
	if (!job->version->id)
		job->version->id = job->row;
	if (job->version->id && job->recorded) {
		record_forget(app, job);
		return;
	}
	record_release_parked(app, job);
	flight_drop(&app->flight, job);
}

/* Reads the name; false when the file is no file of its own or not ours to look at. */
static bool name_is_ours(struct app *app, struct job *job, enum version_reason *reason)
{
	struct version *version = job->version;
	*reason = REASON_NONE;
	switch (scheme_parse(roots_schemes(app->roots, job->root), version->path, version->path_len,
			     &version->entry)) {
	case SCHEME_FILE:
		return true;
	case SCHEME_SIDECAR:
	case SCHEME_WORK_FILE:
		app->counters.sidecars++;
		return false;
	case SCHEME_NO_MATCH:
		break;
	}
	if (app->config->unmatched == CONFIG_UNMATCHED_IGNORE) {
		app->counters.ignored++;
		return false;
	}
	if (app->config->unmatched == CONFIG_UNMATCHED_RECORD)
		*reason = REASON_UNMATCHED;
	return true;
}

void intake_name(struct app *app, uint32_t root, struct version *version)
{
	(void)scheme_parse(roots_schemes(app->roots, root), version->path, version->path_len,
			   &version->entry);
}

static void consider_stat(struct app *app, struct job *job, const struct statx *st)
{
	struct version *version = job->version;
	struct identity identity = identity_of(st, version->identity.fsid);
	/* first of all, so that whoever waits for this job knows by which file */
	flight_set_seen(&app->flight, job, &identity);
	if (wait_for_same_file(app, job, &identity))
		return;
	version->identity = identity;
	enum version_reason reason;
	if (!name_is_ours(app, job, &reason)) {
		drop(app, job);
		return;
	}
	if (reason == REASON_NONE && !S_ISREG(st->stx_mode))
		reason = REASON_NOT_REGULAR;
	decide(app, job, reason);
}

void intake_consider(struct app *app, struct job *job, const struct statx *st)
{
	struct version *version = job->version;
	if (version->identity.fsid == 0)
		version->identity.fsid = roots_fsid(version->path, version->dir_len);
	struct statx own;
	int result = 0;
	if (!st) {
		result = roots_stat(app->roots, job->root, version->path, &own);
		st = &own;
	}
	if (result == -ENOENT || result == -ENOTDIR) {
		intake_gone(app, job);
		return;
	}
	if (result < 0) {
		enum version_reason reason;
		if (!name_is_ours(app, job, &reason)) {
			drop(app, job);
			return;
		}
		record_unscanned(app, job, REASON_UNREADABLE, error_text(-result));
		return;
	}
	if (S_ISDIR(st->stx_mode)) {
		drop(app, job); /* a directory in disguise: the watcher walks it */
		return;
	}
	consider_stat(app, job, st);
}

void intake_gone(struct app *app, struct job *job)
{
	job->ticket = watcher_ticket(app->watcher);
	flight_move(&app->flight, job, JOB_LIMBO);
}

/* A file that was renamed while a worker had it, or was about to: the job at its new path is parked
 * behind this one and goes on with its row. */
static bool hand_over(struct app *app, struct job *job)
{
	LIST_FOREACH(at, &job->parked) {
		struct job *heir = LIST_OF(at, struct job, state_link);
		struct version *version = heir->version;
		if (version->identity.fsid == 0)
			version->identity.fsid = roots_fsid(version->path, version->dir_len);
		if (leads(app, heir, &job->seen) != LEADS_THERE)
			continue;
		if (!flight_row_is_known(app->interims_committed, job)) {
			flight_move(&app->flight, job, JOB_LIMBO); /* to the end; soon it is */
			return true;
		}
		flight_wait(&app->flight, heir, mono_now());
		succeed(app, heir, job, LEADS_NOWHERE);
		return true;
	}
	return false;
}

/* A name that a file had on its way from one place to another, and that nobody recorded. */
static bool was_passing(struct app *app, const struct job *job)
{
	if (job->recorded || !job->in_inode_table)
		return false;
	return flight_same_file(&app->flight, &job->seen, job) || is_answered(app, job, &job->seen);
}

void intake_vanished(struct app *app, struct job *job)
{
	if (hand_over(app, job))
		return;
	if (was_passing(app, job)) {
		drop(app, job);
		return;
	}
	enum version_reason reason;
	if (!name_is_ours(app, job, &reason)) {
		drop(app, job);
		return;
	}
	struct version *version = job->version;
	if (version->identity.inode == 0) {
		/* nobody saw it: told apart by when we heard of it */
		version->identity.btime_ns = 0;
		version->identity.size = 0;
		version->identity.mtime_ns = version->first_seen_ns;
	}
	record_unscanned(app, job, reason == REASON_NONE ? REASON_VANISHED : reason, NULL);
}

void intake_again(struct app *app, const char *path, size_t len, bool complete)
{
	struct job *job = admit(app, path, len, WATCHER_NO_ROOT);
	job->hint = complete ? HINT_COMPLETE : HINT_WALKED;
	job->complete = complete;
	intake_consider(app, job, NULL);
}

/* A hint for a path that a job is at already. */
static void hint_known_job(struct app *app, struct job *job, const struct watcher_event *event,
			   enum job_hint hint)
{
	bool complete = hint == HINT_COMPLETE;
	switch (job->state) {
	case JOB_WAITING:
		if (complete) {
			job->hint = HINT_COMPLETE;
			job->complete = true;
			intake_consider(app, job, event->stat);
		}
		return;
	case JOB_LIMBO:
		if (hint == HINT_TOUCHED)
			return;
		job->hint = hint;
		job->complete = complete;
		intake_consider(app, job, event->stat);
		return;
	case JOB_PARKED:
		job->complete = job->complete || complete;
		return;
	case JOB_RUNNING:
	case JOB_SAVING:
		/* what is being recorded as gone or unreadable is worth another look in any case */
		if (event->stat &&
		    (job->state == JOB_RUNNING || job->version->state != VERSION_UNSCANNED)) {
			struct identity now = identity_of(event->stat, event->fsid);
			if (identity_same_version(&now, &job->seen))
				return;
		}
		job->again = job->again || complete || hint == HINT_WALKED;
		job->again_complete = job->again_complete || complete;
		return;
	case JOB_STATES:
		return;
	}
}

static void hint(struct app *app, const struct watcher_event *event, enum job_hint hint)
{
	struct job *job = flight_at(&app->flight, event->path, event->path_len);
	if (job) {
		hint_known_job(app, job, event, hint);
		return;
	}
	job = admit(app, event->path, event->path_len, event->root);
	job->version->identity.fsid = event->fsid;
	job->hint = hint;
	job->complete = hint == HINT_COMPLETE;
	job->from_walk = hint == HINT_WALKED;
	if (hint == HINT_APPEARED) {
		/* mostly a close follows at once; links and special files are looked at when it
		 * does not */
		flight_wait(&app->flight, job, mono_add_ms(job->admitted, APP_CREATED_MS));
		return;
	}
	intake_consider(app, job, event->stat);
}

/* Is it really job's file that path leads to? An exchange of two names is told as two renames, and
 * after the second the first is not true any more. */
static bool has_gone_to(struct app *app, const struct job *job, const char *path)
{
	struct statx st;
	if (!job->in_inode_table) /* never seen: then it must at least have left */
		return roots_stat(app->roots, job->root, job->version->path, &st) < 0;
	if (roots_stat(app->roots, job->root, path, &st) < 0)
		return false;
	struct identity now = identity_of(&st, job->seen.fsid);
	return identity_same_file(&now, &job->seen);
}

/* A job that waits at from goes on at path; one that runs there finds out by itself. */
static void follow(struct app *app, const char *from, size_t from_len, const char *path, size_t len)
{
	struct job *job = flight_at(&app->flight, from, from_len);
	if (!job || flight_at(&app->flight, path, len) || !has_gone_to(app, job, path))
		return;
	if (job->state == JOB_WAITING || job->state == JOB_LIMBO || job->state == JOB_PARKED) {
		flight_repath(&app->flight, job, path, len);
		/* another file may have come there, and the job has taken the event that told so */
		struct statx st;
		if (roots_stat(app->roots, job->root, from, &st) == 0)
			look_soon(app, from, from_len, job->complete);
		job->root = roots_of_path(app->roots, path, len);
	}
}

static void moved(struct app *app, const struct watcher_event *event)
{
	if (event->from)
		follow(app, event->from, strlen(event->from), event->path, event->path_len);
	hint(app, event, HINT_COMPLETE);
}

static void follow_below(struct app *app, struct list *head, const struct watcher_event *event)
{
	size_t from_len = strlen(event->from);
	for (struct list *at = head->next, *next; at != head; at = next) {
		next = at->next;
		const struct version *version = LIST_OF(at, struct job, state_link)->version;
		if (version->path_len <= from_len || version->path[from_len] != '/' ||
		    memcmp(version->path, event->from, from_len) != 0)
			continue;
		size_t rest = version->path_len - from_len;
		AUTO_FREE char *old = xmemdup(version->path, version->path_len);
		AUTO_FREE char *new = xcalloc(event->path_len + rest + 1, 1);
		memcpy(new, event->path, event->path_len);
		memcpy(new + event->path_len, old + from_len, rest);
		follow(app, old, strlen(old), new, event->path_len + rest);
	}
}

static void directory_moved(struct app *app, const struct watcher_event *event)
{
	app->walking = true; /* its files follow */
	if (!event->from)
		return;
	follow_below(app, &app->flight.lists[JOB_WAITING], event);
	follow_below(app, &app->flight.lists[JOB_LIMBO], event);
}

static void gone(struct app *app, const struct watcher_event *event)
{
	struct job *job = flight_at(&app->flight, event->path, event->path_len);
	if (job && job->state == JOB_WAITING)
		intake_gone(app, job);
}

void intake_event(struct app *app, const struct watcher_event *event)
{
	switch (event->kind) {
	case WATCHER_CLOSED:
		hint(app, event, HINT_COMPLETE);
		return;
	case WATCHER_MOVED:
		moved(app, event);
		return;
	case WATCHER_CREATED:
		hint(app, event, HINT_APPEARED);
		return;
	case WATCHER_TOUCHED:
		hint(app, event, HINT_TOUCHED);
		return;
	case WATCHER_WALKED:
		app->walking = true;
		hint(app, event, HINT_WALKED);
		return;
	case WATCHER_GONE:
		gone(app, event);
		return;
	case WATCHER_DIR_MOVED:
		directory_moved(app, event);
		return;
	case WATCHER_DIR_GONE:
	case WATCHER_GAP_OPENED:
	case WATCHER_GAP_CLOSED:
	case WATCHER_WALKED_ALL:
	case WATCHER_COMPLAINT:
		return;
	}
}

bool intake_queued(struct app *app, struct version *version)
{
	AUTO(version) struct version *row = version;
	if (flight_at(&app->flight, row->path, row->path_len))
		return false;
	struct job *job = admit(app, row->path, row->path_len, WATCHER_NO_ROOT);
	struct version *mine = job->version;
	mine->id = row->id;
	job->row = row->id;
	mine->attempt = row->attempt;
	mine->first_seen_ns = row->first_seen_ns;
	mine->identity.fsid = row->identity.fsid;
	mine->identity.inode = row->identity.inode;
	mine->identity.btime_ns = row->identity.btime_ns;
	mine->identity.size = row->identity.size;
	mine->identity.mtime_ns = row->identity.mtime_ns;
	job->recorded = true;
	job->hint = HINT_QUEUED;
	/* one that waited for its writer must be found without one; the rest were complete once */
	job->complete = row->wait == WAIT_RETRY || row->wait == WAIT_NOTHING;
	intake_consider(app, job, NULL);
	return true;
}

void intake_path(struct app *app, const char *path)
{
	size_t len = strlen(path);
	if (flight_at(&app->flight, path, len))
		return;
	struct job *job = admit(app, path, len, WATCHER_NO_ROOT);
	job->hint = HINT_WALKED;
	intake_consider(app, job, NULL);
}
