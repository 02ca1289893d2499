/*
 * check_install: shows and runs the install steps of api.yml, once for each "shared" group, as the
 * caller, with directory and environment as for scripts. The daemon never does this. The first step
 * that fails ends it: later ones would build on it.
 */
#include <stdio.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/str.h"
#include "core/cli/check_report.h"
#include "core/cli/cli.h"
#include "core/config/api.h"
#include "core/config/config.h"
#include "core/detect/api_prepare.h"
#include "core/detect/spawn_plan.h"

static void show_command(const struct api_command *command)
{
	AUTO_STR text = STR_INIT;
	if (command->shell)
		str_escape(&text, command->shell, strlen(command->shell));
	for (char **argument = command->argv; argument && *argument; argument++) {
		str_puts(&text, argument == command->argv ? "" : " ");
		str_json_text(&text, *argument);
	}
	(void)printf("  + %s\n", str_text(&text));
	(void)fflush(stdout); /* before the command's own output */
}

static int run_command(const struct config *config, const struct api *api,
		       const struct api_entry *entry, const struct api_command *command)
{
	show_command(command);
	struct spawn_plan plan = { 0 };
	struct error err = { 0 };
	int status = 0;
	int r = api_prepare_install(config, api, entry, command, &plan, &err);
	if (r == 0)
		r = spawn_plan_run_foreground(&plan, &status, &err);
	spawn_plan_done(&plan);
	if (r < 0) {
		cli_complain("%s:%u: %s", api->file, command->line, err.text);
		return CLI_FAILED;
	}
	if (status) {
		cli_complain(
			"%s:%u: the install step ended with status %d; what follows was not run",
			api->file, command->line, status);
		return CLI_FAILED;
	}
	return CLI_OK;
}

static bool has_steps(const struct api_entry *entry)
{
	return !entry->remote && entry->install_count > 0;
}

/* An entry without steps of its own leaves them to the next of its group. */
static bool group_done(const struct api *api, size_t index)
{
	for (size_t i = 0; i < index; i++) {
		if (has_steps(&api->entries[i]) &&
		    strcmp(api->entries[i].shared, api->entries[index].shared) == 0)
			return true;
	}
	return false;
}

static int install_entry(const struct config *config, const struct api *api,
			 const struct api_entry *entry)
{
	if (!has_steps(entry))
		return CLI_OK;
	AUTO_STR group = STR_INIT;
	str_escape(&group, entry->shared, strlen(entry->shared));
	(void)printf("install %s (line %u)\n", str_text(&group), entry->line);
	for (size_t i = 0; i < entry->install_count; i++) {
		int code = run_command(config, api, entry, &entry->install[i]);
		if (code != CLI_OK)
			return code;
	}
	return CLI_OK;
}

static int install_api(const struct config *config, const struct api *api)
{
	for (size_t i = 0; i < api->entry_count; i++) {
		int code =
			group_done(api, i) ? CLI_OK : install_entry(config, api, &api->entries[i]);
		if (code != CLI_OK)
			return code;
	}
	return CLI_OK;
}

int check_install(const struct config *config)
{
	bool any = false;
	for (size_t i = 0; i < config->detector_count; i++) {
		const struct api *api = config->detectors[i].api;
		if (!api)
			continue;
		any = true;
		int code = install_api(config, api);
		if (code != CLI_OK)
			return code;
	}
	if (!any)
		(void)printf("no detector of type api: nothing to install\n");
	return CLI_OK;
}
