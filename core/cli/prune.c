/*
 * carved prune: forget old versions whose files are gone.
 *
 * What is still on disk stays, as it would be found and scanned again. A root that is missing or
 * empty (a volume that is not mounted now) says nothing about its files, so they stay too.
 */
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/cli/cli.h"
#include "core/cli/poke.h"
#include "core/cli/when.h"
#include "core/config/config.h"
#include "core/store/maintain.h"

struct options {
	const char *history;
	int64_t older_ns;
	bool dry_run;
};

/* The configured roots that cannot be asked now. */
struct silent {
	const struct config *config;
	bool *root;
};

static bool has_entries(const char *path)
{
	DIR *dir = opendir(path);
	if (!dir)
		return false;
	int entries = 0;
	/* its own stream: no other thread reads it */
	while (entries <= 2 && readdir(dir)) /* NOLINT(concurrency-mt-unsafe) */
		entries++;
	(void)closedir(dir);
	return entries > 2;
}

static bool below(const char *path, const char *root)
{
	size_t len = strlen(root);
	return strncmp(path, root, len) == 0 && (path[len] == '/' || (len && root[len - 1] == '/'));
}

static bool is_kept(void *context, const char *path)
{
	const struct silent *silent = context;
	struct stat st;
	if (lstat(path, &st) == 0 || (errno != ENOENT && errno != ENOTDIR))
		return true;
	for (size_t i = 0; i < silent->config->root_count; i++) {
		if (silent->root[i] && below(path, silent->config->roots[i].path))
			return true;
	}
	return false;
}

static void find_silent(struct silent *silent, const struct config *config)
{
	silent->config = config;
	silent->root = xcalloc(config->root_count + 1, sizeof *silent->root);
	for (size_t i = 0; i < config->root_count; i++) {
		const char *path = config->roots[i].path;
		silent->root[i] = !has_entries(path);
		if (silent->root[i])
			cli_complain("%s is missing or empty: what was seen there is kept", path);
	}
}

static int prune(const struct options *options, const struct config *config)
{
	struct silent silent = { 0 };
	find_silent(&silent, config);
	struct store_prune_options prune_options = {
		.before_ns = clock_wall_ns() - options->older_ns,
		.dry_run = options->dry_run,
		.keep = is_kept,
		.context = &silent,
	};
	struct error err = { 0 };
	int64_t pruned = 0;
	int result = store_prune(config->history, &prune_options, &pruned, &err);
	free(silent.root);
	if (result < 0) {
		cli_complain("%s", err.text);
		return CLI_FAILED;
	}
	(void)printf("%s: %lld\n", options->dry_run ? "would be pruned" : "pruned",
		     (long long)pruned);
	if (pruned && !options->dry_run)
		poke_daemon(config->history);
	return CLI_OK;
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
	.usage = "[--older-than 30d] [--dry-run] [--history DB]",
	.summary = "Forget old versions whose files are gone",
	.help = "  --older-than SPAN  finished longer ago than this (default 30d)\n"
		"  -n, --dry-run      only count\n"
		"  --history DB       the history to change\n\n"
		"Versions that are queued stay, and all whose path is on disk: they would be scanned\n"
		"again. Gaps that closed that long ago go too. The file does not shrink; its space is\n"
		"used again. Exit codes: 0 done, 2 usage or configuration, 3 the history cannot be\n"
		"written.\n",
	.run = run,
};
