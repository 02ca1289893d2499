/*
 * printer: see printer.h.
 *
 * A table holds its first rows (at most HEAD_ROWS and HEAD_BYTES) to choose the widths; from then
 * on it prints each row as it comes. Where the columns do not fit a terminal the widest ones give
 * way.
 */
#include "core/cli/printer.h"

#include <sys/ioctl.h>

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/str.h"
#include "core/store/query.h"

enum {
	HEAD_ROWS = 200,
	HEAD_BYTES = 1 << 20,
	GAP = 2,
	NARROWEST = 8, /* a column that gives way keeps this much */
};

struct column {
	size_t width;
	bool right; /* numbers only so far */
};

struct printer {
	struct printer_options options;
	size_t columns;
	size_t path_column;
	struct str line; /* scratch */
	/* a table's beginning: cells one after the other, each with its NUL */
	struct column *layout;
	struct str head;
	size_t head_rows;
	bool streaming;
};

static const char *const formats[] = {
	[PRINTER_TABLE] = "table",
	[PRINTER_JSON] = "json",
	[PRINTER_CSV] = "csv",
	[PRINTER_PATHS] = "paths",
};

enum printer_format printer_format_by_name(const char *name)
{
	for (unsigned i = 0; i < PRINTER_FORMATS; i++) {
		if (strcmp(formats[i], name) == 0)
			return (enum printer_format)i;
	}
	return PRINTER_FORMATS;
}

static unsigned terminal_width(void)
{
	const char *said = getenv("COLUMNS"); /* NOLINT(concurrency-mt-unsafe): one thread */
	char *end = NULL;
	unsigned long width = said ? strtoul(said, &end, 10) : 0;
	if (width > 0 && width < 10000 && !*end)
		return (unsigned)width;
	struct winsize size = { 0 };
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		return size.ws_col;
	return 80;
}

struct printer_options printer_for_stdout(enum printer_format format)
{
	bool terminal = isatty(STDOUT_FILENO) == 1;
	return (struct printer_options){
		.format = format,
		.out = stdout,
		.width = terminal ? terminal_width() : 0,
		.escape = terminal,
		.end = '\n',
	};
}

struct printer *printer_new(const struct printer_options *options)
{
	struct printer *printer = xcalloc(1, sizeof *printer);
	printer->options = *options;
	return printer;
}

void printer_free(struct printer *printer)
{
	if (!printer)
		return;
	free(printer->layout);
	str_done(&printer->head);
	str_done(&printer->line);
	free(printer);
}

static void put_line(struct printer *printer)
{
	(void)fwrite(str_text(&printer->line), 1, printer->line.len, printer->options.out);
	str_reset(&printer->line);
}

/* ---- JSON ---- */

static void json_value(struct str *out, const struct query_value *value)
{
	switch (value->type) {
	case QUERY_NULL:
		str_puts(out, "null");
		break;
	case QUERY_INTEGER:
		str_printf(out, "%" PRId64, value->integer);
		break;
	case QUERY_REAL:
		if (isfinite(value->real))
			str_printf(out, "%.17g", value->real);
		else
			str_puts(out, "null");
		break;
	case QUERY_TEXT:
		str_json(out, value->bytes, value->len);
		break;
	case QUERY_BLOB:
		str_putc(out, '"');
		str_hex(out, value->bytes, value->len);
		str_putc(out, '"');
		break;
	}
}

static void json_row(struct printer *printer, const struct query_row *row)
{
	struct str *line = &printer->line;
	for (size_t i = 0; i < row->columns; i++) {
		str_putc(line, i == 0 ? '{' : ',');
		str_json_text(line, row->names[i]);
		str_putc(line, ':');
		json_value(line, &row->values[i]);
	}
	str_puts(line, "}\n");
	put_line(printer);
}

/* ---- CSV and paths ---- */

static void plain_value(struct str *out, const struct query_value *value)
{
	switch (value->type) {
	case QUERY_NULL:
		break;
	case QUERY_INTEGER:
		str_printf(out, "%" PRId64, value->integer);
		break;
	case QUERY_REAL:
		str_printf(out, "%.15g", value->real);
		break;
	case QUERY_TEXT:
		str_append(out, value->bytes, value->len);
		break;
	case QUERY_BLOB:
		str_hex(out, value->bytes, value->len);
		break;
	}
}

static bool needs_quotes(const char *bytes, size_t len)
{
	return len == 0 || memchr(bytes, ',', len) || memchr(bytes, '"', len) ||
	       memchr(bytes, '\n', len) || memchr(bytes, '\r', len);
}

static void csv_text(struct printer *printer, const char *bytes, size_t len)
{
	struct str *line = &printer->line;
	AUTO_STR escaped = STR_INIT;
	if (printer->options.escape) {
		str_escape(&escaped, bytes, len);
		bytes = str_text(&escaped);
		len = escaped.len;
	}
	if (!needs_quotes(bytes, len)) {
		str_append(line, bytes, len);
		return;
	}
	str_putc(line, '"');
	for (size_t i = 0; i < len; i++) {
		if (bytes[i] == '"')
			str_putc(line, '"');
		str_putc(line, bytes[i]);
	}
	str_putc(line, '"');
}

static void csv_row(struct printer *printer, const struct query_row *row)
{
	for (size_t i = 0; i < row->columns; i++) {
		if (i > 0)
			str_putc(&printer->line, ',');
		if (!row->values)
			csv_text(printer, row->names[i], strlen(row->names[i]));
		else if (row->values[i].type == QUERY_TEXT)
			csv_text(printer, row->values[i].bytes, row->values[i].len);
		else
			plain_value(&printer->line, &row->values[i]);
	}
	str_puts(&printer->line, "\r\n");
	put_line(printer);
}

