/*
 * hints: see hints.h.
 *
 * A hint says that something happened at a path; what it was is found out by looking. With a job at
 * the path already it changes only how and when that one looks.
 */
#include "core/app/hints.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <string.h>

#include "core/app/closes.h"
#include "core/app/intake.h"
#include "core/app/roots.h"
#include "core/app/state.h"
#include "core/base/clock.h"
#include "core/base/mem.h"
#include "watcher/watcher.h"

static enum job_told told_by(const struct watcher_event *event)
{
	if (event->kind == WATCHER_CLOSED)
		return TOLD_CLOSED;
	return event->kind == WATCHER_MOVED ? TOLD_WHOLE : TOLD_NOTHING;
}

/* Where it came from nobody would have told of a write. */
static bool may_be_written(const struct watcher_event *event)
{
	return event->kind == WATCHER_CLOSED || (event->kind == WATCHER_MOVED && !event->from);
}

static void tell_more(enum job_told *told, enum job_told more)
{
	if (more > *told)
		*told = more;
}

/* A hint for a path whose job is with a worker or the store: noted for when it comes back. */
static void hint_busy_job(struct job *job, const struct watcher_event *event, enum job_hint hint)
{
	enum job_told told = told_by(event);
	if (event->stat) {
		struct identity now = identity_of(event->stat, event->fsid);
		if (identity_same_version(&now, &job->seen)) {
			job->again_unanswered = true;
			return;
		}
	}
	if (hint == HINT_TOUCHED || hint == HINT_APPEARED) {
		job->touched = true;
		return;
	}
	job->again = true;
	tell_more(&job->again_told, told);
}

/* The event tells of which file system the path is now; what was looked at with it is of that. A
 * worker, or the store, has the version to itself. */
static void know_filesystem(struct job *job, const struct watcher_event *event)
{
	if (job->state == JOB_RUNNING || job->state == JOB_SAVING)
		return;
	if (event->stat) {
		job->version->identity.fsid = event->fsid;
		job->dev = makedev(event->stat->stx_dev_major, event->stat->stx_dev_minor);
	} else if (job->version->identity.fsid == 0) {
		job->version->identity.fsid = event->fsid;
	}
}

/* A hint for a path that a job is at already. */
static void hint_known_job(struct app *app, struct job *job, const struct watcher_event *event,
			   enum job_hint hint)
{
	enum job_told told = told_by(event);
	/* its times may have been set to those of an older look before they are looked at */
	bool set = hint == HINT_TOUCHED && (job->state == JOB_WAITING || job->state == JOB_PARKED);
	job->written = job->written || may_be_written(event) || set;
	job->dir = event->dir;
	know_filesystem(job, event);
	switch (job->state) {
	case JOB_WAITING:
		if (told) {
			job->hint = HINT_COMPLETE;
			tell_more(&job->told, told);
			intake_consider(app, job, event->stat);
		}
		return;
	case JOB_LIMBO:
		if (hint == HINT_TOUCHED)
			return;
		job->hint = hint;
		job->told = told;
		intake_consider(app, job, event->stat);
		return;
	case JOB_PARKED:
		tell_more(&job->told, told);
		return;
	case JOB_RUNNING:
	case JOB_SAVING:
		hint_busy_job(job, event, hint);
		return;
	case JOB_STATES:
		return;
	}
}

static void hint(struct app *app, const struct watcher_event *event, enum job_hint hint)
{
	if (event->kind == WATCHER_CLOSED)
		closes_note(app->closes, event->path, event->path_len, clock_wall_ns());
	struct job *job = flight_at(&app->flight, event->path, event->path_len);
	if (job) {
		hint_known_job(app, job, event, hint);
		return;
	}
	job = intake_admit(app, event->path, event->path_len, event->root);
	job->hint = hint;
	job->told = told_by(event);
	job->dir = event->dir;
	job->written = may_be_written(event);
	job->from_walk = hint == HINT_WALKED;
	/* else it is asked for when the file is looked at: something may be mounted there by then
	 */
	if (hint != HINT_APPEARED)
		job->version->identity.fsid = event->fsid;
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
		/* what a walk met, or was in doubt about, the move does not vouch for */
		job->written = job->written || job->reads || job->hint == HINT_WALKED;
		flight_repath(&app->flight, job, path, len);
		/* another file may have come there, and the job has taken the event that told so */
		struct statx st;
		if (roots_stat(app->roots, job->root, from, &st) == 0)
			intake_look_soon(app, from, from_len, job->told, job->dir);
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
	if (!job || job->state != JOB_WAITING)
		return;
	know_filesystem(job, event);
	intake_gone(app, job);
}

void hints_take(struct app *app, const struct watcher_event *event)
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
