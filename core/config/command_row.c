/*
 * command_row: what a detector of type command runs: its program and the placeholders in its
 * arguments.
 *
 * {path}, {fd}, {mime} and {name} are replaced when a file is scanned; a brace that begins none of
 * the form {word} is only a brace.
 */
#include <stdio.h>
#include <string.h>

#include "core/base/str.h"
#include "core/config/loading.h"

/* The placeholder that begins at text, its name's length in *len; NULL: the brace is only a brace.
 */
static const char *placeholder_at(const char *text, size_t *len)
{
	if (*text != '{')
		return NULL;
	*len = strspn(text + 1, "abcdefghijklmnopqrstuvwxyz0123456789_");
	return *len && text[1 + *len] == '}' ? text + 1 : NULL;
}

#define PLACEHOLDERS 4

static const char *const placeholders[PLACEHOLDERS] = { "path", "fd", "mime", "name" };

/* Checks the placeholders of one argument; *names_file is set when {path} or {fd} is among them. */
static int check_argument(const struct loading *loading, const char *argument, struct mark at,
			  bool *names_file, struct error *err)
{
	for (const char *c = argument; *c; c++) {
		size_t len;
		const char *found = placeholder_at(c, &len);
		if (!found)
			continue;
		char name[64];
		(void)snprintf(name, sizeof name, "%.*s", (int)(len < 63 ? len : 63), found);
		size_t i = 0;
		while (i < PLACEHOLDERS && strcmp(placeholders[i], name) != 0)
			i++;
		if (i == PLACEHOLDERS) {
			struct nearest nearest = nearest_of(name, placeholders, PLACEHOLDERS);
			char hint[64];
			return document_error(
				loading->document, at, err,
				"run: unknown placeholder \"{%s}\"; expected {path}, {fd}, "
				"{mime} or {name}%s",
				name, nearest_hint(&nearest, "one", hint, sizeof hint));
		}
		*names_file = *names_file || i < 2;
	}
	return 0;
}

/* The first argument is the program; a placeholder in it would run what is scanned. */
static int check_program(const struct loading *loading, const char *program, struct mark at,
			 struct error *err)
{
	for (const char *c = program; *c; c++) {
		size_t len;
		if (placeholder_at(c, &len))
			return document_error(
				loading->document, at, err,
				"run: expected a program first, found \"%.80s\": a scanned "
				"file is never run",
				program);
	}
	return 0;
}

/* A program named with a slash lies, like every path of the file, below the file's directory. */
static void place_program(const struct loading *loading, struct config_detector *row)
{
	if (*row->run[0] == '/' || !strchr(row->run[0], '/') || !loading->base)
		return;
	AUTO_STR path = STR_INIT;
	str_printf(&path, "%s/%s", loading->base, row->run[0]);
	free(row->run[0]);
	row->run[0] = str_take(&path);
}

int loading_command(const struct loading *loading, const struct node *item,
		    struct config_detector *row, struct error *err)
{
	const struct node *list = loading_value_of(item, "run");
	if (!row->run)
		return document_error(
			loading->document, item->at, err,
			"a detector of type command needs the key \"run\": a list of the "
			"program and its arguments");
	bool names_file = false;
	for (size_t i = 0; row->run[i]; i++) {
		struct mark at = list->type == NODE_LIST ? list->items[i]->at : list->at;
		int r = check_argument(loading, row->run[i], at, &names_file, err);
		if (r == 0 && i == 0)
			r = check_program(loading, row->run[0], at, err);
		if (r < 0)
			return r;
	}
	if (!names_file)
		return document_error(
			loading->document, list->at, err,
			"run: expected {path} or {fd} in one of the arguments: the command "
			"would not know the file");
	place_program(loading, row);
	return 0;
}
