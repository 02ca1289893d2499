/* pull: see pull.h. */
#include "core/app/pull.h"

#include "core/app/ends.h"
#include "core/app/gaps.h"
#include "core/app/hints.h"
#include "core/app/met.h"
#include "core/app/roots.h"
#include "core/app/state.h"
#include "core/base/error.h"
#include "core/base/log.h"
#include "core/config/config.h"
#include "core/store/reader.h"
#include "core/store/store.h"
#include "watcher/watcher.h"

/* Events in one turn of the loop: enough to batch, few enough to hear a signal. */
#define PULL_MAX 1024
/* They may be steps of a walk ten thousand directories deep, of milliseconds each. */
#define PULL_TURN_MS 50
/* All workers are busy for this long: new files are put into the history instead of waiting in the
 * reader's buffer, where SQL cannot see them. */
#define PULL_FULL_MS 50
/* There is no room for this long: it may be long until there is. */
#define PULL_REST_MS 1000

bool pull_has_room(struct app *app)
{
	if (app_with_workers(app) < APP_RUNNING_MAX)
		app->full_since.ns = 0;
	else if (app->full_since.ns == 0)
		app->full_since = mono_now();
	/* files that make room may come behind thousands that make none, and wait for it */
	const size_t most = store_spares_room(app->store) ? APP_FLIGHT_MAX : APP_STORE_MAX;
	if (app->mode != APP_RUNNING || flight_total(&app->flight) >= APP_FLIGHT_MAX ||
	    store_depth(app->store) >= most)
		return false;
	return app->full_since.ns == 0 || mono_passed(mono_add_ms(app->full_since, PULL_FULL_MS));
}

struct mono pull_room_at(const struct app *app)
{
	if (app->full_since.ns == 0)
		return (struct mono){ 0 };
	struct mono at = mono_add_ms(app->full_since, PULL_FULL_MS);
	return mono_passed(at) ? (struct mono){ 0 } : at;
}

void pull_rest(struct app *app, bool room)
{
	if (room) {
		app->no_room_since.ns = 0;
		app->let_go = false;
	} else if (app->no_room_since.ns == 0) {
		app->no_room_since = mono_now();
	} else if (!app->let_go && mono_passed(pull_rest_at(app))) {
		app->let_go = true;
		watcher_let_go(app->watcher);
	}
}

struct mono pull_rest_at(const struct app *app)
{
	if (app->no_room_since.ns == 0 || app->let_go)
		return (struct mono){ 0 };
	return mono_add_ms(app->no_room_since, PULL_REST_MS);
}

struct mono pull_next_rescan(const struct app *app)
{
	return mono_add_ms(mono_now(), app->config->rescan_interval_ms);
}

static void walked_all(struct app *app)
{
	app->walking = gaps_overflow_open(app); /* another walk is to come */
	gaps_walked_all(app);
	met_rest(app->met);
	app->reconciled_ns = clock_wall_ns();
	if (app->walked_all)
		return;
	app->walked_all = true;
	log_notice("ready: every present root is watched and walked");
	manager_ready(app);
}

static void take_event(struct app *app, const struct watcher_event *event)
{
	switch (event->kind) {
	case WATCHER_GAP_OPENED:
		app->walking = true;
		if (event->root != WATCHER_NO_ROOT)
			roots_invalidate(app->roots, event->root);
		gaps_event(app, event);
		return;
	case WATCHER_GAP_CLOSED:
		gaps_event(app, event);
		return;
	case WATCHER_WALKED_ALL:
		walked_all(app);
		return;
	case WATCHER_COMPLAINT:
		log_warning("%s", event->text);
		return;
	case WATCHER_CLOSED:
	case WATCHER_MOVED:
	case WATCHER_CREATED:
	case WATCHER_TOUCHED:
	case WATCHER_WALKED:
	case WATCHER_GONE:
	case WATCHER_DIR_MOVED:
	case WATCHER_DIR_GONE:
		hints_take(app, event);
		return;
	}
}

/* The next event, or the one for which there was no room in an earlier turn. */
static int next_event(struct app *app)
{
	if (!app->held)
		return watcher_next(app->watcher, &app->event);
	app->held = false;
	return WATCHER_EVENT;
}

/* False when files that were met before it have no room: then it waits with them. */
static bool take_or_hold(struct app *app)
{
	app->held = !met_tell(app);
	if (!app->held && !met_add(app, &app->event))
		take_event(app, &app->event);
	return !app->held;
}

/* More of them when they are files that a walk meets: most of those cost little. */
static int take_events(struct app *app)
{
	int result = WATCHER_BUSY;
	struct mono end = mono_add_ms(mono_now(), PULL_TURN_MS);
	bool room = met_tell(app);
	for (unsigned i = 0, taken = 0; taken < PULL_MAX && result > 0 && room; i++) {
		if (i % 16 == 15 && mono_passed(end))
			break;
		result = next_event(app);
		if (result == WATCHER_EVENT && met_add(app, &app->event))
			continue;
		taken++;
		if (result == WATCHER_EVENT)
			room = take_or_hold(app) && pull_has_room(app);
	}
	(void)met_tell(app);
	app->events_left = result > 0 || !met_is_empty(app->met);
	return result;
}

int pull_events(struct app *app, struct error *err)
{
	if (!app->events_left || !pull_has_room(app))
		return 0;
	store_reader_begin(app->reader);
	int result = take_events(app);
	store_reader_end(app->reader);
	if (result < 0)
		return error_set(err, -result, "watching cannot go on: %s", error_text(-result));
	return 0;
}
