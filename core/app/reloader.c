/* reloader: see reloader.h. */
#include "core/app/reloader.h"

#include <sys/eventfd.h>

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/app/engine.h"
#include "core/base/lock.h"
#include "core/base/mem.h"
#include "core/config/config.h"

enum stage {
	STAGE_IDLE,
	STAGE_ASKED,
	STAGE_DONE,
};

struct reloader {
	int fd;	       /* eventfd */
	int cancel_fd; /* eventfd; readable once what is under way is to be given up */
	pthread_t thread;
	bool threaded; /* the caller's */
	bool busy;     /* the caller's: asked, and not taken yet */
	pthread_cond_t asked;
	struct lock lock;
	/* guarded by lock */
	enum stage stage;
	bool ending;
	struct reload_wish wish;
	struct reload_result result;
};

static void make_readable(int fd)
{
	const uint64_t one = 1;
	ssize_t ignored = write(fd, &one, sizeof one);
	(void)ignored;
}

int reloader_new(struct reloader **out, struct error *err)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	int cancel_fd = fd < 0 ? -1 : eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (cancel_fd < 0) {
		int code = errno;
		if (fd >= 0)
			fd_close(fd);
		return error_set(err, code, "eventfd: %s", error_text(code));
	}
	struct reloader *reloader = xcalloc(1, sizeof *reloader);
	reloader->fd = fd;
	reloader->cancel_fd = cancel_fd;
	lock_init(&reloader->lock);
	lock_condition_init(&reloader->asked);
	*out = reloader;
	return 0;
}

static void drop_wish(struct reload_wish *wish)
{
	config_unref(wish->config);
	engine_unref(wish->earlier);
	*wish = (struct reload_wish){ 0 };
}

static void drop_result(struct reload_result *result)
{
	engine_unref(result->engine);
	config_unref(result->config);
	*result = (struct reload_result){ 0 };
}

/* A file that an editor has cut and not written yet, or moved away, must not put the built-in
 * detectors in the place of those that somebody chose. */
static int check_written(const struct config *config, const struct engine *earlier,
			 struct error *err)
{
	if (config->has_settings || !earlier || !earlier->config->has_settings)
		return 0;
	return error_set(
		err, EINVAL, "%s: it %s; where the built-in settings are meant, {} says so",
		earlier->config->file,
		config->file ? "holds no settings any more, as if it were cut short" : "is gone");
}

/* The history stays what it is as long as we run, for all that lies beside it too. */
static bool keep_history(struct config *config, const struct config *earlier)
{
	if (strcmp(config->history, earlier->history) == 0)
		return false;
	free(config->history);
	config->history = xstrdup(earlier->history);
	return true;
}

static void fulfil(struct reload_wish *wish, int cancel_fd, struct reload_result *out)
{
	*out = (struct reload_result){ .anew = !wish->config, .config = TAKE(wish->config) };
	int result = 0;
	if (out->anew)
		result = config_load(&out->config, wish->overrides, &out->err);
	if (result == 0 && out->anew)
		result = check_written(out->config, wish->earlier, &out->err);
	if (result == 0 && out->anew && wish->earlier)
		out->other_history = keep_history(out->config, wish->earlier->config);
	if (result == 0)
		result = engine_new_after(&out->engine, out->config, wish->earlier, cancel_fd,
					  &out->err);
	if (result < 0) {
		config_unref(out->config);
		out->config = NULL;
		out->engine = NULL;
	}
	drop_wish(wish);
}

/* Waits for a wish; false: it is to end. */
static bool next_wish(struct reloader *reloader, struct reload_wish *out)
{
	lock_take(&reloader->lock);
	while (reloader->stage != STAGE_ASKED && !reloader->ending)
		lock_wait(&reloader->lock, &reloader->asked);
	bool more = !reloader->ending;
	*out = reloader->wish;
	if (more) {
		reloader->wish = (struct reload_wish){ 0 };
		reloader->stage = STAGE_IDLE;
	}
	lock_drop(&reloader->lock);
	return more;
}

static void *work(void *reloader_)
{
	struct reloader *reloader = reloader_;
	struct reload_wish wish;
	while (next_wish(reloader, &wish)) {
		struct reload_result result;
		fulfil(&wish, reloader->cancel_fd, &result);
		lock_take(&reloader->lock);
		reloader->result = result;
		reloader->stage = STAGE_DONE;
		lock_drop(&reloader->lock);
		make_readable(reloader->fd);
	}
	return NULL;
}

void reloader_free(struct reloader *reloader)
{
	if (!reloader)
		return;
	make_readable(reloader->cancel_fd);
	lock_take(&reloader->lock);
	reloader->ending = true;
	(void)pthread_cond_signal(&reloader->asked);
	lock_drop(&reloader->lock);
	if (reloader->threaded)
		(void)pthread_join(reloader->thread, NULL);
	drop_wish(&reloader->wish);
	drop_result(&reloader->result);
	(void)pthread_cond_destroy(&reloader->asked);
	lock_done(&reloader->lock);
	fd_close(reloader->fd);
	fd_close(reloader->cancel_fd);
	free(reloader);
}

int reloader_fd(const struct reloader *reloader)
{
	return reloader->fd;
}

bool reloader_busy(const struct reloader *reloader)
{
	return reloader->busy;
}

int reloader_ask(struct reloader *reloader, const struct reload_wish *wish)
{
	assert(!reloader->busy);
	struct reload_wish own = *wish;
	if (!reloader->threaded) {
		int code = pthread_create(&reloader->thread, NULL, work, reloader);
		if (code) {
			drop_wish(&own);
			return -code;
		}
		reloader->threaded = true;
	}
	reloader->busy = true;
	lock_take(&reloader->lock);
	reloader->wish = own;
	reloader->stage = STAGE_ASKED;
	(void)pthread_cond_signal(&reloader->asked);
	lock_drop(&reloader->lock);
	return 0;
}

bool reloader_take(struct reloader *reloader, struct reload_result *out)
{
	uint64_t count;
	ssize_t ignored = read(reloader->fd, &count, sizeof count);
	(void)ignored;
	lock_take(&reloader->lock);
	bool done = reloader->stage == STAGE_DONE;
	if (done) {
		*out = reloader->result;
		reloader->result = (struct reload_result){ 0 };
		reloader->stage = STAGE_IDLE;
		reloader->busy = false;
	}
	lock_drop(&reloader->lock);
	return done;
}
