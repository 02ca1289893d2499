/* mem: see mem.h. */
#include "core/base/mem.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static _Noreturn void out_of_memory(void)
{
	static const char text[] =
		"<2>carved: out of memory (MemoryMax= of the service, the container's limit, "
		"ulimit -v); the next start goes on where this one ended\n";
	ssize_t ignored = write(STDERR_FILENO, text, sizeof text - 1);
	(void)ignored;
	abort();
}

void *xcalloc(size_t count, size_t size)
{
	void *block = calloc(count ? count : 1, size ? size : 1);
	if (!block)
		out_of_memory();
	return block;
}

void *xrealloc(void *block, size_t count, size_t size)
{
	void *grown = reallocarray(block, count ? count : 1, size ? size : 1);
	if (!grown)
		out_of_memory();
	return grown;
}

char *xstrdup(const char *text)
{
	return text ? xmemdup(text, strlen(text)) : NULL;
}

char *xmemdup(const void *bytes, size_t len)
{
	char *copy = malloc(len + 1);
	if (!copy)
		out_of_memory();
	if (len)
		memcpy(copy, bytes, len);
	copy[len] = '\0';
	return copy;
}

void fd_close(int fd)
{
	int saved = errno;
	(void)close(fd);
	errno = saved;
}
