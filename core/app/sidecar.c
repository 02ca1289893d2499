/* sidecar: see sidecar.h. */
#include "core/app/sidecar.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "core/app/announce.h"
#include "core/app/intake.h"
#include "core/app/outbox.h"
#include "core/app/record.h"
#include "core/app/roots.h"
#include "core/app/scan.h"
#include "core/app/shortened.h"
#include "core/app/state.h"
#include "core/base/error.h"
#include "core/base/log.h"
#include "core/entry/sidecar.h"

/* As much of fd as it held when it was opened: its length, or -errno. One that grows under it is
 * told of again. */
static ssize_t read_all(int fd, char *text, size_t size)
{
	size_t len = 0;
	while (len < size) {
		ssize_t got = read(fd, text + len, size - len);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			break;
		len += (size_t)got;
	}
	return (ssize_t)len;
}

/* *text is owned. Its length, or -errno. */
static ssize_t read_sidecar(const struct job *job, char **text)
{
	int fd AUTO_CLOSE = roots_open(job->app->roots, job->root, job->version->path,
				       O_RDONLY | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return 0;
	if (st.st_size > (off_t)SIDECAR_MAX)
		return -EFBIG;
	*text = xcalloc(1, (size_t)st.st_size + 1);
	return read_all(fd, *text, (size_t)st.st_size);
}

static bool is_passing(ssize_t failure)
{
	return failure == -EAGAIN || error_is_ours((int)-failure);
}

static void run(struct pool_job *pool_job, void *scanner)
{
	struct job *job = LIST_OF(pool_job, struct job, pool_job);
	struct app *app = job->app;
	AUTO_FREE char *text = NULL;
	(void)scanner;
	ssize_t len = read_sidecar(job, &text);
	job->result = JOB_SIDECAR;
	job->shortened = len > 0 ? sidecar_shortened(text, (size_t)len) : NULL;
	if (is_passing(len)) {
		job->result = JOB_LATER;
		job->result_errno = (int)-len;
	} else if (len == -EFBIG) {
		/* what a client sent stands in it, and must not be able to hide the rest */
		job->shortened = "its sidecar is too large to be read";
	} else if (len < 0 && !error_is_absence((int)-len)) {
		log_warning("a sidecar cannot be read, whether its file is whole is not known "
			    "path=%s error=%s",
			    job->version->path, error_text((int)-len));
	}
	outbox_put(app->outbox, job);
}

void sidecar_dispatch(struct app *app, struct job *job)
{
	job->prior_stands = true; /* it gets no row, and waits in memory */
	if (app->mode == APP_STOPPING) {
		record_let_wait(app, job); /* the next start's walk meets it */
		return;
	}
	if (app_with_workers(app) >= APP_RUNNING_MAX) {
		flight_wait(&app->flight, job, mono_add_ms(mono_now(), APP_CREATED_MS));
		return;
	}
	job->pool_job.run = run;
	job->again = false;
	job->again_told = TOLD_NOTHING;
	flight_move(&app->flight, job, JOB_RUNNING);
	if (pool_push(app->pool, &job->pool_job) != POOL_TAKEN)
		flight_wait(&app->flight, job, mono_add_ms(mono_now(), APP_CREATED_MS));
}

/* Has the rows of the path marked. identity: of the file there; inode 0: not known. */
static void mark(struct app *app, const char *path, size_t len, const struct identity *identity,
		 const char *words)
{
	struct version *version = version_new(path, len);
	version->identity = *identity;
	intake_name(app, roots_of_path(app->roots, path, len), version);
	version_set_incomplete(version, words);
	record_mark(app, version);
}

void sidecar_came(struct app *app, struct job *job)
{
	const struct version *version = job->version;
	size_t len = sidecar_subject(version->path, version->path_len);
	if (job->shortened && len) {
		AUTO_FREE char *path = xmemdup(version->path, len);
		struct identity identity = { .fsid = version->identity.fsid };
		struct statx st;
		if (roots_stat(app->roots, job->root, path, &st) == 0)
			identity = identity_of(&st, version->identity.fsid);
		if (!shortened_add(app->shortened, path, len, job->shortened))
			log_warning("more than %d shortened files are waited for; the oldest is "
				    "marked at the next walk only",
				    SHORTENED_MAX);
		mark(app, path, len, &identity, job->shortened);
	}
	record_let_wait(app, job);
}

void sidecar_tell(struct app *app, struct version *version)
{
	const char *words = shortened_find(app->shortened, version->path, version->path_len);
	if (words)
		version_set_incomplete(version, words);
}

void sidecar_committed(struct app *app, struct version *version, const struct store_op *op)
{
	const char *words = shortened_find(app->shortened, version->path, version->path_len);
	if (!words || version->state == VERSION_QUEUED || op->result == STORE_REFUSED)
		return;
	if (op->verb == STORE_SAVE && op->result == STORE_WRITTEN && version->incomplete) {
		shortened_remove(app->shortened, version->path, version->path_len);
		return;
	}
	version_set_incomplete(version, words); /* so that it is told as what it will be */
	mark(app, version->path, version->path_len, &version->identity, words);
}

void sidecar_marked(struct app *app, const struct store_op *op)
{
	const struct version *version = op->version;
	if (op->result == STORE_PENDING) /* its row is still to come, or to end */
		return;
	shortened_remove(app->shortened, version->path, version->path_len);
	if (op->result == STORE_WRITTEN)
		announce_incomplete(app, version);
}
