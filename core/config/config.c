/* config: makes one configuration of file, environment and command line, and counts its users; see
 * config.h. What each source says is read in config_file.c, detector_rows.c and environment.c. */
#include "core/config/config.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/config/api.h"
#include "core/config/loading.h"
#include "core/config/resolve.h"

#define FILE_DEFAULT "/etc/carved/carved.yml"

void config_root_trim(const struct config_root *root)
{
	size_t len = strlen(root->path);
	while (len > 1 && root->path[len - 1] == '/')
		root->path[--len] = '\0';
}

void config_root_done(struct config_root *root)
{
	free(root->path);
	free(root->producer);
}

void config_detector_done(struct config_detector *detector)
{
	free(detector->type);
	free(detector->name);
	free(detector->file);
	free(detector->socket);
	free(detector->url);
	free(detector->ca);
	free(detector->token_file);
	texts_free(detector->mime);
	texts_free(detector->run);
	texts_free(detector->skips);
	texts_free(detector->read);
	texts_free(detector->rules);
	api_free(detector->api);
}

static void config_free(struct config *config)
{
	for (size_t i = 0; i < config->root_count; i++)
		config_root_done(&config->roots[i]);
	for (size_t i = 0; i < config->detector_count; i++)
		config_detector_done(&config->detectors[i]);
	free(config->roots);
	free(config->detectors);
	free(config->file);
	free(config->history);
	free(config->api_root);
	free(config->events);
	config_alert_free(config->alert);
	for (size_t i = 0; i < config->disposal_count; i++)
		free(config->disposal[i].mime);
	free(config->disposal);
	free(config->quarantine);
	free(config->pressure);
	texts_free(config->retention.shed);
	free(config->api_logs);
	free(config);
}

struct config *config_ref(struct config *config)
{
	__atomic_add_fetch(&config->refs, 1, __ATOMIC_RELAXED);
	return config;
}

void config_unref(struct config *config)
{
	/* the last one must see what the others did with it */
	if (config && __atomic_sub_fetch(&config->refs, 1, __ATOMIC_ACQ_REL) == 0)
		config_free(config);
}

int loading_error(const struct loading *loading, const struct origin *origin, struct error *err,
		  const char *format, ...)
{
	char words[sizeof err->text];
	va_list args;
	va_start(args, format);
	(void)vsnprintf(words, sizeof words, format, args);
	va_end(args);
	if (origin->name)
		return error_set(err, EINVAL, "%s: %s", origin->name, words);
	if (origin->at.line)
		return document_error(loading->document, origin->at, err, "%s", words);
	return error_set(err, EINVAL, "%s", words);
}

/* The file to read: named by option or variable, else the usual one if it is there, else none. */
static const char *file_to_read(const struct config_overrides *overrides)
{
	if (overrides->file)
		return overrides->file;
	const char *named = environment_get("CARVED_CONFIG");
	if (named)
		return named;
	return access(FILE_DEFAULT, F_OK) == 0 || errno != ENOENT ? FILE_DEFAULT : NULL;
}

static int read_file(struct loading *loading, const char *file, struct error *err)
{
	int r = document_load(&loading->document, file, err);
	if (r < 0)
		return r;
	loading->config->file = xstrdup(file);
	char *directory AUTO_FREE = resolve_directory(file);
	loading->base = resolve_path(directory);
	return loading_file(loading, err);
}

/* Its files are known to the history by their paths, and asked for from any directory. */
static void place_quarantine(struct config *config)
{
	if (!config->quarantine)
		config->quarantine = config_default_quarantine(config->history);
	char *relative AUTO_FREE = config->quarantine;
	config->quarantine = resolve_absolute(relative);
}

static int load(struct loading *loading, struct error *err)
{
	struct config *config = loading->config;
	settings_default(SETTING_TOP, config);
	settings_default(SETTING_RETENTION, config);
	const char *file = file_to_read(loading->overrides);
	int r = file ? read_file(loading, file, err) : 0;
	if (r == 0)
		r = loading_environment(loading, err);
	if (r == 0)
		r = loading_overrides(loading, err);
	if (r < 0)
		return r;
	if (!config->history)
		config->history = config_default_history();
	place_quarantine(config);
	if (!config->workers)
		config->workers = default_workers();
	r = loading_consistency(loading, err);
	return r < 0 ? r : loading_detectors_finish(loading, err);
}

int config_load(struct config **out, const struct config_overrides *overrides, struct error *err)
{
	static const struct config_overrides nothing = { 0 };
	struct error unwanted;
	err = err ? err : &unwanted; /* error_prefix() needs one to tell a failure */
	AUTO(config) struct config *config = xcalloc(1, sizeof *config);
	config->refs = 1;
	struct loading loading = { .config = config,
				   .overrides = overrides ? overrides : &nothing };
	int r = load(&loading, err);
	document_free(loading.document);
	free(loading.base);
	free(loading.root_at);
	free(loading.detector_at);
	if (r == 0)
		*out = TAKE(config);
	return r;
}

bool config_mime_matches(char *const *globs, const char *mime)
{
	if (!globs)
		return true;
	for (char *const *glob = globs; *glob; glob++) {
		/* a name without a type is no type that "?" or "[a-z]*" could stand for */
		if (strcmp(*glob, "*") == 0 || (*mime && fnmatch(*glob, mime, 0) == 0))
			return true;
	}
	return false;
}
