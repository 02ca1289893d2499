/*
 * skips: which detectors a list of known good files spares.
 *
 * The names must be those of detectors of this file, and of none that is a hash list: what is
 * known to be bad is bad, whoever else knows it to be good. "*" stands for all others.
 */
#include <stdio.h>
#include <string.h>

#include "core/base/error.h"
#include "core/config/loading.h"

static bool is_hashlist(const struct config_detector *row)
{
	return strcmp(row->type, "hashlist") == 0;
}

static struct mark mark_of(const struct node *item, size_t at)
{
	const struct node *value = loading_value_of(item, "skips");
	return value->type == NODE_LIST ? value->items[at]->at : value->at;
}

static int unknown_name(const struct loading *loading, const char *name, struct mark at,
			struct error *err)
{
	const struct config *config = loading->config;
	struct nearest nearest = { 0 };
	for (size_t i = 0; i < config->detector_count; i++) {
		if (!is_hashlist(&config->detectors[i]))
			nearest_offer(&nearest, name, config->detectors[i].name);
	}
	char hint[128];
	return document_error(loading->document, at, err,
			      "skips: there is no detector called \"%.80s\"%s", name,
			      nearest_hint(&nearest, "one", hint, sizeof hint));
}

static int check_name(const struct loading *loading, const char *name, struct mark at,
		      struct error *err)
{
	const struct config *config = loading->config;
	if (strcmp(name, "*") == 0)
		return 0;
	for (size_t i = 0; i < config->detector_count; i++) {
		if (strcmp(config->detectors[i].name, name) != 0)
			continue;
		if (!is_hashlist(&config->detectors[i]))
			return 0;
		return document_error(loading->document, at, err,
				      "skips: \"%.80s\" is a hashlist, and they are always asked",
				      name);
	}
	return unknown_name(loading, name, at, err);
}

int loading_skips(const struct loading *loading, const struct node *list, struct error *err)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct config_detector *row = &loading->config->detectors[i];
		const struct node *item = list->items[i];
		if (row->skips && row->known != CONFIG_KNOWN_GOOD)
			return document_error(
				loading->document, loading_value_of(item, "skips")->at, err,
				"skips: a list of bad files spares nobody; it belongs to \"known: "
				"good\"");
		for (size_t n = 0; row->skips && row->skips[n]; n++) {
			int result = check_name(loading, row->skips[n], mark_of(item, n), err);
			if (result < 0)
				return result;
		}
	}
	return 0;
}

bool config_skips(const struct config_detector *by, const struct config_detector *row)
{
	if (!by->skips || is_hashlist(row))
		return false;
	for (char *const *name = by->skips; *name; name++) {
		if (strcmp(*name, "*") == 0 || strcmp(*name, row->name) == 0)
			return true;
	}
	return false;
}
