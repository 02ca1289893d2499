/*
 * samefile: see samefile.h.
 *
 * A file is known by its inode; its names come and go. While a job is at one of them, jobs at
 * others are parked behind it, unless they can take its place because its name has gone.
 */
#include "core/app/samefile.h"

#include <sys/stat.h>

#include <assert.h>
#include <string.h>

#include "core/app/intake.h"
#include "core/app/record.h"
#include "core/app/roots.h"
#include "core/app/state.h"
#include "core/app/unread.h"
#include "core/base/error.h"
#include "core/base/mem.h"
#include "core/store/reader.h"
#include "watcher/watcher.h"

/* Names of one file that are looked at because of a write that was told at another; those of a file
 * with more links get their rows at the next walk. */
#define NAMES_AT_ONCE 64

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

/* other's file has moved to where job looks: job goes on with other's row and other's followers.
 * Where other looked there may be another file by now, whose events other has taken. */
static void succeed(struct app *app, struct job *job, struct job *other, enum leads there)
{
	struct version *heir = job->version;
	const struct version *late = other->version;
	int64_t row = late->id ? late->id : other->row;
	unsigned attempt = late->attempt;
	unsigned tries = late->tries;
	int64_t away_since_ns = late->away_since_ns;
	bool recorded = other->recorded;
	if (row && !heir->id && !job->row) {
		bool claimed = flight_claim_row(&app->flight, job, row);
		assert(claimed); /* other is idle */
		(void)claimed;
		heir->id = row;
		heir->attempt = attempt;
		heir->tries = tries;
		heir->away_since_ns = away_since_ns;
	} else if (row && row != heir->id && row != job->row) {
		record_forget_row(app, late, row);
	}
	if (late->first_seen_ns < heir->first_seen_ns)
		heir->first_seen_ns = late->first_seen_ns;
	job->recorded = job->recorded || recorded;
	job->written = job->written || other->written || other->prior_stands;
	list_splice(&job->parked, &other->parked);
	size_t len = late->path_len;
	AUTO_FREE char *path = xmemdup(late->path, len);
	enum job_told told = other->told;
	int dir = other->dir;
	flight_drop(&app->flight, other);
	if (there == LEADS_ELSEWHERE)
		intake_look_soon(app, path, len, told, dir);
}

/* No turn is needed where the history has an answer for this very version, for that makes a
 * sighting, unless the content is just being read at the other name, which may be another by now;
 * nor by a name that has its row in the queue: a thousand links would wait for each other. */
static bool needs_turn(struct app *app, const struct job *job, const struct job *other,
		       const struct identity *identity)
{
	const struct version *version = job->version;
	struct known known = { .as = KNOWN_NOT };
	struct error err = { 0 };
	if (store_find(app->reader, identity, version->path, version->path_len, version->dir_len,
		       &known, &err) < 0)
		unread_tell(app, &err);
	bool sighting = known.as == KNOWN_ELSEWHERE && !(other && other->reads);
	bool answered = (sighting || known.as == KNOWN_SAME) && known.state == VERSION_DONE;
	bool has_own_row = known.as == KNOWN_SAME && job->row != 0 && known.id == job->row;
	known_done(&known);
	return !answered && !has_own_row;
}

bool samefile_wait(struct app *app, struct job *job, const struct identity *identity)
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
	if (!needs_turn(app, job, other, identity))
		return false;
	flight_park(&app->flight, job, other);
	return true;
}

bool samefile_hand_over(struct app *app, struct job *job)
{
	LIST_FOREACH(at, &job->parked) {
		struct job *heir = LIST_OF(at, struct job, state_link);
		struct version *version = heir->version;
		if (version->identity.fsid == 0 &&
		    roots_fsid(app->roots, heir->root, version->path, version->dir_len,
			       &version->identity.fsid) < 0)
			continue; /* it is considered by itself, when it can be */
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

struct others {
	struct app *app;
	const struct version *here; /* its path is none of the others */
	const struct identity *identity;
	enum job_told told; /* at its path, and so of the file */
	bool found;
};

static void tell_other(void *context, const char *path, size_t len)
{
	struct others *others = context;
	struct app *app = others->app;
	const struct version *here = others->here;
	struct statx st;
	if (len == here->path_len && memcmp(path, here->path, len) == 0)
		return;
	uint32_t root = roots_of_path(app->roots, path, len);
	if (roots_stat(app->roots, root, path, &st) < 0)
		return;
	struct identity now = identity_of(&st, others->identity->fsid);
	if (!identity_same_file(&now, others->identity))
		return;
	others->found = true;
	const char *slash = memrchr(path, '/', len);
	int dir =
		slash ? watcher_directory_at(app->watcher, root, path, (size_t)(slash - path)) : 0;
	intake_look_soon(app, path, len, others->told, dir);
}

/* Looks at the names that the history knows of a file, and that lead to it. */
static void tell_others(struct others *others)
{
	const struct store_name_visit each = { .visit = tell_other, .context = others };
	struct error err = { 0 };
	if (store_names(others->app->reader, others->identity, NAMES_AT_ONCE, &each, &err) < 0)
		unread_tell(others->app, &err);
}

/* A path that was to be looked at once more, because something was told of it while its row was
 * recorded, leads nowhere: is the file that it led to somewhere else by now? */
static bool went_elsewhere(struct app *app, const struct job *job)
{
	struct others others = {
		.app = app,
		.here = job->version,
		.identity = &job->seen,
		.told = job->told,
	};
	if (job->seen.inode == 0)
		return false;
	if (flight_same_file(&app->flight, &job->seen, job))
		return true;
	tell_others(&others);
	return others.found;
}

bool samefile_was_passing(struct app *app, const struct job *job)
{
	if (job->recorded)
		return false;
	if (!job->in_inode_table)
		return went_elsewhere(app, job);
	return flight_same_file(&app->flight, &job->seen, job) ||
	       !needs_turn(app, job, NULL, &job->seen);
}

void samefile_tell_others(struct app *app, const struct job *job)
{
	struct others others = {
		.app = app,
		.here = job->version,
		.identity = &job->version->identity,
		.told = TOLD_NOTHING,
	};
	if (app->mode == APP_RUNNING) /* else the next start's walk meets them */
		tell_others(&others);
}
