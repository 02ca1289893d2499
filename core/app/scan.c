/*
 * scan: see scan.h.
 *
 * The steps of DESIGN.md, section 4, each a function that says how to go on. The first fstat fixes
 * what is scanned; whatever differs afterwards sends the job back to the loop.
 */
#include "core/app/scan.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "core/app/ask.h"
#include "core/app/doubt.h"
#include "core/app/engine.h"
#include "core/app/hashing.h"
#include "core/app/lease.h"
#include "core/app/outbox.h"
#include "core/app/pause.h"
#include "core/app/review.h"
#include "core/app/roots.h"
#include "core/app/sidecar.h"
#include "core/app/state.h"
#include "core/app/twins.h"
#include "core/base/beneath.h"
#include "core/base/error.h"
#include "core/base/str.h"
#include "core/config/config.h"
#include "core/detect/hasher.h"
#include "core/store/reader.h"
#include "core/store/rescan.h"
#include "core/store/store.h"

enum step {
	STEP_ON,   /* go on with the next step */
	STEP_SAVE, /* the version is ready for the history */
	STEP_TELL, /* the loop decides: job->result is set */
	STEP_GONE, /* somebody else has the job now */
	STEP_ANEW, /* from the beginning, in its turn */
};

int scanner_new(void **out, void *context, struct error *err)
{
	struct app *app = context;
	struct scanner *scanner = xcalloc(1, sizeof *scanner);
	scanner->app = app;
	scanner->hasher = hasher_new();
	int result = store_reader_open(&scanner->reader, app->config->history, err);
	if (result < 0) {
		scanner_free(scanner);
		return result;
	}
	store_reader_follow(scanner->reader, app->store);
	*out = scanner;
	return 0;
}

void scanner_free(void *scanner_)
{
	struct scanner *scanner = scanner_;
	if (!scanner)
		return;
	store_reader_free(scanner->reader);
	hasher_free(scanner->hasher);
	free(scanner);
}

static enum step tell(struct job *job, enum job_result result, int code)
{
	job->result = result;
	job->result_errno = code;
	return STEP_TELL;
}

static enum step unscanned(struct job *job, enum version_reason reason, const char *note)
{
	struct version *version = job->version;
	version->state = VERSION_UNSCANNED;
	version->reason = reason;
	version->finished_ns = clock_wall_ns();
	free(version->note);
	version->note = xstrdup(note);
	return STEP_SAVE;
}

static enum step not_opened(struct job *job, int code)
{
	if (error_is_absence(code))
		return tell(job, JOB_GONE, code);
	if (error_is_ours(code))
		return tell(job, JOB_LATER, code);
	switch (code) {
	case EWOULDBLOCK: /* somebody's lease is being broken: open(2) */
		return tell(job, JOB_WRITER, code);
	case ENXIO: /* a FIFO, a socket, or a device without a driver */
		return unscanned(job, REASON_NOT_REGULAR, error_text(code));
	case ELOOP:
		return tell(job, JOB_LINKED, code);
	default:
		return unscanned(job, REASON_UNREADABLE, error_text(code));
	}
}

