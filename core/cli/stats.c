/*
 * carved stats: how much there was, what came of it, and what took long: a small chart.
 *
 * What the history counts is there without a daemon; one that runs is asked for what it does now.
 * Its answer is taken apart by SQLite, which reads JSON; nothing but numbers and our own words is
 * taken from it, as names in it may be no UTF-8 (str_json).
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core/app/control_client.h"
#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/str.h"
#include "core/cli/chart.h"
#include "core/cli/cli.h"
#include "core/cli/figures.h"
#include "core/cli/printer.h"
#include "core/cli/when.h"
#include "core/store/query.h"

/* Bars for days: of a longer time, each stands for several. */
#define BARS_MAX 31
/* Detectors that are shown. */
#define SLOWEST	      10
#define DAYS_DEFAULT  14
#define WIDTH_DEFAULT 80

struct stats {
	const char *history;
	int64_t since_day;
	int64_t today;
	struct figures *figures;
	struct str daemon; /* its answer, one line of JSON; empty: there is none */
	struct str reason; /* then why */
	struct chart chart;
};

static void put_day(struct str *out, int64_t day)
{
	time_t seconds = (time_t)(day * 86400);
	struct tm tm;
	char text[32];
	if (gmtime_r(&seconds, &tm) && strftime(text, sizeof text, "%Y-%m-%d", &tm))
		str_puts(out, text);
	else
		str_printf(out, "day %lld", (long long)day);
}

/* For people */

/* A line of the chart whose words are its own. */
struct line {
	struct str label, value;
	double size;
};

static void draw(const struct stats *stats, const char *title, struct line *lines, size_t count,
		 struct str *out)
{
	struct chart_row *rows = xcalloc(count + 1, sizeof *rows);
	for (size_t i = 0; i < count; i++)
		rows[i] = (struct chart_row){ .label = str_text(&lines[i].label),
					      .value = str_text(&lines[i].value),
					      .size = lines[i].size };
	str_printf(out, "\n%s\n", title);
	if (count == 0)
		str_puts(out, "  none\n");
	chart_rows(&stats->chart, rows, count, out);
	for (size_t i = 0; i < count; i++) {
		str_done(&lines[i].label);
		str_done(&lines[i].value);
	}
	free(rows);
}

static void draw_days(const struct stats *stats, struct str *out)
{
	const struct figures *figures = stats->figures;
	struct line lines[BARS_MAX] = { 0 };
	size_t count = 0;
	int64_t span = 1;
	AUTO_STR title = STR_INIT;
	if (figures->day_count) {
		const int64_t first = figures->days[0].day;
		const int64_t newest = figures->days[figures->day_count - 1].day;
		const int64_t last = newest > stats->today ? newest : stats->today;
		int64_t files[BARS_MAX] = { 0 };
		span = (last - first) / BARS_MAX + 1;
		count = (size_t)((last - first) / span) + 1;
		for (size_t i = 0; i < figures->day_count; i++)
			files[(figures->days[i].day - first) / span] += figures->days[i].files;
		for (size_t i = 0; i < count; i++) {
			put_day(&lines[i].label, first + (int64_t)i * span);
			chart_number(&lines[i].value, files[i]);
			lines[i].size = (double)files[i];
		}
	}
	if (span == 1)
		str_puts(&title, "Files by the day (UTC) on which they were first seen");
	else
		str_printf(&title, "Files by the %lld days (UTC) in which they were first seen",
			   (long long)span);
	draw(stats, str_text(&title), lines, count, out);
}

static void add_kinds(struct line *lines, size_t *count, const struct figures_kinds *kinds,
		      const char *before)
{
	for (size_t i = 0; i < kinds->count; i++) {
		struct line *line = &lines[(*count)++];
		str_printf(&line->label, "%s%s", before, kinds->at[i].name);
		chart_number(&line->value, kinds->at[i].count);
		line->size = (double)kinds->at[i].count;
	}
}

static void draw_verdicts(const struct stats *stats, struct str *out)
{
	const struct figures *figures = stats->figures;
	size_t count = 0;
	struct line *lines =
		xcalloc(figures->verdicts.count + figures->unscanned.count + 1, sizeof *lines);
	add_kinds(lines, &count, &figures->verdicts, "");
	add_kinds(lines, &count, &figures->unscanned, "unscanned, ");
	draw(stats, "Verdicts", lines, count, out);
	free(lines);
}

static void draw_queue(const struct stats *stats, struct str *out)
{
	const struct figures *figures = stats->figures;
	size_t count = 0;
	struct line *lines = xcalloc(figures->queued.count + 1, sizeof *lines);
	add_kinds(lines, &count, &figures->queued, "waits, ");
	if (figures->rescans) {
		str_puts(&lines[count].label, "rescan");
		chart_number(&lines[count].value, figures->rescans);
		lines[count++].size = (double)figures->rescans;
	}
	draw(stats, "Queue in the history", lines, count, out);
	free(lines);
}

