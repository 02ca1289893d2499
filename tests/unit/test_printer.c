/* printer: the formats, byte by byte. The source is included, as the commands are no library of the
 * tests. */
#include <criterion/criterion.h>

#include "core/cli/printer.c"

static const char *const names[] = { "id", "path", "mime" };

static struct query_value text_of(const char *bytes, size_t len)
{
	return (struct query_value){ .type = QUERY_TEXT, .bytes = bytes, .len = len };
}

#define TEXT(literal) text_of(literal, sizeof(literal) - 1)

struct row3 {
	struct query_value values[3];
};

/* What these options make of these rows; owned. */
static char *print(struct printer_options options, const struct row3 *rows, size_t count,
		   size_t *len)
{
	char *text = NULL;
	options.out = open_memstream(&text, len);
	AUTO(printer) struct printer *printer = printer_new(&options);
	struct query_row row = { .columns = 3, .names = names };
	cr_expect(printer_row(printer, &row));
	for (size_t i = 0; i < count; i++) {
		row.values = rows[i].values;
		cr_expect(printer_row(printer, &row));
	}
	printer_finish(printer);
	fclose(options.out);
	return text;
}

#define EXPECT(options, rows, wanted)                                                              \
	do {                                                                                       \
		size_t len_ = 0;                                                                   \
		AUTO_FREE char *got_ = print(options, rows, sizeof(rows) / sizeof *(rows), &len_); \
		cr_expect(len_ == sizeof(wanted) - 1 && memcmp(got_, wanted, len_) == 0, "%.*s",   \
			  (int)len_, got_);                                                        \
	} while (0)

static const char evil[] = "/r/\x1b[2J\xff\"a,b\n\xc3\xa9";

static struct row3 sample(void)
{
	return (struct row3){
		{ { .type = QUERY_INTEGER, .integer = -7 }, TEXT(evil), { .type = QUERY_NULL } }
	};
}

Test(printer, json_is_an_ascii_object_a_line)
{
	struct row3 rows[] = { sample(),
			       { { { .type = QUERY_REAL, .real = 0.1 },
				   { .type = QUERY_REAL, .real = INFINITY },
				   { .type = QUERY_BLOB, .bytes = "\0\xab", .len = 2 } } } };
	EXPECT(((struct printer_options){ .format = PRINTER_JSON }), rows,
	       "{\"id\":-7,\"path\":\"/r/\\u001b[2J\\udcff\\\"a,b\\n\\u00e9\",\"mime\":null}\n"
	       "{\"id\":0.10000000000000001,\"path\":null,\"mime\":\"00ab\"}\n");
}

Test(printer, csv_is_quoted_where_needed_and_raw)
{
	struct row3 rows[] = { sample(), { { TEXT(""), TEXT("plain"), TEXT("a\rb") } } };
	EXPECT(((struct printer_options){ .format = PRINTER_CSV }), rows,
	       "id,path,mime\r\n"
	       "-7,\"/r/\x1b[2J\xff\"\"a,b\n\xc3\xa9\",\r\n"
	       "\"\",plain,\"a\rb\"\r\n");
}

Test(printer, csv_on_a_terminal_is_escaped)
{
	struct row3 rows[] = { sample() };
	EXPECT(((struct printer_options){ .format = PRINTER_CSV, .escape = true }), rows,
	       "id,path,mime\r\n-7,\"/r/\\x1B[2J\\xFF\"\"a,b\\x0A\xc3\xa9\",\r\n");
}

Test(printer, paths_are_raw_bytes)
{
	struct row3 rows[] = { sample(), sample() };
	EXPECT(((struct printer_options){ .format = PRINTER_PATHS, .end = '\0' }), rows,
	       "/r/\x1b[2J\xff\"a,b\n\xc3\xa9\0/r/\x1b[2J\xff\"a,b\n\xc3\xa9\0");
	EXPECT(((struct printer_options){ .format = PRINTER_PATHS, .end = '\n', .escape = true }),
	       rows, "/r/\\x1B[2J\\xFF\"a,b\\x0A\xc3\xa9\n/r/\\x1B[2J\\xFF\"a,b\\x0A\xc3\xa9\n");
}

Test(printer, a_table_is_aligned_escaped_and_whole_without_a_terminal)
{
	struct row3 rows[] = { sample(),
			       { { { .type = QUERY_INTEGER, .integer = 1234 },
				   TEXT("/\xc3\xa9"),
				   TEXT("text/plain") } } };
	EXPECT(((struct printer_options){ .format = PRINTER_TABLE }), rows,
	       "  id  path                     mime\n"
	       "  -7  /r/\\x1B[2J\\xFF\"a,b\\x0A\xc3\xa9  \n"
	       "1234  /\xc3\xa9                       text/plain\n");
}

Test(printer, a_tables_widest_column_gives_way_to_a_terminal)
{
	struct row3 rows[] = {
		{ { { .type = QUERY_INTEGER, .integer = 1 },
		    TEXT("/a/very/long/path/\xc3\xa9\xc3\xa9"),
		    TEXT("text/plain") } },
	};
	EXPECT(((struct printer_options){ .format = PRINTER_TABLE, .width = 26 }), rows,
	       "id  path        mime\n"
	       " 1  /a/very/l~  text/plain\n");
}

Test(printer, a_table_streams_after_its_beginning)
{
	enum {
		ROWS = 1000
	};
	struct row3 *rows = xcalloc(ROWS, sizeof *rows);
	for (int i = 0; i < ROWS; i++)
		rows[i] = (struct row3){
			{ { .type = QUERY_INTEGER, .integer = i }, TEXT("p"), TEXT("m") }
		};
	rows[900].values[1] = TEXT("much wider than before");
	size_t len = 0;
	AUTO_FREE char *got =
		print((struct printer_options){ .format = PRINTER_TABLE }, rows, ROWS, &len);
	size_t lines = 0;
	for (size_t i = 0; i < len; i++)
		lines += got[i] == '\n';
	cr_expect(lines == ROWS + 1);
	cr_expect(strstr(got, "\n999  p"), "the last row");
	cr_expect(strstr(got, "900  much wider than before  m\n"), "nothing is cut");
	free(rows);
}

Test(printer, an_empty_table_has_its_names)
{
	size_t len = 0;
	AUTO_FREE char *got =
		print((struct printer_options){ .format = PRINTER_TABLE }, NULL, 0, &len);
	cr_expect(strcmp(got, "id  path  mime\n") == 0, "%s", got);
}

Test(printer, formats_have_names)
{
	cr_expect(printer_format_by_name("table") == PRINTER_TABLE);
	cr_expect(printer_format_by_name("paths") == PRINTER_PATHS);
	cr_expect(printer_format_by_name("xml") == PRINTER_FORMATS);
}
