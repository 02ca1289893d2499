/* sinks: see sinks.h. */
#include "core/app/sinks.h"

#include "core/app/alert.h"
#include "core/app/disposing.h"
#include "core/app/state.h"
#include "core/base/error.h"
#include "core/base/log.h"
#include "core/base/str.h"
#include "core/config/config.h"
#include "core/dispose/retention.h"
#include "core/dispose/rules.h"
#include "core/sink/ecs.h"
#include "core/sink/line.h"
#include "core/sink/logfile.h"
#include "core/sink/sink.h"
#include "core/store/store.h"

#define EVENTS "events"
#define ALERT  "alert"

/* Events: so many are told again at most after a crash. */
#define EVENTS_AT_ONCE 256
#define EVENTS_BYTES   ((size_t)1024 * 1024)
#define PAUSE_MS       100
#define PAUSE_MAX_MS   5000

/* Alerts: less than 1 MiB, which is what web servers usually take. */
#define ALERTS_AT_ONCE	   1000
#define ALERTS_BYTES	   ((size_t)512 * 1024)
#define ALERT_PAUSE_MS	   1000
#define ALERT_PAUSE_MAX_MS 600000

/* Those that are not configured are NULL. */
struct sinks {
	struct sink_receiver receivers[2];
	struct logfile *file;
	struct sink *events;
	struct alert *alert;
	struct sink *alerts;
};

const char *const *sinks_names(const struct app *app)
{
	static _Thread_local const char *names[5];
	size_t count = 0;
	if (app->options.own_only)
		return NULL;
	if (app->config->alert)
		names[count++] = ALERT;
	if (app->config->events)
		names[count++] = EVENTS;
	if (config_disposes(app->config))
		names[count++] = RULES_SINK;
	if (config_retains(app->config))
		names[count++] = RETENTION_SINK;
	names[count] = NULL;
	return names;
}

static void put_native(struct str *out, const struct store_event *event)
{
	line_event(out, event);
	str_putc(out, '\n');
}

static void put_ecs(struct str *out, const struct store_event *event)
{
	ecs_event(out, event);
	str_putc(out, '\n');
}

static int append(void *sinks, const struct sink_portion *portion, struct error *err)
{
	return logfile_append(((struct sinks *)sinks)->file, portion->text, portion->len, err);
}

static int ready(void *sinks, struct error *err)
{
	return logfile_ready(((struct sinks *)sinks)->file, err);
}

static void say(const char *what, const struct error *err)
{
	if (err)
		log_error("%s are not told, and wait in the history: %s", what, err->text);
	else
		log_notice("%s are told again", what);
}

static void events_fail(void *sinks, const struct error *err)
{
	(void)sinks;
	say("events", err);
}

static void alerts_fail(void *alert, const struct error *err)
{
	(void)alert;
	say("alerts", err);
}

static int start_one(struct app *app, struct sink **out, const struct sink_receiver *receiver,
		     struct error *err)
{
	int result = sink_new(out, app->store, app->config->history, receiver, err);
	if (result == 0 && sink_waited(*out) > 0)
		log_notice("%s: %lld of the last run are yet to be told", receiver->name,
			   (long long)sink_waited(*out));
	return result;
}

static int start_events(struct app *app, struct sinks *sinks, struct error *err)
{
	sinks->file = logfile_new(app->config->events);
	sinks->receivers[0] = (struct sink_receiver){
		.name = EVENTS,
		.most_events = EVENTS_AT_ONCE,
		.most_bytes = EVENTS_BYTES,
		.pause_ms = PAUSE_MS,
		.pause_max_ms = PAUSE_MAX_MS,
		.put = app->config->events_ecs ? put_ecs : put_native,
		.ready = ready,
		.take = append,
		.fails = events_fail,
		.context = sinks,
	};
	return start_one(app, &sinks->events, &sinks->receivers[0], err);
}

static int start_alerts(struct app *app, struct sinks *sinks, struct error *err)
{
	const struct config_alert *row = app->config->alert;
	int result = alert_new(&sinks->alert, app->config, err);
	if (result < 0)
		return result;
	sinks->receivers[1] = (struct sink_receiver){
		.name = ALERT,
		.verdicts = row->verdicts,
		.most_events = ALERTS_AT_ONCE,
		.most_bytes = ALERTS_BYTES,
		.every_ms = row->every_ms,
		.pause_ms = ALERT_PAUSE_MS,
		.pause_max_ms = ALERT_PAUSE_MAX_MS,
		.put = row->ecs ? put_ecs : put_native,
		.take = alert_take,
		.take_ms = row->timeout_ms,
		.fails = alerts_fail,
		.context = sinks->alert,
	};
	return start_one(app, &sinks->alerts, &sinks->receivers[1], err);
}

int sinks_start(struct app *app, struct error *err)
{
	const struct config *config = app->config;
	if ((!config->events && !config->alert) || app->options.own_only)
		return 0;
	struct sinks *sinks = xcalloc(1, sizeof *sinks);
	app->sinks = sinks;
	int result = config->events ? start_events(app, sinks, err) : 0;
	if (result == 0 && config->alert)
		result = start_alerts(app, sinks, err);
	return result;
}

void sinks_wake(struct app *app)
{
	if (!app->sinks)
		return;
	sink_wake(app->sinks->events);
	sink_wake(app->sinks->alerts);
}

void sinks_committed(const struct store_op *op)
{
	sink_committed(op->owner);
}

static void put_trouble(struct sink *sink, struct str *out)
{
	struct error trouble = { 0 };
	bool fails = sink_trouble(sink, &trouble);
	str_puts(out, ",\"trouble\":");
	str_json_text(out, fails ? trouble.text : NULL);
	str_putc(out, '}');
}

static void alert_status(const struct sinks *sinks, struct str *out)
{
	int64_t told;
	int64_t waiting;
	sink_counts(sinks->alerts, &told, &waiting);
	str_puts(out, "{\"to\":");
	str_json_text(out, alert_target(sinks->alert));
	str_printf(out, ",\"told\":%lld,\"waiting\":%lld", (long long)told, (long long)waiting);
	put_trouble(sinks->alerts, out);
}

void sinks_status(struct app *app, struct str *out)
{
	const struct sinks *sinks = app->sinks;
	str_puts(out, ",\"events\":");
	if (sinks && sinks->events) {
		str_puts(out, "{\"file\":");
		str_json_text(out, logfile_path(sinks->file));
		put_trouble(sinks->events, out);
	} else {
		str_puts(out, "null");
	}
	str_puts(out, ",\"alert\":");
	if (sinks && sinks->alerts)
		alert_status(sinks, out);
	else
		str_puts(out, "null");
}

void sinks_end(struct app *app)
{
	if (app->sinks && app->sinks->alert)
		alert_end(app->sinks->alert, app->config->stop_grace_ms);
}

void sinks_stop(struct app *app)
{
	if (!app->sinks)
		return;
	sinks_end(app);
	sink_stop(app->sinks->events);
	sink_stop(app->sinks->alerts);
}

void sinks_free(struct app *app)
{
	if (!app->sinks)
		return;
	sink_free(app->sinks->events);
	sink_free(app->sinks->alerts);
	logfile_free(app->sinks->file);
	alert_free(app->sinks->alert);
	free(TAKE(app->sinks));
}
