/*
 * alert_row: the mapping "alert": whom to tell of malicious and suspicious files, and how often.
 *
 * What is told comes on the command's standard input: words in braces are what somebody wrote who
 * took it for a detector's command, and would never be replaced.
 */
#include <string.h>

#include "core/base/outcome.h"
#include "core/base/str.h"
#include "core/config/loading.h"

static const struct node *item_at(const struct node *list, size_t i)
{
	return list->type == NODE_LIST ? list->items[i] : list;
}

static int read_verdicts(const struct loading *loading, const struct node *map,
			 struct config_alert *alert, struct error *err)
{
	alert->verdicts = alert->on ? 0 : 1U << OUTCOME_MALICIOUS | 1U << OUTCOME_SUSPICIOUS;
	for (size_t i = 0; alert->on && alert->on[i]; i++) {
		enum outcome verdict = outcome_by_name(alert->on[i]);
		if (verdict != OUTCOME_MALICIOUS && verdict != OUTCOME_SUSPICIOUS)
			return document_error(
				loading->document, item_at(loading_value_of(map, "on"), i)->at, err,
				"on: expected malicious or suspicious, found \"%.80s\"",
				alert->on[i]);
		alert->verdicts |= 1U << verdict;
	}
	return 0;
}

static int check_words(const struct loading *loading, const struct node *map,
		       const struct config_alert *alert, struct error *err)
{
	static const char *const meant[] = { "{path}", "{fd}", "{mime}", "{name}" };
	for (size_t i = 0; alert->run[i]; i++) {
		for (size_t j = 0; j < sizeof meant / sizeof *meant; j++) {
			if (strstr(alert->run[i], meant[j]))
				return document_error(
					loading->document,
					item_at(loading_value_of(map, "run"), i)->at, err,
					"run: %s is not replaced here: the command reads what "
					"there is to tell on its standard input",
					meant[j]);
		}
	}
	return 0;
}

/* A program named with a slash lies, like every path of the file, below the file's directory. */
static void place_program(const struct loading *loading, char **run)
{
	if (!*run || **run == '/' || !strchr(*run, '/') || !loading->base)
		return;
	AUTO_STR path = STR_INIT;
	str_printf(&path, "%s/%s", loading->base, *run);
	free(*run);
	*run = str_take(&path);
}

static int check_url(const struct loading *loading, const struct node *map,
		     const struct config_alert *alert, struct error *err)
{
	const char *fault = loading_url_fault(alert->url, true);
	if (!fault && alert->ca && strncmp(alert->url, "https://", 8) != 0)
		fault = "ca is for https:// only";
	if (!fault)
		return 0;
	return document_error(loading->document, loading_value_of(map, "url")->at, err,
			      "url: %s, found \"%.200s\"", fault, alert->url);
}

static int check_way(const struct loading *loading, const struct node *map,
		     const struct config_alert *alert, struct error *err)
{
	if (!alert->run == !alert->url)
		return document_error(
			loading->document, map->at, err,
			"alert: expected either \"run\": a command, or \"url\": where "
			"it is posted to");
	if (alert->url)
		return check_url(loading, map, alert, err);
	const char *key = alert->ca ? "ca" : alert->token_file ? "token_file" : NULL;
	if (key)
		return document_error(loading->document, loading_value_of(map, key)->at, err,
				      "the key \"%s\" belongs to \"url\", not to \"run\"", key);
	return check_words(loading, map, alert, err);
}

int loading_alert(struct loading *loading, const struct node *map, struct error *err)
{
	if (map->type != NODE_MAP)
		return loading_expected(loading, map, "alert", "a mapping with \"run\" or \"url\"",
					err);
	struct config_alert *alert = xcalloc(1, sizeof *alert);
	loading->config->alert = alert;
	settings_default(SETTING_ALERT, alert);
	const struct section section = { .scope = SETTING_ALERT, .object = alert };
	int r = loading_section(loading, map, &section, err);
	if (r == 0)
		r = check_way(loading, map, alert, err);
	if (r == 0)
		r = read_verdicts(loading, map, alert, err);
	if (r == 0 && alert->run)
		place_program(loading, &alert->run[0]);
	return r;
}

void config_alert_free(struct config_alert *alert)
{
	if (!alert)
		return;
	texts_free(alert->run);
	texts_free(alert->on);
	free(alert->url);
	free(alert->ca);
	free(alert->token_file);
	free(alert);
}
