/* carved rescan: look again, with the rules in force, at what is done. */
#include "core/store/rescan.h"

#include <stdio.h>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/str.h"
#include "core/cli/cli.h"
#include "core/cli/poke.h"
#include "core/cli/when.h"

struct options {
	const char *history;
	struct store_rescan_options wanted;
};

static int read_moment(const char *text, const char *name, int64_t *out)
{
	if (when_moment(text, clock_wall_ns(), out))
		return CLI_OK;
	return cli_usage_error(&cli_rescan,
			       "--%s takes a moment such as 2026-11-24, 2026-11-24T10:00 or 7d "
			       "(ago), not \"%s\"",
			       name, text);
}

static int take_option(struct options *options, int letter)
{
	struct store_rescan_options *wanted = &options->wanted;
	switch (letter) {
	case 'd':
		wanted->detector = optarg;
		return CLI_OK;
	case 's':
		return read_moment(optarg, "since", &wanted->since_ns);
	case 'u':
		return read_moment(optarg, "until", &wanted->until_ns);
	case 'm':
		wanted->mime = optarg;
		return CLI_OK;
	case 'n':
		wanted->dry_run = true;
		return CLI_OK;
	case 'H':
		options->history = optarg;
		return CLI_OK;
	default:
		return -1;
	}
}

static void print(const struct options *options, const struct store_rescan_asked *asked)
{
	(void)printf("%s: %lld\n", options->wanted.dry_run ? "would be asked for" : "asked for",
		     (long long)asked->asked);
	for (enum rescan_end end = RESCAN_WAITING; end < RESCAN_ENDS; end++)
		(void)printf("%s: %lld\n", rescan_end_name(end),
			     (long long)asked->totals.by_end[end]);
}

static int ask(struct options *options)
{
	AUTO_FREE char *history = NULL;
	int code = cli_history_path(options->history, &history);
	if (code != CLI_OK)
		return code;
	AUTO_FREE char *mime = xstrdup(options->wanted.mime);
	for (char *at = mime; at && *at; at++) { /* as it is recorded */
		if (*at >= 'A' && *at <= 'Z')
			*at = (char)(*at | 0x20);
	}
	options->wanted.mime = mime;
	struct error err = { 0 };
	struct store_rescan_asked asked = { 0 };
	if (store_rescan_ask(history, &options->wanted, &asked, &err) < 0) {
		cli_complain("%s", err.text);
		return CLI_FAILED;
	}
	print(options, &asked);
	if (asked.asked && !options->wanted.dry_run)
		poke_daemon(history);
	return CLI_OK;
}

static int run(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "detector", required_argument, NULL, 'd' },
		{ "since", required_argument, NULL, 's' },
		{ "until", required_argument, NULL, 'u' },
		{ "mime", required_argument, NULL, 'm' },
		{ "dry-run", no_argument, NULL, 'n' },
		{ "history", required_argument, NULL, 'H' },
		{ 0 },
	};
	struct options options = { .wanted.until_ns = INT64_MAX };
	int got;
	while ((got = cli_next_option(argc, argv, ":n", longs)) != -1) {
		int code = take_option(&options, got);
		if (code != CLI_OK)
			return code < 0 ? cli_bad_option(&cli_rescan, got, argv) : code;
	}
	if (optind < argc)
		return cli_usage_error(&cli_rescan, "\"%s\" is no option", argv[optind]);
	return ask(&options);
}

const struct cli_command cli_rescan = {
	.name = "rescan",
	.usage = "[--detector D] [--since T] [--until T] [--mime GLOB] [--dry-run] [--history DB]",
	.summary = "Look again at what is done, with the rules in force",
	.help = "  --detector D   only this one is asked again, as it is named in the configuration,\n"
		"                 and lists of known good files, which may spare it\n"
		"  --since T      first seen then or later: 2026-11-24, 2026-11-24T10:00 (UTC), 7d (ago)\n"
		"  --until T      first seen before\n"
		"  --mime GLOB    MIME type in the name, as application/*\n"
		"  -n, --dry-run  only count\n"
		"  --history DB   the history to change\n\n"
		"Asks for versions that are done; what is unscanned is for \"carved retry\". The running\n"
		"daemon, or the next one, sees to it behind all new files. It asks a detector only when\n"
		"its rules are not those that answered last, or when it was never asked. The verdict\n"
		"stays until there is a newer one. Printed are how many were asked for now, and what\n"
		"the queue of rescans holds: waiting, and those that could not be looked at: gone,\n"
		"replaced by another content, failed (the view \"rescan\" lists them).\n"
		"Exit codes: 0 done, 2 usage or configuration, 3 the history cannot be written, or\n"
		"knows no such detector.\n",
	.run = run,
};
