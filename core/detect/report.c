/* report: see report.h. */
#include "core/detect/report.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/mem.h"
#include "core/base/str.h"

static void json_cleanup(json_t **value)
{
	json_decref(*value);
}

#define AUTO_JSON __attribute__((cleanup(json_cleanup)))

__attribute__((format(printf, 2, 3))) static void bad(struct report *report, const char *format,
						      ...)
{
	if (report->error[0])
		return;
	va_list args;
	va_start(args, format);
	(void)vsnprintf(report->error, sizeof report->error, format, args);
	va_end(args);
}

bool report_too_deep(const char *line, size_t len)
{
	unsigned depth = 0;
	bool text = false;
	for (size_t i = 0; i < len; i++) {
		if (text && line[i] == '\\')
			i++;
		else if (line[i] == '"')
			text = !text;
		else if (!text && (line[i] == '[' || line[i] == '{') && ++depth > REPORT_DEPTH_MAX)
			return true;
		else if (!text && (line[i] == ']' || line[i] == '}') && depth > 0)
			depth--;
	}
	return false;
}

/* The longest prefix of a well-formed UTF-8 text that has at most max bytes and ends between
 * characters. */
static size_t cut_at(const char *text, size_t len, size_t max)
{
	if (len <= max)
		return len;
	while (max > 0 && ((unsigned char)text[max] & 0xc0) == 0x80)
		max--;
	return max;
}

static void take_signature(struct report *report, const json_t *signature)
{
	const char *text = json_string_value(signature);
	if (!text || !*text)
		return;
	size_t len = json_string_length(signature);
	size_t keep = cut_at(text, len, REPORT_SIGNATURE_MAX);
	if (keep < len)
		report->note = "the report's signature was longer than 512 bytes and was cut";
	report->signature = xmemdup(text, keep);
}

static void take_detail(struct report *report, const json_t *detail)
{
	if (!detail || json_is_null(detail))
		return;
	AUTO_FREE char *text =
		json_dumps(detail, JSON_COMPACT | JSON_ENSURE_ASCII | JSON_ENCODE_ANY);
	if (!text || strlen(text) > REPORT_DETAIL_MAX) {
		report->note = "the report's detail was longer than 49152 bytes and was dropped";
		return;
	}
	report->extendable = json_is_object(detail) && !json_object_get(detail, "log") &&
			     !json_object_get(detail, "note");
	report->detail = TAKE(text);
}

static void keep(struct report *report, enum outcome outcome, const json_t *line)
{
	report->count++;
	if (report->count > 1 && outcome >= report->outcome)
		return;
	free(report->signature);
	free(report->detail);
	report->signature = NULL;
	report->detail = NULL;
	report->extendable = false;
	report->note = NULL;
	report->outcome = outcome;
	take_signature(report, json_object_get(line, "signature"));
	take_detail(report, json_object_get(line, "detail"));
}

/* what: how a bad one is called in words. */
static void read_object(struct report *report, const char *what, const json_t *line)
{
	const json_t *name = json_object_get(line, "outcome");
	const json_t *signature = json_object_get(line, "signature");
	enum outcome outcome =
		json_is_string(name) ? outcome_by_name(json_string_value(name)) : OUTCOMES;
	if (outcome == OUTCOMES)
		bad(report,
		    "%s has no \"outcome\" that is one of malicious, suspicious, error, "
		    "timeout, skipped, unknown, clean",
		    what);
	else if (signature && !json_is_null(signature) && !json_is_string(signature))
		bad(report, "%s has a \"signature\" that is not a string", what);
	else
		keep(report, outcome, line);
}

static void read_line(struct report *report, const char *at, size_t len, size_t number)
{
	char what[32];
	(void)snprintf(what, sizeof what, "line %zu", number);
	if (report_too_deep(at, len)) {
		bad(report, "%s is nested deeper than %d levels", what, REPORT_DEPTH_MAX);
		return;
	}
	json_error_t error = { 0 };
	AUTO_JSON json_t *line = json_loadb(at, len, JSON_REJECT_DUPLICATES, &error);
	if (json_is_object(line))
		read_object(report, what, line);
	else
		bad(report, "%s is not a JSON object%s%s", what, line ? "" : ": ",
		    line ? "" : error.text);
}

static bool blank(const char *at, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (!strchr(" \t\r", at[i]) || at[i] == '\0')
			return false;
	}
	return true;
}

void report_read(struct report *report, const char *bytes, size_t len, bool cut)
{
	if (cut) {
		bad(report, "it is longer than %d bytes", REPORT_MAX);
		return;
	}
	size_t number = 1;
	for (size_t at = 0; at < len; number++) {
		const char *newline = memchr(bytes + at, '\n', len - at);
		size_t line = newline ? (size_t)(newline - (bytes + at)) : len - at;
		if (!blank(bytes + at, line))
			read_line(report, bytes + at, line, number);
		at += line + 1;
	}
}

void report_read_one(struct report *report, const char *bytes, size_t len)
{
	static const char what[] = "the answer";
	if (report_too_deep(bytes, len)) {
		bad(report, "%s is nested deeper than %d levels", what, REPORT_DEPTH_MAX);
		return;
	}
	json_error_t error = { 0 };
	AUTO_JSON json_t *object = json_loadb(bytes, len, JSON_REJECT_DUPLICATES, &error);
	if (json_is_object(object))
		read_object(report, what, object);
	else if (object)
		bad(report, "%s is not a JSON object", what);
	else /* jansson's words quote the text, which may hold anything */
		bad(report, "%s is not JSON (line %d, column %d)", what, error.line, error.column);
}

void report_done(struct report *report)
{
	free(report->signature);
	free(report->detail);
	*report = (struct report)REPORT_INIT;
}
