/*
 * intake: see intake.h.
 *
 * At most one job per path, and one file (inode) is dealt with at one path at a time (samefile). So
 * every look into the history finds what was decided before, and no decision races with another.
 */
#include "core/app/intake.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <errno.h>
#include <string.h>

#include "core/app/closes.h"
#include "core/app/decide.h"
#include "core/app/gaps.h"
#include "core/app/record.h"
#include "core/app/roots.h"
#include "core/app/samefile.h"
#include "core/app/sidecar.h"
#include "core/app/state.h"
#include "core/app/want.h"
#include "core/base/error.h"
#include "core/base/log.h"
#include "core/base/mem.h"
#include "core/config/config.h"
#include "core/entry/scheme.h"
#include "core/store/store.h"
#include "watcher/watcher.h"

/* How often a job that is nowhere waits to hear where its directory has gone: as often as that was
 * moved while others were told of, at most; the watcher may be unable to tell. */
#define DIRECTORY_AWAITED_MAX 64

struct job *intake_admit(struct app *app, const char *path, size_t len, uint32_t root)
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

void intake_look_soon(struct app *app, const char *path, size_t len, enum job_told told, int dir)
{
	if (flight_at(&app->flight, path, len))
		return;
	struct job *job = intake_admit(app, path, len, WATCHER_NO_ROOT);
	job->hint = told ? HINT_COMPLETE : HINT_WALKED;
	job->told = told;
	job->dir = dir;
	flight_wait(&app->flight, job, mono_now());
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
	bool counted = job->sidecar;
	enum scheme_result result = scheme_parse(roots_schemes(app->roots, job->root),
						 version->path, version->path_len, &version->entry);
	job->sidecar = result == SCHEME_SIDECAR;
	switch (result) {
	case SCHEME_FILE:
		return true;
	case SCHEME_SIDECAR:
	case SCHEME_WORK_FILE:
		app->counters.sidecars += counted ? 0 : 1;
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

/* A root that was retargeted, or a directory that was moved into one, may bring the history with
 * it: opening it would take SQLite's locks away. The configuration refuses that at the start. */
static bool is_history(struct app *app, const struct job *job, const struct statx *st)
{
	if (!store_owns(app->store, makedev(st->stx_dev_major, st->stx_dev_minor), st->stx_ino))
		return false;
	if (!app->history_met)
		log_warning("the history itself lies below a root by now and is passed over: put "
			    "it elsewhere path=%s",
			    job->version->path);
	app->history_met = true;
	return true;
}

static void consider_stat(struct app *app, struct job *job, const struct statx *st)
{
	struct version *version = job->version;
	struct identity identity = identity_of(st, version->identity.fsid);
	job->row_taken = false; /* it goes on with what it met */
	/* first of all, so that whoever waits for this job knows by which file */
	flight_set_seen(&app->flight, job, &identity);
	if (job->written)
		closes_found(app->closes, version->path, version->path_len, identity.inode);
	if (samefile_wait(app, job, &identity))
		return;
	version->identity = identity;
	job->links = st->stx_nlink;
	enum version_reason reason;
	if (!name_is_ours(app, job, &reason)) {
		if (job->sidecar && S_ISREG(st->stx_mode) && !job->recorded)
			sidecar_dispatch(app, job);
		else
			drop(app, job);
		return;
	}
	if (reason == REASON_NONE && !S_ISREG(st->stx_mode))
		reason = REASON_NOT_REGULAR;
	decide(app, job, reason);
}

/* Another file system may be mounted there than the one whose id was told. */
static int know_filesystem(struct app *app, struct job *job, const struct statx *st)
{
	struct version *version = job->version;
	dev_t dev = makedev(st->stx_dev_major, st->stx_dev_minor);
	bool other = job->dev != 0 && job->dev != dev;
	job->dev = dev;
	return other ? roots_fsid(app->roots, job->root, version->path, version->dir_len,
				  &version->identity.fsid)
		     : 0;
}

void intake_consider(struct app *app, struct job *job, const struct statx *st)
{
	struct version *version = job->version;
	struct statx own = { 0 };
	int result = 0;
	if (version->identity.fsid == 0)
		result = roots_fsid(app->roots, job->root, version->path, version->dir_len,
				    &version->identity.fsid);
	if (result == 0 && !st)
		result = roots_stat(app->roots, job->root, version->path, &own);
	if (!st)
		st = &own;
	if (result == 0)
		result = know_filesystem(app, job, st);
	if (error_is_absence(-result)) {
		intake_gone(app, job);
		return;
	}
	if (error_is_ours(-result)) {
		intake_want(app, job, -result);
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
	/* a directory in disguise is walked by the watcher */
	if (S_ISDIR(st->stx_mode) || is_history(app, job, st)) {
		drop(app, job);
		return;
	}
	consider_stat(app, job, st);
}

void intake_want(struct app *app, struct job *job, int code)
{
	want_tell(app, job->version->path, code);
	flight_wait(&app->flight, job, mono_add_ms(mono_now(), APP_WANT_MS));
}

void intake_gone(struct app *app, struct job *job)
{
	job->ticket = watcher_ticket(app->watcher);
	job->linked = false;
	flight_move(&app->flight, job, JOB_LIMBO);
}

/* It is told soon where the job's directory is, or that it is gone; that is waited for, unless it
 * never comes, or others need the room. */
static bool await_directory(struct app *app, struct job *job)
{
	if (app->mode != APP_RUNNING || job->directory_awaited == DIRECTORY_AWAITED_MAX ||
	    app->flight.counts[JOB_LIMBO] > APP_LIMBO_MAX)
		return false;
	job->directory_awaited++;
	intake_gone(app, job);
	return true;
}

/* Does the directory of a job lead nowhere, though the watcher has not heard of it? */
static bool awaits_directory(struct app *app, struct job *job, uint32_t root, const char *dir,
			     size_t len)
{
	struct statx st;
	AUTO_FREE char *path = xmemdup(dir, len);
	return error_is_absence(-roots_stat(app->roots, root, path, &st)) &&
	       await_directory(app, job);
}

/* What is not where it was told of, or seen last, may have gone along with its directory: then the
 * job goes on there. */
static bool went_with_directory(struct app *app, struct job *job)
{
	const struct version *version = job->version;
	size_t dir_len;
	const char *dir = watcher_directory(app->watcher, job->dir, &dir_len);
	if (!dir)
		return watcher_directory_moves(app->watcher, job->dir) && await_directory(app, job);
	size_t rest = version->path_len - version->dir_len;
	size_t len = dir_len + rest;
	AUTO_FREE char *path = xcalloc(len + 1, 1);
	memcpy(path, dir, dir_len);
	memcpy(path + dir_len, version->path + version->dir_len, rest);
	uint32_t root = roots_of_path(app->roots, path, len);
	struct statx st;
	if (roots_stat(app->roots, root, path, &st) < 0)
		return awaits_directory(app, job, root, path, dir_len);
	struct identity now = identity_of(&st, job->seen.fsid);
	if (job->seen.inode != 0 && !identity_same_file(&now, &job->seen))
		return false;
	enum job_told told = job->told;
	int number = job->dir;
	drop(app, job);
	intake_look_soon(app, path, len, told, number);
	return true;
}

void intake_vanished(struct app *app, struct job *job)
{
	if (samefile_hand_over(app, job) || went_with_directory(app, job))
		return;
	if (job->row_taken || samefile_was_passing(app, job)) {
		drop(app, job);
		return;
	}
	enum version_reason reason;
	if (!name_is_ours(app, job, &reason)) {
		drop(app, job);
		return;
	}
	struct version *version = job->version;
	if (!job->row && version->id == 0 && reason == REASON_NONE &&
	    store_spares_room(app->store)) {
		gaps_unrecorded(app, job->root);
		drop(app, job);
		return;
	}
	if (version->identity.inode == 0) {
		/* nobody saw it: told apart by when we heard of it */
		version->identity.btime_ns = 0;
		version->identity.size = 0;
		version->identity.mtime_ns = version->first_seen_ns;
	}
	record_unscanned(app, job, reason == REASON_NONE ? REASON_VANISHED : reason, NULL);
}

void intake_again(struct app *app, struct job *old, enum job_hint hint)
{
	size_t len = old->version->path_len;
	AUTO_FREE char *path = xmemdup(old->version->path, len);
	struct identity seen = old->seen;
	enum job_told told = old->again ? old->again_told : TOLD_NOTHING;
	int dir = old->dir;
	flight_drop(&app->flight, old);
	struct job *job = intake_admit(app, path, len, WATCHER_NO_ROOT);
	job->seen = seen;
	job->hint = hint;
	job->told = told;
	job->dir = dir;
	job->written = hint == HINT_COMPLETE;
	intake_consider(app, job, NULL);
}

/* The row was put off until the file had settled, and it is as it was then. */
static bool has_rested(struct app *app, const struct job *job, const struct version *row)
{
	struct statx st;
	if (row->wait != WAIT_SETTLE || row->due_ns == 0 ||
	    roots_stat(app->roots, job->root, row->path, &st) < 0)
		return false;
	struct identity now = identity_of(&st, row->identity.fsid);
	return identity_same_version(&now, &row->identity);
}

bool intake_queued(struct app *app, struct version *version)
{
	AUTO(version) struct version *row = version;
	if (flight_at(&app->flight, row->path, row->path_len) ||
	    flight_row_holder(&app->flight, row->id))
		return false;
	struct job *job = intake_admit(app, row->path, row->path_len, WATCHER_NO_ROOT);
	struct version *mine = job->version;
	job->dir = watcher_directory_at(app->watcher, job->root, row->path, row->dir_len);
	mine->id = row->id;
	(void)flight_claim_row(&app->flight, job, row->id); /* nobody has it */
	mine->attempt = row->attempt;
	mine->tries = row->tries;
	mine->away_since_ns = row->away_since_ns;
	mine->incomplete = row->incomplete;
	mine->first_seen_ns = row->first_seen_ns;
	uint64_t fsid = 0; /* of what is mounted there now, if that can be told */
	(void)roots_fsid(app->roots, job->root, row->path, row->dir_len, &fsid);
	mine->identity.fsid = fsid ? fsid : row->identity.fsid;
	mine->identity.inode = row->identity.inode;
	mine->identity.btime_ns = row->identity.btime_ns;
	mine->identity.size = row->identity.size;
	mine->identity.mtime_ns = row->identity.mtime_ns;
	job->recorded = true;
	job->hint = HINT_QUEUED;
	/* one that waited for its writer must be found without one; the rest were complete once */
	if (row->wait == WAIT_RETRY || row->wait == WAIT_NOTHING)
		job->told = TOLD_WHOLE;
	job->waits = has_rested(app, job, row) ? 1 : 0;
	intake_consider(app, job, NULL);
	return true;
}

void intake_path(struct app *app, const char *path)
{
	size_t len = strlen(path);
	if (flight_at(&app->flight, path, len))
		return;
	struct job *job = intake_admit(app, path, len, WATCHER_NO_ROOT);
	job->hint = HINT_WALKED;
	intake_consider(app, job, NULL);
}
