/* backlog: see backlog.h. */
#include "core/app/backlog.h"

#include "core/app/intake.h"
#include "core/app/pause.h"
#include "core/app/record.h"
#include "core/app/roots.h"
#include "core/app/state.h"
#include "core/app/unread.h"
#include "core/base/error.h"
#include "core/base/log.h"
#include "core/store/reader.h"
#include "core/store/store.h"

/* Rows fetched in one go. Small: each is a job with its path. */
#define FETCH_MAX 512

bool backlog_has_room(struct app *app, const struct job *job)
{
	bool room = app_with_workers(app) < APP_RUNNING_MAX;
	if (room)
		app->full_since = (struct mono){ 0 };
	else if (app->full_since.ns == 0)
		app->full_since = mono_now();
	return room && (!app->backlog || job->hint == HINT_QUEUED || job->recorded);
}

void backlog_note(struct app *app, int64_t due_ns)
{
	if (due_ns <= clock_steady_ns())
		app->backlog = true;
	else if (due_ns < app->next_due_ns)
		app->next_due_ns = due_ns;
	app->own_due = app->own_due || due_ns > clock_steady_ns();
}

struct fetch {
	struct app *app;
	struct version *rows[FETCH_MAX];
	size_t count;
	bool more;
};

/* Below a root, or queued by this very run. */
static bool is_own(const struct app *app, const struct version *version)
{
	return version->first_seen_ns >= app->started_ns ||
	       roots_of_path(app->roots, version->path, version->path_len) <
		       roots_count(app->roots);
}

static bool fetch_row(void *context, struct version *version)
{
	struct fetch *fetch = context;
	const struct flight *flight = &fetch->app->flight;
	if (flight_row_holder(flight, version->id) || record_is_ending(fetch->app, version->id)) {
		version_free(version); /* in memory already, perhaps on its way to another path */
		return true;
	}
	/* its end would wait in memory, and keep those away that make room */
	if (version->identity.size == 0 && store_spares_room(fetch->app->store)) {
		fetch->app->empty_wait = true;
		version_free(version);
		return true;
	}
	struct job *other = flight_at(flight, version->path, version->path_len);
	if (other) {
		other->hides_row = true; /* a rescan of an earlier content, say, or a walk's look */
		version_free(version);
		return true;
	}
	if (fetch->app->options.own_only && !is_own(fetch->app, version)) {
		version_free(version);
		return true;
	}
	if (fetch->count == FETCH_MAX) {
		version_free(version);
		fetch->more = true;
		return false;
	}
	fetch->rows[fetch->count++] = version;
	return true;
}

static void find_next_due(struct app *app, int64_t now)
{
	struct error err = { 0 };
	if (store_next_due(app->reader, now, &app->next_due_ns, &err) < 0)
		unread_tell(app, &err);
}

bool backlog_refill(struct app *app)
{
	int64_t now = clock_steady_ns();
	if (app->next_due_ns <= now) {
		app->next_due_ns = INT64_MAX;
		app->backlog = true;
	}
	/* A row whose file went on under another name, or changed, before anyone opened it may
	 * stand queued with nobody to deal with it. Whenever all that is in memory is through, the
	 * queue is asked once. */
	if (app->queue_unsure && flight_total(&app->flight) == 0) {
		app->queue_unsure = false;
		app->backlog = true;
	}
	if (app->empty_wait && !store_spares_room(app->store)) {
		app->empty_wait = false;
		app->backlog = true;
	}
	if (app->flight.row_shows) {
		app->flight.row_shows = false;
		app->backlog = true;
	}
	if (!app->backlog || app->mode == APP_STOPPING || pause_is_on(app) ||
	    app_with_workers(app) > APP_RUNNING_MAX / 2 ||
	    flight_total(&app->flight) > APP_FLIGHT_MAX / 2)
		return false;
	struct fetch fetch = { .app = app };
	struct error err = { 0 };
	int result = store_due(app->reader, now, fetch_row, &fetch, &err);
	if (result < 0) {
		unread_tell(app, &err);
		backlog_note(app, now + CLOCK_NS_PER_S);
		app->backlog = false;
	} else if (!fetch.more) {
		app->backlog = false;
		if (!app->options.own_only || app->own_due)
			find_next_due(app, now);
	}
	for (size_t i = 0; i < fetch.count; i++)
		(void)intake_queued(app, fetch.rows[i]);
	return app->backlog && app_with_workers(app) <= APP_RUNNING_MAX / 2 && fetch.count > 0;
}

struct own {
	const struct app *app;
	bool found;
};

static bool look_for_own(void *context, struct version *row)
{
	AUTO(version) struct version *version = row;
	struct own *own = context;
	own->found = version->wait != WAIT_WRITER && is_own(own->app, version);
	return !own->found;
}

bool backlog_has_own(struct app *app)
{
	struct own own = { .app = app };
	struct error err = { 0 };
	if (store_due(app->reader, INT64_MAX, look_for_own, &own, &err) < 0)
		unread_tell(app, &err);
	return own.found;
}

static bool tell_row(void *context, struct version *row)
{
	AUTO(version) struct version *version = row;
	const struct app *app = context;
	if (!flight_at(&app->flight, version->path, version->path_len) &&
	    (!app->options.own_only || is_own(app, version)))
		app->options.left(app->options.context, version);
	return true;
}

void backlog_tell(struct app *app)
{
	struct error err = { 0 };
	if (store_due(app->reader, INT64_MAX, tell_row, app, &err) < 0)
		unread_tell(app, &err);
}
