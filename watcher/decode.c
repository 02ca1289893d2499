/* decode: see decode.h. */
#include "watcher/decode.h"

#include <sys/inotify.h>

#include <string.h>

/* A name that the kernel can have written: one component of a path. */
static int is_component(const char *name, size_t len)
{
	if (len == 0 || memchr(name, '/', len))
		return 0;
	return !(name[0] == '.' && (len == 1 || (len == 2 && name[1] == '.')));
}

enum decode_result decode_one(const void *bytes, size_t len, size_t *out_size, struct change *out)
{
	struct inotify_event head;
	if (len == 0)
		return DECODE_END;
	if (len < sizeof head)
		return DECODE_BROKEN;
	memcpy(&head, bytes, sizeof head);
	if (head.len > len - sizeof head)
		return DECODE_BROKEN;
	if (head.mask & IN_Q_OVERFLOW) {
		*out_size = sizeof head + head.len;
		return DECODE_OVERFLOW;
	}
	if (head.wd <= 0)
		return DECODE_BROKEN;
	const char *name = (const char *)bytes + sizeof head;
	size_t name_len = head.len ? strnlen(name, head.len) : 0;
	if (head.len && (name_len == head.len || !is_component(name, name_len)))
		return DECODE_BROKEN;
	*out_size = sizeof head + head.len;
	*out = (struct change){
		.wd = head.wd,
		.mask = head.mask,
		.cookie = head.cookie,
		.name = name_len ? name : "",
		.name_len = name_len,
	};
	return DECODE_CHANGE;
}

bool decode_closed_at_once(const struct change *change, const void *bytes, size_t len,
			   size_t *out_size, struct change *out)
{
	struct change next;
	size_t size;
	if (change->mask != IN_CREATE || decode_one(bytes, len, &size, &next) != DECODE_CHANGE ||
	    next.mask != IN_CLOSE_WRITE || next.wd != change->wd ||
	    next.name_len != change->name_len ||
	    memcmp(next.name, change->name, next.name_len) != 0)
		return false;
	*out_size = size;
	*out = next;
	return true;
}
