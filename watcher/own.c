/* own: see own.h. */
#include "watcher/own.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "watcher/view.h"

static _Noreturn void out_of_memory(void)
{
	static const char text[] =
		"<2>carved: out of memory while watching (MemoryMax= of the service, the "
		"container's limit, ulimit -v): a directory takes about 200 bytes and its name\n";
	ssize_t ignored = write(STDERR_FILENO, text, sizeof text - 1);
	(void)ignored;
	abort();
}

void *own_calloc(size_t count, size_t size)
{
	void *block = calloc(count, size);
	if (!block)
		out_of_memory();
	return block;
}

void *own_realloc(void *block, size_t count, size_t size)
{
	void *grown = reallocarray(block, count, size);
	if (!grown)
		out_of_memory();
	return grown;
}

char *own_copy(const void *bytes, size_t len)
{
	if (!bytes)
		return NULL;
	char *copy = own_calloc(len + 1, 1);
	if (len > 0)
		memcpy(copy, bytes, len);
	return copy;
}

int64_t own_now_ns(void)
{
	return view_now_ns();
}

void own_close(int fd)
{
	if (fd < 0)
		return;
	int kept = errno;
	view_close(fd);
	errno = kept;
}

void bytes_done(struct bytes *bytes)
{
	free(bytes->data);
	*bytes = (struct bytes){ 0 };
}

void bytes_resize(struct bytes *bytes, size_t len)
{
	if (len + 1 > bytes->capacity) {
		size_t capacity = bytes->capacity ? bytes->capacity : 128;
		while (capacity < len + 1)
			capacity *= 2;
		bytes->data = own_realloc(bytes->data, capacity, 1);
		bytes->capacity = capacity;
	}
	bytes->len = len;
	bytes->data[len] = '\0';
}

void bytes_append(struct bytes *bytes, const void *data, size_t len)
{
	size_t at = bytes->len;
	bytes_resize(bytes, at + len);
	if (len > 0)
		memcpy(bytes->data + at, data, len);
}

void bytes_append_shown(struct bytes *bytes, const char *data, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)data[i];
		if (c >= 0x20 && c < 0x7f) {
			bytes_append(bytes, &data[i], 1);
			continue;
		}
		char escaped[4] = { '\\', 'x', digits[c >> 4], digits[c & 15] };
		bytes_append(bytes, escaped, sizeof escaped);
	}
}

void link_splice(struct link *to, struct link *from)
{
	if (link_alone(from))
		return;
	struct link *first = from->next;
	struct link *last = from->previous;
	first->previous = to->previous;
	to->previous->next = first;
	last->next = to;
	to->previous = last;
	link_init(from);
}
