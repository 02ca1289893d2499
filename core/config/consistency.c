/*
 * consistency: contradictions that no single key can tell.
 *
 * Roots must not overlap: each file would be told twice, under two paths. The history must not lie
 * below a root: each write would be an event about itself; nor may the logs of api.yml's commands,
 * which would be looked at in their turn, without end, nor the files of events and pressure; nor
 * the quarantine, which may not lie above one either, as it is nobody else's. What carved writes
 * has a name of its own each: one would write over the other. A hash list needs hashes. Rescans by
 * themselves look back as far as reuse does. What goes when a disk is full needs a word of when it
 * is.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/base/error.h"
#include "core/config/loading.h"
#include "core/config/resolve.h"

static struct origin root_origin(const struct loading *loading, size_t i)
{
	if (loading->root_at)
		return (struct origin){ .at = loading->root_at[i] };
	return loading->roots;
}

static int check_pair(const struct loading *loading, char *const *real, size_t i, size_t j,
		      struct error *err)
{
	const struct config_root *roots = loading->config->roots;
	struct origin origin = root_origin(loading, j);
	if (strcmp(real[i], real[j]) == 0)
		return loading_error(
			loading, &origin, err,
			"the roots \"%s\" and \"%s\" are the same directory: leave one out",
			roots[i].path, roots[j].path);
	if (resolve_is_below(real[j], real[i]))
		return loading_error(loading, &origin, err,
				     "the root \"%s\" lies below the root \"%s\": leave one out",
				     roots[j].path, roots[i].path);
	if (resolve_is_below(real[i], real[j]))
		return loading_error(loading, &origin, err,
				     "the root \"%s\" lies below the root \"%s\": leave one out",
				     roots[i].path, roots[j].path);
	return 0;
}

/* The root below which path lies, root_count when it lies outside of all. */
static size_t root_above(const struct config *config, char *const *real, const char *path)
{
	char *resolved AUTO_FREE = resolve_path(path);
	size_t i = 0;
	while (i < config->root_count && !(resolved && resolve_is_below(resolved, real[i])))
		i++;
	return i;
}

static int check_history(const struct loading *loading, char *const *real, struct error *err)
{
	const struct config *config = loading->config;
	/* where it is named lies its lock, where a link leads its journal (SQLite follows it) */
	char *directory AUTO_FREE = resolve_directory(config->history);
	size_t root = root_above(config, real, directory);
	if (root == config->root_count)
		root = root_above(config, real, config->history);
	if (root == config->root_count)
		return 0;
	struct origin origin = loading->history;
	if (!origin.name && !origin.at.line)
		origin = root_origin(loading, root);
	return loading_error(loading, &origin, err,
			     "the history \"%s\" lies below the root \"%s\", whose events its "
			     "own writing would be: put it elsewhere (history, --history)",
			     config->history, config->roots[root].path);
}

static int check_logs(const struct loading *loading, char *const *real, struct error *err)
{
	const struct config *config = loading->config;
	size_t root = root_above(config, real, config->api_logs);
	size_t i = 0;
	while (i < config->detector_count && strcmp(config->detectors[i].type, "api") != 0)
		i++;
	if (root == config->root_count || i == config->detector_count)
		return 0;
	struct origin origin = root_origin(loading, root);
	return loading_error(loading, &origin, err,
			     "api_logs \"%s\" lies below the root \"%s\": each log of a command "
			     "would be a file to look at; put it elsewhere (api_logs, "
			     "BROAPT_API_LOGS)",
			     config->api_logs, config->roots[root].path);
}

static int check_events(const struct loading *loading, char *const *real, struct error *err)
{
	const struct config *config = loading->config;
	if (!config->events)
		return 0;
	size_t root = root_above(config, real, config->events);
	if (root == config->root_count)
		return 0;
	struct origin origin = root_origin(loading, root);
	return loading_error(loading, &origin, err,
			     "events \"%s\" lies below the root \"%s\": each line would be told of "
			     "as a file that was written; put it elsewhere (events, CARVED_EVENTS)",
			     config->events, config->roots[root].path);
}

static int check_quarantine(const struct loading *loading, char *const *real, struct error *err)
{
	const struct config *config = loading->config;
	char *resolved AUTO_FREE = resolve_path(config->quarantine);
	if (!resolved || !(config_disposes(config) || config_retains(config)))
		return 0;
	for (size_t i = 0; i < config->root_count; i++) {
		bool above = resolve_is_below(real[i], resolved);
		if (!above && !resolve_is_below(resolved, real[i]))
			continue;
		struct origin origin = root_origin(loading, i);
		return loading_error(
			loading, &origin, err,
			"the quarantine \"%s\" lies %s the root \"%s\": what is taken "
			"away would be found there again; put it elsewhere (quarantine, "
			"CARVED_QUARANTINE)",
			config->quarantine, above ? "above" : "below", config->roots[i].path);
	}
	return 0;
}

static int check_pressure(const struct loading *loading, char *const *real, struct error *err)
{
	const struct config *config = loading->config;
	if (!config->pressure)
		return 0;
	size_t root = root_above(config, real, config->pressure);
	if (root == config->root_count)
		return 0;
	struct origin origin = root_origin(loading, root);
	return loading_error(loading, &origin, err,
			     "pressure \"%s\" lies below the root \"%s\": each change of it would "
			     "be a file to look at; put it elsewhere (pressure, CARVED_PRESSURE)",
			     config->pressure, config->roots[root].path);
}

