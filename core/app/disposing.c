/* disposing: see disposing.h. */
#include "core/app/disposing.h"

#include "core/app/lease.h"
#include "core/app/outbox.h"
#include "core/app/state.h"
#include "core/base/error.h"
#include "core/base/log.h"
#include "core/base/str.h"
#include "core/config/config.h"
#include "core/dispose/disposer.h"
#include "core/store/store.h"
#include "core/store/version.h"

struct disposing {
	struct app *app;
	struct disposer_options options;
	struct disposer *disposer;
	struct seldom fails; /* any thread */
};

bool disposing_wanted(const struct config *config)
{
	return config_disposes(config);
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

int disposing_start(struct app *app, struct error *err)
{
	if (!disposing_wanted(app->config) || app->options.own_only)
		return 0;
	struct disposing *disposing = xcalloc(1, sizeof *disposing);
	disposing->app = app;
	disposing->options = (struct disposer_options){
		.store = app->store,
		.has_writer = has_writer,
		.ended = ended,
		.fails = fails,
		.idle = idle,
		.context = disposing,
	};
	seldom_init(&disposing->fails);
	app->disposing = disposing;
	return disposer_new(&disposing->disposer, &disposing->options, app->config, err);
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
	if (app->disposing)
		disposer_configure(app->disposing->disposer, app->config);
}

void disposing_status(struct app *app, struct str *out)
{
	if (!app->disposing) {
		str_puts(out, ",\"disposal\":null");
		return;
	}
	struct error trouble = { 0 };
	struct disposer_status status = { .trouble = &trouble };
	disposer_status(app->disposing->disposer, &status);
	str_puts(out, ",\"disposal\":{\"quarantine\":");
	str_json_text(out, app->config->quarantine);
	str_printf(out, ",\"intended\":%lld", (long long)status.intended);
	for (enum removal_state state = REMOVAL_REMOVED; state <= REMOVAL_LEFT; state++)
		str_printf(out, ",\"%s\":%llu", removal_state_name(state),
			   (unsigned long long)status.ended[state]);
	str_puts(out, ",\"trouble\":");
	str_json_text(out, trouble.code ? trouble.text : NULL);
	str_putc(out, '}');
}

void disposing_stop(struct app *app)
{
	if (app->disposing)
		disposer_stop(app->disposing->disposer);
}

void disposing_free(struct app *app)
{
	if (!app->disposing)
		return;
	disposer_free(app->disposing->disposer);
	seldom_done(&app->disposing->fails);
	free(TAKE(app->disposing));
}
