/*
 * cli: see cli.h. The table of subcommands, what is common to their beginning and end, and the
 * words for people.
 */
#include "core/cli/cli.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/app/first.h"
#include "core/base/error.h"
#include "core/base/log.h"
#include "core/base/str.h"
#include "core/config/config.h"
#include "core/config/nearest.h"

static const struct cli_command *const commands[] = {
	&cli_run,    &cli_scan,	  &cli_parse,	   &cli_list,	&cli_history,
	&cli_sql,    &cli_status, &cli_stats,	   &cli_check,	&cli_reload,
	&cli_pause,  &cli_resume, &cli_retry,	   &cli_rescan, &cli_prune,
	&cli_import, &cli_backup, &cli_quarantine, NULL,
};

/* Writes prefix, the escaped message and what follows to stderr, in one piece. */
static void say(const char *prefix, const struct str *message, const char *after)
{
	AUTO_STR line = STR_INIT;
	str_puts(&line, prefix);
	str_escape(&line, str_text(message), message->len);
	str_putc(&line, '\n');
	str_puts(&line, after);
	log_put(str_text(&line), line.len);
}

void cli_complain(const char *format, ...)
{
	AUTO_STR message = STR_INIT;
	va_list args;
	va_start(args, format);
	str_vprintf(&message, format, args);
	va_end(args);
	say("carved: ", &message, "");
}

int cli_usage_error(const struct cli_command *command, const char *format, ...)
{
	AUTO_STR message = STR_INIT, prefix = STR_INIT, after = STR_INIT;
	str_printf(&prefix, "carved %s: ", command->name);
	str_printf(&after, "usage: carved %s %s\n\"carved help %s\" tells more\n", command->name,
		   command->usage, command->name);
	va_list args;
	va_start(args, format);
	str_vprintf(&message, format, args);
	va_end(args);
	say(str_text(&prefix), &message, str_text(&after));
	return CLI_USAGE;
}

int cli_next_option(int argc, char **argv, const char *shorts, const struct option *longs)
{
	/* a subcommand parses its words before it starts a thread */
	return getopt_long(argc, argv, shorts, longs, NULL); /* NOLINT(concurrency-mt-unsafe) */
}

int cli_bad_option(const struct cli_command *command, int result, char **argv)
{
	const char *word = argv[optind - 1];
	if (result == ':')
		return cli_usage_error(command, "option %s needs a value", word);
	if (optopt == 0)
		return cli_usage_error(command, "there is no option %s", word);
	if (strncmp(word, "--", 2) == 0 && strchr(word, '='))
		return cli_usage_error(command, "option %s takes no value", word);
	return cli_usage_error(command, "there is no option -%c", optopt);
}

int cli_help(const struct cli_command *command)
{
	(void)printf("usage: carved %s %s\n\n%s\n", command->name, command->usage,
		     command->summary);
	if (command->help && *command->help)
		(void)printf("\n%s%s", command->help,
			     command->help[strlen(command->help) - 1] == '\n' ? "" : "\n");
	return CLI_OK;
}

/* Whoever may not write to the service's directory has another default; a member of its group may
 * read what is there, and is told. */
static void suggest(const char *history)
{
	char *service AUTO_FREE = config_service_history();
	if (strcmp(history, service) == 0 || access(history, F_OK) == 0)
		return;
	if (access(service, R_OK) == 0)
		cli_complain("the service's history can be read with --history %s", service);
	else if (errno == EACCES)
		cli_complain("the service's history, %s, is for its user and group: become a "
			     "member, then name it with --history",
			     service);
}

int cli_ids(const struct cli_command *command, const char *shown_by, char **words, size_t count,
	    int64_t *out)
{
	for (size_t i = 0; i < count; i++) {
		char *end = NULL;
		errno = 0;
		out[i] = strtoll(words[i], &end, 10);
		if (errno || !isdigit((unsigned char)*words[i]) || *end || out[i] == 0)
			return cli_usage_error(command, "\"%s\" is no id (%s shows them)", words[i],
					       shown_by);
	}
	return CLI_OK;
}

