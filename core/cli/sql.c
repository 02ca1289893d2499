/* carved sql: one read-only statement over the history. */
#include <errno.h>

#include "core/base/mem.h"
#include "core/cli/cli.h"
#include "core/cli/rows.h"

struct options {
	const char *history;
	enum printer_format format;
};

static int query(const struct options *options, const char *sql)
{
	AUTO_FREE char *history = NULL;
	int code = cli_history_path(options->history, &history);
	if (code != CLI_OK)
		return code;
	const struct rows rows = { .history = history, .sql = sql, .format = options->format };
	int result = rows_print(&rows);
	if (result == 0)
		return CLI_OK;
	return result == -EINVAL ? CLI_USAGE : CLI_FAILED;
}

static int run(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "format", required_argument, NULL, 'f' },
		{ "history", required_argument, NULL, 'H' },
		{ 0 },
	};
	struct options options = { .format = PRINTER_TABLE };
	int got;
	while ((got = cli_next_option(argc, argv, ":", longs)) != -1) {
		switch (got) {
		case 'f':
			options.format = printer_format_by_name(optarg);
			if (options.format == PRINTER_FORMATS || options.format == PRINTER_PATHS)
				return cli_usage_error(
					&cli_sql, "--format takes table, json or csv, not \"%s\"",
					optarg);
			break;
		case 'H':
			options.history = optarg;
			break;
		default:
			return cli_bad_option(&cli_sql, got, argv);
		}
	}
	if (argc - optind != 1 || !*argv[optind])
		return cli_usage_error(&cli_sql, "one statement is needed, in quotes");
	return query(&options, argv[optind]);
}

const struct cli_command cli_sql = {
	.name = "sql",
	.usage = "[--format table|json|csv] [--history DB] SQL",
	.summary = "Ask the history one question in SQL",
	.help = "The statement may only read. Tables and views to ask: file (one row a version), scan\n"
		"(one row a detector's answer), gap, history, detections, pending, unscanned, rescan,\n"
		"stale, daily, detector_stats, detector_days, disposal, quarantine. Times are\n"
		"nanoseconds since the epoch, UTC.\n\n"
		"  --format F    table: for people; cut to the width of a terminal, whole otherwise\n"
		"                json: one object a line, ASCII; a byte that is no UTF-8 is \\udcXX\n"
		"                csv: RFC 4180 with a header; raw bytes, except on a terminal\n"
		"  --history DB  the history to ask; default: the configured one, else\n"
		"                $STATE_DIRECTORY/history.db, /var/lib/carved/history.db or ./carved.db\n\n"
		"Exit codes: 0 done, 2 the statement is wrong or would write, 3 the history cannot be\n"
		"read.\n",
	.run = run,
	.prints = true,
};
