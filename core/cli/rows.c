/* rows: see rows.h. */
#include "core/cli/rows.h"

#include <errno.h>

#include "core/base/error.h"
#include "core/cli/cli.h"
#include "core/store/query.h"

int rows_print(const struct rows *rows)
{
	struct printer_options look = printer_for_stdout(rows->format);
	look.end = rows->end;
	AUTO(printer) struct printer *printer = printer_new(&look);
	struct error err = { 0 };
	int result = store_query(rows->history, rows->sql, rows->parameters, rows->parameter_count,
				 printer_row, printer, &err);
	printer_finish(printer);
	if (result < 0)
		cli_complain("%s%s", err.text,
			     result == -ENOENT ? " (--history DB names another)" : "");
	return result;
}
