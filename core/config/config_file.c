/* config_file: carved.yml into struct config, key by key, by the table of settings. Every error
 * says line and column, what was expected, and which key may have been meant. */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "core/base/error.h"
#include "core/config/loading.h"

int loading_expected(const struct loading *loading, const struct node *node, const char *key,
		     const char *what, struct error *err)
{
	return document_error(loading->document, node->at, err, "%s: expected %s, found %s", key,
			      what, node_kind(node));
}

const struct node *loading_value_of(const struct node *item, const char *key)
{
	for (size_t i = 0; i < item->count; i++) {
		if (strcmp(item->pairs[i].key->text, key) == 0)
			return item->pairs[i].value;
	}
	return item;
}

static int unknown_key(const struct loading *loading, const struct node *key,
		       enum setting_scope scope, struct error *err)
{
	const char *place = setting_elsewhere(scope, key->text);
	if (place)
		return document_error(loading->document, key->at, err,
				      "the key \"%.*s\" belongs into %s", CONFIG_SHOWN_MAX,
				      key->text, place);
	struct nearest nearest = setting_nearest(scope, key->text);
	char hint[96];
	return document_error(loading->document, key->at, err, "unknown key \"%.*s\"%s",
			      CONFIG_SHOWN_MAX, key->text,
			      nearest_hint(&nearest, "key", hint, sizeof hint));
}

static int read_texts(const struct loading *loading, const struct setting *setting, void *object,
		      const struct node *node, struct error *err)
{
	const struct node *single[] = { node };
	const struct node *const *items = single;
	size_t count = 1;
	if (node->type == NODE_LIST) {
		items = (const struct node *const *)node->items;
		count = node->count;
	}
	if (!count || node->type == NODE_MAP || node_is_null(node))
		return loading_expected(loading, node, setting->key,
					"a list of texts with at least one", err);
	if (count > CONFIG_TEXTS_MAX)
		return document_error(loading->document, node->at, err, "%s: more than %d items",
				      setting->key, CONFIG_TEXTS_MAX);
	char **texts = xcalloc(count + 1, sizeof *texts);
	setting_apply_texts(setting, object, texts);
	for (size_t i = 0; i < count; i++) {
		if (items[i]->type != NODE_SCALAR || !*items[i]->text)
			return document_error(loading->document, items[i]->at, err,
					      "%s: expected a text, found %s", setting->key,
					      items[i]->type == NODE_SCALAR ? "an empty one"
									    : node_kind(items[i]));
		texts[i] = xstrdup(items[i]->text);
	}
	return 0;
}

static int read_value(struct loading *loading, const struct setting *setting, void *object,
		      const struct node *node, struct error *err)
{
	if (setting->type == SETTING_TEXTS)
		return read_texts(loading, setting, object, node, err);
	if (node->type != NODE_SCALAR || node_is_null(node))
		return loading_expected(loading, node, setting->key, "a single value", err);
	int r = setting_apply(setting, object, node->text, loading->base, err);
	return r < 0 ? document_locate(loading->document, node->at, err) : 0;
}

static int read_pair(struct loading *loading, const struct section *section,
		     const struct node_pair *pair, struct error *err)
{
	const struct setting *setting = setting_find(section->scope, pair->key->text);
	if (!setting)
		return unknown_key(loading, pair->key, section->scope, err);
	if (setting->type == SETTING_SECTION) {
		assert(section->read); /* a scope with sections is read with a reader of them */
		return section->read(loading, setting, pair->value, err);
	}
	return read_value(loading, setting, section->object, pair->value, err);
}

/* The earlier pair with the same key; NULL when there is none. */
static const struct node_pair *repeated(const struct node *map, size_t at)
{
	for (size_t i = 0; i < at; i++) {
		if (strcmp(map->pairs[i].key->text, map->pairs[at].key->text) == 0)
			return &map->pairs[i];
	}
	return NULL;
}

