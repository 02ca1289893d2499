/* real_mime: see real_mime.h. The form is fixed to the byte, and the type has no character that
 * JSON would escape (RFC 6838), so reading needs no parser. */
#include "core/detect/real_mime.h"

#include <string.h>

#include "core/base/mem.h"
#include "core/base/str.h"
#include "core/helper/protocol.h"

static const char head[] = "{\"real_mime\": \"";
static const char tail[] = "\"}";

char *real_mime_detail(const char *mime)
{
	AUTO_STR out = STR_INIT;
	str_printf(&out, "%s%s%s", head, mime, tail);
	return str_take(&out);
}

char *real_mime_of(const char *detail)
{
	size_t len = detail ? strlen(detail) : 0;
	size_t around = strlen(head) + strlen(tail);
	if (len <= around || strncmp(detail, head, strlen(head)) != 0 ||
	    strcmp(detail + len - strlen(tail), tail) != 0)
		return NULL;
	AUTO_FREE char *mime = xmemdup(detail + strlen(head), len - around);
	return helper_is_mime(mime) ? TAKE(mime) : NULL;
}
