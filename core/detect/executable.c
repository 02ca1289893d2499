/* executable: see executable.h. */
#include "core/detect/executable.h"

#include <sys/stat.h>

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "core/base/mem.h"
#include "core/base/str.h"
#include "core/detect/digest.h"

static int runnable(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
	       faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) == 0;
}

char *executable_find(const char *name, const char *path_list)
{
	if (strchr(name, '/'))
		return xstrdup(name);
	if (!*name)
		return NULL;
	AUTO_STR path = STR_INIT;
	while (path_list && *path_list) {
		size_t len = strcspn(path_list, ":");
		str_reset(&path);
		str_append(&path, path_list, len);
		str_putc(&path, '/');
		str_puts(&path, name);
		if (*path_list == '/' && runnable(str_text(&path)))
			return str_take(&path);
		path_list += len + (path_list[len] == ':');
	}
	return NULL;
}

void executable_digest(struct digest *digest, const char *name, const char *path_list)
{
	AUTO_FREE char *path = executable_find(name, path_list);
	digest_text(digest, path);
	executable_digest_file(digest, path ? path : "");
}

void executable_digest_file(struct digest *digest, const char *path)
{
	struct stat st;
	if (stat(path, &st) < 0 || !S_ISREG(st.st_mode))
		st = (struct stat){ 0 };
	digest_number(digest, (int64_t)st.st_ino);
	digest_number(digest, st.st_size);
	digest_number(digest, st.st_mtim.tv_sec);
	digest_number(digest, st.st_mtim.tv_nsec);
}
