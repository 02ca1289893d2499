/* disposal: see disposal.h. */
#include "core/config/disposal.h"

#include <ctype.h>
#include <string.h>

#include "core/config/loading.h"

static const char *const words[] = {
	[CONFIG_KEEP] = "keep",
	[CONFIG_DELETE] = "delete",
	[CONFIG_QUARANTINE] = "quarantine",
};

enum {
	WORDS = sizeof words / sizeof *words,
	RULES_MAX = 1024,
};

static int read_word(const struct loading *loading, const struct node *value, const char *key,
		     enum config_disposal *out, struct error *err)
{
	static const char expected[] = "keep, delete or quarantine";
	if (value->type != NODE_SCALAR || node_is_null(value))
		return loading_expected(loading, value, key, expected, err);
	for (size_t i = 0; i < WORDS; i++) {
		if (strcmp(words[i], value->text) == 0) {
			*out = (enum config_disposal)i;
			return 0;
		}
	}
	return document_error(loading->document, value->at, err, "%s: expected %s, found \"%.*s\"",
			      key, expected, CONFIG_SHOWN_MAX, value->text);
}

/* Takes nothing of glob. */
static int add_rule(struct loading *loading, const char *verdict, const char *glob,
		    const struct node *word, struct error *err)
{
	struct config *config = loading->config;
	enum config_disposal disposal = CONFIG_KEEP;
	int result = read_word(loading, word, verdict, &disposal, err);
	if (result < 0)
		return result;
	if (config->disposal_count == RULES_MAX)
		return document_error(loading->document, word->at, err,
				      "dispose: more than %d rules", RULES_MAX);
	config->disposal =
		xrealloc(config->disposal, config->disposal_count + 1, sizeof *config->disposal);
	char *mime = xstrdup(glob);
	for (char *c = mime; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	config->disposal[config->disposal_count++] = (struct config_disposal_rule){
		.verdict = outcome_by_name(verdict), .mime = mime, .disposal = disposal
	};
	return 0;
}

int loading_disposal(struct loading *loading, const struct setting *setting,
		     const struct node *value, struct error *err)
{
	if (value->type == NODE_LIST)
		return loading_expected(
			loading, value, setting->key,
			"keep, delete or quarantine, or a mapping of MIME types to those", err);
	if (value->type == NODE_SCALAR)
		return add_rule(loading, setting->key, "*", value, err);
	int result = 0;
	for (size_t i = 0; i < value->count && result == 0; i++)
		result = add_rule(loading, setting->key, value->pairs[i].key->text,
				  value->pairs[i].value, err);
	return result;
}

enum config_disposal config_disposal(const struct config *config, enum outcome verdict,
				     const char *mime)
{
	for (size_t i = 0; i < config->disposal_count; i++) {
		const struct config_disposal_rule *rule = &config->disposal[i];
		char *const globs[] = { rule->mime, NULL };
		if (rule->verdict == verdict && config_mime_matches(globs, mime))
			return rule->disposal;
	}
	return CONFIG_KEEP;
}

bool config_disposes(const struct config *config)
{
	for (size_t i = 0; i < config->disposal_count; i++) {
		if (config->disposal[i].disposal != CONFIG_KEEP)
			return true;
	}
	return false;
}

bool config_retains(const struct config *config)
{
	const struct config_retention *limits = &config->retention;
	return limits->age_ms || limits->count || limits->bytes || limits->disk_high_percent;
}
