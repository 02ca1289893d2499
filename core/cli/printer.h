/*
 * printer: rows of a query on stdout, as they come: a table for people, JSON, CSV, or bare paths.
 *
 * Rows are never held, but for the first of a table, which decide the widths of its columns.
 * One thread.
 */
#ifndef CARVED_CORE_CLI_PRINTER_H
#define CARVED_CORE_CLI_PRINTER_H

#include <stdbool.h>
#include <stdio.h>

#include "core/base/mem.h"

struct printer;
struct query_row;

enum printer_format {
	PRINTER_TABLE, /* aligned, escaped for people, cut to the width of a terminal */
	PRINTER_JSON,  /* one object a line, pure ASCII; blobs as hex */
	PRINTER_CSV,   /* RFC 4180 with a header; raw bytes, NULL is empty, blobs as hex */
	PRINTER_PATHS, /* the column "path", else the first: raw bytes, one a line */
	PRINTER_FORMATS,
};

struct printer_options {
	enum printer_format format;
	FILE *out;	/* borrowed */
	unsigned width; /* columns of the terminal; 0: nothing is cut */
	bool escape;	/* CSV and paths go to a terminal: escape them as well */
	char end;	/* after a path: '\n' or '\0' */
};

/** "table", "json", "csv", "paths"; PRINTER_FORMATS: none such. */
enum printer_format printer_format_by_name(const char *name);
/** What suits stdout: its width and whether to escape, if it is a terminal. */
struct printer_options printer_for_stdout(enum printer_format format);

struct printer *printer_new(const struct printer_options *options) OWNED_BY(free);
/** A row callback of store_query(), whose context is the printer; false when out has failed. */
bool printer_row(void *printer, const struct query_row *row);
/** Prints what is held yet. */
void printer_finish(struct printer *printer);
void printer_free(struct printer *printer);
AUTO_DEFINE(printer);

#endif
