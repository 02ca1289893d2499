/* disposing: see disposing.h. */
#include "core/app/disposing.h"

#include <stdatomic.h>

#include "core/app/lease.h"
#include "core/app/outbox.h"
#include "core/app/shed.h"
#include "core/app/state.h"
#include "core/base/error.h"
#include "core/base/log.h"
#include "core/base/str.h"
#include "core/config/config.h"
#include "core/dispose/ages.h"
#include "core/dispose/disposer.h"
#include "core/dispose/retention.h"
#include "core/store/store.h"
#include "core/store/version.h"

struct disposing {
	struct app *app;
	struct disposer_options options;
	struct disposer *disposer;
	struct ages *ages;
	struct retention *retention; /* NULL: files stay */
	struct shed *shed;
	atomic_bool stopping;
	struct mono walked_since; /* the loop's; ns 0: it is not */
	bool silent;		  /* the loop's: its thread does not get on, which was said */
	atomic_bool walked;	  /* the first walk is through */
	atomic_uint report;	  /* of retention, packed; any thread */
	struct seldom fails;	  /* any thread */
	struct seldom sheds;	  /* the same */
};

enum {
	REPORT_BETWEEN = 1 << 8, /* above the percentage */
	REPORT_OVER = 1 << 9,
	REPORT_SHEDS = 1 << 10,
	REPORT_STUCK = 1 << 11,
};

#define SILENT_MS 60000

bool disposing_wanted(const struct config *config)
{
	return config_disposes(config) || config_retains(config) ||
	       config->retention.quarantine_ms > 0;
}

bool disposing_by_rules(const struct app *app)
{
	return app->disposing && !app->disposing->options.no_rules;
}

bool disposing_by_limits(const struct app *app)
{
	return app->disposing && app->disposing->retention;
}

static bool has_writer(int fd)
{
	return lease_probe(fd) == LEASE_WRITER;
}

static enum log_level level_of(const struct removal *removal)
{
	return removal->state == REMOVAL_QUARANTINED || removal->state == REMOVAL_REPLACED ||
			       removal->state == REMOVAL_LEFT
		       ? LOG_LEVEL_NOTICE
		       : LOG_LEVEL_INFO;
}

static void ended(void *context, const struct removal *removal, const struct version *version)
{
	(void)context;
	log_line(level_of(removal), "%s path=%s id=%lld file=%lld cause=%s%s%s%s%s",
		 removal_state_name(removal->state), version ? version->path : "?",
		 (long long)removal->id, (long long)removal->version_id,
		 removal_cause_name(removal->cause), removal->place ? " place=" : "",
		 removal->place ? removal->place : "", removal->note ? " note=" : "",
		 removal->note ? removal->note : "");
}

static void fails(void *context, const struct error *err)
{
	struct disposing *disposing = context;
	unsigned long long others = 0;
	if (!err)
		log_notice("files that were to be removed are removed again");
	else if (seldom_say(&disposing->fails, &others))
		log_error("a file cannot be removed, and is tried again: %s others=%llu", err->text,
			  others);
}

static void idle(void *context)
{
	outbox_kick(((struct disposing *)context)->app->outbox);
}

/* Retention's, on the disposer's thread */

/* What the first walk finds may be of a type that goes first; and what is given up while the
 * history takes nothing makes no room, so more and more would be. */
static bool shed(void *context, const int64_t *ids, size_t count)
{
	struct disposing *disposing = context;
	bool now =
		atomic_load(&disposing->walked) && !store_refuses_removals(disposing->app->store);
	if (now)
		shed_ask(disposing->shed, ids, count);
	outbox_kick(disposing->app->outbox);
	return now;
}

static bool ends(void *context)
{
	struct disposing *disposing = context;
	disposer_step(disposing->disposer); /* it counts many files */
	return atomic_load(&disposing->stopping);
}

/* Whoever reads the log is to know when files that nobody has looked at go, and when none may. */
static void tell_report(struct disposing *disposing, unsigned before, unsigned now)
{
	unsigned long long others = 0;
	if ((now & REPORT_OVER) && !(before & REPORT_OVER))
		log_notice("a disk is %u%% full: files on it are deleted, the oldest first",
			   now % REPORT_BETWEEN);
	/* between two of those that are asked for it is over */
	if ((now & REPORT_SHEDS) && !(before & REPORT_SHEDS) &&
	    seldom_say(&disposing->sheds, &others))
		log_warning(
			"a disk is %u%% full and nothing else may go: files that wait for a scan "
			"are given up, in the order of shed",
			now % REPORT_BETWEEN);
	if ((now & REPORT_STUCK) && !(before & REPORT_STUCK))
		log_error(
			"a disk is %u%% full and nothing on it may be deleted any more: free some "
			"space, mount it read-write, raise disk_high, or let more go (shed, retention: unscanned)",
			now % REPORT_BETWEEN);
	if ((before & REPORT_OVER) && !(now & REPORT_OVER))
		log_notice("no disk is too full any more");
}

static void report_changed(void *context, const struct retention_report *report)
{
	struct disposing *disposing = context;
	unsigned now = report->percent;
	now |= report->between ? REPORT_BETWEEN : 0U;
	now |= report->over ? REPORT_OVER : 0U;
	now |= report->sheds ? REPORT_SHEDS : 0U;
	now |= report->stuck ? REPORT_STUCK : 0U;
	tell_report(disposing, atomic_exchange(&disposing->report, now), now);
	outbox_kick(disposing->app->outbox);
}

