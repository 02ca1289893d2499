/*
 * api: reads BroAPT's api.yml; see api.h.
 *
 * Stricter than BroAPT where that can only help (an unknown key is an error, not a detector that
 * never runs), but whatever its own shipped file holds is accepted: environment variables and
 * subtypes that stand twice count as they last stand, types and subtypes without a value are passed
 * over. What is accepted only for that reason is noted, and "carved check" shows the notes. Entries
 * are read in api_entry.c.
 */
#include "core/config/api.h"

#include <fnmatch.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/base/str.h"
#include "core/config/api_reading.h"
#include "core/config/nearest.h"

#define PATTERN_MAX_LEN 255

/* In the order in which BroAPT tries them. */
static const char *const media_types[] = { "application", "audio",     "font", "image", "message",
					   "model",	  "multipart", "text", "video" };

#define MEDIA_TYPES (sizeof media_types / sizeof *media_types)

void api_note(const struct api_reading *reading, struct mark at, const char *format, ...)
{
	struct api *api = reading->api;
	char words[256];
	va_list args;
	va_start(args, format);
	(void)vsnprintf(words, sizeof words, format, args);
	va_end(args);
	for (size_t i = 0; i < api->note_count; i++) {
		if (api->notes[i].line == at.line && strcmp(api->notes[i].text, words) == 0)
			return; /* an alias of the same place */
	}
	api->notes = xrealloc(api->notes, api->note_count + 1, sizeof *api->notes);
	api->notes[api->note_count++] =
		(struct api_note){ .line = at.line, .text = xstrdup(words) };
}

int api_expected(const struct api_reading *reading, const struct node *node, const char *key,
		 const char *what)
{
	return document_error(reading->document, node->at, reading->err,
			      "%s: expected %s, found %s", key, what, node_kind(node));
}

/* A fixed key that stands twice: BroAPT would drop what the first one says. */
int api_check_once(const struct api_reading *reading, const struct node *map, size_t at)
{
	const struct node *key = map->pairs[at].key;
	for (size_t i = 0; i < at; i++) {
		if (strcmp(map->pairs[i].key->text, key->text) == 0)
			return document_error(reading->document, key->at, reading->err,
					      "the key \"%.*s\" stands already in line %u",
					      API_SHOWN_MAX, key->text, map->pairs[i].key->at.line);
	}
	return 0;
}

static char *lower(const char *text)
{
	char *copy = xstrdup(text);
	for (char *c = copy; *c; c++) {
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
	}
	return copy;
}

/* The place for a pattern: the one that has it already, emptied, or a new one at the end. */
static struct api_entry *place_for(const struct api_reading *reading, const struct node *key,
				   char *pattern)
{
	struct api *api = reading->api;
	for (size_t i = 0; i < api->entry_count; i++) {
		struct api_entry *entry = &api->entries[i];
		if (strcmp(entry->pattern, pattern) != 0)
			continue;
		api_note(reading, key->at, "%.*s stands twice: the last one counts", API_SHOWN_MAX,
			 pattern);
		api_entry_done(entry);
		*entry = (struct api_entry){ .pattern = pattern };
		return entry;
	}
	api->entries = xrealloc(api->entries, api->entry_count + 1, sizeof *api->entries);
	struct api_entry *entry = &api->entries[api->entry_count++];
	*entry = (struct api_entry){ .pattern = pattern };
	return entry;
}

static int read_subtype(struct api_reading *reading, const char *type, const struct node_pair *pair)
{
	if (node_is_null(pair->value))
		return 0;
	if (pair->value->type != NODE_MAP && api_is_field(pair->key->text))
		return document_error(
			reading->document, pair->key->at, reading->err,
			"%s: expected subtypes, found \"%s\": put it below a subtype, or "
			"below \"*\" for all of them",
			type, pair->key->text);
	AUTO_STR name = STR_INIT;
	str_printf(&name, "%s/%s", type, pair->key->text);
	if (name.len > PATTERN_MAX_LEN)
		return document_error(reading->document, pair->key->at, reading->err,
				      "a pattern longer than %d characters", PATTERN_MAX_LEN);
	return api_read_entry(reading, pair->value,
			      place_for(reading, pair->key, lower(str_text(&name))));
}

