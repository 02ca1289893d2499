/* pressure: see pressure.h. */
#include "core/app/pressure.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/app/disposing.h"
#include "core/app/state.h"
#include "core/app/unread.h"
#include "core/base/error.h"
#include "core/base/log.h"
#include "core/base/mem.h"
#include "core/base/str.h"
#include "core/config/config.h"
#include "core/store/reader.h"
#include "core/store/store.h"

enum {
	LONG_MS = 10000,  /* a file that waits longer than this is one too many */
	AGAIN_MS = 1000,  /* pause between two files with other numbers */
	COUNT_SHARE = 50, /* and so many times as long as it took to count */
	FILE_MODE = 0644, /* sensors are others */
};

struct pressure {
	char *path; /* owned; NULL: none is written */
	unsigned level;
	enum pressure_reason reason;
	uint64_t queued;
	int64_t oldest_ms;
	unsigned percent;
	uint64_t shed;
	struct mono looked; /* at the numbers; ns 0: never */
	struct mono next;
	bool written; /* as it is now */
	bool failed;  /* the last try; it was said */
};

const char *pressure_reason_name(enum pressure_reason reason)
{
	static const char *const names[PRESSURE_REASONS] = {
		[PRESSURE_IDLE] = "idle",	  [PRESSURE_WAITING] = "waiting",
		[PRESSURE_OVERRUN] = "overrun",	  [PRESSURE_DISK] = "disk",
		[PRESSURE_SHEDDING] = "shedding", [PRESSURE_FULL] = "full",
		[PRESSURE_HISTORY] = "history",	  [PRESSURE_STOPPED] = "stopped",
	};
	return names[reason];
}

unsigned pressure_judge(const struct pressure_view *view, enum pressure_reason *reason)
{
	const struct {
		bool holds;
		unsigned level;
		enum pressure_reason reason;
	} rows[] = {
		{ view->history, 3, PRESSURE_HISTORY },
		{ view->stuck, 3, PRESSURE_FULL },
		{ view->sheds, 3, PRESSURE_SHEDDING },
		{ view->disk_over, 3, PRESSURE_DISK },
		{ view->overrun, 2, PRESSURE_OVERRUN },
		{ view->disk_between, 2, PRESSURE_DISK },
		{ view->behind || view->oldest_ms > LONG_MS, 1, PRESSURE_WAITING },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		if (rows[i].holds) {
			*reason = rows[i].reason;
			return rows[i].level;
		}
	}
	*reason = PRESSURE_IDLE;
	return 0;
}

void pressure_start(struct app *app)
{
	app->pressure = xcalloc(1, sizeof *app->pressure);
	app->pressure->path = xstrdup(app->config->pressure);
}

static int64_t age_ms(int64_t since_ns)
{
	int64_t age = (clock_wall_ns() - since_ns) / CLOCK_NS_PER_MS;
	return age > 0 ? age : 0;
}

static bool first_row(void *context, struct version *version)
{
	*(int64_t *)context = age_ms(version->first_seen_ns);
	version_free(version);
	return false;
}

/* The job that was given to the workers first, and the row that is to be next. */
static int64_t oldest_ms(struct app *app)
{
	const struct job *job = flight_first(&app->flight, JOB_RUNNING);
	int64_t in_memory = job && !job->rescan ? age_ms(job->version->first_seen_ns) : 0;
	int64_t in_history = 0;
	struct error err = { 0 };
	if (app->backlog &&
	    store_due(app->reader, clock_steady_ns(), first_row, &in_history, &err) < 0)
		unread_tell(app, &err);
	return in_memory > in_history ? in_memory : in_history;
}

static uint64_t queued(struct app *app)
{
	uint64_t in_history = 0;
	uint64_t in_memory = app_with_workers(app);
	struct error err = { 0 };
	if (store_queued(app->reader, &in_history, &err) < 0)
		unread_tell(app, &err);
	return in_memory > in_history ? in_memory : in_history;
}

/* What costs something to find out. */
static bool look_at_numbers(struct app *app)
{
	struct pressure *pressure = app->pressure;
	struct mono began = mono_now();
	int64_t oldest = oldest_ms(app);
	uint64_t count = queued(app);
	bool same = oldest == pressure->oldest_ms && count == pressure->queued &&
		    pressure->shed == app->counters.unscanned[REASON_SHED];
	pressure->oldest_ms = oldest;
	pressure->queued = count;
	pressure->shed = app->counters.unscanned[REASON_SHED];
	pressure->looked = mono_now();
	int64_t took_ms = (pressure->looked.ns - began.ns) / CLOCK_NS_PER_MS;
	pressure->next = mono_add_ms(pressure->looked, AGAIN_MS + COUNT_SHARE * took_ms);
	return !same;
}

