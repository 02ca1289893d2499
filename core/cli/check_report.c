/* check_report: see check_report.h. */
#include "core/cli/check_report.h"

#include <linux/magic.h>
#include <sys/statfs.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/mem.h"
#include "core/base/str.h"
#include "core/config/resolve.h"

__attribute__((format(printf, 2, 0))) static void line(const char *word, const char *format,
						       va_list args)
{
	AUTO_STR words = STR_INIT;
	AUTO_STR text = STR_INIT;
	str_vprintf(&words, format, args);
	str_escape(&text, str_text(&words), words.len);
	(void)printf("%-4s  %s\n", word, str_text(&text));
}

void check_ok(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	line("ok", format, args);
	va_end(args);
}

void check_warn(struct check *check, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	line("warn", format, args);
	va_end(args);
	check->warnings++;
}

void check_fail(struct check *check, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	line("fail", format, args);
	va_end(args);
	check->failures++;
}

const char *check_writing(int code)
{
	switch (code) {
	case ENOENT:
		return "make the directory";
	case EROFS:
		return "mount it read-write (for the service: ReadWritePaths=), or name another";
	default:
		return "give the user that runs carved write permission";
	}
}

bool check_makeable(const char *path, struct str *why)
{
	AUTO_FREE char *directory = resolve_directory(path);
	if (access(directory, W_OK | X_OK) == 0)
		return true;
	int code = errno;
	str_printf(why, "%s: %s: %s", directory, error_text(code), check_writing(code));
	return false;
}

bool check_read_number(const char *file, unsigned long long *out)
{
	FILE *stream = fopen(file, "re");
	if (!stream)
		return false;
	char text[32] = "";
	bool got = fgets(text, sizeof text, stream);
	(void)fclose(stream);
	char *end = text;
	*out = got ? strtoull(text, &end, 10) : 0;
	return end != text;
}

const char *check_remote_filesystem(const char *path)
{
	static const struct {
		unsigned long magic;
		const char *name;
	} remote[] = {
		{ NFS_SUPER_MAGIC, "nfs" },	{ SMB_SUPER_MAGIC, "smb" },
		{ SMB2_SUPER_MAGIC, "smb" },	{ CIFS_SUPER_MAGIC, "cifs" },
		{ FUSE_SUPER_MAGIC, "fuse" },	{ V9FS_MAGIC, "9p or virtiofs" },
		{ CEPH_SUPER_MAGIC, "ceph" },	{ AFS_SUPER_MAGIC, "afs" },
		{ AFS_FS_MAGIC, "afs" },	{ CODA_SUPER_MAGIC, "coda" },
		{ OCFS2_SUPER_MAGIC, "ocfs2" },
	};
	struct statfs st;
	if (statfs(path, &st) < 0)
		return NULL;
	for (size_t i = 0; i < sizeof remote / sizeof *remote; i++) {
		/* f_type is signed, and some of the numbers have the highest of 32 bits */
		if ((unsigned long)st.f_type == remote[i].magic)
			return remote[i].name;
	}
	return NULL;
}
