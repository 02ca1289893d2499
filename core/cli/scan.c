/*
 * carved scan: one pass over files and directories that a person names, answers on stdout.
 *
 * What the history knows already is told from there. A named file is scanned whatever its name.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fts.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/app/app.h"
#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/log.h"
#include "core/base/mem.h"
#include "core/base/str.h"
#include "core/cli/cli.h"
#include "core/sink/line.h"

static int run(int argc, char **argv);

const struct cli_command cli_scan = {
	.name = "scan",
	.usage = "[-c FILE] [--history DB] [--json] PATH...",
	.summary = "scan files and directories once and say what they are",
	.help = "  -c, --config FILE   configuration (default /etc/carved/carved.yml when it exists)\n"
		"      --history DB    where the answers are kept\n"
		"      --json          one JSON object a line instead of text\n"
		"  PATH                a file (whatever its name) or a directory\n"
		"\n"
		"Exit: 0 all clean, 1 something found, 2 an error or a file that was not scanned,\n"
		"3 could not run.\n",
	.run = run,
};

/* What is asked for, and what came of it. */
struct scan {
	bool json;
	bool bar;
	uint64_t total; /* files that a walk met before */
	uint64_t told;
	uint64_t found;
	uint64_t not_scanned;
	bool cut_short; /* by a signal: there may be files that nobody has met yet */
	struct mono next_bar;
	char **roots;
	size_t root_count;
	char **files;
	size_t file_count;
};

#define BAR_WIDTH 30
#define BAR_MS	  100

static void draw_bar(struct scan *scan, bool last)
{
	if (!scan->bar || (!last && !mono_passed(scan->next_bar)))
		return;
	scan->next_bar = mono_add_ms(mono_now(), BAR_MS);
	uint64_t total = scan->total > scan->told ? scan->total : scan->told;
	unsigned filled = total ? (unsigned)(scan->told * BAR_WIDTH / total) : BAR_WIDTH;
	char cells[BAR_WIDTH + 1];
	for (unsigned i = 0; i < BAR_WIDTH; i++)
		cells[i] = i < filled ? '#' : '.';
	cells[BAR_WIDTH] = '\0';
	(void)fprintf(stderr, "\r[%s] %llu/%llu  found %llu  not scanned %llu%s", cells,
		      (unsigned long long)scan->told, (unsigned long long)total,
		      (unsigned long long)scan->found, (unsigned long long)scan->not_scanned,
		      last ? "\n" : "");
}

/* Why there is no verdict; NULL when there is one. */
static const char *excuse(const struct version *version)
{
	if (version->state != VERSION_QUEUED)
		return version_reason_name(version->reason);
	return version->wait == WAIT_WRITER ? "somebody has it open for writing" : "not reached";
}

static void print_text(const struct version *version)
{
	AUTO_STR line = STR_INIT;
	bool done = version->state == VERSION_DONE && version->verdict < OUTCOMES;
	str_printf(&line, "%-10s %s",
		   done ? outcome_name(version->verdict) : version_state_name(VERSION_UNSCANNED),
		   version->incomplete ? "(incomplete) " : "");
	str_escape(&line, version->path, version->path_len);
	const char *why = excuse(version);
	if (why)
		str_printf(&line, " (%s)", why);
	for (size_t i = 0; i < version->finding_count; i++) {
		const char *signature = version->findings[i].signature;
		if (!signature)
			continue;
		str_puts(&line, "  ");
		str_escape(&line, signature, strlen(signature));
	}
	(void)puts(str_text(&line));
}

static void recorded(void *context, const struct version *version, bool fresh)
{
	struct scan *scan = context;
	scan->told++;
	bool done = version->state == VERSION_DONE;
	if (done && version->verdict <= OUTCOME_SUSPICIOUS)
		scan->found++;
	/* done with a failure: of detectors that are not required */
	else if (!done || !outcome_is_definite(version->verdict))
		scan->not_scanned++;
	if (scan->bar)
		(void)fputs("\r\033[K", stderr);
	if (!scan->json) {
		print_text(version);
	} else if (!fresh) { /* the fresh ones are printed by the daemon's own --json */
		AUTO_STR line = STR_INIT;
		line_version(&line, version);
		(void)puts(str_text(&line));
	}
	draw_bar(scan, false);
}

