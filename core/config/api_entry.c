/*
 * api_entry: one entry of api.yml: its variables and commands; see api.h for what becomes of them.
 *
 * The keys of an entry are a table of names and readers.
 */
#include <assert.h>
#include <string.h>

#include "core/config/api_reading.h"
#include "core/config/nearest.h"
#include "core/config/settings.h"

/* An empty value is an empty text: compose-like files leave variables open so. */
static const char *text_of(const struct node *node)
{
	return node_is_null(node) ? "" : node->text;
}

static struct api_variable *find_variable(struct api_variable *variables, size_t count,
					  const char *name)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(variables[i].name, name) == 0)
			return &variables[i];
	}
	return NULL;
}

static int read_variable(const struct api_reading *reading, const struct node_pair *pair,
			 struct api_variable *variables, size_t *count)
{
	const char *name = pair->key->text;
	if (!*name || strchr(name, '='))
		return document_error(reading->document, pair->key->at, reading->err,
				      "expected the name of a variable, found \"%.*s\"",
				      API_SHOWN_MAX, name);
	if (pair->value->type != NODE_SCALAR)
		return api_expected(reading, pair->value, name, "a text");
	struct api_variable *variable = find_variable(variables, *count, name);
	if (variable) {
		api_note(reading, pair->key->at,
			 "the variable %.*s stands twice: the last one counts", API_SHOWN_MAX,
			 name);
		free(variable->value);
	} else {
		variable = &variables[(*count)++];
		variable->name = xstrdup(name);
	}
	variable->value = xstrdup(text_of(pair->value));
	return 0;
}

int api_read_variables(const struct api_reading *reading, const struct node *map, const char *key,
		       struct api_variable **out, size_t *count)
{
	if (node_is_null(map))
		return 0;
	if (map->type != NODE_MAP)
		return api_expected(reading, map, key, "a mapping of variables");
	*out = xcalloc(map->count, sizeof **out);
	for (size_t i = 0; i < map->count; i++) {
		int r = read_variable(reading, &map->pairs[i], *out, count);
		if (r < 0)
			return r;
	}
	return 0;
}

static int read_argv(const struct api_reading *reading, const struct node *list, const char *key,
		     struct api_command *command)
{
	command->argv = xcalloc(list->count + 1, sizeof *command->argv);
	for (size_t i = 0; i < list->count; i++) {
		if (list->items[i]->type != NODE_SCALAR)
			return api_expected(reading, list->items[i], key,
					    "a text in a command's list");
		command->argv[i] = xstrdup(text_of(list->items[i]));
	}
	if (!list->count || !*command->argv[0])
		return document_error(reading->document, list->at, reading->err,
				      "%s: expected a program, found nothing", key);
	return 0;
}

/* A string is the shell's, a list is a program and its arguments. */
static int read_command(const struct api_reading *reading, const struct node *node, const char *key,
			struct api_command *command)
{
	command->line = node->at.line;
	if (node->type == NODE_LIST)
		return read_argv(reading, node, key, command);
	if (node->type == NODE_MAP || node_is_null(node))
		return api_expected(reading, node, key, "a command: a text or a list");
	if (!node->text[strspn(node->text, " \t\n")])
		return document_error(reading->document, node->at, reading->err,
				      "%s: expected a command, found an empty text", key);
	command->shell = xstrdup(node->text);
	return 0;
}

static int read_commands(const struct api_reading *reading, const struct node *node,
			 const char *key, struct api_command **out, size_t *count)
{
	if (node_is_null(node))
		return 0;
	if (node->type == NODE_MAP)
		return api_expected(reading, node, key, "a list of commands");
	if (node->type == NODE_SCALAR) {
		*out = xcalloc(1, sizeof **out);
		*count = 1;
		return read_command(reading, node, key, *out);
	}
	*out = xcalloc(node->count, sizeof **out);
	for (size_t i = 0; i < node->count; i++) {
		int r = read_command(reading, node->items[i], key, &(*out)[(*count)++]);
		if (r < 0)
			return r;
	}
	return 0;
}

static int read_text(const struct api_reading *reading, const struct node *node, const char *key,
		     char **out)
{
	if (node->type != NODE_SCALAR || !*text_of(node))
		return api_expected(reading, node, key, "a text");
	free(*out);
	*out = xstrdup(node->text);
	return 0;
}

static int read_workdir(struct api_reading *reading, const struct node *node,
			struct api_entry *entry)
{
	return read_text(reading, node, "workdir", &entry->workdir);
}