static void path_row(struct printer *printer, const struct query_row *row)
{
	AUTO_STR value = STR_INIT;
	plain_value(&value, &row->values[printer->path_column]);
	if (printer->options.escape && printer->options.end == '\n')
		str_escape(&printer->line, str_text(&value), value.len);
	else
		str_append(&printer->line, str_text(&value), value.len);
	str_putc(&printer->line, printer->options.end);
	put_line(printer);
}

/* ---- table ---- */

/* Columns of a terminal: one a code point. Wide characters are not worth a table of them. */
static size_t display_width(const char *text)
{
	size_t width = 0;
	for (; *text; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}

static void put_cell(struct str *line, const char *text, const struct column *column, bool last)
{
	size_t width = display_width(text);
	size_t room = column->width;
	size_t pad = width < room ? room - width : 0;
	if (column->right)
		str_printf(line, "%*s", (int)pad, "");
	if (width <= room || !room) {
		str_puts(line, text);
	} else {
		const char *end = text;
		for (size_t shown = 0; *end; end++) {
			bool starts = ((unsigned char)*end & 0xc0) != 0x80;
			if (starts && ++shown == room)
				break;
		}
		str_append(line, text, (size_t)(end - text));
		str_putc(line, '~');
	}
	if (!last)
		str_printf(line, "%*s", (int)((column->right ? 0 : pad) + GAP), "");
}

/* Cells are printed as wide as they are, unless a terminal's width was given. */
static void put_cells(struct printer *printer, const char *cells)
{
	for (size_t i = 0; i < printer->columns; i++) {
		struct column column = printer->layout[i];
		bool last = i + 1 == printer->columns;
		size_t width = display_width(cells);
		if (!printer->options.width && width > column.width)
			column.width = width;
		put_cell(&printer->line, cells, &column, last);
		cells += strlen(cells) + 1;
	}
	str_putc(&printer->line, '\n');
	put_line(printer);
}

/* While the table is too wide, its widest column gives way. */
static void fit(struct printer *printer)
{
	size_t total = GAP * (printer->columns ? printer->columns - 1 : 0);
	for (size_t i = 0; i < printer->columns; i++)
		total += printer->layout[i].width;
	while (printer->options.width && total > printer->options.width) {
		struct column *widest = &printer->layout[0];
		for (size_t i = 1; i < printer->columns; i++) {
			if (printer->layout[i].width > widest->width)
				widest = &printer->layout[i];
		}
		if (widest->width <= NARROWEST)
			return;
		widest->width--;
		total--;
	}
}

/* The first row of the head is the names. */
static void print_head(struct printer *printer)
{
	const char *cells = str_text(&printer->head);
	printer->streaming = true;
	fit(printer);
	for (size_t row = 0; row < printer->head_rows; row++) {
		const char *at = cells;
		for (size_t i = 0; i < printer->columns; i++)
			cells += strlen(cells) + 1;
		put_cells(printer, at);
	}
	str_done(&printer->head);
}

static void table_cell(struct printer *printer, struct str *cells, const struct query_row *row,
		       size_t i)
{
	struct column *column = &printer->layout[i];
	size_t start = cells->len;
	if (!row->values) {
		str_escape(cells, row->names[i], strlen(row->names[i]));
	} else if (row->values[i].type == QUERY_TEXT) {
		str_escape(cells, row->values[i].bytes, row->values[i].len);
		column->right = false;
	} else {
		plain_value(cells, &row->values[i]);
	}
	str_putc(cells, '\0');
	size_t width = display_width(cells->data + start);
	if (!printer->streaming && width > column->width)
		column->width = width;
}

static void table_row(struct printer *printer, const struct query_row *row)
{
	if (!printer->streaming) {
		for (size_t i = 0; i < row->columns; i++)
			table_cell(printer, &printer->head, row, i);
		printer->head_rows++;
		if (printer->head_rows > HEAD_ROWS || printer->head.len > HEAD_BYTES)
			print_head(printer);
		return;
	}
	AUTO_STR cells = STR_INIT;
	for (size_t i = 0; i < row->columns; i++)
		table_cell(printer, &cells, row, i);
	put_cells(printer, str_text(&cells));
}

/* ---- all ---- */

static void begin(struct printer *printer, const struct query_row *row)
{
	printer->columns = row->columns;
	printer->layout = xcalloc(row->columns ? row->columns : 1, sizeof *printer->layout);
	for (size_t i = row->columns; i-- > 0;) {
		printer->layout[i].right = true;
		if (strcmp(row->names[i], "path") == 0)
			printer->path_column = i;
	}
}

bool printer_row(void *context, const struct query_row *row)
{
	struct printer *printer = context;
	if (!row->values)
		begin(printer, row);
	switch (printer->options.format) {
	case PRINTER_TABLE:
		table_row(printer, row);
		break;
	case PRINTER_CSV:
		csv_row(printer, row);
		break;
	case PRINTER_JSON:
		if (row->values)
			json_row(printer, row);
		break;
	case PRINTER_PATHS:
		if (row->values)
			path_row(printer, row);
		break;
	case PRINTER_FORMATS:
		break;
	}
	return !ferror(printer->options.out);
}

void printer_finish(struct printer *printer)
{
	if (printer->options.format == PRINTER_TABLE && !printer->streaming)
		print_head(printer);
}
