/*
 * health: see health.h.
 *
 * Not healthy is what keeps files from being looked at and does not pass by itself within the time
 * that the configuration gives it. A pause, gaps, rules that are not loaded and directories that
 * are polled are no such reasons.
 */
#include "core/app/health.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "core/app/control.h"
#include "core/app/engine.h"
#include "core/app/roots.h"
#include "core/app/state.h"
#include "core/base/error.h"
#include "core/base/str.h"
#include "core/config/config.h"
#include "core/detect/detect.h"
#include "core/store/reader.h"
#include "core/store/store.h"
#include "core/store/version.h"
#include "watcher/health.h"

/* A transaction may wait for another process and for the disk. */
#define STALL_MS 60000
/* A look has so much more, and what its detectors may take one after the other, twice, as a file
 * may be asked about again; and may read the file at no more than this pace. Whoever is restarted
 * in the middle of a look begins it anew, so this is rather too long. */
#define SLOWEST_BYTES_PER_MS 10000

void progress_note(struct progress *progress, bool busy, uint64_t count, struct mono now)
{
	if (!busy || !progress->busy || count != progress->count)
		progress->since = now;
	progress->busy = busy;
	progress->count = count;
}

int64_t progress_stalled_ms(const struct progress *progress, struct mono now)
{
	return progress->busy ? (now.ns - progress->since.ns) / CLOCK_NS_PER_MS : 0;
}

void health_tick(struct app *app)
{
	struct health *health = &app->health;
	struct mono now = mono_now();
	uint64_t looks = atomic_load_explicit(&health->looks, memory_order_relaxed);
	progress_note(&health->workers, app_with_workers(app) > 0, looks, now);
	progress_note(&health->store, store_depth(app->store) > 0, health->commits, now);
}

static void say(struct str *lines, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void say(struct str *lines, const char *format, ...)
{
	AUTO_STR words = STR_INIT;
	va_list args;
	va_start(args, format);
	str_vprintf(&words, format, args);
	va_end(args);
	control_add_line(lines, str_text(&words));
}

static void judge_store(struct app *app, struct str *lines)
{
	struct error trouble = { 0 };
	int64_t stalled_ms = progress_stalled_ms(&app->health.store, mono_now());
	if (store_trouble(app->store, &trouble))
		say(lines, "the history cannot be written: %s", trouble.text);
	else if (stalled_ms > STALL_MS)
		say(lines,
		    "nothing was written to the history for %lld s, though something waits for "
		    "that: look at its disk, and for who keeps it locked",
		    (long long)stalled_ms / 1000);
}

static int64_t longest_look_ms(const struct engine *engine)
{
	int64_t longest = STALL_MS + engine->config->max_file_size / SLOWEST_BYTES_PER_MS;
	for (size_t i = 0; i < engine->detector_count; i++) {
		int64_t timeout_ms = detector_row(engine->detectors[i])->timeout_ms;
		if (longest > INT64_MAX - 2 * timeout_ms)
			return INT64_MAX;
		longest += 2 * timeout_ms;
	}
	return longest;
}

static void judge_workers(struct app *app, const struct engine *engine, struct str *lines)
{
	int64_t stalled_ms = progress_stalled_ms(&app->health.workers, mono_now());
	if (stalled_ms > longest_look_ms(engine))
		say(lines,
		    "no worker has ended its look at a file for %lld s, which is longer than "
		    "reading it and all detectors may take: look at the disk that the files are on",
		    (long long)stalled_ms / 1000);
}

/* Whether a file has no end yet; also when that cannot be found out. */
static bool files_wait(struct app *app)
{
	AUTO(version) struct version *oldest = NULL;
	struct error err = { 0 };
	return flight_total(&app->flight) > 0 ||
	       store_oldest_queued(app->reader, &oldest, &err) < 0 || oldest;
}

/* While no file waits nobody asks a detector that was away whether it still is. */
static void judge_detectors(struct app *app, const struct engine *engine, struct str *lines)
{
	for (size_t i = 0; i < engine->detector_count; i++) {
		const struct detector *detector = engine->detectors[i];
		struct error why = { 0 };
		int64_t since_ns = 0;
		if (detector_row(detector)->required && detector_away(detector, &why, &since_ns) &&
		    files_wait(app))
			say(lines, "detector %s is away, and files wait for it: %s",
			    detector_name(detector), why.text);
	}
}

static void judge_roots(struct app *app, struct str *lines)
{
	for (uint32_t i = 0; i < roots_count(app->roots); i++) {
		char reason[512];
		if (roots_state(app->roots, i) != ROOT_WATCHED)
			continue;
		if (watcher_root_way(app->watcher, i, reason, sizeof reason) == WATCHER_WAY_ABSENT)
			say(lines, "root %s: %s", roots_path(app->roots, i), reason);
		else if (faccessat(AT_FDCWD, roots_path(app->roots, i), R_OK | X_OK, AT_EACCESS) <
				 0 &&
			 errno == EACCES)
			say(lines,
			    "root %s cannot be read: give the user of this program read and search "
			    "permission",
			    roots_path(app->roots, i));
	}
}

static void judge_threads(struct app *app, struct str *lines)
{
	char name[24];
	int64_t stalled_ms = watchdog_stalled_ms(app, STALL_MS, name);
	if (stalled_ms > 0)
		say(lines,
		    "the thread %s has not got on for %lld s, though it has work: look at the disks "
		    "that history and files are on",
		    name, (long long)stalled_ms / 1000);
}

bool health_judge(struct app *app, struct str *lines)
{
	size_t before = lines->len;
	AUTO(engine) struct engine *engine = app_engine(app);
	health_tick(app);
	judge_store(app, lines);
	judge_workers(app, engine, lines);
	judge_threads(app, lines);
	judge_detectors(app, engine, lines);
	judge_roots(app, lines);
	return lines->len == before;
}
