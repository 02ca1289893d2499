/*
 * order: what the subcommands that have the running daemon do something share: words and exit code.
 */
#ifndef CARVED_CORE_CLI_ORDER_H
#define CARVED_CORE_CLI_ORDER_H

#include <getopt.h>

struct cli_command;

/** Runs a subcommand that takes --history alone (longs has it, as 'H') and whose name the daemon
 * knows as an order. Prints what the daemon says; CLI_OK, CLI_USAGE when it refused for what is
 * configured, else CLI_FAILED.
 */
int order_run(const struct cli_command *command, const struct option *longs, int argc, char **argv);

#endif