static enum step open_sample(struct job *job, int *fd)
{
	const struct roots *roots = job->app->roots;
	const char *path = job->version->path;
	/* without a look at the root first; whatever it is that cannot be had is told below */
	*fd = beneath_open_straight(job->absolute, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	if (*fd >= 0)
		return STEP_ON;
	*fd = roots_open(roots, job->root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	if (*fd == -ELOOP) {
		/* a link took the file's very place, or a directory above is a link now */
		AUTO_CLOSE int link = roots_open(roots, job->root, path, O_PATH);
		if (link >= 0)
			return tell(job, JOB_CHANGED, 0);
	}
	return *fd < 0 ? not_opened(job, -*fd) : STEP_ON;
}

/* Stat of an open file, as an identity; -errno. */
static int look(int fd, uint64_t fsid, struct identity *out, struct statx *st)
{
	if (statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_BTIME, st) < 0)
		return -errno;
	*out = identity_of(st, fsid);
	return 0;
}

static enum step fix_identity(struct job *job, const struct config *config, int fd,
			      struct statx *st)
{
	struct version *version = job->version;
	struct identity now = { 0 };
	int result = look(fd, version->identity.fsid, &now, st);
	if (result < 0)
		return not_opened(job, -result);
	if (!identity_same_file(&now, &version->identity))
		return tell(job, JOB_CHANGED, 0);
	if (job->rescan && !review_may_be(job, &now, config))
		return tell(job, JOB_CHANGED, 0);
	if (!identity_same_version(&now, &version->identity))
		version->away_since_ns = 0; /* another content, which has not waited for anyone */
	if (!identity_same_version(&now, &version->identity) ||
	    now.ctime_ns != version->identity.ctime_ns) {
		/* nothing holds that was known of it when it was dispatched */
		job->hashed = false;
		job->sighting_of = 0;
		version->has_sha256 = false;
	}
	version->identity = now;
	job->links = st->stx_nlink;
	/* a content that is not read now is not vouched for by this look, but by the one before */
	if (!job->hashed)
		version->checked_ns = clock_wall_ns();
	if (!S_ISREG(st->stx_mode))
		return unscanned(job, REASON_NOT_REGULAR, NULL);
	if (now.size > config->max_file_size && !job->prior_imported) {
		char note[96];
		(void)snprintf(note, sizeof note, "%lld bytes, max_file_size is %lld",
			       (long long)now.size, (long long)config->max_file_size);
		return unscanned(job, REASON_OVERSIZE, note);
	}
	return STEP_ON;
}

/* The same content again under a new size or time is no new version: the known row is brought up to
 * date. */
static enum step refresh_row(struct job *job, int64_t row)
{
	struct version *version = job->version;
	/* a change time in the future is that of a clock that was set back since: decide.c */
	if (version->checked_ns < version->identity.ctime_ns)
		version->checked_ns = version->identity.ctime_ns;
	job->op.verb = STORE_REFRESH;
	version->id = row;
	return STEP_SAVE;
}

/* The known row that has the job's content, 0: none has. */
static int64_t row_of_content(const struct job *job)
{
	const uint8_t *sha256 = job->version->sha256;
	if (job->prior_id && job->prior_has_sha256 && memcmp(job->prior_sha256, sha256, 32) == 0)
		return job->prior_id;
	if (job->later_id && memcmp(job->later_sha256, sha256, 32) == 0)
		return job->later_id;
	return 0;
}

/* Whether leases tell of writers is a matter of the file system: asked once for all of its files
 * that come in a row, until mounts change. */
static bool sees_writers(struct scanner *scanner, const struct job *job, int fd, dev_t dev)
{
	uint_fast64_t mounts = atomic_load(&scanner->app->mounts);
	uint64_t fsid = job->version->identity.fsid;
	if (mounts == 0 || scanner->ground.mounts != mounts || scanner->ground.dev != dev ||
	    scanner->ground.fsid != fsid) {
		scanner->ground.sees = lease_sees(fd);
		scanner->ground.mounts = mounts;
		scanner->ground.dev = dev;
		scanner->ground.fsid = fsid;
	}
	return scanner->ground.sees;
}

static enum step find_writer(struct scanner *scanner, struct job *job, int fd,
			     const struct statx *st)
{
	dev_t dev = makedev(st->stx_dev_major, st->stx_dev_minor);
	enum lease_result result = LEASE_UNKNOWN;
	if (sees_writers(scanner, job, fd, dev))
		result = lease_try(fd);
	else
		errno = EOPNOTSUPP;
	job->lease_error = errno;
	job->lease = result == LEASE_UNKNOWN ? LEASE_BLIND : LEASE_SEES;
	switch (result) {
	case LEASE_FREE:
		return doubt_half_open(job) ? tell(job, JOB_CHANGED, 0) : STEP_ON;
	case LEASE_WRITER:
		return tell(job, JOB_WRITER, 0);
	case LEASE_UNKNOWN:
		return job_is_whole(job) ? STEP_ON : tell(job, JOB_UNSETTLED, 0);
	}
	return STEP_ON;
}

static enum step hash_content(struct scanner *scanner, struct job *job, struct engine *engine,
			      int fd)
{
	struct version *version = job->version;
	if (job->hashed)
		return STEP_ON;
	version->has_sha256 = false;
	int64_t size = 0;
	struct hashes hashes = { .have = hashing_wanted(engine, job) };
	int result = hasher_fd(scanner->hasher, fd, version->identity.size, &hashes, &size);
	if (result == -EFBIG)
		return tell(job, JOB_CHANGED, 0); /* it grew */
	if (result < 0)
		return not_opened(job, -result);
	struct identity after = { 0 };
	struct statx st;
	result = look(fd, version->identity.fsid, &after, &st);
	if (result < 0)
		return not_opened(job, -result);
	if (!identity_same_version(&after, &version->identity) || size != after.size)
		return tell(job, JOB_CHANGED, 0);
	hashing_keep(job, &hashes);
	int64_t row = row_of_content(job);
	return row ? refresh_row(job, row) : STEP_ON;
}

static void back_to_pool(struct app *app, struct job *job)
{
	if (pool_push(app->pool, &job->pool_job) != POOL_TAKEN) {
		job->result = JOB_CANCELLED;
		outbox_put(app->outbox, job);
	}
}

static void give_back(struct app *app, struct list *followers)
{
	for (struct list *link; (link = list_shift(followers));)
		back_to_pool(app, LIST_OF(link, struct job, twin_link));
}

static enum step meet_twins(struct scanner *scanner, struct job *job, struct engine *engine)
{
	if (!job->version->has_sha256 || !ask_any_wanted(engine, job->version))
		return STEP_ON;
	struct finding *findings = NULL;
	size_t count = 0;
	switch (twins_enter(scanner->app->twins, job, &findings, &count)) {
	case TWINS_LEAD:
	case TWINS_ALONE:
		return STEP_ON;
	case TWINS_PARKED:
		return STEP_GONE;
	case TWINS_ANSWERED:
		scanner->lent = findings;
		scanner->lent_count = count;
		return STEP_ON;
	}
	return STEP_ON;
}

static bool still_there(const struct job *job)
{
	struct statx st;
	const unsigned want = STATX_BASIC_STATS | STATX_BTIME;
	if (statx(AT_FDCWD, job->absolute, AT_SYMLINK_NOFOLLOW, want, &st) < 0)
		return errno == ENAMETOOLONG; /* no detector could take such a path: they said so */
	struct identity now = identity_of(&st, job->version->identity.fsid);
	return identity_same_file(&now, &job->version->identity);
}

/* What the detectors saw must be what was opened, and where it was opened. */
static enum step look_after(struct job *job, const struct asking *asking)
{
	if (!asking->read)
		return STEP_ON; /* nothing was said of the content */
	struct identity after = { 0 };
	struct statx st;
	int result = look(asking->fd, job->version->identity.fsid, &after, &st);
	if (result < 0)
		return not_opened(job, -result);
	if (!identity_same_version(&after, &job->version->identity))
		return tell(job, JOB_CHANGED, 0);
	/* moved meanwhile: what a detector that takes a path said is worth nothing, and no attempt
	 */
	if (asking->took_path && !still_there(job))
		return tell(job, JOB_GONE, 0);
	return STEP_ON;
}

/* What is no end takes room, and makes none: where the history spares that it is not recorded, as
 * if nobody had been asked, and the file is looked at again in a while. */
static enum step conclude_look(struct asking *asking)
{
	struct job *job = asking->job;
	struct version *version = job->version;
	const int64_t id = version->id;
	const unsigned attempt = version->attempt;
	const unsigned tries = version->tries;
	const enum version_wait wait = version->wait;
	ask_conclude(asking);
	if (version->state != VERSION_QUEUED || !store_spares_room(job->app->store))
		return STEP_ON;
	version->id = id;
	version->attempt = attempt;
	version->tries = tries;
	version->wait = wait;
	return tell(job, JOB_LATER, 0);
}

static enum step ask(struct scanner *scanner, struct job *job, struct engine *engine, int fd)
{
	struct asking asking = { .scanner = scanner, .job = job, .engine = engine, .fd = fd };
	switch (ask_all(&asking)) {
	case ASK_NO_DETECTOR:
		/* outcomes of earlier attempts may be of another content */
		if (job->version->attempt > 0)
			job->version->has_sha256 = false;
		return unscanned(job, REASON_NO_DETECTOR, NULL);
	case ASK_CANCELLED:
		return tell(job, JOB_CANCELLED, 0);
	case ASK_FAILED:
		return tell(job, JOB_LATER, asking.failure);
	case ASK_OTHER:
		return STEP_ANEW;
	case ASK_ASKED:
		break;
	}
	enum step step = look_after(job, &asking);
	if (step == STEP_ON && job->rescan)
		review_conclude(&asking);
	else if (step == STEP_ON)
		step = conclude_look(&asking);
	if (step == STEP_ON)
		step = STEP_SAVE;
	ask_forget(&asking);
	return step;
}

/* The rules may be those that answered last, or nobody may be left to ask: then the file need not
 * be opened. */
static enum step find_need(struct scanner *scanner, struct job *job, struct engine *engine)
{
	struct asking asking = { .scanner = scanner, .job = job, .engine = engine, .fd = -1 };
	switch (ask_any_stale(&asking)) {
	case ASK_NO_DETECTOR:
		return unscanned(job, REASON_NO_DETECTOR, NULL);
	case ASK_FAILED:
		return tell(job, JOB_LATER, asking.failure);
	case ASK_ASKED:
	case ASK_CANCELLED:
	case ASK_OTHER:
		break;
	}
	return STEP_ON;
}

static enum step examine(struct scanner *scanner, struct job *job, struct engine *engine, int *fd)
{
	struct statx st;
	enum step step = job->rescan ? find_need(scanner, job, engine) : STEP_ON;
	if (step == STEP_ON)
		step = open_sample(job, fd);
	if (step == STEP_ON)
		step = fix_identity(job, engine->config, *fd, &st);
	if (step == STEP_ON)
		step = find_writer(scanner, job, *fd, &st);
	if (step == STEP_ON && job->prior_imported)
		step = refresh_row(job, job->prior_id);
	/* before it is read: a thousand files that wait would be read again each time */
	if (step == STEP_ON && ask_waits_on(engine, job->version))
		step = STEP_SAVE;
	if (step == STEP_ON && engine->config->hash)
		step = hash_content(scanner, job, engine, *fd);
	if (step == STEP_ON && job->rescan && !review_is_content(job))
		step = tell(job, JOB_CHANGED, 0);
	if (step == STEP_ON)
		step = meet_twins(scanner, job, engine);
	if (step == STEP_ON)
		step = ask(scanner, job, engine, *fd);
	return step;
}

/* A look that led nowhere is forgotten, the hash with the findings: a row's hash says of what
 * content its outcomes are, and the row may have some of an earlier attempt. */
static void forget_look(struct job *job)
{
	struct version *version = job->version;
	for (size_t i = 0; i < version->finding_count; i++)
		finding_done(&version->findings[i]);
	version->finding_count = 0;
	version->has_sha256 = false;
	job->hashed = false;
	job->twin_failed = false;
}

/* Lets go of a leader's place: with an answer when the version is done, without one otherwise. */
static void settle_twins(struct app *app, struct job *job, enum step step)
{
	struct list followers;
	list_init(&followers);
	if (step == STEP_SAVE && job->version->state == VERSION_DONE &&
	    (job->rescan ? job->rescan->end == RESCAN_ANSWERED : job->op.verb == STORE_SAVE))
		twins_answer(app->twins, job, &followers);
	else
		twins_fail(app->twins, job, &followers);
	give_back(app, &followers);
}

/* Whether the sensor's file lacks a part: what a sidecar said, and what the name says. */
static void weigh_wholeness(struct app *app, struct version *version)
{
	sidecar_tell(app, version);
	if (!version->has_sha256 || !entry_hash_differs(&version->entry, version->sha256))
		return;
	struct slice hash = version->entry.field[ENTRY_HASH];
	AUTO_STR words = STR_INIT;
	str_printf(&words, "the name says SHA-256 %.*s", (int)hash.len, hash.at);
	version_set_incomplete(version, str_text(&words));
}

static void look_at(struct scanner *scanner, struct job *job)
{
	struct app *app = scanner->app;
	if (pause_is_on(app)) { /* it waited for us when that began */
		job->result = JOB_HELD;
		outbox_put(app->outbox, job);
		return;
	}
	AUTO(engine) struct engine *engine = app_engine(app);
	AUTO_CLOSE int fd = -1;
	job->op.verb = job->rescan ? STORE_RESCAN : STORE_SAVE;
	job->op.rescan = job->rescan;
	enum step step = examine(scanner, job, engine, &fd);
	ask_return_lent(scanner);
	if (step == STEP_GONE)
		return;
	if (step == STEP_TELL || step == STEP_ANEW)
		forget_look(job);
	if (job->rescan && (step == STEP_TELL || job->version->state != VERSION_DONE))
		step = review_broke_off(job, step == STEP_TELL, engine->config) ? STEP_SAVE
										: STEP_TELL;
	settle_twins(app, job, step);
	if (step == STEP_ANEW) {
		/* what was taken from another row is not of this content */
		job->sighting_of = 0;
		back_to_pool(app, job);
		return;
	}
	if (step == STEP_TELL) {
		outbox_put(app->outbox, job);
		return;
	}
	if (job->op.verb == STORE_SAVE)
		weigh_wholeness(app, job->version);
	atomic_store(&job->submitted, true);
	atomic_fetch_add_explicit(&app->submitted, 1, memory_order_relaxed);
	store_submit(app->store, &job->op);
}

void scan_run(struct pool_job *pool_job, void *scanner_)
{
	struct scanner *scanner = scanner_;
	struct app *app = scanner->app;
	look_at(scanner, LIST_OF(pool_job, struct job, pool_job));
	/* the job is not ours any more */
	atomic_fetch_add_explicit(&app->health.looks, 1, memory_order_relaxed);
}
