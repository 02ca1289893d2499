/* sidecar: see sidecar.h. */
#include "core/entry/sidecar.h"

#include <jansson.h>
#include <stdbool.h>
#include <string.h>

#define DIGEST_DIGITS 64

static const char *words_of(const char *state, size_t len)
{
	static const struct {
		const char *state, *words;
	} known[] = {
		{ "TRUNCATED", "the sensor's sidecar says TRUNCATED" },
		{ "ERROR", "the sensor's sidecar says ERROR" },
	};

	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		if (strlen(known[i].state) == len && memcmp(known[i].state, state, len) == 0)
			return known[i].words;
	}
	return NULL;
}

static bool ends_with(const char *path, size_t len, const char *end)
{
	size_t end_len = strlen(end);
	return len > end_len && memcmp(path + len - end_len, end, end_len) == 0;
}

size_t sidecar_subject(const char *path, size_t len)
{
	if (ends_with(path, len, ".meta"))
		return len - strlen(".meta");
	const char *slash = memrchr(path, '/', len);
	size_t base = slash ? (size_t)(slash - path) + 1 : 0;
	bool named = ends_with(path, len, ".json") && len > base + DIGEST_DIGITS;
	return named ? base + DIGEST_DIGITS : 0;
}

static const char *read_json(const char *text, size_t len)
{
	/* a host name may hold a NUL: it must not hide the state beside it */
	json_t *root = json_loadb(text, len, JSON_ALLOW_NUL, NULL);
	const json_t *info = json_object_get(root, "fileinfo");
	if (!info)
		info = root;
	const json_t *state = json_object_get(info, "state");
	const char *words = NULL;
	if (json_is_string(state))
		words = words_of(json_string_value(state), json_string_length(state));
	if (!words && json_is_true(json_object_get(info, "gaps")))
		words = "the sensor's sidecar says that it has gaps";
	json_decref(root);
	return words;
}

/* A line of version 1: "STATE:             TRUNCATED". */
static const char *read_line(const char *line, size_t len)
{
	static const char key[] = "STATE:";
	if (len < sizeof key || memcmp(line, key, sizeof key - 1) != 0)
		return NULL;
	size_t at = sizeof key - 1;
	while (at < len && (line[at] == ' ' || line[at] == '\t'))
		at++;
	while (len > at && (line[len - 1] == ' ' || line[len - 1] == '\r'))
		len--;
	return words_of(line + at, len - at);
}

static const char *read_lines(const char *text, size_t len)
{
	const char *words = NULL;
	while (len > 0 && !words) {
		const char *end = memchr(text, '\n', len);
		size_t line = end ? (size_t)(end - text) : len;
		words = read_line(text, line);
		line += end ? 1 : 0;
		text += line;
		len -= line;
	}
	return words;
}

const char *sidecar_shortened(const char *text, size_t len)
{
	return len > 0 && *text == '{' ? read_json(text, len) : read_lines(text, len);
}