struct place {
	const char *key, *path; /* path NULL: there is none */
};

/* Is path the file, or, of a history, what SQLite and we keep beside it? */
static bool is_file_of(const struct place *place, const char *path)
{
	static const char *const behind[] = {
		"", "-wal", "-shm", "-journal", ".lock", ".sock", ".scratch",
	};
	char *mine AUTO_FREE = place->path ? resolve_path(place->path) : NULL;
	char *other AUTO_FREE = path ? resolve_path(path) : NULL;
	size_t len = mine ? strlen(mine) : 0;
	size_t names = strcmp(place->key, "history") == 0 ? sizeof behind / sizeof *behind : 1;
	bool begins = mine && other && strncmp(other, mine, len) == 0;
	for (size_t i = 0; begins && i < names; i++) {
		if (strcmp(other + len, behind[i]) == 0)
			return true;
	}
	return false;
}

/* Else one would be written into the other, or take its name. */
static int check_names(const struct loading *loading, struct error *err)
{
	const struct config *config = loading->config;
	const struct place places[] = {
		{ "history", config->history },	      { "configuration", config->file },
		{ "events", config->events },	      { "pressure", config->pressure },
		{ "quarantine", config->quarantine },
	};
	const struct origin nowhere = { 0 };
	for (size_t j = 1; j < sizeof places / sizeof *places; j++) {
		for (size_t i = 0; i < j; i++) {
			if (!is_file_of(&places[i], places[j].path))
				continue;
			return loading_error(
				loading, &nowhere, err,
				"%s \"%s\" is a file of the %s \"%s\": each needs a name "
				"of its own",
				places[j].key, places[j].path, places[i].key, places[i].path);
		}
	}
	return 0;
}

static int check_roots(const struct loading *loading, char **real, struct error *err)
{
	const struct config *config = loading->config;
	for (size_t j = 0; j < config->root_count; j++) {
		real[j] = resolve_path(config->roots[j].path);
		if (!real[j])
			real[j] = xstrdup(config->roots[j].path);
		for (size_t i = 0; i < j; i++) {
			int r = check_pair(loading, real, i, j, err);
			if (r < 0)
				return r;
		}
	}
	int r = check_history(loading, real, err);
	if (r == 0)
		r = check_events(loading, real, err);
	if (r == 0)
		r = check_quarantine(loading, real, err);
	if (r == 0)
		r = check_pressure(loading, real, err);
	return r < 0 ? r : check_logs(loading, real, err);
}

static int check_hash(const struct loading *loading, struct error *err)
{
	const struct config *config = loading->config;
	if (config->hash || !loading->detector_at)
		return 0;
	for (size_t i = 0; i < config->detector_count; i++) {
		if (strcmp(config->detectors[i].type, "hashlist") != 0)
			continue;
		struct origin origin = { .at = loading->detector_at[i] };
		char place[64];
		if (loading->hash.name)
			(void)snprintf(place, sizeof place, "%s", loading->hash.name);
		else
			(void)snprintf(place, sizeof place, "line %u", loading->hash.at.line);
		return loading_error(
			loading, &origin, err,
			"a hashlist needs hashes, but hash is never (%s): expected hash: "
			"always, or no hashlist",
			place);
	}
	return 0;
}

static int check_rescan(const struct loading *loading, struct error *err)
{
	const struct config *config = loading->config;
	if (config->rescan != CONFIG_RESCAN_AUTO || config->reuse_days > 0)
		return 0;
	return loading_error(loading, &loading->rescan, err,
			     "rescan: auto looks back as far as reuse, which is 0: expected a "
			     "reuse of some days, or rescan: manual");
}

/* Fills in what disk_low is when nobody says. */
static int check_retention(const struct loading *loading, struct error *err)
{
	struct config_retention *retention = &loading->config->retention;
	unsigned high = retention->disk_high_percent;
	if (high == 0 && retention->disk_low_percent > 0)
		return loading_error(loading, &loading->retention, err,
				     "disk_low says when it ends that files go, but no disk_high "
				     "when it begins: expected disk_high too");
	if (high == 0 && retention->shed)
		return loading_error(loading, &loading->shed, err,
				     "shed says what is given up when a disk is full, but no "
				     "disk_high in retention says when it is");
	if (high > 0 && retention->disk_low_percent == 0)
		retention->disk_low_percent = high > 20 ? high - 10 : high / 2;
	if (high > 0 && retention->disk_low_percent >= high)
		return loading_error(loading, &loading->retention, err,
				     "disk_low is %u%%, disk_high %u%%: expected disk_low below "
				     "disk_high",
				     retention->disk_low_percent, high);
	return 0;
}

int loading_consistency(const struct loading *loading, struct error *err)
{
	int r = check_hash(loading, err);
	if (r == 0)
		r = check_rescan(loading, err);
	if (r == 0)
		r = check_retention(loading, err);
	if (r < 0)
		return r;
	char **real = xcalloc(loading->config->root_count + 1, sizeof *real);
	r = check_roots(loading, real, err);
	texts_free(real);
	return r < 0 ? r : check_names(loading, err);
}
