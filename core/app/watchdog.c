/*
 * watchdog: see watchdog.h.
 *
 * Whoever has a thread has a pulse (core/base/pulse.h), which allows for what takes long and is no
 * fault: a detector has its timeout, a history that cannot be written is tried again after a pause.
 * One that does not beat for a whole interval beyond that has stalled, and the service manager ends
 * us an interval later. The watcher knows nothing of pulses; the loop feels its thread's.
 */
#include "core/app/watchdog.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/app/notify.h"
#include "core/app/state.h"
#include "core/base/error.h"
#include "core/base/log.h"
#include "watcher/health.h"

/* A whole number, greater than 0. 1: there is none; -EINVAL. */
static int number_of(const char *text, int64_t *out)
{
	if (!text || !*text)
		return 1;
	char *end;
	errno = 0;
	long long number = strtoll(text, &end, 10);
	if (errno || *end || number <= 0)
		return -EINVAL;
	*out = number;
	return 0;
}

static int64_t interval_ms(void)
{
	int64_t usec = 0, pid = getpid();
	// nobody sets them: NOLINTBEGIN(concurrency-mt-unsafe)
	int wanted = number_of(secure_getenv("WATCHDOG_USEC"), &usec);
	int whose = number_of(secure_getenv("WATCHDOG_PID"), &pid);
	// NOLINTEND(concurrency-mt-unsafe)
	if (wanted < 0 || whose < 0)
		log_warning("there is no watchdog: WATCHDOG_USEC or WATCHDOG_PID is no number");
	if (wanted != 0 || whose < 0 || pid != getpid())
		return 0; /* 1: it is our parent's, say */
	return usec < 2000 ? 1 : usec / 1000;
}

void watchdog_begin(struct app *app)
{
	struct watchdog *watchdog = &app->watchdog;
	pulse_init(&watchdog->reader, "reader");
	watchdog->interval_ms = interval_ms();
	if (watchdog->interval_ms)
		watchdog->due = mono_now();
}

void watchdog_done(struct app *app)
{
	if (*app->watchdog.reader.name)
		pulse_done(&app->watchdog.reader);
}

static void feel_reader(struct app *app)
{
	struct watchdog *watchdog = &app->watchdog;
	bool at_work = false;
	uint64_t rounds = watcher_reader_rounds(app->watcher, &at_work);
	if (rounds != watchdog->rounds)
		pulse_step(&watchdog->reader);
	watchdog->rounds = rounds;
	if (at_work)
		pulse_work(&watchdog->reader);
	else
		pulse_rest(&watchdog->reader);
}

int64_t watchdog_stalled_ms(struct app *app, int64_t limit_ms, char out[24])
{
	feel_reader(app);
	return pulse_stalled_ms(mono_now(), limit_ms, out);
}

/* False: the manager did not hear it. */
static bool feed(struct app *app)
{
	if (app->watchdog.starving)
		log_notice("everybody gets on again, the watchdog is fed");
	app->watchdog.starving = false;
	int result = notify_send("WATCHDOG=1");
	if (result < 0)
		log_warning("the watchdog was not fed: %s", error_text(-result));
	return result == 0;
}

static void starve(struct app *app, const char *name, int64_t stalled_ms)
{
	if (!app->watchdog.starving)
		log_error("the watchdog is not fed any more: the thread %s has not got on for "
			  "%lld.%lld s, though it has work: look at the disks that history and "
			  "files are on",
			  name, (long long)stalled_ms / 1000, (long long)stalled_ms / 100 % 10);
	app->watchdog.starving = true;
}

void watchdog_tick(struct app *app)
{
	struct watchdog *watchdog = &app->watchdog;
	char name[24];
	if (!watchdog->interval_ms || !mono_passed(watchdog->due))
		return;
	struct mono now = mono_now();
	/* whoever stopped all of us, or the machine, did so to the others too */
	if ((now.ns - watchdog->due.ns) / CLOCK_NS_PER_MS > watchdog->interval_ms)
		pulse_forgive();
	int64_t stalled_ms = watchdog_stalled_ms(app, watchdog->interval_ms, name);
	int64_t next_ms = (watchdog->interval_ms + 1) / 2;
	if (stalled_ms > 0)
		starve(app, name, stalled_ms);
	else if (!feed(app))
		next_ms = next_ms / 4 + 1;
	watchdog->due = mono_add_ms(now, next_ms);
}

struct mono watchdog_due(const struct app *app)
{
	return app->watchdog.due;
}

int watchdog_wait_ms(const struct app *app)
{
	return app->watchdog.due.ns ? mono_ms_until(app->watchdog.due) : -1;
}
