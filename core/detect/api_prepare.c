/* api_prepare: see api_prepare.h. */
#include "core/detect/api_prepare.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/mem.h"
#include "core/base/str.h"
#include "core/config/api.h"
#include "core/config/config.h"
#include "core/detect/cage.h"
#include "core/detect/expand.h"
#include "core/detect/interpreter.h"

#define VARIABLE_PATH "BROAPT_PATH"
#define VARIABLE_MIME "BROAPT_MIME"

bool api_entry_is_default(const struct api_entry *entry)
{
	return strcmp(entry->pattern, "example") == 0;
}

/* Takes one map of the file over, in its order. The two variables of ours cannot be redefined: they
 * are what the file is called. */
static int take_map(struct variables *variables, const struct api *api,
		    const struct api_variable *map, size_t count, struct error *err)
{
	for (size_t i = 0; i < count; i++) {
		if (!*map[i].name || strchr(map[i].name, '='))
			return error_set(err, EINVAL, "%s: \"%s\" cannot be the name of a variable",
					 api->file, map[i].name);
		if (strcmp(map[i].name, VARIABLE_PATH) == 0 ||
		    strcmp(map[i].name, VARIABLE_MIME) == 0)
			continue;
		bool tainted = false;
		AUTO_FREE char *value = expand(variables, map[i].value, EXPAND_ALL, &tainted);
		variables_set(variables, map[i].name, value, tainted);
	}
	return 0;
}

static int make_variables(struct variables *variables, const struct api_site *site,
			  struct error *err)
{
	variables->process = environ;
	variables_set(variables, VARIABLE_PATH, site->path ? site->path : "", true);
	variables_set(variables, VARIABLE_MIME, site->mime, true);
	int result = take_map(variables, site->api, site->api->environment,
			      site->api->environment_count, err);
	if (result == 0)
		result = take_map(variables, site->api, site->entry->environ,
				  site->entry->environ_count, err);
	return result;
}

static void make_environment(struct spawn_plan *plan, const struct variables *variables,
			     bool scanning)
{
	spawn_plan_base_env(plan);
	for (size_t i = 0; i < variables->count; i++) {
		const struct variable *at = &variables->items[i];
		bool ours = strcmp(at->name, VARIABLE_PATH) == 0 ||
			    strcmp(at->name, VARIABLE_MIME) == 0;
		if (scanning || !ours)
			spawn_plan_env(plan, at->name, at->value);
	}
}

static void add_word(struct spawn_plan *plan, const char *word)
{
	spawn_plan_arg(plan, word, strlen(word));
}

static void make_shell(struct spawn_plan *plan, const struct variables *variables, const char *text)
{
	AUTO_FREE char *expanded = expand(variables, text, EXPAND_TRUSTED, NULL);
	add_word(plan, "/bin/sh");
	add_word(plan, "-c");
	add_word(plan, expanded);
}

/* Which words are program text can only be seen once the trusted variables are in place ($PYTHON
 * -c). */
static void make_list(struct spawn_plan *plan, const struct variables *variables, char *const *argv,
		      struct cage *cage)
{
	for (size_t i = 0; argv[i]; i++) {
		AUTO_FREE char *word = expand(variables, argv[i], EXPAND_TRUSTED, NULL);
		add_word(plan, word);
	}
	for (size_t i = plan->argc; i-- > 1;) {
		if (interpreter_runs(plan->argv, i))
			continue;
		bool tainted = false;
		char *word = expand(variables, argv[i], EXPAND_ALL, &tainted);
		if (cage && !tainted)
			cage_file(cage, word);
		free(plan->argv[i]);
		plan->argv[i] = word;
	}
}

static char *make_cwd(const struct api_site *site, const struct variables *variables,
		      struct cage *cage)
{
	AUTO_FREE char *workdir = expand(variables, site->entry->workdir, EXPAND_TRUSTED, NULL);
	if (workdir[0] == '/' && cage)
		cage_tree(cage, workdir);
	if (workdir[0] == '/')
		return TAKE(workdir);
	AUTO_STR path = STR_INIT;
	str_puts(&path, site->config->api_root);
	if (path.len == 0 || path.data[path.len - 1] != '/')
		str_putc(&path, '/');
	if (api_entry_is_default(site->entry))
		str_puts(&path, "example");
	else
		str_puts(&path, site->path ? site->mime : site->entry->pattern);
	if (workdir[0] && strcmp(workdir, ".") != 0) {
		str_putc(&path, '/');
		str_puts(&path, workdir);
	}
	return str_take(&path);
}

int api_prepare(const struct api_site *site, const struct api_command *command,
		struct spawn_plan *plan, struct cage *cage, struct error *err)
{
	__attribute__((cleanup(variables_cleanup))) struct variables variables = { 0 };
	int result = make_variables(&variables, site, err);
	if (result < 0)
		return result;
	if (command->shell)
		make_shell(plan, &variables, command->shell);
	else if (command->argv && command->argv[0])
		make_list(plan, &variables, command->argv, cage);
	else
		return error_set(err, EINVAL, "%s:%u: the command is empty", site->api->file,
				 command->line);
	make_environment(plan, &variables, site->path != NULL);
	plan->cwd = make_cwd(site, &variables, cage);
	return 0;
}

/* Six parameters: the signature that core/cli was promised. */
/* NOLINTNEXTLINE(readability-function-size) */
int api_prepare_install(const struct config *config, const struct api *api,
			const struct api_entry *entry, const struct api_command *command,
			struct spawn_plan *plan, struct error *err)
{
	const struct api_site site = { .config = config, .api = api, .entry = entry, .mime = "" };
	return api_prepare(&site, command, plan, NULL, err);
}
