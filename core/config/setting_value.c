/*
 * setting_value: from a text to a field of a struct, by the row of the table; see settings.h.
 * Numbers are told their range in the words in which they are written.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/mem.h"
#include "core/base/str.h"
#include "core/config/config.h"
#include "core/config/settings.h"
#include "core/config/unit.h"

/* A choice is stored through an unsigned. */
static_assert(sizeof(enum config_mode) == sizeof(unsigned), "a choice does not fit its field");
static_assert(sizeof(enum config_unmatched) == sizeof(unsigned), "a choice does not fit its field");

/* What is shown of a value that somebody wrote. */
#define SHOWN_MAX 80

static void *field_of(const struct setting *setting, void *object)
{
	return (char *)object + setting->offset;
}

static void store_text(const struct setting *setting, void *object, char *text)
{
	char **field = field_of(setting, object);
	free(*field);
	*field = text;
}

static enum unit unit_of(enum setting_type type)
{
	switch (type) {
	case SETTING_BYTES:
		return UNIT_BYTES;
	case SETTING_DURATION:
		return UNIT_DURATION;
	case SETTING_DAYS:
		return UNIT_DAYS;
	case SETTING_PERCENT:
		return UNIT_PERCENT;
	case SETTING_COUNT:
	case SETTING_TEXT:
	case SETTING_PATH:
	case SETTING_CHOICE:
	case SETTING_SWITCH:
	case SETTING_TEXTS:
	case SETTING_SECTION:
		break;
	}
	return UNIT_COUNT;
}

static int apply_number(const struct setting *setting, void *object, const char *text,
			struct error *err)
{
	enum unit unit = unit_of(setting->type);
	int64_t value = 0;
	enum unit_result result = unit_parse(unit, text, &value);
	if (result != UNIT_FINE || value < setting->min || value > setting->max) {
		char low[32], high[32];
		return error_set(
			err, EINVAL, "%s: expected %s from %s to %s, found \"%.*s\"", setting->key,
			unit_expected(unit), unit_format(unit, setting->min, low, sizeof low),
			unit_format(unit, setting->max, high, sizeof high), SHOWN_MAX, text);
	}
	if (setting->type == SETTING_COUNT || setting->type == SETTING_DAYS ||
	    setting->type == SETTING_PERCENT)
		*(unsigned *)field_of(setting, object) = (unsigned)value;
	else
		*(int64_t *)field_of(setting, object) = value;
	return 0;
}

static int unknown_word(const struct setting *setting, const char *text, struct error *err)
{
	AUTO_STR list = STR_INIT;
	struct nearest nearest = { 0 };
	for (const char *const *word = setting->words; *word; word++) {
		str_printf(&list, "%s%s", list.len ? word[1] ? ", " : " or " : "", *word);
		nearest_offer(&nearest, text, *word);
	}
	char hint[64] = "";
	if (nearest.close)
		(void)nearest_hint(&nearest, "word", hint, sizeof hint);
	return error_set(err, EINVAL, "%s: expected %s, found \"%.*s\"%s", setting->key,
			 str_text(&list), SHOWN_MAX, text, hint);
}

static int apply_word(const struct setting *setting, void *object, const char *text,
		      struct error *err)
{
	for (unsigned i = 0; setting->words[i]; i++) {
		if (strcmp(setting->words[i], text) != 0)
			continue;
		if (setting->type == SETTING_SWITCH)
			*(bool *)field_of(setting, object) = i;
		else
			*(unsigned *)field_of(setting, object) = i;
		return 0;
	}
	return unknown_word(setting, text, err);
}

static int apply_text(const struct setting *setting, void *object, const char *text,
		      const char *base, struct error *err)
{
	if (!*text)
		return error_set(err, EINVAL, "%s: expected %s, found an empty one", setting->key,
				 setting->type == SETTING_PATH ? "a path" : "a text");
	bool below_base = setting->type == SETTING_PATH && *text != '/' && base;
	AUTO_STR path = STR_INIT;
	if (below_base)
		str_printf(&path, "%s/", strcmp(base, "/") == 0 ? "" : base);
	str_puts(&path, text);
	store_text(setting, object, str_take(&path));
	return 0;
}

int setting_apply(const struct setting *setting, void *object, const char *text, const char *base,
		  struct error *err)
{
	switch (setting->type) {
	case SETTING_TEXT:
	case SETTING_PATH:
		return apply_text(setting, object, text, base, err);
	case SETTING_COUNT:
	case SETTING_BYTES:
	case SETTING_DURATION:
	case SETTING_DAYS:
	case SETTING_PERCENT:
		return apply_number(setting, object, text, err);
	case SETTING_CHOICE:
	case SETTING_SWITCH:
		return apply_word(setting, object, text, err);
	case SETTING_TEXTS:
	case SETTING_SECTION:
		break;
	}
	return error_set(err, EINVAL, "%s: a single text does not set it", setting->key);
}

void setting_apply_texts(const struct setting *setting, void *object, char **texts)
{
	char ***field = field_of(setting, object);
	texts_free(*field);
	*field = texts;
}

void settings_default(enum setting_scope scope, void *object)
{
	for (size_t i = 0; i < setting_count; i++) {
		const struct setting *setting = &settings[i];
		if (setting->scope != scope || !setting->fallback ||
		    setting->type == SETTING_SECTION)
			continue;
		int r = setting_apply(setting, object, setting->fallback, NULL, NULL);
		assert(r == 0);
	}
}

void texts_free(char **texts)
{
	for (char **text = texts; text && *text; text++)
		free(*text);
	free(texts);
}
