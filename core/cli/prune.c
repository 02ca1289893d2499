/*
 * carved prune: forget old versions whose files are gone.
 *
 * What is still on disk stays, as it would be found and scanned again, and so does what is on a
 * volume that is not mounted now.
 */
#include "core/store/prune.h"

#include <errno.h>
#include <stdio.h>

#include "core/app/standing.h"
#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/cli/cli.h"
#include "core/cli/poke.h"
#include "core/cli/when.h"
#include "core/config/config.h"

struct options {
	const char *history;
	int64_t older_ns;
	bool dry_run;
	bool any_volume;
	bool vacuum;
};

/* Whom the file system is asked about. */
struct asked {
	struct standing *standing;
	bool any_volume;
};

static bool is_kept(void *context, const struct old_version *version)
{
	const struct asked *asked = context;
	switch (standing_look(asked->standing, version)) {
	case STANDING_GONE:
		return false;
	case STANDING_THERE:
		return true;
	case STANDING_UNKNOWN:
		break;
	}
	return !asked->any_volume;
}

static void tell_silent(const struct standing *standing)
{
	struct standing_silent silent = standing_silent(standing);
	if (silent.root)
		cli_complain("root %s is missing: what was seen there is kept (--any-volume)",
			     silent.root);
	if (silent.place)
		cli_complain("%s is on another file system than it was (not mounted?): what was "
			     "seen there is kept (--any-volume)",
			     silent.place);
}

static void tell_bytes(const char *what, int64_t bytes)
{
	if (bytes >> 20 > 0)
		(void)printf("%s: %lld MiB\n", what, (long long)(bytes >> 20));
}

static void tell_pruned(const struct options *options, const struct store_pruned *pruned)
{
	(void)printf("%s: %lld\n", options->dry_run ? "would be pruned" : "pruned",
		     (long long)pruned->versions);
	if (options->vacuum)
		return;
	tell_bytes("given back to the file system", pruned->given_back);
	tell_bytes("free in the history, to be used again", pruned->free);
}

static int vacuum(const struct config *config)
{
	struct error err = { 0 };
	int64_t saved = 0;
	int result = store_vacuum(config->history, &saved, &err);
	if (result < 0) {
		cli_complain("%s%s", err.text,
			     result == -EBUSY ? ": it is written anew only while nobody has it open"
					      : "");
		return CLI_FAILED;
	}
	(void)printf("written anew, smaller by: %lld MiB\n", (long long)(saved >> 20));
	return CLI_OK;
}

static int prune(const struct options *options, const struct config *config)
{
	AUTO(standing) struct standing *standing = standing_new(config);
	struct asked asked = { standing, options->any_volume };
	struct store_prune_options prune_options = {
		.before_ns = clock_wall_ns() - options->older_ns,
		.dry_run = options->dry_run,
		.keep = is_kept,
		.context = &asked,
	};
	struct error err = { 0 };
	struct store_pruned pruned = { 0 };
	int result = store_prune(config->history, &prune_options, &pruned, &err);
	if (result < 0) {
		cli_complain("%s", err.text);
		return CLI_FAILED;
	}
	if (!options->any_volume)
		tell_silent(standing);
	if (pruned.untold)
		cli_complain("events of that time are yet to be told: their versions are kept "
			     "(events, alert and disposal in \"carved status\")");
	tell_pruned(options, &pruned);
	if (pruned.came_back)
		poke_to_walk(config->history);
	else if (pruned.versions && !options->dry_run)
		poke_daemon(config->history);
	return options->vacuum && !options->dry_run ? vacuum(config) : CLI_OK;
}

/* Without the roots, files of a volume that is not mounted now could not be told from files that
 * are gone, and what is forgotten does not come back: so a configuration that does not load ends
 * it, also where --history says enough. */
static int prune_with_roots(const struct options *options)
{
	struct config_overrides overrides = { .history = options->history };
	AUTO(config) struct config *config = NULL;
	struct error err = { 0 };
	if (config_load(&config, &overrides, &err) < 0 || !config) {
		cli_complain("%s", err.text);
		return CLI_USAGE;
	}
	return prune(options, config);
}

static int run(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "older-than", required_argument, NULL, 'o' },
		{ "dry-run", no_argument, NULL, 'n' },
		{ "any-volume", no_argument, NULL, 'V' },
		{ "vacuum", no_argument, NULL, 'v' },
		{ "history", required_argument, NULL, 'H' },
		{ 0 },
	};
	struct options options = { 0 };
	(void)when_span("30d", &options.older_ns);
	int got;
	while ((got = cli_next_option(argc, argv, ":n", longs)) != -1) {
		switch (got) {
		case 'o':
			if (!when_span(optarg, &options.older_ns))
				return cli_usage_error(&cli_prune,
						       "--older-than takes a span like 30d or 12h, "
						       "not \"%s\"",
						       optarg);
			break;
		case 'n':
			options.dry_run = true;
			break;
		case 'V':
			options.any_volume = true;
			break;
		case 'v':
			options.vacuum = true;
			break;
		case 'H':
			options.history = optarg;
			break;
		default:
			return cli_bad_option(&cli_prune, got, argv);
		}
	}
	if (optind < argc)
		return cli_usage_error(&cli_prune, "\"%s\" is no option", argv[optind]);
	return prune_with_roots(&options);
}

const struct cli_command cli_prune = {
	.name = "prune",
	.usage = "[--older-than 30d] [--dry-run] [--any-volume] [--vacuum] [--history DB]",
	.summary = "Forget old versions whose files are gone",
	.help = "  --older-than SPAN  finished longer ago than this (default 30d)\n"
		"  -n, --dry-run      only count\n"
		"  --any-volume       also what was seen on volumes that are not mounted now\n"
		"  --vacuum           then write the whole history anew, without what is free in it;\n"
		"                     the daemon must be stopped\n"
		"  --history DB       the history to change\n\n"
		"Versions that are queued or wait for a rescan stay, those whose events are yet to be\n"
		"told, and all whose file is on disk: it would be scanned again. Gaps that closed that\n"
		"long ago go too. Space that is free in the history is given back where it was made for\n"
		"that, else it is used again.\n"
		"Exit codes: 0 done, 2 usage or configuration, 3 the history cannot be written.\n",
	.run = run,
};
