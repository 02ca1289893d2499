/* answer: see answer.h. detail is written as text, not through a JSON library: it holds raw bytes,
 * which become the escapes that str_json() documents. Its parts are bounded, so that it stays under
 * 64 KiB. */
#include "core/detect/answer.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "core/base/str.h"
#include "core/detect/child.h"
#include "core/detect/detect.h"
#include "core/detect/report.h"

void answer_done(struct answer *answer)
{
	free(answer->signature);
	free(answer->detail);
	free(answer->away);
	free(answer->real_mime);
	*answer = (struct answer){ 0 };
}

void answer_away(struct answer *answer, const char *words)
{
	answer_done(answer);
	answer->outcome = OUTCOMES;
	answer->away = xstrdup(words);
}

/* Appends one member to the object that out begins with "{" and that is not closed yet. */
static void member(struct str *out, const char *key, const char *text, size_t len)
{
	str_puts(out, out->data[out->len - 1] == '{' ? "" : ", ");
	str_json_text(out, key);
	str_puts(out, ": ");
	str_json(out, text, len);
}

static void member_text(struct str *out, const char *key, const char *text)
{
	if (text)
		member(out, key, text, strlen(text));
}

static bool member_tail(struct str *out, const char *key, const struct tail *tail)
{
	AUTO_STR text = STR_INIT;
	tail_append(tail, &text);
	if (text.len)
		member(out, key, text.data, text.len);
	return text.len > 0;
}

void answer_fail(struct answer *answer, enum outcome outcome, const char *format, ...)
{
	char words[1024];
	va_list args;
	va_start(args, format);
	(void)vsnprintf(words, sizeof words, format, args);
	va_end(args);
	AUTO_STR json = STR_INIT;
	str_putc(&json, '{');
	member_text(&json, "error", words);
	str_putc(&json, '}');
	answer_done(answer);
	answer->outcome = outcome;
	answer->detail = str_take(&json);
}

void answer_skip(struct answer *answer, const char *words)
{
	AUTO_STR json = STR_INIT;
	str_putc(&json, '{');
	member_text(&json, "reason", words);
	str_putc(&json, '}');
	answer_done(answer);
	answer->outcome = OUTCOME_SKIPPED;
	answer->detail = str_take(&json);
}

/* The reports of a command that failed are kept beside the error: they may name what was found. */
static void member_reports(struct str *out, const struct report *report)
{
	if (report->error[0])
		member_text(out, "report_error", report->error);
	if (report->count == 0)
		return;
	str_printf(out, ", \"report\": {\"outcome\": \"%s\"", outcome_name(report->outcome));
	member_text(out, "signature", report->signature);
	if (report->detail)
		str_printf(out, ", \"detail\": %s", report->detail);
	str_putc(out, '}');
}

/* What went wrong with the child itself, into out; false when nothing did. */
static bool child_fault(struct str *out, const struct child_result *child,
			const struct answer_rule *rule)
{
	if (rule->step)
		str_printf(out, "%s: ", rule->step);
	const char *name = NULL;
	switch (child->end) {
	case CHILD_TIMEOUT:
		str_puts(out, "still running at its deadline, killed");
		return true;
	case CHILD_SIGNALED:
		name = sigabbrev_np(child->status);
		str_printf(out, "killed by signal %d (SIG%s)", child->status, name ? name : "?");
		return true;
	case CHILD_EXITED:
		str_printf(out, "exit status %d", child->status);
		return child->status > 1 || (child->status == 1 && rule->one == OUTCOME_ERROR);
	case CHILD_CANCELLED:
		break;
	}
	return false;
}

static void say_failure(struct answer *answer, const char *words, const struct child_result *child,
			const struct report *report, const struct answer_rule *rule)
{
	AUTO_STR json = STR_INIT;
	str_putc(&json, '{');
	member_text(&json, "error", words);
	if (!member_tail(&json, "stderr", &child->err))
		(void)member_tail(&json, "stdout", &child->out);
	if (child->left_behind)
		member_text(&json, "note", "it did not die of SIGKILL and was left behind");
	if (child->scratch.code)
		member_text(&json, "scratch", child->scratch.text);
	member_text(&json, "log", rule->log);
	member_reports(&json, report);
	str_putc(&json, '}');
	answer->detail = str_take(&json);
}

