/*
 * carved history: the usual questions, without SQL. Newest first.
 *
 * Every value from the command line is bound as a parameter; only words of our own tables (a state,
 * a verdict) stand in the statement's text, because partial indexes are chosen by it.
 *
 * There is no index on the MIME type, which would cost the writer a twelfth. Common types are met
 * soon; for the others the counts by day tell between which days there are any.
 */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/outcome.h"
#include "core/base/str.h"
#include "core/cli/cli.h"
#include "core/cli/rows.h"
#include "core/cli/when.h"
#include "core/store/query.h"
#include "core/store/version.h"

enum {
	PARAMETERS_MAX = 8
};

struct question {
	const char *history;
	enum printer_format format;
	char end;
	int64_t now_ns;
	struct str where;
	struct query_parameter parameters[PARAMETERS_MAX];
	size_t parameter_count;
	char *owned[PARAMETERS_MAX]; /* lower-case copies */
	size_t owned_count;
	bool few;		   /* an index finds the rows, so they are sorted afterwards */
	size_t since, until, mime; /* the numbers of their parameters; 0: not asked for */
	bool limited;
	int64_t limit;
};

static void condition(struct question *question, const char *text)
{
	str_puts(&question->where, question->where.len ? " AND " : " WHERE ");
	str_puts(&question->where, text);
}

/* The number of a parameter with this value. */
static size_t add_parameter(struct question *question, struct query_parameter value)
{
	question->parameters[question->parameter_count] = value;
	return ++question->parameter_count;
}

/* text ends with what stands before the parameter's number, which is returned. */
static size_t text_condition(struct question *question, const char *text, const char *value)
{
	struct query_parameter parameter = { .text = value, .len = strlen(value) };
	size_t number = add_parameter(question, parameter);
	condition(question, text);
	str_printf(&question->where, "?%zu", number);
	return number;
}

static const char *lower(struct question *question, const char *text)
{
	char *copy = xstrdup(text);
	for (char *at = copy; *at; at++) {
		if (*at >= 'A' && *at <= 'Z')
			*at = (char)(*at - 'A' + 'a');
	}
	question->owned[question->owned_count++] = copy;
	return copy;
}

static int on_moment(struct question *question, size_t *number, const char *value,
		     const char *option)
{
	int64_t moment = 0;
	if (!when_moment(value, question->now_ns, &moment))
		return cli_usage_error(&cli_history,
				       "%s takes 2026-11-24, 2026-11-24T10:00:00Z, seconds since "
				       "the epoch or a span like 1h, not \"%s\"",
				       option, value);
	*number = add_parameter(question, (struct query_parameter){ .integer = moment });
	return CLI_OK;
}

static int on_since(struct question *question, const char *value)
{
	return on_moment(question, &question->since, value, "--since");
}

static int on_until(struct question *question, const char *value)
{
	return on_moment(question, &question->until, value, "--until");
}

static int on_mime(struct question *question, const char *value)
{
	if (strcmp(value, "*") != 0) /* every type, also where there is none */
		question->mime = text_condition(question, "mime GLOB ", lower(question, value));
	return CLI_OK;
}

static int on_path(struct question *question, const char *value)
{
	(void)text_condition(question, "path GLOB ", value);
	return CLI_OK;
}

static int on_verdict(struct question *question, const char *value)
{
	enum outcome verdict = outcome_by_name(value);
	if (verdict == OUTCOMES)
		return cli_usage_error(&cli_history, "there is no verdict \"%s\"", value);
	if (verdict != OUTCOME_CLEAN)
		condition(question, "verdict <> 'clean'");
	(void)text_condition(question, "verdict = ", outcome_name(verdict));
	return CLI_OK;
}

static int on_state(struct question *question, const char *value)
{
	enum version_state state = version_state_by_name(value);
	if (state == VERSION_STATES)
		return cli_usage_error(
			&cli_history, "--state takes queued, done or unscanned, not \"%s\"", value);
	condition(question, "state = '");
	str_printf(&question->where, "%s'", version_state_name(state));
	question->few = question->few || state == VERSION_QUEUED;
	return CLI_OK;
}

