/*
 * rule_report: the rules that matched one file, as an answer.
 *
 * A rule is malicious unless its author says less: meta severity = "suspicious" or the tag
 * suspicious; meta severity = "info" is for the record only. The signature names the rules, worst
 * first, each with its tags in brackets; detail has {"rules": [{"rule", "namespace", "tags",
 * "meta"}, ...]}. What does not fit is counted ("truncated"), never dropped in silence. One thread.
 */
#ifndef CARVED_CORE_ENGINES_RULE_REPORT_H
#define CARVED_CORE_ENGINES_RULE_REPORT_H

#include <stddef.h>
#include <yara.h>

#include "core/base/outcome.h"

struct helper_answer;

/* Rules that are remembered of one file; more are counted. */
#define RULE_REPORT_MAX 1024

struct rule_report {
	const YR_RULE *matches[RULE_REPORT_MAX]; /* borrowed from the compiled rules */
	enum outcome outcomes[RULE_REPORT_MAX];
	size_t count;
	size_t more; /* that matched beyond those; the worst of them counts */
	enum outcome worst;
	/* a string matched so often that libyara gave it up: rules may have been missed */
	char gave_up[200];
};

void rule_report_begin(struct rule_report *report);
void rule_report_add(struct rule_report *report, const YR_RULE *rule);
/** What the rule's author makes of a match. */
enum outcome rule_report_outcome(const YR_RULE *rule);
/** Fills answer: outcome, signature, detail. */
void rule_report_end(const struct rule_report *report, struct helper_answer *answer);

#endif
