/* log: see log.h. */
#include "core/base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "core/base/str.h"

static enum log_level threshold = LOG_LEVEL_INFO;

void log_set_level(enum log_level level)
{
	threshold = level;
}

void log_line(enum log_level level, const char *format, ...)
{
	if (level > threshold)
		return;
	int saved = errno;
	va_list args, again;
	va_start(args, format);
	va_copy(again, args);
	int need = vsnprintf(NULL, 0, format, args);
	va_end(args);
	AUTO_FREE char *text = need >= 0 ? xcalloc((size_t)need + 1, 1) : NULL;
	if (text)
		(void)vsnprintf(text, (size_t)need + 1, format, again);
	va_end(again);
	if (!text)
		return;
	AUTO_STR line = STR_INIT;
	if (!isatty(STDERR_FILENO))
		str_printf(&line, "<%d>", (int)level);
	str_puts(&line, "carved: ");
	str_escape(&line, text, (size_t)need);
	str_putc(&line, '\n');
	/* a log that cannot be written has nowhere to say so */
	ssize_t ignored = write(STDERR_FILENO, line.data, line.len);
	(void)ignored;
	errno = saved;
}