static void put_times(const struct figures_detector *detector, struct str *out)
{
	if (detector->answers == detector->cached) {
		str_puts(out, "all taken over");
		return;
	}
	chart_time(out, detector->mean_ms);
	str_puts(out, ", longest ");
	chart_time(out, detector->max_ms);
}

static void draw_detectors(const struct stats *stats, struct str *out)
{
	const struct figures *figures = stats->figures;
	size_t count = figures->detector_count < SLOWEST ? figures->detector_count : SLOWEST;
	struct line lines[SLOWEST] = { 0 };
	for (size_t i = 0; i < count; i++) {
		str_puts(&lines[i].label, figures->detectors[i].name);
		put_times(&figures->detectors[i], &lines[i].value);
		lines[i].size = figures->detectors[i].mean_ms;
	}
	draw(stats, "Slowest detectors, by the mean of an answer", lines, count, out);
	if (figures->detector_count > count)
		str_printf(out, "  and %zu quicker ones: --json has them all\n",
			   figures->detector_count - count);
	for (size_t i = 0; i < figures->detector_count; i++) {
		const struct figures_detector *detector = &figures->detectors[i];
		if (!detector->failures)
			continue;
		str_puts(out, "  ");
		str_escape(out, detector->name, strlen(detector->name));
		str_puts(out, ": ");
		chart_number(out, detector->failures);
		str_puts(out, " of ");
		chart_number(out, detector->answers);
		str_puts(out, " answers were errors or timeouts\n");
	}
}

/* What the daemon does now: one row of words and numbers. */
static const char daemon_sql[] =
	"SELECT json_extract(j, '$.state'), json_extract(j, '$.healthy'),"
	" json_extract(j, '$.last_minute.files_per_second'),"
	" json_extract(j, '$.last_minute.bytes_per_second'),"
	" json_extract(j, '$.queue.running'),"
	" json_extract(j, '$.queue.waiting') + json_extract(j, '$.queue.saving'),"
	" json_extract(j, '$.oldest_file.age_s') FROM (SELECT ?1 AS j)";

static bool put_daemon_row(void *context, const struct query_row *row)
{
	struct str *out = context;
	const struct query_value *values = row->values;
	if (!values)
		return true;
	str_escape(out, values[0].bytes, values[0].len);
	str_puts(out, values[1].integer ? ", healthy\n" : ", not healthy (carved status)\n");
	str_puts(out, "  last minute  ");
	str_printf(out, "%.1f files/s, %.1f kB/s\n", query_number(&values[2]),
		   query_number(&values[3]) / 1e3);
	str_printf(out, "  in memory    %lld with workers, %lld before or behind them\n",
		   (long long)values[4].integer, (long long)values[5].integer);
	if (values[6].type != QUERY_NULL) {
		str_puts(out, "  oldest file  waits for ");
		chart_time(out, query_number(&values[6]) * 1e3);
		str_putc(out, '\n');
	}
	return true;
}

static int put_daemon(const struct stats *stats, struct str *out, struct error *err)
{
	const struct query_parameter answer = { .text = str_text(&stats->daemon),
						.len = stats->daemon.len };
	str_puts(out, "\nThe daemon: ");
	if (answer.len)
		return store_query(stats->history, daemon_sql, &answer, 1, put_daemon_row, out,
				   err);
	str_escape(out, str_text(&stats->reason), stats->reason.len);
	str_putc(out, '\n');
	return 0;
}

static int draw_all(const struct stats *stats, struct error *err)
{
	AUTO_STR out = STR_INIT;
	str_puts(&out, "carved since ");
	put_day(&out, stats->since_day);
	str_puts(&out, ", ");
	str_escape(&out, stats->history, strlen(stats->history));
	str_putc(&out, '\n');
	int result = put_daemon(stats, &out, err);
	if (result < 0)
		return result;
	draw_days(stats, &out);
	draw_verdicts(stats, &out);
	draw_queue(stats, &out);
	draw_detectors(stats, &out);
	if (!stats->chart.utf8)
		chart_ascii(&out);
	(void)fwrite(str_text(&out), 1, out.len, stdout);
	return 0;
}

/* As JSON */

static void json_kinds(const char *name, const struct figures_kinds *kinds, struct str *out)
{
	str_printf(out, ",\"%s\":{", name);
	for (size_t i = 0; i < kinds->count; i++) {
		str_puts(out, i ? "," : "");
		str_json_text(out, kinds->at[i].name);
		str_printf(out, ":%lld", (long long)kinds->at[i].count);
	}
	str_putc(out, '}');
}

static void json_detectors(const struct figures *figures, struct str *out)
{
	str_puts(out, ",\"detectors\":[");
	for (size_t i = 0; i < figures->detector_count; i++) {
		const struct figures_detector *detector = &figures->detectors[i];
		str_puts(out, i ? ",{\"name\":" : "{\"name\":");
		str_json_text(out, detector->name);
		str_printf(out, ",\"answers\":%lld,\"cached\":%lld,\"failures\":%lld",
			   (long long)detector->answers, (long long)detector->cached,
			   (long long)detector->failures);
		if (detector->answers == detector->cached)
			str_puts(out, ",\"mean_ms\":null,\"max_ms\":null}");
		else
			str_printf(out, ",\"mean_ms\":%.3f,\"max_ms\":%.3f}", detector->mean_ms,
				   detector->max_ms);
	}
	str_putc(out, ']');
}

