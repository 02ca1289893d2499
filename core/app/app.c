/*
 * app: see app.h. Makes the parts in the order in which they depend on each other, runs the loop,
 * takes them apart in the opposite order.
 */
#include "core/app/app.h"

#include <sys/statfs.h>

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>

#include "core/app/away.h"
#include "core/app/backlog.h"
#include "core/app/closes.h"
#include "core/app/conclude.h"
#include "core/app/control.h"
#include "core/app/disposing.h"
#include "core/app/ends.h"
#include "core/app/engine.h"
#include "core/app/forget.h"
#include "core/app/gaps.h"
#include "core/app/intake.h"
#include "core/app/isolation.h"
#include "core/app/loop.h"
#include "core/app/met.h"
#include "core/app/outbox.h"
#include "core/app/pace.h"
#include "core/app/pressure.h"
#include "core/app/record.h"
#include "core/app/reload.h"
#include "core/app/reroot.h"
#include "core/app/rescan.h"
#include "core/app/roots.h"
#include "core/app/rules.h"
#include "core/app/scan.h"
#include "core/app/shortened.h"
#include "core/app/sinks.h"
#include "core/app/state.h"
#include "core/app/twins.h"
#include "core/app/want.h"
#include "core/app/writers.h"
#include "core/base/beneath.h"
#include "core/base/error.h"
#include "core/base/log.h"
#include "core/config/config.h"
#include "core/detect/detect.h"
#include "core/pool/pool.h"
#include "core/store/reader.h"
#include "core/store/store.h"
#include "watcher/limit.h"
#include "watcher/place.h"
#include "watcher/watcher.h"

enum {
	EXIT_DONE = 0,
	EXIT_CONFIGURATION = 2,
	EXIT_CANNOT_RUN = 3
};

struct engine *app_engine(struct app *app)
{
	lock_take(&app->engine_lock);
	struct engine *engine = engine_ref(app->engine);
	lock_drop(&app->engine_lock);
	return engine;
}

static int open_history(struct app *app, struct error *err)
{
	struct store_options options = { .path = app->config->history,
					 .create = true,
					 .sinks = sinks_names(app),
					 .hold_room = disposing_wanted(app->config) &&
						      !app->options.own_only };
	int result = store_open(&app->store, &options, err);
	if (result == 0)
		result = store_reader_open(&app->reader, app->config->history, err);
	if (result == 0)
		result = control_new(&app->control, app->config->history, err);
	if (result == 0)
		result = sinks_start(app, err);
	return result;
}

static int add_root(struct app *app, const struct config_root *root, struct error *err)
{
	uint32_t index;
	char words[LIMIT_WORDS];
	int result = watcher_add_root(app->watcher, root->path, reroot_mode(root->mode), &index);
	switch (result) {
	case 0:
		roots_set_state(app->roots, index, ROOT_WATCHED);
		return 0;
	case -EEXIST:
		return error_set(err, EEXIST,
				 "root %s is a root already, or lies below or above one",
				 root->path);
	case -EMFILE:
		limit_advise(words, LIMIT_INSTANCES, limit_enough(LIMIT_INSTANCES, 0, 64));
		return error_set(
			err, EMFILE,
			"root %s: mode is inotify, but there is no inotify instance: %s; or "
			"set mode: auto or poll",
			root->path, words);
	default:
		return error_set(err, -result, "root %s: %s", root->path, error_text(-result));
	}
}

static int cannot_watch(int result, struct error *err)
{
	char words[LIMIT_WORDS];
	limit_explain(words, result);
	return error_set(err, -result, "cannot watch: %s", words);
}

static int start_watching(struct app *app, struct error *err)
{
	const struct watcher_options options = { 0 };
	int result = watcher_new(&app->watcher, &options);
	if (result < 0)
		return cannot_watch(result, err);
	for (size_t i = 0; i < app->config->root_count && result == 0; i++)
		result = add_root(app, &app->config->roots[i], err);
	if (result < 0)
		return result;
	result = watcher_start(app->watcher);
	return result < 0 ? cannot_watch(result, err) : 0;
}

