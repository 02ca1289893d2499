/* carved backup: a checked copy of the history, beside a daemon that writes to it. */
#include "core/store/backup.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/mem.h"
#include "core/base/str.h"
#include "core/cli/cli.h"

static volatile sig_atomic_t ended; /* a signal came */

static void note_end(int number)
{
	(void)number;
	ended = 1;
}

static bool go_on(void *context)
{
	(void)context;
	return !ended;
}

static int copy(const char *history, const char *to)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	const struct sigaction note = { .sa_handler = note_end };
	for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
		(void)sigaction(signals[i], &note, NULL);
	(void)signal(SIGXFSZ, SIG_IGN); /* an error that can be told, and cleaned up behind */
	const struct store_backup_options options = { .history = history,
						      .to = to,
						      .go_on = go_on };
	struct error err = { 0 };
	int64_t bytes = 0;
	if (store_backup(&options, &bytes, &err) < 0) {
		cli_complain("%s", err.text);
		return CLI_FAILED;
	}
	AUTO_STR name = STR_INIT;
	str_escape(&name, to, strlen(to));
	(void)printf("%s: %lld bytes, checked\n", str_text(&name), (long long)bytes);
	return CLI_OK;
}

static int run(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "history", required_argument, NULL, 'H' },
		{ 0 },
	};
	const char *given = NULL;
	int got;
	while ((got = cli_next_option(argc, argv, ":", longs)) != -1) {
		if (got != 'H')
			return cli_bad_option(&cli_backup, got, argv);
		given = optarg;
	}
	if (optind >= argc)
		return cli_usage_error(&cli_backup, "a FILE to be made is needed");
	if (optind + 1 < argc)
		return cli_usage_error(&cli_backup, "%s is one word too many", argv[optind + 1]);
	if (!*argv[optind])
		return cli_usage_error(&cli_backup, "the name of a file is not empty");
	AUTO_FREE char *history = NULL;
	int code = cli_history_path(given, &history);
	return code == CLI_OK ? copy(history, argv[optind]) : code;
}

const struct cli_command cli_backup = {
	.name = "backup",
	.usage = "[--history DB] FILE",
	.summary = "Copy the history, also while the daemon writes to it",
	.help = "  --history DB  the history to copy\n\n"
		"FILE must not exist. The copy is of one moment; it is checked, synced to disk, and only\n"
		"then given its name; until then it is FILE.XXXXXX, which only a SIGKILL leaves behind.\n"
		"It is one file, with the owner and permissions of the history as far as may be, and a\n"
		"daemon can take it for its history. The daemon is not held up, but the write-ahead\n"
		"log grows by what is written meanwhile.\n"
		"Exit codes: 0 done, 2 usage or configuration, 3 there is a FILE, the history cannot be\n"
		"read, the copy cannot be written or is corrupt.\n",
	.run = run,
};
