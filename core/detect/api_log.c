/* api_log: see api_log.h. */
#include "core/detect/api_log.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "core/base/beneath.h"
#include "core/base/error.h"
#include "core/base/mem.h"
#include "core/base/str.h"
#include "core/detect/capture.h"
#include "core/detect/detect.h"

static bool plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_';
}

static bool all_plain(struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (!plain(text.at[i]))
			return false;
	}
	return text.len > 0 && text.len <= API_LOG_ID_MAX;
}

void api_log_id(struct str *out, const struct scan_request *request)
{
	struct slice fuid = request->entry->field[ENTRY_FUID];
	if (fuid.at && all_plain(fuid)) {
		str_append(out, fuid.at, fuid.len);
		return;
	}
	if (request->sha256) {
		str_hex(out, request->sha256, 8);
		return;
	}
	const char *name = request->path + request->name_offset;
	for (size_t i = 0; name[i] && i < API_LOG_ID_MAX; i++)
		str_append(out, plain(name[i]) ? &name[i] : "_", 1);
}

/* The directory that the operator named, with its parents: BroAPT makes it too. */
static int open_root(const char *root)
{
	int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0 || errno != ENOENT)
		return fd < 0 ? -errno : fd;
	AUTO_FREE char *path = xstrdup(root);
	for (char *at = strchr(path + 1, '/'); at; at = strchr(at + 1, '/')) {
		*at = '\0';
		(void)mkdir(path, 0750);
		*at = '/';
	}
	(void)mkdir(path, 0750);
	fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* Opens the directory called part below at, making it when it is missing. */
static int open_part(int at, const char *part)
{
	if (mkdirat(at, part, 0750) < 0 && errno != EEXIST)
		return -errno;
	return beneath_open(at, part, O_RDONLY | O_DIRECTORY);
}

static int open_directory(const struct api_log *log)
{
	AUTO_CLOSE int root = open_root(log->root);
	if (root < 0)
		return root;
	AUTO_FREE char *type = xstrdup(*log->mime ? log->mime : "example");
	char *slash = strchr(type, '/');
	if (slash)
		*slash = '\0';
	if (!slash)
		return open_part(root, type);
	AUTO_CLOSE int directory = open_part(root, type);
	return directory < 0 ? directory : open_part(directory, slash + 1);
}

/* Makes the first file of the log's names that is not there yet; its name is left in out_name. */
static int create(int directory, const struct api_log *log, struct str *out_name)
{
	for (unsigned i = 0; i < API_LOG_TRIES; i++) {
		unsigned retry = log->attempt - 1 + i;
		str_reset(out_name);
		str_printf(out_name, "%s-%s", log->id, log->step);
		if (retry > 0)
			str_printf(out_name, "_%u", retry);
		int fd = openat(directory, str_text(out_name),
				O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640);
		if (fd >= 0 || errno != EEXIST)
			return fd < 0 ? -errno : fd;
	}
	return -EEXIST;
}

static int write_all(int fd, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t done = write(fd, bytes, len);
		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -errno;
		bytes += done;
		len -= (size_t)done;
	}
	return 0;
}

static int write_output(int fd, const struct head *output)
{
	int result = write_all(fd, str_text(&output->kept), output->kept.len);
	if (result < 0 || output->dropped == 0)
		return result;
	AUTO_STR rest = STR_INIT;
	str_printf(&rest, "\n[%" PRIu64 " more bytes were not kept]\n", output->dropped);
	return write_all(fd, str_text(&rest), rest.len);
}

int api_log_write(const struct api_log *log, const struct head *output, struct error *err)
{
	const char *mime = *log->mime ? log->mime : "example";
	AUTO_CLOSE int directory = open_directory(log);
	if (directory < 0)
		return error_set(err, -directory, "%s/%s: %s", log->root, mime,
				 error_text(-directory));
	AUTO_STR name = STR_INIT;
	AUTO_CLOSE int fd = create(directory, log, &name);
	int result = fd < 0 ? fd : write_output(fd, output);
	if (result < 0)
		return error_set(err, -result, "%s/%s/%s: %s", log->root, mime, str_text(&name),
				 error_text(-result));
	return 0;
}