static int start_retention(struct disposing *disposing, struct error *err)
{
	struct app *app = disposing->app;
	int result = ages_new(&disposing->ages, app->config->history, err);
	if (result < 0)
		return result;
	const struct retention_peer peer = { shed, report_changed, ends, disposing,
					     disposing->ages };
	disposing->options.ages = disposing->ages;
	disposing->options.others[0] = ages_chooser(disposing->ages);
	if (!config_retains(app->config))
		return 0;
	result = retention_new(&disposing->retention, app->config->history, &peer, err);
	if (result == 0)
		disposing->options.others[1] = retention_chooser(disposing->retention);
	return result;
}

int disposing_start(struct app *app, struct error *err)
{
	if (!disposing_wanted(app->config) || app->options.own_only)
		return 0;
	struct disposing *disposing = xcalloc(1, sizeof *disposing);
	disposing->app = app;
	disposing->options = (struct disposer_options){
		.store = app->store,
		.has_writer = has_writer,
		.hold = lease_hold,
		.drop = lease_drop,
		.ended = ended,
		.fails = fails,
		.no_rules = !config_disposes(app->config),
		.idle = idle,
		.context = disposing,
	};
	seldom_init(&disposing->fails);
	seldom_init(&disposing->sheds);
	disposing->shed = shed_new();
	app->disposing = disposing;
	store_let_unscanned_go(app->store, app->config->retention.unscanned);
	int result = start_retention(disposing, err);
	return result < 0
		       ? result
		       : disposer_new(&disposing->disposer, &disposing->options, app->config, err);
}

void disposing_wake(struct app *app)
{
	if (app->disposing)
		disposer_wake(app->disposing->disposer);
}

void disposing_committed(const struct store_op *op)
{
	disposer_committed(op->owner);
}

bool disposing_busy(struct app *app)
{
	return app->disposing && disposer_busy(app->disposing->disposer);
}

void disposing_configure(struct app *app)
{
	if (!app->disposing)
		return;
	store_let_unscanned_go(app->store, app->config->retention.unscanned);
	disposer_configure(app->disposing->disposer, app->config);
}

void disposing_status(struct app *app, struct str *out)
{
	if (!app->disposing) {
		str_puts(out, ",\"disposal\":null");
		return;
	}
	struct disposer_status status = { 0 };
	disposer_status(app->disposing->disposer, &status);
	str_puts(out, ",\"disposal\":{\"quarantine\":");
	str_json_text(out, app->config->quarantine);
	str_printf(out, ",\"intended\":%lld", (long long)status.intended);
	for (enum removal_state state = REMOVAL_REMOVED; state <= REMOVAL_LEFT; state++)
		str_printf(out, ",\"%s\":%llu", removal_state_name(state),
			   (unsigned long long)status.ended[state]);
	str_puts(out, ",\"silent_s\":");
	if (status.silent_ms < 0)
		str_puts(out, "null");
	else
		str_printf(out, "%lld", (long long)status.silent_ms / 1000);
	str_puts(out, ",\"trouble\":");
	str_json_text(out, status.trouble.code ? status.trouble.text : NULL);
	str_putc(out, '}');
}

/* What the first walk found has rows a moment later. */
static void note_walked(struct app *app)
{
	struct disposing *disposing = app->disposing;
	if (!app->walked_all || app->walking)
		return;
	if (disposing->walked_since.ns == 0)
		disposing->walked_since = mono_now();
	if (mono_passed(mono_add_ms(disposing->walked_since, INT64_C(2) * APP_INTERIM_MS)))
		atomic_store_explicit(&disposing->walked, true, memory_order_relaxed);
}

/* A disk that does not answer holds up whoever asks it, for ever, perhaps. */
static void note_silence(struct disposing *disposing)
{
	struct disposer_status status = { 0 };
	disposer_status(disposing->disposer, &status);
	bool silent = status.silent_ms > SILENT_MS;
	if (silent && !disposing->silent)
		log_error("the thread that removes files has not got on for %lld s, though it has "
			  "work: look at the disks that the roots, the quarantine and the history "
			  "are on",
			  (long long)status.silent_ms / 1000);
	else if (!silent && disposing->silent)
		log_notice("the thread that removes files gets on again");
	disposing->silent = silent;
}

void disposing_tick(struct app *app)
{
	if (!app->disposing)
		return;
	note_silence(app->disposing);
	note_walked(app);
	shed_tick(app, app->disposing->shed);
}

struct retention_report disposing_report(struct app *app)
{
	unsigned now = app->disposing ? atomic_load(&app->disposing->report) : 0;
	return (struct retention_report){
		.percent = now % REPORT_BETWEEN,
		.between = now & REPORT_BETWEEN,
		.over = now & REPORT_OVER,
		.sheds = now & REPORT_SHEDS,
		.stuck = now & REPORT_STUCK,
	};
}

void disposing_stop(struct app *app)
{
	if (!app->disposing)
		return;
	atomic_store(&app->disposing->stopping, true);
	disposer_stop(app->disposing->disposer);
	retention_free(TAKE(app->disposing->retention)); /* reads the history */
	ages_free(TAKE(app->disposing->ages));
}

void disposing_free(struct app *app)
{
	if (!app->disposing)
		return;
	disposer_free(app->disposing->disposer);
	shed_free(app->disposing->shed);
	seldom_done(&app->disposing->fails);
	seldom_done(&app->disposing->sheds);
	free(TAKE(app->disposing));
}
