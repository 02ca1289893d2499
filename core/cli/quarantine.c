/* carved quarantine: what was taken away: lists it, puts it back, gives it away. */
#include <sys/stat.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/str.h"
#include "core/cli/cli.h"
#include "core/cli/quarantine_export.h"
#include "core/cli/rows.h"
#include "core/config/config.h"
#include "core/dispose/restore.h"
#include "core/store/removal_reader.h"
#include "core/store/version.h"

struct options {
	const char *file;
	const char *history;
	const char *password; /* NULL: not said */
	enum printer_format format;
	bool has_format;
};

static int history_of(const struct options *options, char **out)
{
	if (options->history || !options->file)
		return cli_history_path(options->history, out);
	struct config_overrides overrides = { .file = options->file };
	AUTO(config) struct config *config = NULL;
	struct error err = { 0 };
	if (config_load(&config, &overrides, &err) < 0) {
		cli_complain("%s", err.text);
		return CLI_USAGE;
	}
	*out = xstrdup(config->history);
	return CLI_OK;
}

static int list(const struct options *options)
{
	static const char sql[] =
		"SELECT id, quarantined, verdict, signatures, size, mime, path, file_id, sha256,"
		" cause, place FROM quarantine ORDER BY id";
	AUTO_FREE char *history = NULL;
	int code = history_of(options, &history);
	if (code != CLI_OK)
		return code;
	const struct rows rows = {
		.history = history, .sql = sql, .format = options->format, .end = '\n'
	};
	return rows_print(&rows) == 0 ? CLI_OK : CLI_FAILED;
}

struct restoring {
	const struct config *config;
	bool found;
	int result;
	struct error err;
};

static bool restore_one(void *context, const struct removal_task *task)
{
	struct restoring *restoring = context;
	bool owner = false;
	restoring->found = true;
	restoring->result = restore_file(restoring->config, task, &owner, &restoring->err);
	if (restoring->result < 0)
		return false;
	AUTO_STR path = STR_INIT;
	str_escape(&path, task->version->path, task->version->path_len);
	(void)printf("restored: %s\n", str_text(&path));
	if (!owner)
		cli_complain("%s is yours now: only root can give it back to its owner",
			     task->version->path);
	return false;
}

static int restore_id(struct removal_reader *reader, const struct config *config, int64_t id)
{
	struct restoring restoring = { .config = config };
	const struct removal_visit each = { restore_one, &restoring };
	int result = removal_reader_quarantined(reader, id, &each, &restoring.err);
	if (result == 0 && !restoring.found)
		result = error_set(&restoring.err, ENOENT, "%lld is not in the quarantine",
				   (long long)id);
	if (result == 0)
		result = restoring.result;
	if (result == 0)
		return CLI_OK;
	cli_complain("%s", restoring.err.text);
	return CLI_FAILED;
}

/* Each is tried, whatever became of the others. */
static int restore(const struct options *options, const int64_t *ids, size_t count)
{
	struct config_overrides overrides = { .file = options->file, .history = options->history };
	AUTO(config) struct config *config = NULL;
	AUTO(removal_reader) struct removal_reader *reader = NULL;
	struct error err = { 0 };
	if (config_load(&config, &overrides, &err) < 0 || !config) {
		cli_complain("%s", err.text);
		return CLI_USAGE;
	}
	if (removal_reader_open(&reader, config->history, &err) < 0) {
		cli_complain("%s", err.text);
		return CLI_FAILED;
	}
	int code = CLI_OK;
	for (size_t i = 0; i < count; i++) {
		int one = restore_id(reader, config, ids[i]);
		code = one == CLI_OK ? code : one;
	}
	return code;
}

