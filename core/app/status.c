/* status: see status.h. */
#include "core/app/status.h"

#include <string.h>
#include <unistd.h>

#include "core/app/away.h"
#include "core/app/disposing.h"
#include "core/app/engine.h"
#include "core/app/forget.h"
#include "core/app/gaps.h"
#include "core/app/health.h"
#include "core/app/pace.h"
#include "core/app/pause.h"
#include "core/app/pressure.h"
#include "core/app/roots.h"
#include "core/app/sinks.h"
#include "core/app/state.h"
#include "core/app/unread.h"
#include "core/app/want.h"
#include "core/app/writers.h"
#include "core/base/error.h"
#include "core/base/str.h"
#include "core/config/config.h"
#include "core/detect/detect.h"
#include "core/detect/detect_state.h"
#include "core/entry/scheme.h"
#include "core/pool/pool.h"
#include "core/store/reader.h"
#include "core/store/rescan.h"
#include "watcher/health.h"
#include "watcher/watcher.h"

static const char *mode_name(const struct app *app)
{
	switch (app->mode) {
	case APP_RUNNING:
		if (pause_is_on(app))
			return "paused";
		return app->walked_all ? "running" : "starting";
	case APP_JOINING:
		return "joining";
	case APP_STOPPING:
		return "stopping";
	}
	return "";
}

static void number(struct str *out, const char *name, uint64_t value)
{
	str_printf(out, ",\"%s\":%llu", name, (unsigned long long)value);
}

/* A moment that may not have come yet. */
static void moment(struct str *out, const char *name, int64_t ns)
{
	str_printf(out, ",\"%s\":", name);
	if (ns)
		str_printf(out, "%lld", (long long)ns);
	else
		str_puts(out, "null");
}

static const char *const way_names[] = {
	[WATCHER_WAY_ABSENT] = "absent",
	[WATCHER_WAY_EVENTS] = "events",
	[WATCHER_WAY_DEGRADED] = "degraded",
	[WATCHER_WAY_POLLED] = "polled",
};

static void roots(struct app *app, struct str *out)
{
	bool any = false;
	str_puts(out, ",\"roots\":[");
	for (uint32_t i = 0; i < roots_count(app->roots); i++) {
		const char *path = roots_path(app->roots, i);
		if (roots_state(app->roots, i) == ROOT_GONE)
			continue;
		str_printf(out, "%s{\"path\":", any ? "," : "");
		any = true;
		str_json_text(out, path);
		char reason[512];
		enum watcher_way way = watcher_root_way(app->watcher, i, reason, sizeof reason);
		bool present = way != WATCHER_WAY_ABSENT;
		str_printf(out, ",\"present\":%s,\"mode\":\"%s\",\"writers\":\"%s\",\"reason\":",
			   present ? "true" : "false", way_names[way], writers_name(app, i));
		str_json_text(out, *reason ? reason : NULL);
		uint64_t directories, watches;
		watcher_root_counts(app->watcher, i, &directories, &watches);
		number(out, "directories", directories);
		number(out, "watches", watches);
		str_putc(out, '}');
	}
	str_putc(out, ']');
}

/* Detectors that work with less than they were told to: how many, and of each the first reason. */
static void degraded(const struct engine *engine, struct str *out)
{
	unsigned count = 0;
	AUTO_STR list = STR_INIT;
	for (size_t i = 0; i < engine->detector_count; i++) {
		struct detect_report report = detector_report(engine->detectors[i]);
		if (!report.failed)
			continue;
		str_puts(&list, count++ ? ",{\"detector\":" : "{\"detector\":");
		str_json_text(&list, detector_name(engine->detectors[i]));
		number(&list, "failed", report.failed);
		number(&list, "kept", report.kept);
		str_puts(&list, ",\"first\":");
		str_json_text(&list, report.problem_count ? report.problems[0] : NULL);
		str_putc(&list, '}');
	}
	number(out, "detectors_degraded", count);
	str_printf(out, ",\"degraded\":[%s]", str_text(&list));
}

static void milliseconds(struct str *out, const char *name, int64_t ns)
{
	str_printf(out, ",\"%s\":%.3f", name, (double)ns / (double)CLOCK_NS_PER_MS);
}

