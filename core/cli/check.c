/*
 * check: "carved check": everything that would keep the daemon from working, or from working well,
 * told before it is started, with what to mend. Nothing is changed, unless --install asks for it.
 */
#include <sys/stat.h>

#include <getopt.h>
#include <stdio.h>

#include "core/base/beneath.h"
#include "core/base/error.h"
#include "core/cli/check_report.h"
#include "core/cli/cli.h"
#include "core/config/config.h"

struct options {
	struct config_overrides overrides;
	bool install;
	bool help;
};

static int parse_options(int argc, char **argv, struct options *out)
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "history", required_argument, NULL, 'H' },
		{ "install", no_argument, NULL, 'i' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int option;
	while ((option = cli_next_option(argc, argv, ":c:h", options)) != -1) {
		switch (option) {
		case 'c':
			out->overrides.file = optarg;
			break;
		case 'H':
			out->overrides.history = optarg;
			break;
		case 'i':
			out->install = true;
			break;
		case 'h':
			out->help = true;
			break;
		default:
			return cli_bad_option(&cli_check, option, argv);
		}
	}
	out->overrides.roots = (const char *const *)(argv + optind);
	out->overrides.root_count = (size_t)(argc - optind);
	return CLI_OK;
}

/* Whoever may write the file decides what the daemon runs. */
static void check_file(struct check *check)
{
	const char *file = check->config->file;
	struct stat st;
	if (!file) {
		check_ok("config: no file, the defaults hold");
		return;
	}
	check_ok("config: %s", file);
	if (stat(file, &st) == 0 && (st.st_mode & S_IWOTH))
		check_warn(check, "config: %s may be written by everyone: chmod o-w", file);
}

static void check_kernel(struct check *check)
{
	struct error err = { 0 };
	if (beneath_probe(&err) < 0)
		check_fail(check, "kernel: %s", err.text);
}

static int run_checks(const struct config *config)
{
	struct check check = { .config = config };
	check_file(&check);
	check_kernel(&check);
	check_roots(&check);
	check_history(&check);
	check_sinks(&check);
	check_dispose(&check);
	check_limits(&check);
	check_isolation(&check);
	check_detectors(&check);
	(void)printf("%u failed, %u warnings\n", check.failures, check.warnings);
	return check.failures ? CLI_FAILED : CLI_OK;
}

static int run_check(int argc, char **argv)
{
	struct options options = { 0 };
	int code = parse_options(argc, argv, &options);
	if (code != CLI_OK)
		return code;
	if (options.help)
		return cli_help(&cli_check);
	AUTO(config) struct config *config = NULL;
	struct error err = { 0 };
	if (config_load(&config, &options.overrides, &err) < 0) {
		cli_complain("%s", err.text);
		return CLI_USAGE;
	}
	return options.install ? check_install(config) : run_checks(config);
}

const struct cli_command cli_check = {
	.name = "check",
	.usage = "[-c FILE] [--history DB] [--install] [ROOT...]",
	.summary = "say what would keep the daemon from working, and what to mend",
	.help = "  -c FILE       the configuration, instead of /etc/carved/carved.yml\n"
		"  --history DB  the history, instead of the configured one\n"
		"  --install     show and run the install steps of api.yml, once for each group\n"
		"  ROOT...       directories, instead of the configured ones\n"
		"\n"
		"Exit code: 0 all is well (there may be warnings), 2 the configuration is wrong,\n"
		"3 something would keep \"carved run\" from working, no detector finds the EICAR test\n"
		"file, which every one of them is tried on, or an install step failed.\n",
	.run = run_check,
};
