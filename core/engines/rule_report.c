/* rule_report: see rule_report.h. */
#include "core/engines/rule_report.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "core/base/str.h"
#include "core/helper/protocol.h"

/* Left free at the end of signature and detail for the words that say how much is missing. */
#define SIGNATURE_REST 24
#define DETAIL_REST    512

void rule_report_begin(struct rule_report *report)
{
	report->count = 0;
	report->more = 0;
	report->worst = OUTCOME_CLEAN;
	report->gave_up[0] = '\0';
}

enum outcome rule_report_outcome(const YR_RULE *rule)
{
	YR_META *meta;
	yr_rule_metas_foreach(rule, meta)
	{
		if (meta->type != META_TYPE_STRING || strcmp(meta->identifier, "severity") != 0)
			continue;
		if (strcasecmp(meta->string, "suspicious") == 0)
			return OUTCOME_SUSPICIOUS;
		if (strcasecmp(meta->string, "info") == 0)
			return OUTCOME_CLEAN;
	}
	const char *tag;
	yr_rule_tags_foreach(rule, tag)
	{
		if (strcasecmp(tag, "suspicious") == 0)
			return OUTCOME_SUSPICIOUS;
	}
	return OUTCOME_MALICIOUS;
}

void rule_report_add(struct rule_report *report, const YR_RULE *rule)
{
	enum outcome outcome = rule_report_outcome(rule);
	report->worst = outcome_worst(report->worst, outcome);
	if (report->count == RULE_REPORT_MAX) {
		report->more++;
		return;
	}
	report->matches[report->count] = rule;
	report->outcomes[report->count++] = outcome;
}

/* Appends text for people that cannot contain what a signature must not. */
static void plain(struct str *out, const char *text)
{
	str_escape(out, text, strlen(text));
}

static void name_rule(struct str *out, const YR_RULE *rule)
{
	plain(out, rule->identifier);
	unsigned tags = 0;
	const char *tag;
	yr_rule_tags_foreach(rule, tag)
	{
		str_puts(out, tags++ ? " " : " [");
		plain(out, tag);
	}
	if (tags)
		str_putc(out, ']');
}

/* Names as many rules as fit, those of the given outcome; counts the others. */
static void name_rules(struct str *out, const struct rule_report *report, enum outcome outcome,
		       size_t *missing)
{
	for (size_t i = 0; i < report->count; i++) {
		if (report->outcomes[i] != outcome)
			continue;
		AUTO_STR one = STR_INIT;
		name_rule(&one, report->matches[i]);
		if (out->len + one.len + 2 > HELPER_SIGNATURE_MAX - SIGNATURE_REST) {
			(*missing)++;
			continue;
		}
		str_puts(out, out->len ? ", " : "");
		str_append(out, one.data, one.len);
	}
}

static char *make_signature(const struct rule_report *report)
{
	AUTO_STR out = STR_INIT;
	size_t missing = report->more;
	name_rules(&out, report, OUTCOME_MALICIOUS, &missing);
	name_rules(&out, report, OUTCOME_SUSPICIOUS, &missing);
	if (report->worst == OUTCOME_CLEAN) /* an answer that is clean has no signature */
		return NULL;
	if (missing)
		str_printf(&out, "%s+%zu", out.len ? ", " : "", missing);
	return str_take(&out);
}

static void say_metas(struct str *out, const YR_RULE *rule)
{
	unsigned count = 0;
	YR_META *meta;
	str_puts(out, "\"meta\": {");
	yr_rule_metas_foreach(rule, meta)
	{
		str_puts(out, count++ ? ", " : "");
		str_json_text(out, meta->identifier);
		str_puts(out, ": ");
		if (meta->type == META_TYPE_STRING)
			str_json_text(out, meta->string);
		else if (meta->type == META_TYPE_BOOLEAN)
			str_puts(out, meta->integer ? "true" : "false");
		else
			str_printf(out, "%" PRId64, meta->integer);
	}
	str_putc(out, '}');
}

static void say_rule(struct str *out, const YR_RULE *rule)
{
	unsigned count = 0;
	const char *tag;
	str_puts(out, "{\"rule\": ");
	str_json_text(out, rule->identifier);
	str_puts(out, ", \"namespace\": ");
	str_json_text(out, rule->ns->name);
	str_puts(out, ", \"tags\": [");
	yr_rule_tags_foreach(rule, tag)
	{
		str_puts(out, count++ ? ", " : "");
		str_json_text(out, tag);
	}
	str_puts(out, "], ");
	say_metas(out, rule);
	str_putc(out, '}');
}

static void say_rules(struct str *out, const struct rule_report *report, enum outcome outcome,
		      size_t *said)
{
	for (size_t i = 0; i < report->count; i++) {
		if (report->outcomes[i] != outcome)
			continue;
		AUTO_STR one = STR_INIT;
		say_rule(&one, report->matches[i]);
		if (out->len + one.len > HELPER_DETAIL_MAX - DETAIL_REST)
			continue;
		str_puts(out, *said ? ", " : "");
		str_append(out, one.data, one.len);
		(*said)++;
	}
}

static char *make_detail(const struct rule_report *report)
{
	AUTO_STR out = STR_INIT;
	size_t said = 0;
	str_putc(&out, '{');
	if (*report->gave_up) {
		str_puts(&out, "\"error\": ");
		str_json_text(&out, report->gave_up);
	}
	if (report->count) {
		str_puts(&out, out.len > 1 ? ", \"rules\": [" : "\"rules\": [");
		say_rules(&out, report, OUTCOME_MALICIOUS, &said);
		say_rules(&out, report, OUTCOME_SUSPICIOUS, &said);
		say_rules(&out, report, OUTCOME_CLEAN, &said);
		str_putc(&out, ']');
	}
	size_t missing = report->count + report->more - said;
	if (missing)
		str_printf(&out, ", \"truncated\": %zu", missing);
	if (out.len == 1)
		return NULL;
	str_putc(&out, '}');
	return str_take(&out);
}

void rule_report_end(const struct rule_report *report, struct helper_answer *answer)
{
	answer->outcome = report->worst;
	/* what was given up might have been a match: clean would be a guess */
	if (*report->gave_up)
		answer->outcome = outcome_worst(report->worst, OUTCOME_ERROR);
	answer->signature = make_signature(report);
	answer->detail = make_detail(report);
}
