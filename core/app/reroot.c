/* reroot: see reroot.h. */
#include "core/app/reroot.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "core/app/control.h"
#include "core/app/loop.h"
#include "core/app/roots.h"
#include "core/app/state.h"
#include "core/app/writers.h"
#include "core/base/error.h"
#include "core/base/log.h"
#include "core/base/mem.h"
#include "core/base/str.h"
#include "core/entry/scheme.h"

/* By row of the configuration. */
struct reroot {
	size_t count;
	struct scheme_set **schemes; /* NULL: taken */
};

enum watcher_mode reroot_mode(enum config_mode mode)
{
	switch (mode) {
	case CONFIG_MODE_AUTO:
		return WATCHER_AUTO;
	case CONFIG_MODE_INOTIFY:
		return WATCHER_INOTIFY;
	case CONFIG_MODE_POLL:
		return WATCHER_POLL;
	}
	return WATCHER_AUTO;
}

static void drop(struct reroot *plan)
{
	for (size_t i = 0; i < plan->count; i++)
		scheme_set_free(plan->schemes[i]);
	free(plan->schemes);
	free(plan);
}

int reroot_prepare(const struct app *app, const struct config *config, struct reroot **out,
		   struct error *err)
{
	struct reroot *plan = xcalloc(1, sizeof *plan);
	size_t more = 0;
	int result = 0;
	plan->schemes = xcalloc(config->root_count + 1, sizeof(struct scheme_set *));
	for (; plan->count < config->root_count && result == 0; plan->count++) {
		const struct config_root *row = &config->roots[plan->count];
		result = scheme_set_new(&plan->schemes[plan->count], row->producer, err);
		more += roots_find(app->roots, row->path) == roots_count(app->roots);
	}
	if (result == 0 && roots_count(app->roots) + more > WATCHER_ROOTS_MOST)
		result = error_set(err, E2BIG,
				   "more than %u roots since the start, which forgets those that "
				   "were left: start it anew",
				   (unsigned)WATCHER_ROOTS_MOST);
	if (result < 0)
		drop(plan);
	else
		*out = plan;
	return result;
}

/* For the log, and for whoever waits for the reload. */
static void tell(struct str *notes, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void tell(struct str *notes, const char *format, ...)
{
	AUTO_STR words = STR_INIT;
	va_list args;
	va_start(args, format);
	str_vprintf(&words, format, args);
	va_end(args);
	log_notice("%s", str_text(&words));
	control_add_line(notes, str_text(&words));
}

static bool is_listed(const struct config *config, const char *path)
{
	for (size_t i = 0; i < config->root_count; i++) {
		if (strcmp(config->roots[i].path, path) == 0)
			return true;
	}
	return false;
}

static void leave(struct app *app, uint32_t index, struct str *notes)
{
	enum root_state state = roots_state(app->roots, index);
	if (state == ROOT_LEAVING || state == ROOT_GONE)
		return;
	roots_set_state(app->roots, index, state == ROOT_WATCHED ? ROOT_LEAVING : ROOT_GONE);
	if (state == ROOT_WATCHED)
		app->reroot_ticket = watcher_ticket(app->watcher);
	tell(notes, "no root any more, what is known of it is finished root=%s",
	     roots_path(app->roots, index));
}

static void add(struct app *app, const char *path, struct scheme_set *schemes)
{
	uint32_t index = roots_add(app->roots, path, schemes);
	uint32_t number = 0;
	roots_set_state(app->roots, index, ROOT_GONE); /* so far */
	int result = watcher_reserve_root(app->watcher, path, &number);
	assert(result == 0 && number == index); /* both count them, and there was room */
	(void)result;
}

/* How names below the root are read is another: the walk reads those of no row once more. */
static void read_names(struct app *app, uint32_t index, const struct config_root *row,
		       struct str *notes)
{
	if (strcmp(roots_producer(app->roots, index), row->producer) == 0)
		return;
	tell(notes, "names below it are read for another producer root=%s producer=%s", row->path,
	     row->producer);
	loop_walk(app);
}

/* A root that is watched, or still is, as the configuration wants it now. */
static void keep(struct app *app, uint32_t index, const struct config_root *row, struct str *notes)
{
	roots_set_state(app->roots, index, ROOT_WATCHED);
	read_names(app, index, row, notes);
	if (roots_mode(app->roots, index) == row->mode)
		return;
	tell(notes, "it is watched in another mode, and walked root=%s", row->path);
	app->walking = true;
	app->events_left = true;
	watcher_begin_root(app->watcher, index, reroot_mode(row->mode));
}

static void come(struct app *app, uint32_t index, const struct config_root *row, struct str *notes)
{
	if (roots_state(app->roots, index) == ROOT_GONE)
		tell(notes, "another root, it is watched and walked root=%s", row->path);
	roots_set_state(app->roots, index, ROOT_COMING);
	roots_invalidate(app->roots, index);
}

static void take(struct app *app, const struct config_root *row, struct scheme_set *schemes,
		 struct str *notes)
{
	uint32_t index = roots_find(app->roots, row->path);
	if (index == roots_count(app->roots)) {
		add(app, row->path, schemes);
		schemes = NULL;
	}
	switch (roots_state(app->roots, index)) {
	case ROOT_WATCHED:
	case ROOT_LEAVING:
		keep(app, index, row, notes);
		break;
	case ROOT_COMING:
	case ROOT_GONE:
		come(app, index, row, notes);
		break;
	}
	roots_configure(app->roots, index, row, schemes);
}

void reroot_apply(struct app *app, struct reroot *plan, const struct config *config,
		  struct str *notes)
{
	for (uint32_t i = 0; i < roots_count(app->roots); i++) {
		if (!is_listed(config, roots_path(app->roots, i)))
			leave(app, i, notes);
	}
	for (size_t i = 0; i < plan->count; i++)
		take(app, &config->roots[i], TAKE(plan->schemes[i]), notes);
	drop(plan);
	app->rerooting = true;
	reroot_tick(app);
}

/* Whether some are leaving still. */
static bool let_go(struct app *app)
{
	bool passed = watcher_passed(app->watcher, app->reroot_ticket);
	bool left = false;
	for (uint32_t i = 0; i < roots_count(app->roots); i++) {
		if (roots_state(app->roots, i) != ROOT_LEAVING)
			continue;
		left = true;
		if (!passed)
			continue;
		roots_set_state(app->roots, i, ROOT_GONE);
		watcher_leave_root(app->watcher, i);
	}
	app->events_left = app->events_left || (left && passed);
	return left && !passed;
}

static void begin(struct app *app, uint32_t index)
{
	roots_set_state(app->roots, index, ROOT_WATCHED);
	watcher_begin_root(app->watcher, index, reroot_mode(roots_mode(app->roots, index)));
	app->walking = true;
	app->events_left = true;
}

void reroot_tick(struct app *app)
{
	if (!app->rerooting || app->mode != APP_RUNNING || let_go(app))
		return;
	bool any = false;
	for (uint32_t i = 0; i < roots_count(app->roots); i++) {
		if (roots_state(app->roots, i) != ROOT_COMING)
			continue;
		begin(app, i);
		any = true;
	}
	if (any)
		writers_begin(app);
	app->rerooting = false;
}
