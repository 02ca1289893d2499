/*
 * manager: see manager.h.
 *
 * More time is asked for in small portions, and only while everybody who has work gets on with it
 * (watchdog.h), so that a start or a stop that hangs is not waited for.
 */
#include "core/app/manager.h"

#include <errno.h>
#include <string.h>

#include "core/app/notify.h"
#include "core/app/pause.h"
#include "core/app/state.h"
#include "core/base/error.h"
#include "core/base/log.h"
#include "core/base/str.h"
#include "core/config/config.h"
#include "watcher/watcher.h"

#define MORE_MS	 60000	/* so much more time is asked for ... */
#define AGAIN_MS 10000	/* ... so often */
#define LATER_MS 1000	/* until what could not be sent is tried again */
#define LAST_MS	 300000 /* a history on a slow disk is brought up to date at the end */

/* False: it is to be tried again, as the manager does not read just now. Nobody waits for it. */
static bool send(struct app *app, const struct str *state)
{
	struct manager *manager = &app->manager;
	if (!manager->there)
		return true;
	int result = notify_send(str_text(state));
	if (result < 0 && !manager->again.ns)
		log_warning("the service manager was not told: %s", error_text(-result));
	manager->again = (struct mono){ 0 };
	if (result == -EAGAIN)
		manager->again = mono_add_ms(mono_now(), LATER_MS);
	return result != -EAGAIN;
}

static void put_more_time(struct str *out, long long ms)
{
	str_printf(out, "EXTEND_TIMEOUT_USEC=%lld\n", ms * 1000);
}

static const char *words_of(struct app *app)
{
	if (app->mode == APP_STOPPING)
		return "stopping: what runs is finished or given up";
	if (app->mode == APP_JOINING)
		return "joining: what is queued is finished, no new files are taken";
	if (app->manager.reloading)
		return "reloading";
	if (app->in_trouble)
		return "the history cannot be written, everything is held until it can";
	return pause_is_on(app) ? "paused" : "watching";
}

static void put_status(struct app *app, struct str *out)
{
	str_printf(out, "STATUS=%s", words_of(app));
	if (!app->manager.ready && app->mode == APP_RUNNING) {
		struct watcher_stats stats;
		watcher_stats(app->watcher, &stats);
		str_printf(out, ", the first walk has met %llu entries so far",
			   (unsigned long long)stats.entries_walked);
	}
	if (app->manager.refused && !app->manager.reloading)
		str_puts(out, ", the last reload was refused");
}

/* What the status depends on, never 0. */
static unsigned key_of(const struct app *app)
{
	const struct manager *manager = &app->manager;
	return 1U | (unsigned)manager->ready << 1 | (unsigned)manager->reloading << 2 |
	       (unsigned)manager->refused << 3 | (unsigned)app->in_trouble << 4 |
	       (unsigned)pause_is_on(app) << 5 | (unsigned)app->mode << 6;
}

static const char ready[] = "READY=1\n";

/* The state's line, and the status behind it. */
static void tell(struct app *app, const char *line)
{
	AUTO_STR state = STR_INIT;
	str_puts(&state, line);
	put_status(app, &state);
	app->manager.told = key_of(app);
	bool sent = send(app, &state);
	if (strncmp(line, ready, strlen(ready)) == 0)
		app->manager.owes_ready = !sent;
	if (!sent)
		app->manager.told = 0;
}

void manager_begin(struct app *app)
{
	app->manager.there = notify_wanted();
	AUTO_STR state = STR_INIT;
	str_puts(&state, "STATUS=loading detectors");
	(void)send(app, &state);
	app->manager.due = mono_now();
}

void manager_ready(struct app *app)
{
	app->manager.ready = true;
	app->manager.due.ns = 0;
	tell(app, ready);
}

void manager_reloading(struct app *app)
{
	if (!app->manager.ready || app->manager.stopping)
		return;
	app->manager.reloading = true;
	AUTO_STR line = STR_INIT;
	str_printf(&line, "RELOADING=1\nMONOTONIC_USEC=%lld\n", (long long)mono_now().ns / 1000);
	tell(app, str_text(&line));
}

void manager_reloaded(struct app *app, bool refused)
{
	app->manager.refused = refused;
	if (!app->manager.reloading)
		return;
	app->manager.reloading = false;
	if (!app->manager.stopping)
		tell(app, ready);
}

void manager_stopping(struct app *app, long long grace_ms)
{
	AUTO_STR line = STR_INIT;
	str_puts(&line, "STOPPING=1\n");
	put_more_time(&line, grace_ms + MORE_MS);
	app->manager.stopping = true;
	app->manager.due = mono_add_ms(mono_now(), AGAIN_MS);
	tell(app, str_text(&line));
}

void manager_closing(struct app *app)
{
	AUTO_STR line = STR_INIT;
	if (!app->manager.stopping)
		str_puts(&line, "STOPPING=1\n");
	app->manager.stopping = true;
	/* an alert that is being told has the grace */
	put_more_time(&line, app->config->stop_grace_ms + LAST_MS);
	str_puts(&line, "STATUS=closing the history");
	(void)send(app, &line);
}

static void ask_for_time(struct app *app)
{
	char name[24];
	app->manager.due = mono_add_ms(mono_now(), AGAIN_MS);
	if (watchdog_stalled_ms(app, MORE_MS, name) > 0)
		return;
	AUTO_STR line = STR_INIT;
	put_more_time(&line, MORE_MS);
	tell(app, str_text(&line));
}

void manager_tick(struct app *app)
{
	struct manager *manager = &app->manager;
	if (!manager->there)
		return;
	if (manager->again.ns && !mono_passed(manager->again))
		return;
	if (manager->due.ns && mono_passed(manager->due))
		ask_for_time(app);
	else if (manager->owes_ready && !manager->reloading && !manager->stopping)
		tell(app, ready);
	else if (manager->told != key_of(app))
		tell(app, "");
}

struct mono manager_due(const struct app *app)
{
	const struct manager *manager = &app->manager;
	if (!manager->there)
		return (struct mono){ 0 };
	return manager->again.ns ? manager->again : manager->due;
}