static int start_workers(struct app *app, struct error *err)
{
	struct pool_options options = {
		.workers = app->config->workers,
		.limit = APP_FLIGHT_MAX, /* the window bounds what is given to it */
		.worker_new = scanner_new,
		.worker_free = scanner_free,
		.context = app,
	};
	return pool_new(&app->pool, &options, err);
}

static int start(struct app *app, struct error *err)
{
	app->twins = twins_new();
	app->closes = closes_new();
	app->shortened = shortened_new();
	app->gaps = gaps_new();
	app->pace = pace_new(mono_now());
	pressure_start(app);
	int result = open_history(app, err);
	if (result == 0)
		result = outbox_new(&app->outbox, err);
	if (result == 0)
		result = disposing_start(app, err);
	if (result == 0)
		result = start_watching(app, err);
	if (result == 0)
		result = start_workers(app, err);
	if (result == 0)
		result = reload_init(app, err);
	if (result == 0)
		result = loop_arm(app, err);
	if (result == 0)
		result = forget_begin(app, err);
	return result;
}

static int64_t longer(int64_t one_ms, int64_t other_ms)
{
	return one_ms > other_ms ? one_ms : other_ms;
}

/* How far ahead anything is ever due, and half as much again. */
static int64_t longest_pause_ms(const struct app *app)
{
	const struct engine *engine = app->engine;
	int64_t longest = app->config->rescan_interval_ms;
	for (uint32_t i = 0; i < roots_count(app->roots); i++)
		longest = longer(longest, roots_settle_ms(app->roots, i));
	for (size_t i = 0; i < engine->detector_count; i++)
		longest =
			longer(longest, conclude_pause_max_ms(detector_row(engine->detectors[i])));
	return longest + longest / 2;
}

/* Where others may write to the history unseen, or its log cannot be shared, two machines that open
 * it destroy it, and locks may mean nothing. It is told and not refused: one that is alone may go
 * well. */
static void warn_of_place(const char *history)
{
	struct statfs fs;
	if (statfs(history, &fs) == 0 && !place_is_local((uint64_t)fs.f_type))
		log_warning("history %s lies on a file system (type 0x%llx) where SQLite's "
			    "write-ahead log is not safe: put it on a local one",
			    history, (unsigned long long)fs.f_type);
}

static void begin(struct app *app)
{
	app->backlog = true;
	app->next_due_ns = INT64_MAX;
	app->walking = app->config->root_count > 0; /* else there is nothing to walk */
	app->walked_all = !app->walking;
	app->started_ns = clock_wall_ns();
	rescan_begin(app);
	gaps_clock(app, longest_pause_ms(app));
	rules_note(app);
	if (!app->options.once)
		gaps_down(app, store_last_alive_ns(app->store));
	app->refill_again = backlog_refill(app); /* what waited before comes first */
	for (size_t i = 0; i < app->options.path_count; i++)
		intake_path(app, app->options.paths[i]);
	away_tell_all(app->engine);
	log_notice("started history=%s roots=%zu workers=%u detectors=%zu", app->config->history,
		   app->config->root_count, app->config->workers, app->engine->detector_count);
	warn_of_place(app->config->history);
	isolation_begin(app->config);
	writers_begin(app);
	pressure_tick(app); /* it is there when we say that we are ready */
}

/* Notes when we ended, for the gap that begins now. */
static void note_end(struct app *app)
{
	if (!app->store)
		return;
	struct store_gap now = { .opened_ns = clock_wall_ns() };
	struct store_op alive = { .verb = STORE_ALIVE, .gap = &now };
	list_init(&alive.link);
	if (app->started_ns)
		store_submit(app->store, &alive);
	store_close(app->store); /* writes and commits what was submitted */
}

