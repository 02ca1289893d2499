/* decide: see decide.h. The cases are those of DESIGN.md, "Identity". */
#include "core/app/decide.h"

#include <sys/stat.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/app/backlog.h"
#include "core/app/closes.h"
#include "core/app/doubt.h"
#include "core/app/gaps.h"
#include "core/app/intake.h"
#include "core/app/pause.h"
#include "core/app/record.h"
#include "core/app/roots.h"
#include "core/app/scan.h"
#include "core/app/state.h"
#include "core/app/unread.h"
#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/log.h"
#include "core/config/config.h"
#include "core/store/reader.h"

static void absolute_path(const struct app *app, struct job *job)
{
	const struct version *version = job->version;
	const char *root = roots_absolute(app->roots, job->root);
	const char *rest = version->path + roots_prefix(app->roots, job->root);
	size_t root_len = strlen(root);
	size_t rest_len = strlen(rest);
	bool slash = root_len == 0 || root[root_len - 1] != '/';
	free(job->absolute);
	job->absolute = xcalloc(root_len + rest_len + 2, 1);
	memcpy(job->absolute, root, root_len);
	if (slash)
		job->absolute[root_len] = '/';
	job->below = root_len + slash;
	memcpy(job->absolute + job->below, rest, rest_len);
}

/* No worker has time for it, nor will one soon. */
static void put_aside(struct app *app, struct job *job)
{
	if (!job->prior_stands) {
		/* in its turn it is looked at as it would be now */
		job->version->wait = job_is_whole(job) ? WAIT_NOTHING : WAIT_SETTLE;
		record_spill(app, job);
	} else if (app->mode == APP_STOPPING) {
		record_let_wait(app, job); /* the next start's walk has the same doubt */
	} else if (pause_is_on(app)) {
		pause_leave_doubt(app, job);
	} else {
		flight_wait(&app->flight, job, mono_add_ms(mono_now(), APP_CREATED_MS));
	}
}

void decide_dispatch(struct app *app, struct job *job)
{
	job->version->state = VERSION_QUEUED;
	job->version->reason = REASON_NONE;
	if (!job->version->id)
		job->version->id = job->row;
	bool room = !pause_is_on(app) && (backlog_has_room(app, job) || job->prior_stands);
	if (app->mode == APP_STOPPING || !room) {
		put_aside(app, job);
		return;
	}
	if (decide_hand_out(app, job) > 0)
		put_aside(app, job);
}

int decide_hand_out(struct app *app, struct job *job)
{
	absolute_path(app, job);
	job->pool_job.run = scan_run;
	job->op.owner = job;
	job->op.version = job->version;
	job->again = false;
	job->again_told = TOLD_NOTHING;
	job->again_unanswered = false;
	job->touched = false;
	flight_move(&app->flight, job, JOB_RUNNING);
	return (int)pool_put(app->pool, &job->pool_job); /* the loop's turn ends by pool_wake() */
}

static void known_terminal(struct app *app, struct job *job, const struct known *known)
{
	app->counters.repeats++;
	if (job->version->id && job->version->id != known->id) {
		record_forget(app, job);
		return;
	}
	record_known(app, job, known->id);
}

/* Files that could not be looked at are looked at again when something happened to them. */
static bool worth_another_look(const struct job *job, const struct known *known)
{
	switch (known->reason) {
	case REASON_UNREADABLE:
		/* a walk tells nothing new of it, unless it can be read by now */
		return job->hint != HINT_WALKED ||
		       faccessat(AT_FDCWD, job->version->path, R_OK, AT_EACCESS) == 0;
	case REASON_VANISHED:
		return true; /* it is here, after all */
	case REASON_NONE:
	case REASON_NOT_REGULAR:
	case REASON_OVERSIZE:
	case REASON_UNMATCHED:
	case REASON_NO_DETECTOR:
	case REASON_FAILED:
	case REASON_SHED:
	case REASONS:
		return false;
	}
	return false;
}

/* Who writes through a mapping sets the change time when a page becomes writable, not when it is
 * written to. The look cannot have come in between where writers are seen, except where pages
 * become writable by being read. So there, and where writers are not seen, each close of a writer
 * counts. */