/* The numbers are those of the last look. */
static bool judge(struct app *app)
{
	struct pressure *pressure = app->pressure;
	const struct retention_report report = disposing_report(app);
	const struct pressure_view view = {
		.oldest_ms = pressure->oldest_ms,
		.history = store_refuses(app->store),
		.overrun = app->no_room_since.ns != 0,
		.behind = app->backlog || app->full_since.ns != 0,
		.disk_between = report.between,
		.disk_over = report.over,
		.sheds = report.sheds,
		.stuck = report.stuck,
	};
	enum pressure_reason reason;
	unsigned level = pressure_judge(&view, &reason);
	bool same = level == pressure->level && reason == pressure->reason &&
		    report.percent == pressure->percent;
	pressure->level = level;
	pressure->reason = reason;
	pressure->percent = report.percent;
	return !same;
}

static int write_file(const char *path, const struct str *text)
{
	AUTO_STR fresh = STR_INIT;
	str_printf(&fresh, "%s.new", path);
	AUTO_CLOSE int fd =
		open(str_text(&fresh),
		     O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, FILE_MODE);
	if (fd < 0 || fchmod(fd, FILE_MODE) < 0) /* the umask is for what is ours alone */
		return -errno;
	ssize_t wrote = write(fd, text->data, text->len);
	if (wrote < 0 || (size_t)wrote != text->len)
		return wrote < 0 ? -errno : -ENOSPC;
	return rename(str_text(&fresh), path) < 0 ? -errno : 0;
}

static void write_now(struct pressure *pressure)
{
	AUTO_STR text = STR_INIT;
	if (!pressure->path)
		return;
	str_puts(&text, "#fields\tlevel\treason\tqueued\toldest_s\tdisk\tshed\tts\n");
	str_printf(&text, "%u\t%s\t%llu\t%lld\t%u\t%llu\t%.3f\n", pressure->level,
		   pressure_reason_name(pressure->reason), (unsigned long long)pressure->queued,
		   (long long)(pressure->oldest_ms / 1000), pressure->percent,
		   (unsigned long long)pressure->shed,
		   (double)clock_wall_ns() / (double)CLOCK_NS_PER_S);
	int result = write_file(pressure->path, &text);
	if (result < 0 && !pressure->failed)
		log_error("pressure cannot be told, and is tried again: %s: %s: its directory must "
			  "be there, have room, and be ours to write to",
			  pressure->path, error_text(-result));
	else if (result == 0 && pressure->failed)
		log_notice("pressure is told again: %s", pressure->path);
	pressure->failed = result < 0;
}

/* Who still reads the file is not to be held up by it for ever. */
static void tell_stopped(struct pressure *pressure)
{
	struct pressure ended = {
		.path = pressure->path,
		.reason = PRESSURE_STOPPED,
		.percent = pressure->percent,
		.shed = pressure->shed,
		.failed = pressure->failed,
	};
	write_now(&ended);
}

static bool same_text(const char *one, const char *other)
{
	return one == other || (one && other && strcmp(one, other) == 0);
}

/* A reload may have named another file. */
static void follow_path(struct app *app)
{
	struct pressure *pressure = app->pressure;
	if (same_text(pressure->path, app->config->pressure))
		return;
	tell_stopped(pressure);
	free(pressure->path);
	pressure->path = xstrdup(app->config->pressure);
	pressure->written = false;
}

/* Is there anything that may change by itself? */
static bool is_quiet(const struct app *app)
{
	const struct pressure *pressure = app->pressure;
	return pressure->level == 0 && pressure->queued == 0 && app_with_workers(app) == 0 &&
	       !app->backlog && !pressure->failed;
}

void pressure_tick(struct app *app)
{
	struct pressure *pressure = app->pressure;
	if (!app->config->pressure && !pressure->path)
		return;
	follow_path(app);
	bool changed = judge(app), again = false;
	if (mono_passed(pressure->next) && (changed || !pressure->written || !is_quiet(app))) {
		again = pressure->failed;
		changed = look_at_numbers(app) || changed;
		changed = judge(app) || changed;
	}
	if (changed || !pressure->written || again)
		write_now(pressure);
	pressure->written = true;
}

struct mono pressure_next(const struct app *app)
{
	const struct mono never = { INT64_MAX };
	const struct pressure *pressure = app->pressure;
	return pressure->path && !is_quiet(app) ? pressure->next : never;
}

void pressure_status(struct app *app, struct str *out)
{
	struct pressure *pressure = app->pressure;
	(void)look_at_numbers(app);
	(void)judge(app);
	str_printf(out, ",\"pressure\":{\"level\":%u,\"reason\":\"%s\",\"queued\":%llu",
		   pressure->level, pressure_reason_name(pressure->reason),
		   (unsigned long long)pressure->queued);
	str_printf(out, ",\"oldest_s\":%lld,\"disk\":%u,\"shed\":%llu,\"file\":",
		   (long long)(pressure->oldest_ms / 1000), pressure->percent,
		   (unsigned long long)pressure->shed);
	str_json_text(out, pressure->path);
	str_putc(out, '}');
	pressure->written = false; /* the file says so too, in a moment */
}

void pressure_stop(struct app *app)
{
	struct pressure *pressure = app->pressure;
	if (!pressure)
		return;
	tell_stopped(pressure);
	free(pressure->path);
	free(TAKE(app->pressure));
}
