/* carved run: the daemon, in the foreground. */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>

#include "core/app/app.h"
#include "core/base/error.h"
#include "core/base/log.h"
#include "core/cli/cli.h"

static int run(int argc, char **argv);

const struct cli_command cli_run = {
	.name = "run",
	.usage = "[-c FILE] [--history DB] [--workers N] [--once] [--json] [-v] [ROOT...]",
	.summary = "watch the roots and scan what is extracted into them",
	.help = "  -c, --config FILE   configuration (default /etc/carved/carved.yml when it exists)\n"
		"      --history DB    where the answers are kept\n"
		"      --workers N     how many files are scanned at once\n"
		"      --once          deal with what is there, then end\n"
		"      --json          one JSON object a line on stdout for each recorded file\n"
		"  -v, --verbose       log every verdict, not only the bad ones\n"
		"      --debug         log what the daemon does as well\n"
		"  ROOT                a directory to watch, instead of those in the configuration\n"
		"\n"
		"Signals: TERM, INT end; USR1 finishes what is queued and ends; HUP reloads; USR2 walks\n"
		"the roots. Exit: 0 ended as asked, 2 usage or configuration, 3 could not run.\n",
	.run = run,
};

enum {
	OPTION_HISTORY = 256,
	OPTION_WORKERS,
	OPTION_ONCE,
	OPTION_JSON,
	OPTION_DEBUG
};

static const struct option long_options[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "history", required_argument, NULL, OPTION_HISTORY },
	{ "workers", required_argument, NULL, OPTION_WORKERS },
	{ "once", no_argument, NULL, OPTION_ONCE },
	{ "json", no_argument, NULL, OPTION_JSON },
	{ "debug", no_argument, NULL, OPTION_DEBUG },
	{ "verbose", no_argument, NULL, 'v' },
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

#define WORKERS_MAX	256
#define LOG_PATIENCE_MS 1000

static int parse_workers(const char *text, unsigned *out)
{
	char *end = NULL;
	errno = 0;
	unsigned long value = strtoul(text, &end, 10);
	if (errno || end == text || *end || *text == '-' || value < 1 || value > WORKERS_MAX)
		return cli_usage_error(&cli_run,
				       "--workers takes a number from 1 to %d, not \"%s\"",
				       WORKERS_MAX, text);
	*out = (unsigned)value;
	return CLI_OK;
}

/* -1: go on; else the exit code. */
static int parse(int argc, char **argv, struct app_options *options)
{
	int option;
	while ((option = cli_next_option(argc, argv, ":c:vh", long_options)) != -1) {
		switch (option) {
		case 'c':
			options->overrides.file = optarg;
			break;
		case OPTION_HISTORY:
			options->overrides.history = optarg;
			break;
		case OPTION_WORKERS:
			if (parse_workers(optarg, &options->overrides.workers) != CLI_OK)
				return CLI_USAGE;
			break;
		case OPTION_ONCE:
			options->once = true;
			break;
		case OPTION_JSON:
			options->json = true;
			break;
		case OPTION_DEBUG:
			log_set_level(LOG_LEVEL_DEBUG);
			break;
		case 'v':
			log_set_level(LOG_LEVEL_INFO);
			break;
		case 'h':
			return cli_help(&cli_run);
		default:
			return cli_bad_option(&cli_run, option, argv);
		}
	}
	options->overrides.roots = (const char *const *)(argv + optind);
	options->overrides.root_count = (size_t)(argc - optind);
	return -1;
}

static int run(int argc, char **argv)
{
	struct app_options options = { 0 };
	log_set_level(LOG_LEVEL_NOTICE);
	log_set_patience(LOG_PATIENCE_MS);
	app_hold_signals(); /* a HUP or USR1 in the first moments is no reason to die */
	int code = parse(argc, argv, &options);
	if (code >= 0)
		return code;
	struct error err = { 0 };
	AUTO(config) struct config *config = NULL;
	if (config_load(&config, &options.overrides, &err) < 0 || !config) {
		cli_complain("%s", err.text);
		return CLI_USAGE;
	}
	if (config->root_count == 0)
		return cli_usage_error(&cli_run, "no root: name a directory, or set roots in %s",
				       config->file ? config->file : "/etc/carved/carved.yml");
	options.config = config;
	code = app_run(&options, &err);
	if (code != CLI_OK)
		cli_complain("%s", err.text);
	return code;
}