static int export(const struct options *options, const int64_t *ids, size_t count, const char *to)
{
	AUTO_FREE char *history = NULL;
	int code = history_of(options, &history);
	if (code != CLI_OK)
		return code;
	AUTO(removal_reader) struct removal_reader *reader = NULL;
	struct error err = { 0 };
	int result = removal_reader_open(&reader, history, &err);
	const struct quarantine_export wish = {
		.reader = reader,
		.ids = ids,
		.count = count,
		.to = to,
		.password = options->password ? options->password : "infected",
	};
	(void)umask(077);
	if (result == 0)
		result = quarantine_export(&wish, &err);
	if (result == 0)
		return CLI_OK;
	cli_complain("%s", err.text);
	return CLI_FAILED;
}

static int with_ids(const struct options *options, char **words, size_t count)
{
	bool gives = strcmp(words[0], "export") == 0;
	size_t id_count = count - 1 - (gives ? 1 : 0);
	if (count < (gives ? 3U : 2U))
		return cli_usage_error(&cli_quarantine,
				       gives ? "export needs ids and a FILE" : "restore needs ids");
	AUTO_FREE int64_t *ids = xcalloc(id_count, sizeof *ids);
	int code = cli_ids(&cli_quarantine, "carved quarantine list", words + 1, id_count, ids);
	if (code != CLI_OK)
		return code;
	return gives ? export(options, ids, id_count, words[count - 1])
		     : restore(options, ids, id_count);
}

static int dispatch(const struct options *options, char **words, size_t count)
{
	if (count == 0)
		return cli_usage_error(&cli_quarantine, "list, restore or export is needed");
	const char *word = words[0];
	bool lists = strcmp(word, "list") == 0;
	if (!lists && strcmp(word, "restore") != 0 && strcmp(word, "export") != 0)
		return cli_usage_error(&cli_quarantine,
				       "list, restore or export is needed, not \"%s\"", word);
	if (options->password && strcmp(word, "export") != 0)
		return cli_usage_error(&cli_quarantine, "--password belongs to export");
	if (options->has_format && !lists)
		return cli_usage_error(&cli_quarantine, "--format belongs to list");
	if (lists && count > 1)
		return cli_usage_error(&cli_quarantine, "%s is one word too many", words[1]);
	return lists ? list(options) : with_ids(options, words, count);
}

static int run(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "format", required_argument, NULL, 'f' },
		{ "history", required_argument, NULL, 'H' },
		{ "password", required_argument, NULL, 'p' },
		{ 0 },
	};
	struct options options = { .format = PRINTER_TABLE };
	int got;
	while ((got = cli_next_option(argc, argv, ":c:", longs)) != -1) {
		switch (got) {
		case 'c':
			options.file = optarg;
			break;
		case 'f':
			options.has_format = true;
			options.format = printer_format_by_name(optarg);
			if (options.format == PRINTER_FORMATS)
				return cli_usage_error(
					&cli_quarantine,
					"--format takes table, json, csv or paths, not \"%s\"",
					optarg);
			break;
		case 'H':
			options.history = optarg;
			break;
		case 'p':
			if (!*optarg)
				return cli_usage_error(&cli_quarantine, "a password is not empty");
			options.password = optarg;
			break;
		default:
			return cli_bad_option(&cli_quarantine, got, argv);
		}
	}
	return dispatch(&options, argv + optind, (size_t)(argc - optind));
}

const struct cli_command cli_quarantine = {
	.name = "quarantine",
	.usage =
		"[-c FILE] [--history DB] list [--format F] | restore ID... | export [--password P] ID... FILE",
	.summary = "List, put back or give away what was taken away",
	.help = "  list           what is in the quarantine, and from where\n"
		"  restore ID...  back to where it was, over nothing, with its mode, times and, as root,\n"
		"                 its owner. It is not taken away by a rule again\n"
		"  export ID... FILE  an encrypted zip (AES-256) with the files and what is known of\n"
		"                 each; FILE must not exist\n\n"
		"  -c, --config FILE  the configuration, for the roots and the history\n"
		"  --history DB   the history\n"
		"  --format F     table, json, csv or paths\n"
		"  --password P   of the zip; default: infected\n\n"
		"It takes root, or the user that carved runs as. Exit codes: 0 done, 2 usage or\n"
		"configuration, 3 an id is not in the quarantine, or something cannot be read or written.\n",
	.run = run,
};
