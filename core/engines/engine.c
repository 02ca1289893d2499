/* engine: see engine.h. */
#include "core/engines/engine.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/base/str.h"

static const struct engine_class *const classes[] = { &yara_engine, &magic_engine, NULL };

const struct engine_class *engine_class(const char *type)
{
	const struct engine_class *const *at = classes;
	while (*at && strcmp((*at)->type, type) != 0)
		at++;
	return *at;
}

void engine_say(struct helper_answer *answer, enum outcome outcome, const char *key,
		const char *format, ...)
{
	char words[1024];
	va_list args;
	va_start(args, format);
	(void)vsnprintf(words, sizeof words, format, args);
	va_end(args);
	AUTO_STR json = STR_INIT;
	str_putc(&json, '{');
	str_json_text(&json, key);
	str_puts(&json, ": ");
	str_json_text(&json, words);
	str_putc(&json, '}');
	free(answer->detail);
	answer->detail = str_take(&json);
	answer->outcome = outcome;
}