int loading_section(struct loading *loading, const struct node *map, const struct section *section,
		    struct error *err)
{
	for (size_t i = 0; i < map->count; i++) {
		const struct node_pair *pair = &map->pairs[i];
		const struct node_pair *earlier = repeated(map, i);
		if (earlier)
			return document_error(loading->document, pair->key->at, err,
					      "the key \"%.*s\" stands already in line %u",
					      CONFIG_SHOWN_MAX, pair->key->text,
					      earlier->key->at.line);
		int r = read_pair(loading, section, pair, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int read_root_map(struct loading *loading, const struct node *node, struct config_root *root,
			 struct error *err)
{
	const struct section section = { .scope = SETTING_ROOT, .object = root };
	int r = loading_section(loading, node, &section, err);
	if (r < 0)
		return r;
	if (!root->path)
		return document_error(loading->document, node->at, err,
				      "a root needs the key \"path\"");
	const struct node *producer = loading_value_of(node, "producer");
	if (producer != node && producer_check(root->producer, err) < 0)
		return document_locate(loading->document, producer->at, err);
	return 0;
}

static int read_root(struct loading *loading, const struct node *node, struct config_root *root,
		     struct error *err)
{
	settings_default(SETTING_ROOT, root);
	if (node->type == NODE_MAP)
		return read_root_map(loading, node, root, err);
	if (node->type == NODE_LIST || node_is_null(node))
		return loading_expected(loading, node, "roots", "a path or a mapping with \"path\"",
					err);
	return read_value(loading, setting_find(SETTING_ROOT, "path"), root, node, err);
}

static int read_roots(struct loading *loading, const struct node *list, struct error *err)
{
	struct config *config = loading->config;
	if (list->type != NODE_LIST)
		return loading_expected(loading, list, "roots", "a list", err);
	if (list->count > CONFIG_ROOTS_MAX)
		return document_error(loading->document, list->at, err, "roots: more than %d",
				      CONFIG_ROOTS_MAX);
	config->roots = xcalloc(list->count, sizeof *config->roots);
	loading->root_at = xcalloc(list->count, sizeof *loading->root_at);
	loading->roots = (struct origin){ .at = list->at };
	for (size_t i = 0; i < list->count; i++) {
		loading->root_at[i] = list->items[i]->at;
		int r = read_root(loading, list->items[i], &config->roots[config->root_count++],
				  err);
		if (r < 0)
			return r;
		config_root_trim(&config->roots[i]);
	}
	return 0;
}

static int read_dispose(struct loading *loading, const struct node *map, struct error *err)
{
	if (map->type != NODE_MAP)
		return loading_expected(loading, map, "dispose", "a mapping of verdicts", err);
	const struct section section = { .scope = SETTING_DISPOSE, .read = loading_disposal };
	return loading_section(loading, map, &section, err);
}

static int read_retention(struct loading *loading, const struct node *map, struct error *err)
{
	if (map->type != NODE_MAP)
		return loading_expected(loading, map, "retention", "a mapping of limits", err);
	const struct section section = { .scope = SETTING_RETENTION, .object = loading->config };
	return loading_section(loading, map, &section, err);
}

static int read_top_section(struct loading *loading, const struct setting *setting,
			    const struct node *value, struct error *err)
{
	if (strcmp(setting->key, "roots") == 0)
		return read_roots(loading, value, err);
	if (strcmp(setting->key, "detectors") == 0)
		return loading_detectors(loading, value, err);
	if (strcmp(setting->key, "alert") == 0)
		return loading_alert(loading, value, err);
	if (strcmp(setting->key, "retention") == 0)
		return read_retention(loading, value, err);
	return read_dispose(loading, value, err);
}

static struct origin origin_of(const struct node *map, const char *key)
{
	const struct node *value = loading_value_of(map, key);
	return value == map ? (struct origin){ 0 } : (struct origin){ .at = value->at };
}

int loading_file(struct loading *loading, struct error *err)
{
	const struct node *root = loading->document->root;
	loading->config->has_settings = root && !node_is_null(root);
	if (!loading->config->has_settings)
		return 0;
	if (root->type != NODE_MAP)
		return document_error(loading->document, root->at, err,
				      "expected a mapping of settings, found %s", node_kind(root));
	const struct section section = { .scope = SETTING_TOP,
					 .object = loading->config,
					 .read = read_top_section };
	int r = loading_section(loading, root, &section, err);
	loading->history = origin_of(root, "history");
	loading->hash = origin_of(root, "hash");
	loading->rescan = origin_of(root, "rescan");
	loading->retention = origin_of(root, "retention");
	loading->shed = origin_of(root, "shed");
	return r;
}