static int on_fuid(struct question *question, const char *value)
{
	(void)text_condition(question, "fuid = ", value);
	question->few = true;
	return CLI_OK;
}

static int on_sha256(struct question *question, const char *value)
{
	if (strlen(value) != 64 || strspn(value, "0123456789abcdefABCDEF") != 64)
		return cli_usage_error(&cli_history, "--sha256 takes 64 hex digits");
	(void)text_condition(question, "sha256 = ", lower(question, value));
	question->few = true;
	return CLI_OK;
}

static int on_limit(struct question *question, const char *value)
{
	char *end = NULL;
	errno = 0;
	question->limit = strtoll(value, &end, 10);
	if (errno || !isdigit((unsigned char)*value) || *end)
		return cli_usage_error(&cli_history, "--limit takes a number, not \"%s\"", value);
	question->limited = true;
	return CLI_OK;
}

static int on_format(struct question *question, const char *value)
{
	question->format = printer_format_by_name(value);
	if (question->format == PRINTER_FORMATS)
		return cli_usage_error(&cli_history,
				       "--format takes table, json, csv or paths, not \"%s\"",
				       value);
	return CLI_OK;
}

static int on_zero(struct question *question, const char *value)
{
	(void)value;
	question->end = '\0';
	return CLI_OK;
}

static int on_history(struct question *question, const char *value)
{
	question->history = value;
	return CLI_OK;
}

struct word {
	const char *name;
	int (*apply)(struct question *question, const char *value);
	bool once; /* it has a parameter, of which there is room for one */
};

/* In the order of the options below, whose values are the places here. */
static const struct word words[] = {
	{ "since", on_since, true },	  { "until", on_until, true },
	{ "mime", on_mime, true },	  { "verdict", on_verdict, true },
	{ "state", on_state, true },	  { "fuid", on_fuid, true },
	{ "sha256", on_sha256, true },	  { "path", on_path, true },
	{ "limit", on_limit, false },	  { "format", on_format, false },
	{ "history", on_history, false },
};

enum {
	WORDS = sizeof words / sizeof *words,
	FIRST_WORD = 256
};

/* CLI_OK, or what to exit with. */
static int apply_options(struct question *question, int argc, char **argv)
{
	struct option longs[WORDS + 1] = { 0 };
	bool seen[WORDS] = { 0 };
	for (int i = 0; i < WORDS; i++)
		longs[i] =
			(struct option){ words[i].name, required_argument, NULL, FIRST_WORD + i };
	int got;
	while ((got = cli_next_option(argc, argv, ":0", longs)) != -1) {
		int code;
		if (got == '0') {
			code = on_zero(question, NULL);
		} else if (got >= FIRST_WORD) {
			int at = got - FIRST_WORD;
			if (words[at].once && seen[at])
				return cli_usage_error(&cli_history, "--%s is given twice",
						       words[at].name);
			seen[at] = true;
			code = words[at].apply(question, optarg);
		} else {
			return cli_bad_option(&cli_history, got, argv);
		}
		if (code != CLI_OK)
			return code;
	}
	if (optind < argc)
		return cli_usage_error(&cli_history, "\"%s\" is no option", argv[optind]);
	return CLI_OK;
}

static const char *const selections[] = {
	[PRINTER_TABLE] = "SELECT id, first_seen, state, coalesce(verdict, reason, wait) ||"
			  " iif(incomplete, ' (incomplete)', '') AS verdict,"
			  " signatures, mime, size, path FROM history",
	[PRINTER_JSON] = "SELECT * FROM history",
	[PRINTER_CSV] = "SELECT * FROM history",
	[PRINTER_PATHS] = "SELECT path FROM file",
};

/* What is asked for, and what the type's days leave of all time. */
static void put_bound(struct question *question, const char *comparison, size_t given,
		      const char *of_days)
{
	bool by_days = question->mime && !question->few;
	if (!given && !by_days)
		return;
	condition(question, comparison);
	if (given && by_days)
		str_printf(&question->where, "(?%zu, (%s))", given, of_days);
	else if (given)
		str_printf(&question->where, "(?%zu)", given);
	else
		str_printf(&question->where, "((%s))", of_days);
}

