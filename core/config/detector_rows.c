/*
 * detector_rows: the list of detectors of carved.yml, and what each type asks for.
 *
 * A type is a row of a table. Files are loaded only once everything else is known, because the
 * environment may move the directory of api.yml.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/str.h"
#include "core/config/api.h"
#include "core/config/loading.h"

#define NAME_MAX_LEN 64
#define GLOB_MAX_LEN 255

struct kind {
	const char *type;
	unsigned retries; /* by default */
	/* what only this type asks for; may complete the row */
	int (*check)(const struct loading *loading, const struct node *item,
		     struct config_detector *row, struct error *err);
};

static const struct kind kinds[] = {
	{ .type = "hashlist", .retries = 1 },
	{ .type = "command", .retries = 3, .check = loading_command },
	{ .type = "api", .retries = 3, .check = loading_server },
	{ .type = "yara", .retries = 1, .check = loading_yara },
	{ .type = "magic", .retries = 1 },
	{ .type = "clamd", .retries = 3 },
	{ .type = "remote", .retries = 3, .check = loading_server },
	{ .type = "noop", .retries = 1 },
};

#define KINDS (sizeof kinds / sizeof *kinds)

static const struct kind *kind_of(const char *type)
{
	for (size_t i = 0; i < KINDS; i++) {
		if (strcmp(kinds[i].type, type) == 0)
			return &kinds[i];
	}
	return NULL;
}

/* "hashlist, command or noop": the types, for messages. */
static void list_types(struct str *out)
{
	const char *last = NULL;
	for (size_t i = 0; i < KINDS; i++) {
		if (last)
			str_printf(out, "%s%s", out->len ? ", " : "", last);
		last = kinds[i].type;
	}
	str_printf(out, " or %s", last);
}

static int check_type(const struct loading *loading, const struct node *item, const char *type,
		      struct error *err)
{
	AUTO_STR types = STR_INIT;
	list_types(&types);
	if (!type)
		return document_error(loading->document, item->at, err,
				      "a detector needs the key \"type\": %s", str_text(&types));
	if (kind_of(type))
		return 0;
	struct mark at = loading_value_of(item, "type")->at;
	struct nearest nearest = { 0 };
	for (size_t i = 0; i < KINDS; i++)
		nearest_offer(&nearest, type, kinds[i].type);
	char hint[64];
	return document_error(loading->document, at, err, "type: expected %s, found \"%.80s\"%s",
			      str_text(&types), type,
			      nearest_hint(&nearest, "type", hint, sizeof hint));
}

/* Keys that belong to another type. */
static int check_keys(const struct loading *loading, const struct node *item, const char *type,
		      struct error *err)
{
	for (size_t i = 0; i < item->count; i++) {
		const struct node *key = item->pairs[i].key;
		const struct setting *setting = setting_find(SETTING_DETECTOR, key->text);
		if (!setting || setting_belongs(setting, type))
			continue;
		const char *second = setting->only[1];
		return document_error(loading->document, key->at, err,
				      "the key \"%s\" belongs to type %s%s%s, not to %s",
				      setting->key, setting->only[0], second ? " and " : "",
				      second ? second : "", type);
	}
	return 0;
}