static bool may_be_mapped(const struct app *app, const struct job *job)
{
	const struct version *version = job->version;
	return job->written &&
	       (roots_sight(app->roots, job->root) != LEASE_SEES ||
		roots_maps_silently(app->roots, job->root, version->path, version->dir_len));
}

static bool stamp_is_doubtful(const struct app *app, const struct job *job,
			      const struct known *known)
{
	if (!known->has_sha256 || job->hint == HINT_TOUCHED)
		return false;
	return doubt_may_have_changed(&job->version->identity, job->hint, known) ||
	       may_be_mapped(app, job);
}

/* The row of this file at this path that was looked at last and is not queued: by its hash a change
 * is told from a touch. */
static bool find_earlier(struct app *app, const struct job *job, const struct known *known,
			 struct known *out)
{
	struct error err = { 0 };
	*out = (struct known){ .as = KNOWN_NOT };
	if (known->only || !app->config->hash)
		return false;
	if (store_earlier(app->reader, job->version, job->row, out, &err) < 0)
		unread_tell(app, &err);
	return out->has_sha256;
}

/* The file may have been touched back to a time at which it had another content, or had its old
 * content put back before: then it is the content of a row that was looked at later. */
static void note_later(struct app *app, struct job *job, const struct known *known)
{
	struct known later;
	if (known->as == KNOWN_IMPORTED || !find_earlier(app, job, known, &later) ||
	    later.id == known->id || later.checked_ns < known->checked_ns)
		return;
	job->later_id = later.id;
	memcpy(job->later_sha256, later.sha256, sizeof job->later_sha256);
}

static void look_again(struct app *app, struct job *job, const struct known *known)
{
	job->prior_id = known->id;
	job->prior_stands = known->as != KNOWN_CHANGED;
	job->prior_has_sha256 = known->has_sha256;
	memcpy(job->prior_sha256, known->sha256, sizeof job->prior_sha256);
	note_later(app, job, known);
	const struct version *version = job->version;
	if (known->as == KNOWN_SAME && version->identity.ctime_ns <= known->checked_ns)
		record_doubt(app, version, known->id); /* no walk would have it */
	decide_dispatch(app, job);
}

/* The file may be a known one that was touched, though it met another row: a queued one of its own
 * path, or one of another name. */
static void compare(struct app *app, struct job *job, const struct known *known)
{
	struct known earlier;
	if (!find_earlier(app, job, known, &earlier))
		return;
	job->prior_id = earlier.id;
	job->prior_has_sha256 = true;
	memcpy(job->prior_sha256, earlier.sha256, sizeof job->prior_sha256);
}

/* Outcomes of earlier attempts are of what the row is about, whatever that was. */
static void dispatch_compared(struct app *app, struct job *job, const struct known *known)
{
	if (job->version->attempt == 0)
		compare(app, job, known);
	decide_dispatch(app, job);
}

/* The job goes on with a queued row, and counts its attempts on. False when another job, whose file
 * was at this path before, is at work with that row. */
static bool adopt(struct app *app, struct job *job, const struct known *known)
{
	struct version *version = job->version;
	int64_t left = job->row;
	if (record_is_ending(app, known->id) || !flight_claim_row(&app->flight, job, known->id))
		return false;
	if (left && left != known->id)
		record_forget_row(app, version, left);
	version->id = known->id;
	if (known->attempt > version->attempt) {
		version->attempt = known->attempt;
		version->tries = known->tries;
	}
	job->recorded = true;
	return true;
}

/* The same, for a row of this very path: the job waits until the other is through with it. */
static bool adopt_own(struct app *app, struct job *job, const struct known *known)
{
	if (adopt(app, job, known))
		return true;
	struct job *holder = flight_row_holder(&app->flight, known->id);
	if (holder)
		flight_park(&app->flight, job, holder);
	else /* the row is being ended */
		flight_wait(&app->flight, job, mono_add_ms(mono_now(), APP_LIMBO_MS));
	return false;
}

/* The version is queued at this very path. */
static void same_queued(struct app *app, struct job *job, const struct known *known,
			enum version_reason reason)
{
	const struct version *version = job->version;
	if (version->id && version->id != known->id) {
		record_forget(app, job);
		return;
	}
	/* its own row, or one whose wait this hint ends; a row that waits for anything else is
	 * brought into memory in its turn */
	bool now = job->recorded || (job->told && known->wait != WAIT_RETRY);
	if (!adopt_own(app, job, known))
		return;
	if (reason != REASON_NONE)
		record_unscanned(app, job, reason, NULL);
	else if (now)
		dispatch_compared(app, job, known);
	else
		record_let_wait(app, job);
}