static int read_shared(struct api_reading *reading, const struct node *node,
		       struct api_entry *entry)
{
	return read_text(reading, node, "shared", &entry->shared);
}

static int read_environ(struct api_reading *reading, const struct node *node,
			struct api_entry *entry)
{
	return api_read_variables(reading, node, "environ", &entry->environ, &entry->environ_count);
}

static int read_install(struct api_reading *reading, const struct node *node,
			struct api_entry *entry)
{
	return read_commands(reading, node, "install", &entry->install, &entry->install_count);
}

static int read_scripts(struct api_reading *reading, const struct node *node,
			struct api_entry *entry)
{
	return read_commands(reading, node, "scripts", &entry->scripts, &entry->script_count);
}

static int read_report(struct api_reading *reading, const struct node *node,
		       struct api_entry *entry)
{
	return read_command(reading, node, "report", &entry->report);
}

static int read_remote(struct api_reading *reading, const struct node *node,
		       struct api_entry *entry)
{
	if (node_boolean(node, &entry->remote))
		return 0;
	if (node->type != NODE_SCALAR || node_is_null(node))
		return api_expected(reading, node, "remote", "true or false");
	return document_error(reading->document, node->at, reading->err,
			      "remote: expected true or false, found \"%.*s\"", API_SHOWN_MAX,
			      node->text);
}

static const char *const field_names[] = { "workdir", "environ", "install", "scripts",
					   "report",  "remote",	 "shared" };

static int (*const field_readers[])(struct api_reading *, const struct node *,
				    struct api_entry *) = {
	read_workdir, read_environ, read_install, read_scripts,
	read_report,  read_remote,  read_shared,
};

#define FIELDS (sizeof field_names / sizeof *field_names)
static_assert(FIELDS == sizeof field_readers / sizeof *field_readers, "a field without a reader");

/* The index of a key of an entry, FIELDS when it is none. */
static size_t field_of(const char *key)
{
	size_t i = 0;
	while (i < FIELDS && strcmp(field_names[i], key) != 0)
		i++;
	return i;
}

bool api_is_field(const char *key)
{
	return field_of(key) < FIELDS;
}

static int read_field(struct api_reading *reading, const struct node_pair *pair,
		      struct api_entry *entry)
{
	size_t field = field_of(pair->key->text);
	if (field < FIELDS)
		return field_readers[field](reading, pair->value, entry);
	struct nearest nearest = nearest_of(pair->key->text, field_names, FIELDS);
	char hint[96];
	return document_error(reading->document, pair->key->at, reading->err,
			      "unknown key \"%.*s\" for %.*s%s", API_SHOWN_MAX, pair->key->text,
			      API_SHOWN_MAX, reading->pattern,
			      nearest_hint(&nearest, "key", hint, sizeof hint));
}

int api_read_entry(struct api_reading *reading, const struct node *map, struct api_entry *entry)
{
	reading->pattern = entry->pattern;
	entry->line = map->at.line;
	if (map->type != NODE_MAP)
		return document_error(reading->document, map->at, reading->err,
				      "%.*s: expected a mapping with \"report\", found %s",
				      API_SHOWN_MAX, entry->pattern, node_kind(map));
	for (size_t i = 0; i < map->count; i++) {
		int r = api_check_once(reading, map, i);
		if (r == 0)
			r = read_field(reading, &map->pairs[i], entry);
		if (r < 0)
			return r;
	}
	if (!entry->report.shell && !entry->report.argv)
		return document_error(
			reading->document, map->at, reading->err,
			"%.*s: no \"report\": BroAPT and carved need it, it is the command "
			"whose end says that the file was looked at",
			API_SHOWN_MAX, entry->pattern);
	if (!entry->workdir)
		entry->workdir = xstrdup(".");
	if (!entry->shared)
		entry->shared = xstrdup(entry->pattern);
	return 0;
}

void api_variables_free(struct api_variable *variables, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(variables[i].name);
		free(variables[i].value);
	}
	free(variables);
}

static void command_done(struct api_command *command)
{
	free(command->shell);
	texts_free(command->argv);
}

static void commands_free(struct api_command *commands, size_t count)
{
	for (size_t i = 0; i < count; i++)
		command_done(&commands[i]);
	free(commands);
}

void api_entry_done(struct api_entry *entry)
{
	free(entry->pattern);
	free(entry->workdir);
	free(entry->shared);
	api_variables_free(entry->environ, entry->environ_count);
	commands_free(entry->install, entry->install_count);
	commands_free(entry->scripts, entry->script_count);
	command_done(&entry->report);
}
