/* plain_extension: see plain_extension.h. */
#include "core/detect/plain_extension.h"

/* Bytes of an extension that programs know; a longer tail of a name is not one. */
#define EXTENSION_MAX 16

struct slice plain_extension(struct slice name)
{
	size_t start = name.len;
	while (start > 0 && name.at[start - 1] != '.')
		start--;
	struct slice tail = { .at = name.at + start, .len = name.len - start };
	if (start == 0 || tail.len == 0 || tail.len > EXTENSION_MAX)
		return (struct slice){ 0 };
	for (size_t i = 0; i < tail.len; i++) {
		char c = (char)(tail.at[i] | 0x20);
		if (!(c >= 'a' && c <= 'z') && !(tail.at[i] >= '0' && tail.at[i] <= '9'))
			return (struct slice){ 0 };
	}
	return tail;
}
