/* reload: see reload.h. */
#include "core/app/reload.h"

#include <errno.h>
#include <string.h>

#include "core/app/away.h"
#include "core/app/control.h"
#include "core/app/disposing.h"
#include "core/app/engine.h"
#include "core/app/forget.h"
#include "core/app/loop.h"
#include "core/app/pull.h"
#include "core/app/reloader.h"
#include "core/app/reroot.h"
#include "core/app/rules.h"
#include "core/app/rules_watch.h"
#include "core/app/state.h"
#include "core/app/want.h"
#include "core/base/error.h"
#include "core/base/log.h"
#include "core/base/str.h"
#include "core/config/config.h"
#include "core/detect/detect.h"
#include "core/detect/detect_state.h"
#include "core/pool/pool.h"
#include "watcher/limit.h"

/* From the first change of a file of rules until all of them are loaded anew. */
#define RULES_MS 1000

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_texts(char *const *a, char *const *b)
{
	for (; a && b && *a && *b; a++, b++) {
		if (strcmp(*a, *b) != 0)
			return false;
	}
	return (!a || !*a) == (!b || !*b);
}

static bool same_alert(const struct config_alert *a, const struct config_alert *b)
{
	if (!a || !b)
		return a == b;
	return same_texts(a->run, b->run) && same_text(a->url, b->url) && same_text(a->ca, b->ca) &&
	       same_text(a->token_file, b->token_file) && a->verdicts == b->verdicts &&
	       a->ecs == b->ecs && a->every_ms == b->every_ms && a->timeout_ms == b->timeout_ms;
}

