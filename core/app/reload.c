/* reload: see reload.h. */
#include "core/app/reload.h"

#include <string.h>

#include "core/app/away.h"
#include "core/app/engine.h"
#include "core/app/rules.h"
#include "core/app/state.h"
#include "core/base/error.h"
#include "core/base/log.h"
#include "core/config/config.h"

static bool same_roots(const struct config *a, const struct config *b)
{
	if (a->root_count != b->root_count)
		return false;
	for (size_t i = 0; i < a->root_count; i++) {
		if (strcmp(a->roots[i].path, b->roots[i].path) != 0 ||
		    strcmp(a->roots[i].producer, b->roots[i].producer) != 0 ||
		    a->roots[i].mode != b->roots[i].mode ||
		    a->roots[i].settle_ms != b->roots[i].settle_ms)
			return false;
	}
	return true;
}

/* What this version of the daemon cannot change while it runs is said, not ignored. */
static void name_the_rest(const struct config *old, const struct config *new)
{
	if (!same_roots(old, new))
		log_warning("changed roots take effect at the next start");
	if (old->workers != new->workers)
		log_warning("another number of workers takes effect at the next start");
	if (strcmp(old->history, new->history) != 0)
		log_warning("another history takes effect at the next start");
}

static void swap(struct app *app, struct engine *engine, struct config *config)
{
	lock_take(&app->engine_lock);
	struct engine *old = app->engine;
	app->engine = engine;
	lock_drop(&app->engine_lock);
	engine_unref(old);
	config_unref(app->config);
	app->config = config;
}

void reload(struct app *app)
{
	struct error err = { 0 };
	struct config *config = NULL;
	if (config_load(&config, &app->options.overrides, &err) < 0) {
		log_error("the new configuration is refused, the old one stays: %s", err.text);
		return;
	}
	struct engine *engine = NULL;
	if (engine_new(&engine, config, &err) < 0) {
		log_error("the new configuration is refused, the old one stays: %s", err.text);
		config_unref(config);
		return;
	}
	name_the_rest(app->config, config);
	swap(app, engine, config);
	rules_note(app);
	log_notice("configuration and detectors reloaded");
	away_tell_all(app->engine);
}
