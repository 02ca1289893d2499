/* sinks: see sinks.h. */
#include "core/app/sinks.h"

#include "core/app/state.h"
#include "core/base/error.h"
#include "core/base/log.h"
#include "core/base/str.h"
#include "core/config/config.h"
#include "core/sink/ecs.h"
#include "core/sink/line.h"
#include "core/sink/logfile.h"
#include "core/sink/sink.h"
#include "core/store/store.h"

#define EVENTS "events"

/* The file of events. */
struct sinks {
	struct sink_receiver receiver;
	struct logfile *file;
	struct sink *events;
};

const char *const *sinks_names(const struct app *app)
{
	static const char *const names[] = { EVENTS, NULL };
	if (app->options.own_only)
		return NULL;
	return app->config->events ? names : names + 1;
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

static int append(void *sinks, const char *text, size_t len, struct error *err)
{
	return logfile_append(((struct sinks *)sinks)->file, text, len, err);
}

static int ready(void *sinks, struct error *err)
{
	return logfile_ready(((struct sinks *)sinks)->file, err);
}

static void fails(void *sinks, const struct error *err)
{
	(void)sinks;
	if (err)
		log_error("events are not told, and wait in the history: %s", err->text);
	else
		log_notice("events are told again");
}

int sinks_start(struct app *app, struct error *err)
{
	const struct config *config = app->config;
	if (!config->events || app->options.own_only)
		return 0;
	struct sinks *sinks = xcalloc(1, sizeof *sinks);
	app->sinks = sinks;
	sinks->file = logfile_new(config->events);
	sinks->receiver = (struct sink_receiver){
		.name = EVENTS,
		.put = config->events_ecs ? put_ecs : put_native,
		.ready = ready,
		.take = append,
		.fails = fails,
		.context = sinks,
	};
	int result = sink_new(&sinks->events, app->store, config->history, &sinks->receiver, err);
	if (result == 0 && sink_waited(sinks->events) > 0)
		log_notice("events: %lld of the last run are yet to be told",
			   (long long)sink_waited(sinks->events));
	return result;
}

void sinks_wake(struct app *app)
{
	if (app->sinks)
		sink_wake(app->sinks->events);
}

void sinks_committed(const struct store_op *op)
{
	sink_committed(op->owner);
}

void sinks_status(struct app *app, struct str *out)
{
	struct error trouble = { 0 };
	if (!app->sinks) {
		str_puts(out, ",\"events\":null");
		return;
	}
	bool fails = sink_trouble(app->sinks->events, &trouble);
	str_puts(out, ",\"events\":{\"file\":");
	str_json_text(out, logfile_path(app->sinks->file));
	str_puts(out, ",\"trouble\":");
	str_json_text(out, fails ? trouble.text : NULL);
	str_putc(out, '}');
}

void sinks_stop(struct app *app)
{
	if (app->sinks)
		sink_stop(app->sinks->events);
}

void sinks_free(struct app *app)
{
	if (!app->sinks)
		return;
	sink_free(app->sinks->events);
	logfile_free(app->sinks->file);
	free(TAKE(app->sinks));
}