/* A sidecar was met after its file, whose line is out already. */
static void incomplete(void *context, const struct version *version)
{
	const struct scan *scan = context;
	if (scan->bar)
		(void)fputs("\r\033[K", stderr);
	if (scan->json) /* the daemon's own --json has printed it */
		return;
	AUTO_STR line = STR_INIT;
	str_printf(&line, "%-10s ", "incomplete");
	str_escape(&line, version->path, version->path_len);
	str_printf(&line, " (%s)", version->note);
	(void)puts(str_text(&line));
}

/* A file that was met and got no answer. It is in the history as queued, or not yet at all. */
static void left(void *context, const struct version *version)
{
	recorded(context, version, false);
}

/* How many files a directory holds, for the bar alone. */
static uint64_t count_files(char *root)
{
	char *const roots[] = { root, NULL };
	FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR | FTS_NOSTAT, NULL);
	if (!walk)
		return 0;
	uint64_t count = 0;
	for (FTSENT *entry; (entry = fts_read(walk));) {
		if (entry->fts_info == FTS_F || entry->fts_info == FTS_NSOK)
			count++;
	}
	(void)fts_close(walk);
	return count;
}

/* The real directory that a file lies in, a slash, and its name; the name itself is not resolved,
 * so that a symbolic link is told as one. */
static char *real_file(const char *path)
{
	const char *slash = strrchr(path, '/');
	AUTO_FREE char *dir = slash ? xmemdup(path, (size_t)(slash - path) + 1) : xstrdup(".");
	AUTO_FREE char *real = realpath(dir, NULL);
	if (!real)
		return NULL;
	AUTO_STR out = STR_INIT;
	str_puts(&out, real);
	if (out.len == 0 || out.data[out.len - 1] != '/')
		str_putc(&out, '/');
	str_puts(&out, slash ? slash + 1 : path);
	return str_take(&out);
}

static bool lies_in(const char *path, const char *root)
{
	size_t len = strlen(root);
	return strncmp(path, root, len) == 0 && (path[len] == '/' || path[len] == '\0' || len == 1);
}

static void add(char ***list, size_t *count, char *path)
{
	*list = xrealloc(*list, *count + 1, sizeof **list);
	(*list)[(*count)++] = path;
}

static int sort_path(struct scan *scan, const char *path)
{
	struct stat st;
	if (lstat(path, &st) < 0) {
		cli_complain("%s: %s", path, error_text(errno));
		return CLI_USAGE;
	}
	bool directory = S_ISDIR(st.st_mode) ||
			 (S_ISLNK(st.st_mode) && stat(path, &st) == 0 && S_ISDIR(st.st_mode));
	char *real = directory ? realpath(path, NULL) : real_file(path);
	if (!real) {
		cli_complain("%s: %s", path, error_text(errno));
		return CLI_USAGE;
	}
	if (directory)
		add(&scan->roots, &scan->root_count, real);
	else
		add(&scan->files, &scan->file_count, real);
	return CLI_OK;
}

/* A path that lies in one of the roots, or is named twice, is looked at once. A
 * root does not cover itself. */
static bool is_covered(const struct scan *scan, char *const *list, size_t i)
{
	for (size_t j = 0; j < scan->root_count; j++) {
		bool itself = list == scan->roots && j >= i && strcmp(list[i], list[j]) == 0;
		if (!itself && lies_in(list[i], scan->roots[j]))
			return true;
	}
	for (size_t j = 0; j < i; j++) {
		if (strcmp(list[i], list[j]) == 0)
			return true;
	}
	return false;
}