/* A warning for the log, and a line for whoever waits for the reload; notes NULL: nobody does. */
static void warn(struct str *notes, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void warn(struct str *notes, const char *format, ...)
{
	AUTO_STR words = STR_INIT;
	va_list args;
	va_start(args, format);
	str_vprintf(&words, format, args);
	va_end(args);
	log_warning("%s", str_text(&words));
	if (notes)
		control_add_line(notes, str_text(&words));
}

/* What goes by rules or limits since the start goes by the new ones at once, also when there are
 * none any more. */
static void name_disposal(const struct app *app, const struct config *new, struct str *notes)
{
	const struct config *old = app->config;
	bool ruled = disposing_by_rules(app);
	bool limited = disposing_by_limits(app);
	if (!ruled && config_disposes(new))
		warn(notes, "disposal begins at the next start");
	if (ruled && config_disposes(old) && !config_disposes(new))
		warn(notes, "disposal has ended, but for what is intended already");
	if (!limited && config_retains(new))
		warn(notes, "retention begins at the next start");
	if (limited && config_retains(old) && !config_retains(new))
		warn(notes, "retention has ended, but for what is intended already");
	if (!app->disposing && new->retention.quarantine_ms > 0)
		warn(notes, "how long files stay in the quarantine takes effect at the next start");
}

/* What this version of the daemon cannot change while it runs is said, not ignored, and by each
 * reload: it is compared with what the daemon was started with. */
static void name_the_rest(const struct app *app, const struct reload_result *result,
			  struct str *notes)
{
	const struct config *first = app->options.config;
	const struct config *new = result->config;
	if (result->other_history)
		warn(notes, "another history takes effect at the next start");
	name_disposal(app, new, notes);
	if (!same_text(first->events, new->events) || first->events_ecs != new->events_ecs)
		warn(notes, "another file or format of events takes effect at the next start");
	if (!same_alert(first->alert, new->alert))
		warn(notes, "another alert takes effect at the next start");
}

/* What can be refused although it was read without a fault. */
static int prepare(struct app *app, const struct config *config, struct reroot **roots,
		   struct error *err)
{
	if (config->workers <= pool_workers(app->pool) || want_prepare(config, err) == 0)
		return reroot_prepare(app, config, roots, err);
	err->code = EINVAL; /* no want that passes */
	return -EINVAL;
}

static void set_workers(struct app *app, unsigned workers, struct str *notes)
{
	struct error err = { 0 };
	if (pool_resize(app->pool, workers, &err) < 0)
		warn(notes, "the number of workers stays what it was: %s", err.text);
}

static void swap(struct app *app, struct engine *engine, struct config *config)
{
	lock_take(&app->engine_lock);
	struct engine *old = app->engine;
	app->engine = engine;
	lock_drop(&app->engine_lock);
	engine_unref(old);
	config_unref(app->config);
	app->config = config;
}

/* How long the history keeps things may be another. */
static void keep_history(struct app *app, struct str *notes)
{
	struct error err = { 0 };
	if (forget_begin(app, &err) < 0)
		warn(notes, "%s", err.text);
}

/* What of the engine in force could not be loaded: an operator must see it without asking. */
static void name_degraded(const struct engine *engine, struct str *notes)
{
	for (size_t i = 0; i < engine->detector_count; i++) {
		const struct detector *detector = engine->detectors[i];
		struct detect_report report = detector_report(detector);
		if (!report.failed)
			continue;
		warn(notes, "detector degraded detector=%s failed=%llu kept=%llu rules=%llu",
		     detector_name(detector), (unsigned long long)report.failed,
		     (unsigned long long)report.kept, (unsigned long long)report.loaded);
		for (size_t j = 0; j < report.problem_count; j++)
			warn(notes, "rules not loaded detector=%s: %s", detector_name(detector),
			     report.problems[j]);
	}
}

/* Says what of the engine's detectors is degraded, and watches their rules. */
static void settle(struct app *app, struct str *notes)
{
	struct error err = { 0 };
	name_degraded(app->engine, notes);
	if (!app->rules_watch)
		return;
	if (rules_watch_set(app->rules_watch, app->engine, &err) > 0)
		warn(notes, "changes of some rules are not noticed, SIGHUP reads them: %s",
		     err.text);
	app->rules_unwatched = rules_watch_short(app->rules_watch);
}

int reload_init(struct app *app, struct error *err)
{
	int result = reloader_new(&app->reloader, err);
	if (result < 0)
		return result;
	struct error why = { 0 };
	bool any = false;
	for (size_t i = 0; i < app->engine->detector_count; i++)
		any = any || detector_report(app->engine->detectors[i]).watch;
	app->rules_unwatched = any && rules_watch_new(&app->rules_watch, &why) < 0;
	if (app->rules_unwatched)
		log_warning("changes of rules are not noticed, SIGHUP reads them: %s", why.text);
	settle(app, NULL);
	return 0;
}

static void begin_to_watch(struct app *app)
{
	if (rules_watch_new(&app->rules_watch, NULL) < 0 || loop_watch_rules(app) == 0)
		return;
	rules_watch_free(app->rules_watch);
	app->rules_watch = NULL;
}

void reload_retry(struct app *app)
{
	if (!app->rules_unwatched)
		return;
	if (!app->rules_watch)
		begin_to_watch(app);
	if (!app->rules_watch)
		return;
	(void)rules_watch_set(app->rules_watch, app->engine, NULL);
	app->rules_unwatched = rules_watch_short(app->rules_watch);
	if (app->rules_unwatched)
		return;
	log_notice("changes of rules are noticed again, they are read once more");
	app->rules_due = mono_now();
}

void reload_done(struct app *app)
{
	rules_watch_free(app->rules_watch);
	reloader_free(app->reloader);
}

/* Whoever asked for the reload hears one line. */
static void tell_waiting(struct app *app, enum control_end end, const char *line)
{
	AUTO_STR notes = STR_INIT;
	control_add_line(&notes, line);
	control_reloaded(app, end, &notes);
}

/* We are short of something: that says nothing of the configuration or the rules. */
static void try_later(struct app *app, bool anew, const char *words)
{
	AUTO_STR line = STR_INIT;
	str_printf(&line, "nothing is reloaded now, it is tried again, the old state stays: %s",
		   words);
	log_error("%s", str_text(&line));
	if (anew)
		tell_waiting(app, CONTROL_FAILED, str_text(&line));
	app->reload_after = pull_next_rescan(app);
	if (anew) {
		manager_reloaded(app, false);
		app->reload_again = true;
	} else
		app->rules_due = app->reload_after;
}

/* config NULL: to be read anew. What is watched is what is there now, before it is read: a change
 * while it is read, in a new directory too, leads to one more reload, also when this one is
 * refused. */
static void begin(struct app *app, struct config *config)
{
	if (app->rules_watch)
		(void)rules_watch_set(app->rules_watch, app->engine, NULL);
	const struct reload_wish wish = {
		.overrides = &app->options.overrides,
		.config = config,
		.earlier = app_engine(app),
	};
	const bool anew = config == NULL;
	if (anew) {
		app->reloads++;
		manager_reloading(app);
	}
	int result = reloader_ask(app->reloader, &wish);
	if (result == 0)
		return;
	char words[LIMIT_WORDS];
	limit_explain(words, result);
	try_later(app, anew, words);
}

void reload(struct app *app)
{
	if (reloader_busy(app->reloader))
		app->reload_again = true; /* what is under way may have read the old state */
	else
		begin(app, NULL);
}

void reload_rules_changed(struct app *app)
{
	if (app->rules_watch && rules_watch_changed(app->rules_watch) && !app->rules_due.ns)
		app->rules_due = mono_add_ms(mono_now(), RULES_MS);
}

static void refuse(struct reload_result *result)
{
	engine_unref(TAKE(result->engine));
	config_unref(TAKE(result->config));
}

static void finish(struct app *app, struct reload_result *result)
{
	const char *what = result->anew ? "the new configuration is" : "the changed rules are";
	struct reroot *roots = NULL;
	if (result->engine && result->anew &&
	    prepare(app, result->config, &roots, &result->err) < 0)
		refuse(result);
	if (!result->engine && error_is_ours(result->err.code)) {
		try_later(app, result->anew, result->err.text);
		return;
	}
	AUTO_STR notes = STR_INIT;
	if (!result->engine) {
		str_printf(&notes, "%s refused, the old state stays: %s", what, result->err.text);
		log_error("%s", str_text(&notes));
		if (result->anew) {
			manager_reloaded(app, true);
			tell_waiting(app, CONTROL_REFUSED, str_text(&notes));
		}
		return;
	}
	const char *done = result->anew ? "configuration and detectors reloaded"
					: "rules changed on disk, detectors reloaded";
	control_add_line(&notes, done);
	if (result->anew)
		name_the_rest(app, result, &notes);
	if (result->anew)
		reroot_apply(app, roots, result->config, &notes);
	swap(app, result->engine, result->config);
	if (result->anew)
		set_workers(app, app->config->workers, &notes);
	keep_history(app, &notes);
	rules_note(app);
	disposing_configure(app);
	settle(app, &notes);
	log_notice("%s", done);
	away_tell_all(app->engine);
	if (result->anew) {
		manager_reloaded(app, false);
		control_reloaded(app, CONTROL_OK, &notes);
	}
}

void reload_tick(struct app *app)
{
	struct reload_result result;
	if (reloader_busy(app->reloader) && reloader_take(app->reloader, &result))
		finish(app, &result);
	if (reloader_busy(app->reloader) || app->mode == APP_STOPPING)
		return;
	if (app->reload_again && mono_passed(app->reload_after)) {
		app->reload_again = false;
		begin(app, NULL);
	} else if (app->rules_due.ns && mono_passed(app->rules_due)) {
		app->rules_due.ns = 0;
		begin(app, config_ref(app->config));
	}
}
