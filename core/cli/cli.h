/*
 * cli: one file per subcommand, found in one table.
 *
 * A subcommand gets its own argc and argv (argv[0] is its name) and returns the exit code: 0 done,
 * 2 usage or configuration, 3 could not run, and what its help says beyond that.
 *
 * A subcommand prints to stdout by stdio and does not look for write errors, unless it wants to
 * stop early (ferror): cli_main() flushes at the end, says a failure in words and exits 3. That
 * nobody reads a pipe any more is no failure and says nothing. SIGPIPE is ignored while a
 * subcommand runs, or, where "prints" is set, kills it as pipelines expect. "--help" anywhere
 * before "--" is answered before the subcommand is called.
 */
#ifndef CARVED_CORE_CLI_CLI_H
#define CARVED_CORE_CLI_CLI_H

#include <getopt.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum cli_exit {
	CLI_OK = 0,
	CLI_FOUND = 1,
	CLI_USAGE = 2,
	CLI_FAILED = 3
};

struct cli_command {
	const char *name;
	const char *usage;   /* "[-c FILE] [--history DB] ROOT" */
	const char *summary; /* one line */
	const char *help;    /* the options, one a line, and what the exit codes mean */
	int (*run)(int argc, char **argv);
	bool prints; /* only reads and prints: a closed pipe on stdout may end it at any moment */
};

/* One row a file core/cli/<name>.c. */
extern const struct cli_command cli_run, cli_scan, cli_parse, cli_list, cli_history, cli_sql,
	cli_status, cli_check, cli_reload, cli_pause, cli_resume, cli_retry, cli_rescan, cli_prune,
	cli_import, cli_backup, cli_stats, cli_quarantine;

/** The whole program. */
int cli_main(int argc, char **argv);

/** Reads the ids that words are into out, which has room for count. CLI_OK, or what is to be
 * returned, after words that name shown_by, the command that shows ids. */
int cli_ids(const struct cli_command *command, const char *shown_by, char **words, size_t count,
	    int64_t *out);
/** Prints "carved NAME: message" and how to get help to stderr; returns CLI_USAGE. */
int cli_usage_error(const struct cli_command *command, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/** getopt_long(3) for a subcommand's own words; optarg, optind are as it leaves them. shorts begins
 * with ':'. Returns the option's letter or val, -1 at the end, or what cli_bad_option() explains.
 */
int cli_next_option(int argc, char **argv, const char *shorts, const struct option *longs);
/** Says on stderr what cli_next_option() did not understand, result being its ':' or '?'; returns
 * CLI_USAGE. */
int cli_bad_option(const struct cli_command *command, int result, char **argv);
/** Prints "carved: message" to stderr, escaped for people. */
void cli_complain(const char *format, ...) __attribute__((format(printf, 1, 2)));
/** Prints a command's help to stdout; returns CLI_OK. */
int cli_help(const struct cli_command *command);

/** The history that a command is about: given (--history, may be NULL), else what the environment,
 * the configuration file and the defaults say. Sets *out, owned. Returns CLI_OK, or complains and
 * returns CLI_USAGE. */
int cli_history_path(const char *given, char **out);

#endif
