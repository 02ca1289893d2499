/* decode: see decode.h. */
#include "watcher/decode.h"

#include <sys/inotify.h>

#include <string.h>

/* The kernel tells one thing in a record; with this decode_merge() marks two of its records. */
#define MADE_AND_CLOSED (IN_CREATE | IN_CLOSE_WRITE)

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
	int merged = head.mask == MADE_AND_CLOSED;
	*out = (struct change){
		.wd = head.wd,
		.mask = merged ? IN_CLOSE_WRITE : head.mask,
		.kernel_size = merged ? 2 * *out_size : *out_size,
		.cookie = head.cookie,
		.name = name_len ? name : "",
		.name_len = name_len,
	};
	return DECODE_CHANGE;
}

/* The size of the first record of len bytes, whose name lies within them; 0: there is none. */
static size_t record_size(const unsigned char *bytes, size_t len, struct inotify_event *head)
{
	if (len < sizeof *head)
		return 0;
	memcpy(head, bytes, sizeof *head);
	return head->len <= len - sizeof *head ? sizeof *head + head->len : 0;
}

/* Does the second record, of a close, tell of the file that the first one was made as? */
static int closes(const unsigned char *first, size_t size, size_t len)
{
	struct inotify_event made;
	struct inotify_event closed;
	memcpy(&made, first, sizeof made);
	return made.mask == IN_CREATE && record_size(first + size, len - size, &closed) == size &&
	       closed.mask == IN_CLOSE_WRITE && closed.wd == made.wd &&
	       memcmp(first + sizeof made, first + size + sizeof closed, made.len) == 0;
}

size_t decode_merge(void *bytes, size_t len)
{
	unsigned char *at = bytes;
	unsigned char *to = at;
	const unsigned char *end = at + len;
	struct inotify_event head;
	for (size_t size; (size = record_size(at, (size_t)(end - at), &head)) > 0;) {
		size_t taken = size;
		if ((head.mask & MADE_AND_CLOSED) == MADE_AND_CLOSED)
			head.mask &= ~(uint32_t)IN_CREATE; /* the kernel never says so itself */
		if (closes(at, size, (size_t)(end - at))) {
			head.mask = MADE_AND_CLOSED;
			taken += size;
		}
		memmove(to, at, size);
		memcpy(to, &head, sizeof head);
		at += taken;
		to += size;
	}
	memmove(to, at, (size_t)(end - at)); /* no record: whoever decodes it will say so */
	return (size_t)(to - (unsigned char *)bytes) + (size_t)(end - at);
}