static size_t drop_covered(const struct scan *scan, char **list, size_t count)
{
	AUTO_FREE bool *covered = xcalloc(count, sizeof *covered);
	for (size_t i = 0; i < count; i++)
		covered[i] = is_covered(scan, list, i);
	size_t kept = 0;
	for (size_t i = 0; i < count; i++) {
		if (covered[i])
			free(list[i]);
		else
			list[kept++] = list[i];
	}
	return kept;
}

static int sort_paths(struct scan *scan, int count, char **paths)
{
	for (int i = 0; i < count; i++) {
		int code = sort_path(scan, paths[i]);
		if (code != CLI_OK)
			return code;
	}
	scan->file_count = drop_covered(scan, scan->files, scan->file_count);
	scan->root_count = drop_covered(scan, scan->roots, scan->root_count);
	for (size_t i = 0; scan->bar && scan->roots && i < scan->root_count; i++)
		scan->total += count_files(scan->roots[i]);
	scan->total += scan->file_count;
	return CLI_OK;
}

static void scan_done(struct scan *scan)
{
	for (size_t i = 0; i < scan->root_count; i++)
		free(scan->roots[i]);
	for (size_t i = 0; i < scan->file_count; i++)
		free(scan->files[i]);
	free(scan->roots);
	free(scan->files);
}

static const struct option long_options[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "history", required_argument, NULL, 'H' },
	{ "json", no_argument, NULL, 'j' },
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

/* -1: go on; else the exit code. */
static int parse(int argc, char **argv, struct app_options *options)
{
	int option;
	while ((option = cli_next_option(argc, argv, ":c:h", long_options)) != -1) {
		switch (option) {
		case 'c':
			options->overrides.file = optarg;
			break;
		case 'H':
			options->overrides.history = optarg;
			break;
		case 'j':
			options->json = true;
			break;
		case 'h':
			return cli_help(&cli_scan);
		default:
			return cli_bad_option(&cli_scan, option, argv);
		}
	}
	return optind < argc ? -1 : cli_usage_error(&cli_scan, "which PATH?");
}

/* The roots are what the person named, and no others. */
static void set_roots(struct config *config, const struct scan *scan)
{
	for (size_t i = scan->root_count; i < config->root_count; i++) {
		free(config->roots[i].path);
		free(config->roots[i].producer);
	}
	if (config->root_count > scan->root_count)
		config->root_count = scan->root_count;
	config->unmatched = CONFIG_UNMATCHED_SCAN;
}

static int run_scan(struct scan *scan, struct app_options *options)
{
	struct error err = { 0 };
	options->overrides.roots = (const char *const *)scan->roots;
	options->overrides.root_count = scan->root_count;
	AUTO(config) struct config *config = NULL;
	if (config_load(&config, &options->overrides, &err) < 0 || !config) {
		cli_complain("%s", err.text);
		return CLI_USAGE;
	}
	set_roots(config, scan);
	options->config = config;
	options->once = true;
	options->own_only = true;
	options->recorded = recorded;
	options->incomplete = incomplete;
	options->context = scan;
	options->left = left;
	options->cut_short = &scan->cut_short;
	options->paths = (const char *const *)scan->files;
	options->path_count = scan->file_count;
	int code = app_run(options, &err);
	draw_bar(scan, true);
	if (code != CLI_OK) {
		cli_complain("%s", err.text);
		return code;
	}
	if (scan->cut_short)
		cli_complain("ended by a signal before everything was looked at");
	if (scan->found)
		return CLI_FOUND;
	return scan->not_scanned || scan->cut_short ? CLI_USAGE : CLI_OK;
}

static int run(int argc, char **argv)
{
	struct app_options options = { 0 };
	log_set_level(LOG_LEVEL_ERROR);
	int code = parse(argc, argv, &options);
	if (code >= 0)
		return code;
	struct scan scan = { .json = options.json, .bar = isatty(STDERR_FILENO) };
	code = sort_paths(&scan, argc - optind, argv + optind);
	if (code == CLI_OK)
		code = run_scan(&scan, &options);
	scan_done(&scan);
	return code;
}