static int read_type(struct api_reading *reading, const char *type, const struct node *map)
{
	if (node_is_null(map))
		return 0;
	if (map->type != NODE_MAP)
		return api_expected(reading, map, type, "a mapping of subtypes");
	for (size_t i = 0; i < map->count; i++) {
		int r = read_subtype(reading, type, &map->pairs[i]);
		if (r < 0)
			return r;
	}
	return 0;
}

static int check_top_key(const struct api_reading *reading, const struct node *key)
{
	struct nearest nearest = nearest_of(key->text, media_types, MEDIA_TYPES);
	nearest_offer(&nearest, key->text, "environment");
	nearest_offer(&nearest, key->text, "example");
	if (nearest.word && strcmp(nearest.word, key->text) == 0)
		return 0;
	char hint[96];
	return document_error(
		reading->document, key->at, reading->err,
		"unknown key \"%.*s\"; expected environment, example or a media type%s",
		API_SHOWN_MAX, key->text, nearest_hint(&nearest, "key", hint, sizeof hint));
}

static const struct node *value_of(const struct node *map, const char *key)
{
	for (size_t i = 0; i < map->count; i++) {
		if (strcmp(map->pairs[i].key->text, key) == 0)
			return map->pairs[i].value;
	}
	return NULL;
}

static int read_types(struct api_reading *reading, const struct node *root)
{
	for (size_t i = 0; i < MEDIA_TYPES; i++) {
		const struct node *map = value_of(root, media_types[i]);
		int r = map ? read_type(reading, media_types[i], map) : 0;
		if (r < 0)
			return r;
	}
	const struct node *example = value_of(root, "example");
	if (!example || node_is_null(example))
		return document_error(
			reading->document, root->at, reading->err,
			"no \"example\" entry: BroAPT and carved need it as the default "
			"(DefaultNotFoundError)");
	return api_read_entry(reading, example, place_for(reading, example, xstrdup("example")));
}

static int read_root(struct api_reading *reading)
{
	static const struct node empty = { .type = NODE_MAP, .at = { 1, 1 } };
	const struct node *root = reading->document->root;
	if (!root || node_is_null(root))
		root = &empty;
	if (root->type != NODE_MAP)
		return document_error(reading->document, root->at, reading->err,
				      "expected a mapping of media types, found %s",
				      node_kind(root));
	for (size_t i = 0; i < root->count; i++) {
		int r = check_top_key(reading, root->pairs[i].key);
		if (r == 0)
			r = api_check_once(reading, root, i);
		if (r < 0)
			return r;
	}
	struct api *api = reading->api;
	const struct node *environment = value_of(root, "environment");
	int r = 0;
	if (environment)
		r = api_read_variables(reading, environment, "environment", &api->environment,
				       &api->environment_count);
	return r < 0 ? r : read_types(reading, root);
}

int api_load(struct api **out, const char *file, struct error *err)
{
	AUTO(document) struct document *document = NULL;
	int r = document_load(&document, file, err);
	if (r < 0)
		return r;
	AUTO(api) struct api *api = xcalloc(1, sizeof *api);
	api->file = xstrdup(file);
	struct api_reading reading = { .document = document, .api = api, .err = err };
	r = read_root(&reading);
	if (r == 0)
		*out = TAKE(api);
	return r;
}

void api_free(struct api *api)
{
	if (!api)
		return;
	for (size_t i = 0; i < api->entry_count; i++)
		api_entry_done(&api->entries[i]);
	for (size_t i = 0; i < api->note_count; i++)
		free(api->notes[i].text);
	api_variables_free(api->environment, api->environment_count);
	free(api->entries);
	free(api->notes);
	free(api->file);
	free(api);
}

const struct api_entry *api_find(const struct api *api, const char *mime)
{
	size_t last = api->entry_count - 1; /* "example" */
	for (size_t i = 0; i < last; i++) {
		/* Python's fnmatch, which BroAPT uses, knows no escapes */
		if (fnmatch(api->entries[i].pattern, mime, FNM_NOESCAPE) == 0)
			return &api->entries[i];
	}
	return &api->entries[last];
}