/* The statement, in full. What is queued is not counted by day, and looked for. */
static void put_statement(struct question *question, struct str *sql)
{
	bool by_days = question->mime && !question->few;
	if (by_days)
		str_printf(
			sql,
			"WITH days_of_type (since_ns, until_ns) AS (SELECT min(since_ns),"
			" max(until_ns) FROM (SELECT min(day) * 86400000000000 AS since_ns,"
			" (max(day) + 1) * 86400000000000 AS until_ns FROM tally WHERE mime GLOB ?%zu"
			" UNION ALL SELECT min(first_seen_ns), max(first_seen_ns) + 1 FROM version"
			" INDEXED BY version_queue WHERE state = 'queued' AND mime GLOB ?%zu)) ",
			question->mime, question->mime);
	put_bound(question,
		  by_days && question->since ? "first_seen_ns >= max" : "first_seen_ns >= ",
		  question->since, "SELECT since_ns FROM days_of_type");
	put_bound(question, by_days && question->until ? "first_seen_ns < min" : "first_seen_ns < ",
		  question->until, "SELECT until_ns FROM days_of_type");
	str_puts(sql, selections[question->format]);
	str_append(sql, str_text(&question->where), question->where.len);
	/* "+" keeps the planner from walking the index on the time instead of the one that finds */
	str_printf(sql, " ORDER BY %sfirst_seen_ns DESC, id DESC", question->few ? "+" : "");
	if (question->limited)
		str_printf(sql, " LIMIT ?%zu",
			   add_parameter(question,
					 (struct query_parameter){ .integer = question->limit }));
}

static int ask(struct question *question)
{
	AUTO_FREE char *history = NULL;
	int code = cli_history_path(question->history, &history);
	if (code != CLI_OK)
		return code;
	AUTO_STR sql = STR_INIT;
	put_statement(question, &sql);
	const struct rows rows = { .history = history,
				   .sql = str_text(&sql),
				   .parameters = question->parameters,
				   .parameter_count = question->parameter_count,
				   .format = question->format,
				   .end = question->end };
	return rows_print(&rows) == 0 ? CLI_OK : CLI_FAILED;
}

static int run(int argc, char **argv)
{
	struct question question = {
		.format = PRINTER_TABLE,
		.end = '\n',
		.now_ns = clock_wall_ns(),
	};
	int code = apply_options(&question, argc, argv);
	if (code == CLI_OK && question.end == '\0' && question.format != PRINTER_PATHS)
		code = cli_usage_error(&cli_history, "-0 goes with --format paths");
	if (code == CLI_OK)
		code = ask(&question);
	for (size_t i = 0; i < question.owned_count; i++)
		free(question.owned[i]);
	str_done(&question.where);
	return code;
}

const struct cli_command cli_history = {
	.name = "history",
	.usage = "[--since T] [--until T] [--mime GLOB] [--verdict V] [--state S] [--fuid F] "
		 "[--sha256 H] [--path GLOB] [--limit N] [--format table|json|csv|paths] [-0] "
		 "[--history DB]",
	.summary = "Show what was seen and said, newest first",
	.help = "  --since T, --until T  first seen at T or later, before T. T is 2026-11-24,\n"
		"                        2026-11-24T10:00:00Z, seconds since the epoch, or a span\n"
		"                        before now: 90s, 30m, 12h, 7d, 2w\n"
		"  --mime GLOB           MIME type in the name, as application/*\n"
		"  --verdict V           malicious, suspicious, error, timeout, skipped, unknown, clean\n"
		"  --state S             queued, done, unscanned\n"
		"  --fuid F              Zeek's file id\n"
		"  --sha256 H            content\n"
		"  --path GLOB           the whole path; * matches slashes too\n"
		"  --limit N             at most so many\n"
		"  --format F            table, json (one object a line), csv, paths (raw bytes)\n"
		"  -0                    end paths with a NUL byte instead of a newline\n"
		"  --history DB          the history to ask\n\n"
		"Exit codes: 0 done, 2 usage or configuration, 3 the history cannot be read.\n",
	.run = run,
	.prints = true,
};
