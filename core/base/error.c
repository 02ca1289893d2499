/* error: see error.h. */
#include "core/base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Replaces the text. It is formatted aside first: an argument may be err's own old text. */
__attribute__((format(printf, 2, 0))) static size_t format_text(struct error *err,
								const char *format, va_list args)
{
	char text[sizeof err->text];
	int used = vsnprintf(text, sizeof text, format, args);
	size_t len = used < 0 ? 0 : (size_t)used;
	if (len >= sizeof text)
		len = sizeof text - 1;
	memcpy(err->text, text, len);
	err->text[len] = '\0';
	return len;
}

/* Puts more behind the first len bytes of the text, as much as fits. */
static size_t append_text(struct error *err, size_t len, const char *more)
{
	size_t room = sizeof err->text - 1 - len;
	size_t take = strnlen(more, room);
	memcpy(err->text + len, more, take);
	err->text[len + take] = '\0';
	return len + take;
}

int error_set(struct error *err, int code, const char *format, ...)
{
	if (!err)
		return -code;
	err->code = code;
	va_list args;
	va_start(args, format);
	(void)format_text(err, format, args);
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
	size_t len = format_text(err, format, args);
	va_end(args);
	len = append_text(err, len, ": ");
	(void)append_text(err, len, old);
	return -err->code;
}

const char *error_text(int code)
{
	static _Thread_local char buffer[128];
	/* the GNU strerror_r (_GNU_SOURCE) returns the text, which may or may not be in buffer */
	return strerror_r(code, buffer, sizeof buffer);
}

bool error_is_ours(int code)
{
	return code == EMFILE || code == ENFILE || code == ENOMEM;
}

bool error_is_absence(int code)
{
	return code == ENOENT || code == ENOTDIR || code == EXDEV;
}

const char *error_mend(int code)
{
	switch (code) {
	case ENOENT:
	case ENOTDIR:
		return ": make the directory";
	case EACCES:
	case EPERM:
		return ": it and its directory must belong to the user that runs carved, or be "
		       "writable for it";
	case ENOSPC:
	case EDQUOT:
		return ": free some space";
	case EROFS:
		return ": mount the file system to be written to (in a service: ReadWritePaths=)";
	default:
		return "";
	}
}
