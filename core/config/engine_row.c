/*
 * engine_row: what the detectors yara and magic ask for: rules, and who may be routed by what a
 * file really is.
 */
#include <errno.h>
#include <string.h>

#include "core/base/str.h"
#include "core/config/loading.h"

/* Paths of the file are, like all others, below the file's directory. */
static void place(const struct loading *loading, char **path)
{
	if (**path == '/' || !loading->base)
		return;
	AUTO_STR whole = STR_INIT;
	str_printf(&whole, "%s/%s", strcmp(loading->base, "/") == 0 ? "" : loading->base, *path);
	free(*path);
	*path = str_take(&whole);
}

int loading_yara(const struct loading *loading, const struct node *item,
		 struct config_detector *row, struct error *err)
{
	const struct node *list = loading_value_of(item, "rules");
	for (size_t i = 0; row->rules && row->rules[i]; i++) {
		struct mark at = list->type == NODE_LIST ? list->items[i]->at : list->at;
		if (!*row->rules[i])
			return document_error(loading->document, at, err,
					      "rules: expected a path, found an empty one");
		place(loading, &row->rules[i]);
	}
	return 0;
}

bool loading_ship_rules(struct config_detector *row)
{
	if (row->rules)
		return true;
	char *rules = config_shipped_rules();
	if (!rules)
		return false;
	row->rules = xcalloc(2, sizeof *row->rules);
	row->rules[0] = rules;
	return true;
}

int loading_match(const struct loading *loading, struct error *err)
{
	const struct config *config = loading->config;
	const struct config_detector *routed = NULL;
	for (size_t i = 0; i < config->detector_count; i++) {
		const struct config_detector *row = &config->detectors[i];
		if (strcmp(row->type, "magic") == 0)
			return 0;
		if (row->match != CONFIG_MATCH_DECLARED && !routed)
			routed = row;
	}
	if (!routed)
		return 0;
	struct origin origin = {
		.at = loading->detector_at[routed - config->detectors],
	};
	return loading_error(loading, &origin, err,
			     "the detector %s matches real types, but no detector tells them: add "
			     "{ type: magic }",
			     routed->name);
}
