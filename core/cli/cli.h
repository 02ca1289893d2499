/*
 * cli: one file per subcommand, found in one table.
 *
 * A subcommand gets its own argc and argv (argv[0] is its name) and returns the exit code: 0 done,
 * 2 usage or configuration, 3 could not run, and what its help says beyond that.
 */
#ifndef CARVED_CORE_CLI_CLI_H
#define CARVED_CORE_CLI_CLI_H

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
};

/* One row a file core/cli/<name>.c. */
extern const struct cli_command cli_run, cli_scan, cli_parse, cli_list, cli_history, cli_sql,
	cli_status, cli_check, cli_retry, cli_prune, cli_import;

/** The whole program. */
int cli_main(int argc, char **argv);

/** Prints "carved NAME: message" and how to get help to stderr; returns CLI_USAGE. */
int cli_usage_error(const struct cli_command *command, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/** Prints "carved: message" to stderr, escaped for people. */
void cli_complain(const char *format, ...) __attribute__((format(printf, 1, 2)));
/** Prints a command's help to stdout; returns CLI_OK. */
int cli_help(const struct cli_command *command);

#endif
