/* error: see error.h. */
#include "core/base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int error_set(struct error *err, int code, const char *format, ...)
{
	if (!err)
		return -code;
	err->code = code;
	va_list args;
	va_start(args, format);
	(void)vsnprintf(err->text, sizeof err->text, format, args);
	va_end(args);
	return -code;
}

int error_prefix(struct error *err, const char *format, ...)
{
	if (!err)
		return 0;
	char old[sizeof err->text];
	memcpy(old, err->text, sizeof old);
	va_list args;
	va_start(args, format);
	int used = vsnprintf(err->text, sizeof err->text, format, args);
	va_end(args);
	if (used < 0)
		used = 0;
	if ((size_t)used < sizeof err->text)
		(void)snprintf(err->text + used, sizeof err->text - (size_t)used, ": %s", old);
	return -err->code;
}

const char *error_text(int code)
{
	static _Thread_local char buffer[128];
	/* the GNU strerror_r (_GNU_SOURCE) returns the text, which may or may not be in buffer */
	return strerror_r(code, buffer, sizeof buffer);
}