/* Begins the object that is to hold the report's detail and remarks of ours. */
static void begin_detail(struct str *out, const struct report *report)
{
	if (report->detail && report->extendable)
		str_append(out, report->detail, strlen(report->detail) - 1);
	else if (report->detail)
		str_printf(out, "{\"report\": %s", report->detail);
	else
		str_putc(out, '{');
}

/* Our remarks on a command that worked, as members of the object that out begins. */
static void members(struct str *out, const struct answer *answer, const struct child_result *child,
		    const struct report *report)
{
	if (report->detail)
		return;
	if (answer->outcome == OUTCOME_ERROR || answer->outcome == OUTCOME_TIMEOUT)
		member_text(out, "error", "the command's report says so");
	else if (answer->outcome == OUTCOME_MALICIOUS)
		(void)member_tail(out, "stdout", &child->out);
}

/* The detail of a command that worked: the report's own, with our remarks in it or around it. */
static void say(struct answer *answer, const struct child_result *child,
		const struct report *report, const struct answer_rule *rule, const char *note)
{
	if (report->detail && !note && !rule->log && !child->scratch.code) {
		answer->detail = xstrdup(report->detail);
		return;
	}
	AUTO_STR json = STR_INIT;
	begin_detail(&json, report);
	members(&json, answer, child, report);
	member_text(&json, "log", rule->log);
	if (child->scratch.code)
		member_text(&json, "scratch", child->scratch.text);
	member_text(&json, "note", note);
	if (json.len > 1) {
		str_putc(&json, '}');
		answer->detail = str_take(&json);
	}
}

void answer_from_report(struct answer *answer, const struct report *report, const char *who)
{
	if (report->error[0]) {
		answer_fail(answer, OUTCOME_ERROR, "%s: bad report: %s", who, report->error);
		return;
	}
	AUTO_STR json = STR_INIT;
	bool failed = report->outcome == OUTCOME_ERROR || report->outcome == OUTCOME_TIMEOUT ||
		      report->outcome == OUTCOME_SKIPPED;
	answer->outcome = report->outcome;
	answer->signature = xstrdup(report->signature);
	if (report->detail && !report->note) {
		answer->detail = xstrdup(report->detail);
		return;
	}
	begin_detail(&json, report);
	if (!report->detail && failed)
		member_text(&json, "error", "the server says so");
	member_text(&json, "note", report->note);
	if (json.len == 1)
		return;
	str_putc(&json, '}');
	answer->detail = str_take(&json);
}

void answer_not_run(struct answer *answer, int code, const char *words)
{
	switch (code) {
	case EMFILE:
	case ENFILE:
	case EAGAIN: /* RLIMIT_NPROC, or the container's limit of processes: fork(2) */
	case ENOMEM:
		answer->unable = code;
		answer->outcome = OUTCOMES;
		return;
	default:
		answer_fail(answer, OUTCOME_ERROR, "%s", words);
	}
}

static bool is_mild(enum outcome outcome)
{
	return outcome == OUTCOME_CLEAN || outcome == OUTCOME_UNKNOWN;
}

void answer_from_child(struct answer *answer, const struct child_result *child,
		       const struct report *report, const struct answer_rule *rule)
{
	if (child->end == CHILD_CANCELLED) {
		answer->cancelled = true;
		answer->outcome = OUTCOMES;
		return;
	}
	AUTO_STR words = STR_INIT;
	if (child_fault(&words, child, rule)) {
		answer->outcome = child->end == CHILD_TIMEOUT ? OUTCOME_TIMEOUT : OUTCOME_ERROR;
		say_failure(answer, str_text(&words), child, report, rule);
		return;
	}
	if (report->error[0]) {
		answer->outcome = OUTCOME_ERROR;
		str_puts(&words, ", bad report on descriptor 3");
		say_failure(answer, str_text(&words), child, report, rule);
		return;
	}
	enum outcome exit_says = child->status == 0 ? rule->zero : rule->one;
	answer->outcome = report->count ? report->outcome : exit_says;
	const char *note = report->note;
	if (report->count && exit_says == OUTCOME_MALICIOUS && is_mild(report->outcome)) {
		answer->outcome = OUTCOME_MALICIOUS;
		note = "exit status 1 says malicious, its report does not";
	}
	answer->signature = xstrdup(report->signature);
	say(answer, child, report, rule, note);
}