static int check_name(const struct loading *loading, const struct node *item, size_t at,
		      struct error *err)
{
	static const char allowed[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
	const struct config_detector *rows = loading->config->detectors;
	const char *name = rows[at].name;
	struct mark mark = loading_value_of(item, "name")->at;
	if (strlen(name) > NAME_MAX_LEN || name[strspn(name, allowed)])
		return document_error(
			loading->document, mark, err,
			"name: expected at most %d letters, digits, \".\", \"_\" or \"-\", "
			"found \"%.80s\"",
			NAME_MAX_LEN, name);
	for (size_t i = 0; i < at; i++) {
		if (strcmp(rows[i].name, name) == 0)
			return document_error(
				loading->document, mark, err,
				"the detector in line %u is called \"%s\" already: give "
				"one of them another name",
				rows[i].line, name);
	}
	return 0;
}

/* Lower case, as MIME types are compared in; what can never match is refused. */
static int check_globs(const struct loading *loading, const struct node *item,
		       const struct config_detector *row, struct error *err)
{
	for (size_t i = 0; row->mime && row->mime[i]; i++) {
		char *glob = row->mime[i];
		const struct node *list = loading_value_of(item, "mime");
		struct mark at = list->type == NODE_LIST ? list->items[i]->at : list->at;
		if (strlen(glob) > GLOB_MAX_LEN)
			return document_error(loading->document, at, err,
					      "mime: longer than %d characters", GLOB_MAX_LEN);
		if (!glob[strcspn(glob, "/*?[")])
			return document_error(
				loading->document, at, err,
				"mime: \"%s\" matches no MIME type; expected a glob such "
				"as \"application/*\"",
				glob);
		for (char *c = glob; *c; c++) {
			if (*c >= 'A' && *c <= 'Z')
				*c = (char)(*c - 'A' + 'a');
		}
	}
	return 0;
}

/* Paths lie, like every path of the file, below the file's directory. */
static void place_reads(const struct loading *loading, const struct config_detector *row)
{
	for (size_t i = 0; row->read && row->read[i]; i++) {
		if (*row->read[i] == '/' || !loading->base)
			continue;
		AUTO_STR path = STR_INIT;
		str_printf(&path, "%s/%s", loading->base, row->read[i]);
		free(row->read[i]);
		row->read[i] = str_take(&path);
	}
}

static int read_row(struct loading *loading, const struct node *item, size_t at, struct error *err)
{
	struct config_detector *row = &loading->config->detectors[at];
	const struct section section = { .scope = SETTING_DETECTOR, .object = row };
	if (item->type != NODE_MAP)
		return loading_expected(loading, item, "detectors", "a mapping with \"type\"", err);
	row->line = item->at.line;
	settings_default(SETTING_DETECTOR, row);
	/* the type first: a key of an unknown type is best answered by that */
	const struct node *type = loading_value_of(item, "type");
	int r = 0;
	if (type->type == NODE_SCALAR && !node_is_null(type))
		r = check_type(loading, item, type->text, err);
	if (r == 0)
		r = loading_section(loading, item, &section, err);
	if (r == 0)
		r = check_type(loading, item, row->type, err);
	if (r == 0)
		r = check_keys(loading, item, row->type, err);
	if (r < 0)
		return r;
	const struct kind *kind = kind_of(row->type);
	if (!row->name)
		row->name = xstrdup(row->type);
	if (!row->retries)
		row->retries = kind->retries;
	r = check_name(loading, item, at, err);
	if (r == 0)
		r = check_globs(loading, item, row, err);
	place_reads(loading, row);
	if (r == 0 && kind->check)
		r = kind->check(loading, item, row, err);
	return r;
}

int loading_detectors(struct loading *loading, const struct node *list, struct error *err)
{
	struct config *config = loading->config;
	if (list->type != NODE_LIST)
		return loading_expected(loading, list, "detectors", "a list", err);
	if (list->count > CONFIG_DETECTORS_MAX)
		return document_error(loading->document, list->at, err, "detectors: more than %d",
				      CONFIG_DETECTORS_MAX);
	config->detectors = xcalloc(list->count, sizeof *config->detectors);
	loading->detector_at = xcalloc(list->count, sizeof *loading->detector_at);
	for (size_t i = 0; i < list->count; i++) {
		loading->detector_at[i] = list->items[i]->at;
		config->detector_count++;
		int r = read_row(loading, list->items[i], i, err);
		if (r < 0)
			return r;
	}
	return loading_skips(loading, list, err);
}

/* Another detector without a row in the file; its type is its name. */
static struct config_detector *add_row(struct config *config, const char *type)
{
	struct config_detector *rows =
		xrealloc(config->detectors, config->detector_count + 1, sizeof *config->detectors);
	struct config_detector *row = &rows[config->detector_count++];
	config->detectors = rows;
	*row = (struct config_detector){ 0 };
	settings_default(SETTING_DETECTOR, row);
	row->type = xstrdup(type);
	row->name = xstrdup(type);
	row->retries = kind_of(type)->retries;
	return row;
}

static void finish_clamd(struct config_detector *row)
{
	if (!row->socket)
		row->socket = xstrdup(CONFIG_CLAMD_SOCKET);
	if (row->max_file_size == 0)
		row->max_file_size = CONFIG_CLAMD_MAX_FILE_SIZE;
}

/* Built in: every detector that works without being configured. */
static void add_built_in(struct config *config)
{
	char *list = config->hash ? config_shipped_hashlist() : NULL;
	char *helper AUTO_FREE = config_program("carved-detect");
	char *rules AUTO_FREE = helper ? config_shipped_rules() : NULL;
	if (list)
		add_row(config, "hashlist")->file = list;
	if (helper)
		(void)add_row(config, "magic");
	if (rules)
		(void)loading_ship_rules(add_row(config, "yara"));
	if (access(CONFIG_CLAMD_SOCKET, F_OK) == 0) {
		struct config_detector *row = add_row(config, "clamd");
		finish_clamd(row);
		row->if_there = true;
	}
}

static int finish_hashlist(const struct loading *loading, struct config_detector *row,
			   const struct origin *origin, struct error *err)
{
	if (!row->file && row->known == CONFIG_KNOWN_GOOD)
		return loading_error(loading, origin, err,
				     "the hashlist \"%s\" of known good files names no \"file\": "
				     "none is shipped",
				     row->name);
	if (!row->file)
		row->file = config_shipped_hashlist();
	if (!row->file)
		return loading_error(
			loading, origin, err,
			"the hashlist \"%s\" names no \"file\", and the list that is shipped "
			"is not installed (/usr/share/carved/bad.sha256)",
			row->name);
	return 0;
}

static int finish_yara(const struct loading *loading, struct config_detector *row,
		       const struct origin *origin, struct error *err)
{
	if (loading_ship_rules(row))
		return 0;
	return loading_error(
		loading, origin, err,
		"the detector \"%s\" names no \"rules\", and those that are shipped are "
		"not installed (/usr/share/carved/rules)",
		row->name);
}

static int finish_api(const struct loading *loading, struct config_detector *row, struct error *err)
{
	if (!row->file) {
		const char *root = loading->config->api_root;
		AUTO_STR path = STR_INIT;
		str_printf(&path, "%s%sapi.yml", root, root[strlen(root) - 1] == '/' ? "" : "/");
		row->file = str_take(&path);
	}
	return api_load(&row->api, row->file, err);
}

int loading_detectors_finish(struct loading *loading, struct error *err)
{
	struct config *config = loading->config;
	if (!loading->detector_at) {
		add_built_in(config);
		return 0;
	}
	for (size_t i = 0; i < config->detector_count; i++) {
		struct config_detector *row = &config->detectors[i];
		struct origin origin = { .at = loading->detector_at[i] };
		int r = 0;
		if (strcmp(row->type, "hashlist") == 0)
			r = finish_hashlist(loading, row, &origin, err);
		else if (strcmp(row->type, "api") == 0)
			r = finish_api(loading, row, err);
		else if (strcmp(row->type, "yara") == 0)
			r = finish_yara(loading, row, &origin, err);
		else if (strcmp(row->type, "clamd") == 0)
			finish_clamd(row);
		if (r == 0 && strcmp(row->type, "api") == 0)
			r = loading_server_finish(loading, row, &origin, err);
		if (r < 0)
			return r;
	}
	return loading_match(loading, err);
}