static void same(struct app *app, struct job *job, const struct known *known,
		 enum version_reason reason)
{
	if (known->state == VERSION_QUEUED) {
		same_queued(app, job, known, reason);
		return;
	}
	if (reason == REASON_NONE && worth_another_look(job, known)) {
		if (!adopt_own(app, job, known))
			return;
		compare(app, job, known);
		record_requeue(app, job);
		return;
	}
	if (reason == REASON_NONE && app->config->hash && stamp_is_doubtful(app, job, known)) {
		look_again(app, job, known);
		return;
	}
	known_terminal(app, job, known);
}

static bool path_leads_to(struct app *app, const char *path, const struct identity *identity)
{
	struct statx st;
	uint32_t root = roots_of_path(app->roots, path, strlen(path));
	if (roots_stat(app->roots, root, path, &st) < 0)
		return false;
	struct identity now = identity_of(&st, identity->fsid);
	return identity_same_file(&now, identity);
}

/* Was the file in sight all the time, so that a write would have been told? A rename's event has
 * its old place (else job->written is set); a name that appeared may be a link to one that was
 * written to elsewhere, unless the known one is still there. A close that was told of the old place
 * may have been of it, when another file was there by the time of the look. While there are gaps,
 * or a walk is to meet what changed in one, no event vouches for what was before it. */
static bool was_in_sight(struct app *app, const struct job *job, const struct known *known)
{
	if (app->walking || gaps_open(app) > 0 || pause_left_doubts(app))
		return false;
	switch (job->hint) {
	case HINT_COMPLETE:
		return !closes_since(app->closes, known->path, strlen(known->path),
				     job->version->identity.inode, known->checked_ns) &&
		       known->checked_ns <= clock_wall_ns();
	case HINT_APPEARED:
	case HINT_TOUCHED:
		return path_leads_to(app, known->path, &job->version->identity);
	case HINT_WALKED:
	case HINT_QUEUED:
		return false;
	}
	return false;
}

/* May the row's look at the file, under another name, stand for it? Not when somebody has written
 * to it since. A rename and a link, whose event we have, set the change time as well; where a walk
 * met the name, only the change time can tell. So it is where files have no time of birth: a number
 * of an inode that is used again makes another file look like this one, renamed. */
static bool look_holds(struct app *app, const struct job *job, const struct known *known)
{
	if (job->written || known->ambiguous)
		return false;
	/* who has just linked or renamed it may have written to it as well, all within a tick of
	 * the look; a walk must not read every file again that was scanned at once */
	bool walked = job->hint == HINT_WALKED || job->hint == HINT_QUEUED;
	const struct identity *identity = &job->version->identity;
	int64_t slack =
		walked ? doubt_slack_ns(identity, job->hint) : doubt_slack_after_event_ns(identity);
	bool vouched = identity->ctime_ns + slack <= known->checked_ns &&
		       known->checked_ns <= clock_wall_ns(); /* else the clock was set back since */
	return vouched || (job->version->identity.btime_ns != 0 && was_in_sight(app, job, known));
}

/* When that row's content was read last, as far as it holds for the file now: the change time may
 * be the rename's, or a write's within the same tick. A name of the file may lie outside of the
 * roots, where nobody tells of a write: so where it has several the change time is a doubt for the
 * next walk. */
static int64_t vouched_ns(const struct job *job, const struct known *known)
{
	int64_t ctime_ns = job->version->identity.ctime_ns;
	return known->checked_ns > ctime_ns || job->links > 1 ? known->checked_ns : ctime_ns;
}

/* A file with several names was touched at another, so that its row here has an old time: it is
 * brought up to date, as that one was. */
static bool touched_elsewhere(struct app *app, struct job *job, const struct known *known)
{
	struct known earlier;
	if (!known->has_sha256 || !find_earlier(app, job, known, &earlier) ||
	    memcmp(earlier.sha256, known->sha256, sizeof known->sha256) != 0)
		return false;
	record_refresh(app, job, earlier.id, vouched_ns(job, known));
	return true;
}

