/* log: see log.h. */
#include "core/base/log.h"

#include <errno.h>
#include <stdarg.h>
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
	AUTO_STR text = STR_INIT;
	va_list args;
	va_start(args, format);
	str_vprintf(&text, format, args);
	va_end(args);
	AUTO_STR line = STR_INIT;
	if (!isatty(STDERR_FILENO))
		str_printf(&line, "<%d>", (int)level);
	str_puts(&line, "carved: ");
	str_escape(&line, str_text(&text), text.len);
	str_putc(&line, '\n');
	/* a log that cannot be written has nowhere to say so */
	ssize_t ignored = write(STDERR_FILENO, line.data, line.len);
	(void)ignored;
	errno = saved;
}