static void print_json(const struct stats *stats)
{
	const struct figures *figures = stats->figures;
	AUTO_STR out = STR_INIT;
	str_puts(&out, "{\"history\":");
	str_json_text(&out, stats->history);
	str_puts(&out, ",\"since\":\"");
	put_day(&out, stats->since_day);
	str_puts(&out, "\",\"days\":[");
	for (size_t i = 0; i < figures->day_count; i++) {
		str_puts(&out, i ? ",{\"day\":\"" : "{\"day\":\"");
		put_day(&out, figures->days[i].day);
		str_printf(&out, "\",\"files\":%lld,\"alarms\":%lld}",
			   (long long)figures->days[i].files, (long long)figures->days[i].alarms);
	}
	str_putc(&out, ']');
	json_kinds("verdicts", &figures->verdicts, &out);
	json_kinds("unscanned", &figures->unscanned, &out);
	json_kinds("queued", &figures->queued, &out);
	str_printf(&out, ",\"rescans\":%lld", (long long)figures->rescans);
	json_detectors(figures, &out);
	str_printf(&out, ",\"daemon\":%s,\"daemon_missing\":",
		   stats->daemon.len ? str_text(&stats->daemon) : "null");
	str_json_text(&out, stats->daemon.len ? NULL : str_text(&stats->reason));
	str_puts(&out, "}\n");
	(void)fwrite(str_text(&out), 1, out.len, stdout);
}

/* That none runs is no failure: the history has the rest. */
static void ask_daemon(struct stats *stats)
{
	struct error err = { 0 };
	if (control_request(stats->history, "status", &stats->daemon, &err) < 0) {
		str_reset(&stats->daemon);
		str_puts(&stats->reason, err.text);
	} else if (stats->daemon.len == 0 || stats->daemon.data[0] != '{') {
		str_reset(&stats->daemon);
		str_puts(&stats->reason, "its answer is not understood");
	}
}

static int tell(struct stats *stats, bool json)
{
	struct error err = { 0 };
	int result = figures_read(&stats->figures, stats->history, stats->since_day, &err);
	if (result == 0) {
		ask_daemon(stats);
		if (json)
			print_json(stats);
		else
			result = draw_all(stats, &err);
	}
	figures_free(stats->figures);
	str_done(&stats->daemon);
	str_done(&stats->reason);
	if (result == 0)
		return CLI_OK;
	cli_complain("%s", err.text);
	return CLI_FAILED;
}

static int run(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "since", required_argument, NULL, 's' },
		{ "json", no_argument, NULL, 'j' },
		{ "history", required_argument, NULL, 'H' },
		{ 0 },
	};
	const int64_t now_ns = clock_wall_ns();
	int64_t since_ns = now_ns - (DAYS_DEFAULT - 1) * FIGURES_NS_PER_DAY;
	bool json = false;
	const char *given = NULL;
	int got;
	while ((got = cli_next_option(argc, argv, ":", longs)) != -1) {
		if (got == 'j')
			json = true;
		else if (got == 'H')
			given = optarg;
		else if (got != 's')
			return cli_bad_option(&cli_stats, got, argv);
		else if (!when_moment(optarg, now_ns, &since_ns))
			return cli_usage_error(
				&cli_stats,
				"--since: expected a day, a moment or a span such as "
				"7d, found \"%.80s\"",
				optarg);
	}
	if (optind < argc)
		return cli_usage_error(&cli_stats, "%s is one word too many", argv[optind]);
	AUTO_FREE char *history = NULL;
	int code = cli_history_path(given, &history);
	if (code != CLI_OK)
		return code;
	const unsigned width = printer_for_stdout(PRINTER_TABLE).width;
	struct stats stats = {
		.history = history,
		.since_day = since_ns / FIGURES_NS_PER_DAY,
		.today = now_ns / FIGURES_NS_PER_DAY,
		.chart = { .width = width ? width : WIDTH_DEFAULT, .utf8 = chart_locale_is_utf8() },
	};
	return tell(&stats, json);
}

const struct cli_command cli_stats = {
	.name = "stats",
	.usage = "[--since TIME] [--json] [--history DB]",
	.summary = "Draw how much there was, what came of it, and what took long",
	.help = "  --since TIME  from that day on (days are UTC's), by default the last 14\n"
		"  --json        one JSON object, with every day and detector, and what the daemon says\n"
		"  --history DB  the history to ask\n\n"
		"It needs no daemon; one that runs is asked what it does now. What a detector took over\n"
		"from another file of the same content has no part in its times.\n"
		"Exit codes: 0 done, 2 usage or configuration, 3 the history cannot be read.\n",
	.run = run,
	.prints = true,
};