/* The same file, size and time at another path: renamed, or another link. */
static void elsewhere(struct app *app, struct job *job, const struct known *known)
{
	switch (known->state) {
	case VERSION_QUEUED:
		/* moved while it waited: its row goes on here. Still there: a link, scanned for
		 * itself */
		if (job->version->id == 0 &&
		    !path_leads_to(app, known->path, &job->version->identity)) {
			/* a row that another job is at work with becomes that one's: this file gets
			 * a row of its own */
			(void)adopt(app, job, known);
		}
		break;
	case VERSION_DONE:
		if (!look_holds(app, job, known))
			break;
		if (touched_elsewhere(app, job, known))
			return;
		job->sighting_of = known->id;
		job->version->checked_ns = vouched_ns(job, known);
		job->version->incomplete = known->incomplete; /* the same file still */
		job->told = TOLD_WHOLE; /* when it was scanned, and it has not changed since */
		if (known->has_sha256) {
			job->version->has_sha256 = true;
			memcpy(job->version->sha256, known->sha256, sizeof known->sha256);
			job->hashed = true;
		}
		job->reads = false;
		decide_dispatch(app, job);
		return;
	case VERSION_UNSCANNED:
	case VERSION_STATES:
		break;
	}
	dispatch_compared(app, job, known);
}

/* The same file at the same path, with another size or time. */
static void changed(struct app *app, struct job *job, const struct known *known)
{
	struct version *version = job->version;
	if (known->state == VERSION_QUEUED) {
		if (version->id && version->id != known->id) {
			record_forget(app, job);
			return;
		}
		if (adopt_own(app, job, known))
			dispatch_compared(app, job, known);
		return;
	}
	if (app->config->hash && known->has_sha256 && !worth_another_look(job, known)) {
		look_again(app, job, known);
		return;
	}
	if (job->hint == HINT_TOUCHED && !app->config->hash) {
		/* without hashes a change of metadata alone never makes a version */
		if (known->size == version->identity.size)
			record_refresh(app, job, known->id, clock_wall_ns());
		else
			record_let_wait(app, job);
		return;
	}
	dispatch_compared(app, job, known);
}

static void act(struct app *app, struct job *job, const struct known *known,
		enum version_reason reason)
{
	if (known->as == KNOWN_SAME) {
		same(app, job, known, reason);
		return;
	}
	if (known->as == KNOWN_IMPORTED) {
		/* the file as it is once it is complete: a writer is looked for before */
		job->prior_imported = reason == REASON_NONE;
		if (job->prior_imported)
			look_again(app, job, known);
		else
			record_refresh(app, job, known->id, clock_wall_ns());
		return;
	}
	if (job->from_walk)
		gaps_found(app, job->root);
	job->from_walk = false; /* it counts once, however often it is looked at */
	if (reason != REASON_NONE) {
		record_unscanned(app, job, reason, NULL);
		return;
	}
	switch (known->as) {
	case KNOWN_ELSEWHERE:
		elsewhere(app, job, known);
		return;
	case KNOWN_CHANGED:
		changed(app, job, known);
		return;
	case KNOWN_NOT:
	case KNOWN_SAME:
	case KNOWN_IMPORTED:
		break;
	}
	decide_dispatch(app, job);
}

void decide(struct app *app, struct job *job, enum version_reason reason)
{
	struct version *version = job->version;
	job->sighting_of = 0;
	job->reads = true;
	job->prior_id = 0;
	job->later_id = 0;
	job->prior_stands = false;
	job->prior_imported = false;
	job->prior_has_sha256 = false;
	job->hashed = false;
	version->has_sha256 = false;
	struct known known = { .as = KNOWN_NOT };
	struct error err = { 0 };
	int result = store_find(app->reader, &version->identity, version->path, version->path_len,
				version->dir_len, &known, &err);
	if (result < 0) {
		/* the history cannot be read just now: nothing is decided, the file is looked at
		 * again */
		unread_tell(app, &err);
		flight_wait(&app->flight, job, mono_add_ms(mono_now(), 1000));
		return;
	}
	act(app, job, &known, reason);
	known_done(&known);
}
