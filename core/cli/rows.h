/*
 * rows: what the history answers to one statement, printed on stdout. One thread.
 */
#ifndef CARVED_CORE_CLI_ROWS_H
#define CARVED_CORE_CLI_ROWS_H

#include <stddef.h>

#include "core/cli/printer.h"

struct query_parameter;

struct rows {
	const char *history; /* its path */
	const char *sql;     /* one statement that reads */
	const struct query_parameter *parameters;
	size_t parameter_count;
	enum printer_format format;
	char end; /* after each path of PRINTER_PATHS; 0 is a NUL */
};

/** Prints the rows. 0, or -errno after saying on stderr what is wrong; -EINVAL: the statement is.
 */
int rows_print(const struct rows *rows);

#endif
