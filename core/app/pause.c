/* pause: see pause.h. */
#include "core/app/pause.h"

#include <errno.h>

#include "core/app/decide.h"
#include "core/app/loop.h"
#include "core/app/record.h"
#include "core/app/state.h"
#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/log.h"
#include "core/base/str.h"
#include "core/pool/pool.h"

bool pause_is_on(const struct app *app)
{
	return atomic_load_explicit(&app->pausing.on, memory_order_relaxed);
}

size_t pause_at_work(const struct app *app)
{
	size_t waiting, running;
	pool_counts(app->pool, &waiting, &running);
	return running;
}

int pause_begin(struct app *app, struct error *err)
{
	if (app->options.once)
		return error_set(err, EINVAL,
				 "a run with --once, or a scan, ends by itself and cannot be "
				 "paused; SIGTERM ends it, and leaves what is queued");
	if (app->mode != APP_RUNNING)
		return error_set(err, EBUSY, "the daemon is about to end and cannot be paused");
	if (pause_is_on(app))
		return 0;
	app->pausing.since_ns = clock_wall_ns();
	atomic_store(&app->pausing.on, true);
	log_notice("paused: new files are recorded as queued and not looked at, until \"carved "
		   "resume\" or a restart; workers finish %zu",
		   pause_at_work(app));
	return 0;
}

bool pause_end(struct app *app, const char *why)
{
	if (!pause_is_on(app))
		return false;
	atomic_store(&app->pausing.on, false);
	app->backlog = true;
	app->rescans.due = true;
	log_notice("resumed %s, after %lld s", why,
		   (long long)((clock_wall_ns() - app->pausing.since_ns) / CLOCK_NS_PER_S));
	return true;
}

void pause_leave_doubt(struct app *app, struct job *job)
{
	app->pausing.doubts_left++;
	app->pausing.side_op = app->side_ops_sent;
	record_let_wait(app, job);
}

void pause_take_back(struct app *app, struct job *job)
{
	/* its row waits in the history, where a refill finds it */
	if (job->recorded && pause_is_on(app))
		record_let_wait(app, job);
	else
		decide_dispatch(app, job);
}

bool pause_left_doubts(const struct app *app)
{
	return app->pausing.doubts_left > 0;
}

void pause_tick(struct app *app)
{
	struct pausing *pausing = &app->pausing;
	if (!pausing->doubts_left || pause_is_on(app) || app->mode != APP_RUNNING ||
	    !record_side_ops_are_back(app, pausing->side_op))
		return;
	log_notice("reconcile, as %llu known files may have changed during the pause",
		   (unsigned long long)pausing->doubts_left);
	pausing->doubts_left = 0;
	loop_walk(app);
}

void pause_status(const struct app *app, struct str *out)
{
	if (!pause_is_on(app)) {
		str_puts(out, ",\"paused\":null");
		return;
	}
	str_printf(out, ",\"paused\":{\"since_ns\":%lld,\"doubts_left\":%llu}",
		   (long long)app->pausing.since_ns, (unsigned long long)app->pausing.doubts_left);
}
