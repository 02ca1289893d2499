/* carved retry: queue again what could not be scanned. */
#include <errno.h>
#include <stdio.h>

#include "core/base/error.h"
#include "core/cli/cli.h"
#include "core/cli/poke.h"
#include "core/store/maintain.h"

struct options {
	const char *history;
	bool failed;
};

static int retry(const struct options *options, const int64_t *ids, size_t count)
{
	AUTO_FREE char *history = NULL;
	int code = cli_history_path(options->history, &history);
	if (code != CLI_OK)
		return code;
	struct error err = { 0 };
	int64_t queued = 0;
	int result = store_retry(history, options->failed ? NULL : ids, count, &queued, &err);
	if (result < 0) {
		cli_complain("%s", err.text);
		return CLI_FAILED;
	}
	(void)printf("queued again: %lld\n", (long long)queued);
	if (queued)
		poke_daemon(history);
	return CLI_OK;
}

static int run(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "failed", no_argument, NULL, 'f' },
		{ "history", required_argument, NULL, 'H' },
		{ 0 },
	};
	struct options options = { 0 };
	int got;
	while ((got = cli_next_option(argc, argv, ":", longs)) != -1) {
		switch (got) {
		case 'f':
			options.failed = true;
			break;
		case 'H':
			options.history = optarg;
			break;
		default:
			return cli_bad_option(&cli_retry, got, argv);
		}
	}
	size_t count = (size_t)(argc - optind);
	if (options.failed == (count > 0))
		return cli_usage_error(&cli_retry, "either --failed or ids are needed");
	AUTO_FREE int64_t *ids = xcalloc(count + 1, sizeof *ids);
	int code = cli_ids(&cli_retry, "carved history", argv + optind, count, ids);
	return code == CLI_OK ? retry(&options, ids, count) : code;
}

const struct cli_command cli_retry = {
	.name = "retry",
	.usage = "[--history DB] [--failed | ID...]",
	.summary = "Queue again what could not be scanned",
	.help = "  --failed      everything whose detectors failed, and everything unreadable\n"
		"  ID            these versions (carved history shows the ids), whatever the reason;\n"
		"                what is not a regular file stays out\n"
		"  --history DB  the history to change\n\n"
		"Attempts are counted anew. A running daemon is told and begins at once; otherwise the\n"
		"next start does. Exit codes: 0 done, 2 usage or configuration, 3 an id is not there,\n"
		"or the history cannot be written.\n",
	.run = run,
};