int cli_history_path(const char *given, char **out)
{
	if (given) {
		*out = xstrdup(given);
		return CLI_OK;
	}
	struct config_overrides overrides = { 0 };
	struct error err = { 0 };
	struct config *config = NULL;
	if (config_load(&config, &overrides, &err) < 0) {
		cli_complain("%s (--history DB does without the configuration)", err.text);
		return CLI_USAGE;
	}
	*out = xstrdup(config->history);
	config_unref(config);
	suggest(*out);
	return CLI_OK;
}

static void overview(FILE *to)
{
	(void)fputs(
		"usage: carved COMMAND [OPTION...]\n\n"
		"carved watches the directories where network sensors drop carved files, and\n"
		"sees to it that each one is scanned once and that the answer can be asked for.\n\n",
		to);
	for (size_t i = 0; commands[i]; i++)
		(void)fprintf(to, "  %-12s%s\n", commands[i]->name, commands[i]->summary);
	(void)fputs(
		"\n\"carved help COMMAND\" tells more about one, \"carved --version\" its version.\n"
		"Exit codes, where a command's help does not say more: 0 done, 2 usage or\n"
		"configuration, 3 could not run.\n",
		to);
}

/* The command of that name; NULL after saying which one may have been meant. */
static const struct cli_command *command_by_name(const char *name)
{
	struct nearest nearest = { 0 };
	for (size_t i = 0; commands[i]; i++) {
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
		nearest_offer(&nearest, name, commands[i]->name);
	}
	char hint[128];
	cli_complain("there is no command \"%s\"%s; \"carved help\" lists them", name,
		     nearest_hint(&nearest, "command", hint, sizeof hint));
	return NULL;
}

static bool wants_help(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
		if (strcmp(argv[i], "--help") == 0)
			return true;
	}
	return false;
}

static int help(int argc, char **argv)
{
	if (argc < 2) {
		overview(stdout);
		return CLI_OK;
	}
	const struct cli_command *command = command_by_name(argv[1]);
	return command ? cli_help(command) : CLI_USAGE;
}

/* A descriptor 0, 1 or 2 that is closed would be given to the next file opened, and what is printed
 * would land in it. It becomes one that cannot be used the way it is meant. */
static void keep_standard_descriptors(void)
{
	for (int fd = 0; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF) {
			int flags = fd == STDIN_FILENO ? O_WRONLY : O_RDONLY;
			int ignored = open("/dev/null", flags); /* the lowest free one: fd */
			(void)ignored;
		}
	}
}

/* True when stdout is a pipe or socket that nobody reads any more. */
static bool reader_is_gone(void)
{
	struct pollfd out = { .fd = STDOUT_FILENO, .events = POLLOUT };
	return poll(&out, 1, 0) == 1 && out.revents & (POLLERR | POLLHUP);
}

/* Writes out what stdio holds; code, or CLI_FAILED when that, or an earlier write, failed. */
static int finish_output(int code)
{
	bool failed = ferror(stdout) != 0;
	errno = 0;
	failed = fflush(stdout) != 0 || failed;
	int why = errno;
	if (!failed || why == EPIPE || reader_is_gone())
		return code;
	cli_complain("cannot write to standard output: %s",
		     why ? error_text(why) : "an earlier write failed");
	return CLI_FAILED;
}

static int run_command(const struct cli_command *command, int argc, char **argv)
{
	if (wants_help(argc, argv))
		return cli_help(command);
	(void)signal(SIGPIPE, command->prints ? SIG_DFL : SIG_IGN);
	opterr = 0;
	return command->run(argc, argv);
}

static int dispatch(int argc, char **argv)
{
	if (argc < 2) {
		overview(stderr);
		return CLI_USAGE;
	}
	const char *word = argv[1];
	if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0)
		return help(argc - 1, argv + 1);
	if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0) {
		(void)puts("carved " CARVED_VERSION);
		return CLI_OK;
	}
	const struct cli_command *command = command_by_name(word);
	return command ? run_command(command, argc - 1, argv + 1) : CLI_USAGE;
}

static int whole(int argc, char **argv)
{
	return finish_output(dispatch(argc, argv));
}

int cli_main(int argc, char **argv)
{
	keep_standard_descriptors();
	if (getpid() != 1)
		return whole(argc, argv);
	struct error err = { 0 };
	int code = first_run(whole, argc, argv, &err);
	if (code >= 0)
		return code;
	cli_complain("%s", err.text);
	return CLI_FAILED;
}
