/*
 * environment: the variables and the command line over what the file says.
 *
 * An empty variable counts as not set, as compose files make many of those. Read before threads
 * start; getenv is safe then.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/config/loading.h"

const char *environment_get(const char *name)
{
	const char *value = getenv(name); /* NOLINT(concurrency-mt-unsafe) */
	return value && *value ? value : NULL;
}

const char *environment_of(const struct setting *setting, const char **name)
{
	for (const char *const *at = setting->environment; at && *at; at++) {
		const char *value = environment_get(*at);
		if (value) {
			*name = *at;
			return value;
		}
	}
	return NULL;
}

/* A root named outside the file keeps the settings that the file gives the same path. */
static void take_over(struct config_root *root, struct config_root *old, size_t old_count)
{
	for (size_t i = 0; i < old_count; i++) {
		if (!old[i].path || strcmp(old[i].path, root->path) != 0)
			continue;
		free(root->producer);
		root->producer = xstrdup(old[i].producer);
		root->mode = old[i].mode;
		root->settle_ms = old[i].settle_ms;
	}
}

/* Replaces the roots by count paths. */
static int replace_roots(struct loading *loading, const char *const *paths, size_t count,
			 struct error *err)
{
	struct config *config = loading->config;
	if (count > CONFIG_ROOTS_MAX)
		return loading_error(loading, &loading->roots, err, "more than %d roots",
				     CONFIG_ROOTS_MAX);
	struct config_root *old AUTO_FREE = config->roots;
	size_t old_count = config->root_count;
	config->roots = xcalloc(count, sizeof *config->roots);
	config->root_count = count;
	int r = 0;
	for (size_t i = 0; i < count; i++) {
		settings_default(SETTING_ROOT, &config->roots[i]);
		config->roots[i].path = xstrdup(paths[i]);
		config_root_trim(&config->roots[i]);
		take_over(&config->roots[i], old, old_count);
		if (!*paths[i])
			r = loading_error(loading, &loading->roots, err,
					  "expected the path of a directory, found an empty one");
	}
	for (size_t i = 0; i < old_count; i++)
		config_root_done(&old[i]);
	free(TAKE(loading->root_at));
	return r;
}

static int roots_from_variable(struct loading *loading, const char *name, const char *value,
			       struct error *err)
{
	bool is_list = strncmp(name, "CARVED_", strlen("CARVED_")) == 0;
	loading->roots = (struct origin){ .name = name };
	char *text AUTO_FREE = xstrdup(value);
	const char *paths[CONFIG_ROOTS_MAX + 1];
	size_t count = 0;
	char *at = text;
	while (at && count <= CONFIG_ROOTS_MAX) {
		char *colon = is_list ? strchr(at, ':') : NULL;
		if (colon)
			*colon++ = '\0';
		paths[count++] = at;
		at = colon;
	}
	return replace_roots(loading, paths, count, err);
}

static bool retries(const char *type)
{
	return strcmp(type, "api") == 0 || strcmp(type, "command") == 0 ||
	       strcmp(type, "remote") == 0;
}

/* Settings of every detector that retries: BroAPT knew them only for all. */
static int apply_to_detectors(struct loading *loading, const struct setting *setting,
			      const char *name, const char *value, struct error *err)
{
	struct config_detector probe = { 0 };
	int r = setting_apply(setting, &probe, value, NULL, err);
	config_detector_done(&probe);
	if (r < 0)
		return error_prefix(err, "%s", name);
	for (size_t i = 0; i < loading->config->detector_count; i++) {
		struct config_detector *detector = &loading->config->detectors[i];
		if (retries(detector->type) && setting_belongs(setting, detector->type))
			(void)setting_apply(setting, detector, value, NULL, err);
	}
	return 0;
}

static void note_origin(struct loading *loading, const struct setting *setting, const char *name)
{
	if (strcmp(setting->key, "history") == 0)
		loading->history = (struct origin){ .name = name };
	if (strcmp(setting->key, "hash") == 0)
		loading->hash = (struct origin){ .name = name };
	if (strcmp(setting->key, "rescan") == 0)
		loading->rescan = (struct origin){ .name = name };
}

static int apply_variable(struct loading *loading, const struct setting *setting, struct error *err)
{
	const char *name = NULL;
	const char *value = environment_of(setting, &name);
	if (!value)
		return 0;
	if (setting->scope == SETTING_DETECTOR)
		return apply_to_detectors(loading, setting, name, value, err);
	/* when the command line names roots too, what the file says is still to be taken over */
	if (setting->type == SETTING_SECTION)
		return loading->overrides->root_count
			       ? 0
			       : roots_from_variable(loading, name, value, err);
	if (setting_apply(setting, loading->config, value, NULL, err) < 0)
		return error_prefix(err, "%s", name);
	note_origin(loading, setting, name);
	return 0;
}

int loading_environment(struct loading *loading, struct error *err)
{
	for (size_t i = 0; i < setting_count; i++) {
		int r = apply_variable(loading, &settings[i], err);
		if (r < 0)
			return r;
	}
	return 0;
}

int loading_overrides(struct loading *loading, struct error *err)
{
	const struct config_overrides *overrides = loading->overrides;
	const struct setting *workers = setting_find(SETTING_TOP, "workers");
	if (overrides->workers > workers->max)
		return error_set(err, EINVAL,
				 "--workers: expected a whole number from 1 to %d, found %u",
				 (int)workers->max, overrides->workers);
	if (overrides->workers)
		loading->config->workers = overrides->workers;
	if (overrides->history) {
		loading->history = (struct origin){ .name = "--history" };
		if (!*overrides->history)
			return error_set(err, EINVAL,
					 "--history: expected a path, found an empty one");
		free(loading->config->history);
		loading->config->history = xstrdup(overrides->history);
	}
	if (!overrides->root_count)
		return 0;
	loading->roots = (struct origin){ .name = "ROOT" };
	return replace_roots(loading, overrides->roots, overrides->root_count, err);
}