/* One of those configured now: how it is, and how it has answered since the start. */
static void detector(const struct app *app, const struct detector *detector, struct str *out)
{
	struct pace_detector pace = pace_of(app->pace, detector_name(detector));
	struct error why = { 0 };
	int64_t since_ns = 0;
	bool away = detector_away(detector, &why, &since_ns);
	bool is_degraded = detector_report(detector).failed > 0;
	str_puts(out, "{\"name\":");
	str_json_text(out, pace.name);
	str_printf(out, ",\"state\":\"%s\",\"required\":%s",
		   away		 ? "away"
		   : is_degraded ? "degraded"
				 : "well",
		   detector_row(detector)->required ? "true" : "false");
	number(out, "answers", pace.answers);
	number(out, "errors", pace.errors);
	number(out, "timeouts", pace.timeouts);
	milliseconds(out, "mean_ms", pace.answers ? pace.total_ns / (int64_t)pace.answers : 0);
	milliseconds(out, "max_ms", pace.longest_ns);
	str_putc(out, '}');
}

static void answers(const struct app *app, const struct engine *engine, struct str *out)
{
	str_puts(out, ",\"answers\":[");
	for (size_t i = 0; i < engine->detector_count; i++) {
		str_puts(out, i ? "," : "");
		detector(app, engine->detectors[i], out);
	}
	str_putc(out, ']');
}

static void detectors(struct app *app, struct str *out)
{
	AUTO(engine) struct engine *engine = app_engine(app);
	str_puts(out, ",\"detectors\":[");
	for (size_t i = 0; i < engine->detector_count; i++) {
		str_puts(out, i ? "," : "");
		str_json_text(out, detector_name(engine->detectors[i]));
	}
	str_puts(out, "],\"detectors_away\":");
	away_json(engine, out);
	degraded(engine, out);
	answers(app, engine, out);
}

static void watching(struct app *app, struct str *out)
{
	struct watcher_stats stats = { 0 };
	watcher_stats(app->watcher, &stats);
	str_printf(out, ",\"watching\":{\"directories\":%llu",
		   (unsigned long long)stats.directories);
	number(out, "watches", stats.watches);
	number(out, "unwatched", stats.unwatched);
	number(out, "without_watch", stats.without_watch);
	number(out, "unreadable", stats.unreadable);
	number(out, "foreign", stats.foreign);
	number(out, "events", stats.events);
	number(out, "overflows", stats.overflows);
	number(out, "walks", stats.walks);
	number(out, "buffered", stats.buffer_used);
	number(out, "buffered_most", stats.buffer_high);
	number(out, "entries_walked", stats.entries_walked);
	str_printf(out, ",\"walking\":%s", app->walking ? "true" : "false");
	number(out, "gaps_open", gaps_open(app));
	str_puts(out, "},\"gaps\":");
	gaps_json(app, out);
	moment(out, "reconciled_ns", app->reconciled_ns);
}

struct oldest {
	const struct version *version; /* NULL: none yet */
	const char *where;
};

static void older(struct oldest *oldest, const struct version *version, const char *where)
{
	if (oldest->version && oldest->version->first_seen_ns <= version->first_seen_ns)
		return;
	*oldest = (struct oldest){ version, where };
}

/* Rescans, and doubts about rows that stand, are of files that have an end. */
static void look_at_job(void *oldest, struct job *job)
{
	static const char *const names[JOB_STATES] = {
		[JOB_WAITING] = "waiting", [JOB_RUNNING] = "running", [JOB_SAVING] = "saving",
		[JOB_PARKED] = "waiting",  [JOB_LIMBO] = "waiting",
	};
	if (!job->rescan && !job->sidecar && !job->prior_stands)
		older(oldest, job->version, names[job->state]);
}

/* Of the files that have no end yet, the one that has been known longest. A worker may be changing
 * a job's version, but not its path or when it was first seen. */
static void oldest_file(struct app *app, struct str *out)
{
	AUTO(version) struct version *queued = NULL;
	struct oldest oldest = { 0 };
	struct error err = { 0 };
	if (store_oldest_queued(app->reader, &queued, &err) < 0)
		unread_tell(app, &err);
	flight_each(&app->flight, look_at_job, &oldest);
	if (queued)
		older(&oldest, queued, "recorded");
	str_puts(out, ",\"oldest_file\":");
	if (!oldest.version) {
		str_puts(out, "null");
		return;
	}
	int64_t age_ns = clock_wall_ns() - oldest.version->first_seen_ns;
	str_printf(out, "{\"age_s\":%.3f,\"where\":\"%s\",\"path\":",
		   (double)(age_ns > 0 ? age_ns : 0) / (double)CLOCK_NS_PER_S, oldest.where);
	str_json(out, oldest.version->path, oldest.version->path_len);
	str_putc(out, '}');
}