static void take_apart(struct app *app)
{
	control_free(app->control);
	pool_free(app->pool);
	watchdog_done(app);
	if (app->store)
		isolation_end(app->config);
	watcher_free(app->watcher);
	sinks_stop(app);
	forget_stop(app);
	disposing_stop(app);
	store_reader_free(
		app->reader); /* so that the store is the last to close, and checkpoints */
	note_end(app);
	sinks_free(app);
	forget_free(app);
	disposing_free(app);
	outbox_free(app->outbox);
	flight_done(&app->flight);
	record_done(app);
	rules_free(app->rules);
	twins_free(app->twins);
	closes_free(app->closes);
	shortened_free(app->shortened);
	gaps_free(app->gaps);
	pace_free(app->pace);
	pressure_stop(app);
	met_free(app->met);
	roots_free(app->roots);
	engine_unref(app->engine);
	reload_done(app); /* after the engine: its helpers die with the thread that started them */
	lock_done(&app->engine_lock);
	seldom_done(&app->trouble_said);
	seldom_done(&app->want);
	seldom_done(&app->unread);
	loop_done(app);
	config_unref(app->config);
}

/* Rules by the thousand take a while: a signal that ends the daemon is not to wait for them. */
static int load(struct app *app, struct error *err)
{
	AUTO_CLOSE int end_fd = loop_end_fd();
	return engine_new_after(&app->engine, app->config, NULL, end_fd, err);
}

/* Processes, descriptors or memory that are not to be had are no fault of the configuration. */
static bool is_want(int result)
{
	return result == -EAGAIN || error_is_ours(-result);
}

static int run(struct app *app, struct error *err)
{
	int result = beneath_probe(err);
	if (result == 0)
		result = want_prepare(app->config, err);
	if (result == 0)
		result = loop_init(app, err);
	if (result < 0)
		return EXIT_CANNOT_RUN;
	manager_begin(app);
	result = load(app, err);
	if (result == -ECANCELED) {
		if (app->options.cut_short)
			*app->options.cut_short = true;
		log_notice("ended by a signal while detectors were loading");
		return EXIT_DONE;
	}
	if (is_want(result))
		return EXIT_CANNOT_RUN;
	app->met = met_new();
	if (result < 0 || roots_new(&app->roots, app->config, err) < 0)
		return EXIT_CONFIGURATION;
	if (start(app, err) < 0)
		return EXIT_CANNOT_RUN;
	watchdog_begin(app);
	begin(app);
	if (loop_run(app, err) < 0) {
		ends_abandon(app);
		return EXIT_CANNOT_RUN;
	}
	ends_tell(app);
	manager_closing(app);
	log_notice("ended");
	return EXIT_DONE;
}

/* SQLite takes and returns its memory with every transaction; with malloc's default threshold the
 * kernel is asked for the same pages again and again (a quarter of the store's time). What is kept
 * instead is bounded by this, for each arena. */
#define MALLOC_KEEP_BYTES (4 * 1024 * 1024)

void app_hold_signals(void)
{
	loop_hold_signals();
}

int app_run(const struct app_options *options, struct error *err)
{
	/* one thread so far */
	(void)mallopt(M_TRIM_THRESHOLD, MALLOC_KEEP_BYTES); // NOLINT(concurrency-mt-unsafe)
	(void)mallopt(M_TOP_PAD, 256 * 1024);		    // NOLINT(concurrency-mt-unsafe)
	struct app *app = xcalloc(1, sizeof *app);
	app->epoll_fd = app->timer_fd = app->mount_fd = app->cancel_fd = app->signal_fd = -1;
	app->options = *options;
	app->config = config_ref(options->config);
	lock_init(&app->engine_lock);
	seldom_init(&app->trouble_said);
	seldom_init(&app->want);
	seldom_init(&app->unread);
	flight_init(&app->flight);
	list_init(&app->side_ops);
	int code = run(app, err);
	take_apart(app);
	free(app);
	return code;
}