static void queue(struct app *app, struct str *out)
{
	struct store_totals totals = { 0 };
	struct error err = { 0 };
	bool known = store_totals(app->reader, &totals, &err) == 0;
	size_t running = app_with_workers(app);
	str_printf(out, ",\"queue\":{\"running\":%zu", running);
	number(out, "waiting",
	       app->flight.counts[JOB_WAITING] + app->flight.counts[JOB_PARKED] +
		       app->flight.counts[JOB_LIMBO]);
	number(out, "saving",
	       app->flight.counts[JOB_SAVING] + app->flight.counts[JOB_RUNNING] - running);
	if (known)
		number(out, "recorded", (uint64_t)totals.queued);
	str_putc(out, '}');
}

static void rescans(struct app *app, struct str *out)
{
	const struct rescans *rescans = &app->rescans;
	struct store_rescan_totals totals = { 0 };
	struct error err = { 0 };
	bool known = store_rescan_totals(app->reader, &totals, &err) == 0;
	str_printf(out, ",\"rescan\":{\"running\":%zu", rescans->running);
	for (enum rescan_end end = RESCAN_WAITING; known && end < RESCAN_ENDS; end++)
		number(out, rescan_end_name(end), (uint64_t)totals.by_end[end]);
	number(out, "answered_since_start", rescans->answered);
	number(out, "changed_since_start", rescans->changed);
	str_putc(out, '}');
}

static void counters(struct app *app, struct str *out)
{
	str_printf(out, ",\"since_start\":{\"repeats\":%llu",
		   (unsigned long long)app->counters.repeats);
	for (unsigned i = 0; i < OUTCOMES; i++)
		number(out, outcome_name((enum outcome)i), app->counters.done[i]);
	for (unsigned i = 1; i < REASONS; i++)
		number(out, version_reason_name((enum version_reason)i),
		       app->counters.unscanned[i]);
	number(out, "sidecars", app->counters.sidecars);
	number(out, "ignored", app->counters.ignored);
	number(out, "refreshed", app->counters.refreshed);
	uint64_t limits = 0;
	for (uint32_t i = 0; i < roots_count(app->roots); i++)
		limits += scheme_limits_hit(roots_schemes(app->roots, i));
	number(out, "pattern_limits", limits);
	str_putc(out, '}');
}

static void health(struct app *app, struct str *out)
{
	AUTO_STR lines = STR_INIT;
	bool healthy = health_judge(app, &lines);
	str_printf(out, ",\"healthy\":%s,\"unhealthy\":[", healthy ? "true" : "false");
	const char *line = str_text(&lines);
	for (size_t len; (len = strcspn(line, "\n")) > 0; line += len + 1) {
		str_puts(out, line == str_text(&lines) ? "" : ",");
		str_json(out, line, len);
	}
	str_putc(out, ']');
}

void status_json(struct app *app, struct str *out)
{
	str_printf(out, "{\"version\":\"%s\",\"pid\":%d,\"started_ns\":%lld,\"state\":\"%s\"",
		   CARVED_VERSION, (int)getpid(), (long long)app->started_ns, mode_name(app));
	str_puts(out, ",\"history\":");
	str_json_text(out, app->config->history);
	number(out, "workers", pool_workers(app->pool));
	struct error trouble = { 0 };
	str_puts(out, ",\"trouble\":");
	str_json_text(out, store_trouble(app->store, &trouble) ? trouble.text : NULL);
	sinks_status(app, out);
	forget_status(app, out);
	disposing_status(app, out);
	health(app, out);
	pause_status(app, out);
	roots(app, out);
	detectors(app, out);
	watching(app, out);
	want_status(app, out);
	queue(app, out);
	oldest_file(app, out);
	pressure_status(app, out);
	str_puts(out, ",\"last_minute\":");
	pace_json(app->pace, mono_now(), out);
	rescans(app, out);
	counters(app, out);
	str_putc(out, '}');
}
