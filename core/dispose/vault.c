/* vault: see vault.h. */
#include "core/dispose/vault.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/str.h"
#include "core/store/removal.h"
#include "core/store/version.h"

static int refuse(const char *path, const char *words, struct error *err)
{
	return error_set(err, EPERM, "quarantine %s: %s: mend that, or name another (quarantine)",
			 path, words);
}

static int check(const char *path, int fd, bool visit, struct error *err)
{
	struct stat st;
	if (fstat(fd, &st) < 0) {
		int code = errno;
		return error_set(err, code, "quarantine %s: %s", path, error_text(code));
	}
	if (st.st_uid != geteuid() && !(visit && geteuid() == 0))
		return refuse(path, "it belongs to another user than the one that carved runs as",
			      err);
	if (st.st_mode & 077)
		return refuse(path, "others may look into it, it must have mode 0700", err);
	return 0;
}

static const char *advice(int code)
{
	switch (code) {
	case EACCES:
		return " (it takes root, or the user that carved runs as)";
	case ENOTDIR:
	case ELOOP:
		return ", or a link to one: name the directory itself (quarantine)";
	default:
		return "";
	}
}

static int open_directory(struct vault **out, const char *path, bool visit, struct error *err)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0) {
		int code = errno;
		return error_set(err, code, "quarantine %s: it cannot be opened: %s%s", path,
				 error_text(code), advice(code));
	}
	AUTO(vault) struct vault *vault = xcalloc(1, sizeof *vault);
	vault->path = xstrdup(path);
	vault->fd = fd;
	int result = check(path, fd, visit, err);
	if (result == 0)
		*out = TAKE(vault);
	return result;
}

int vault_open(struct vault **out, const char *path, struct error *err)
{
	if (mkdir(path, 0700) < 0 && errno != EEXIST) {
		int code = errno;
		return error_set(err, code, "quarantine %s: it cannot be made: %s", path,
				 error_text(code));
	}
	return open_directory(out, path, false, err);
}

int vault_visit(struct vault **out, const char *path, struct error *err)
{
	return open_directory(out, path, true, err);
}

static int open_unread(const struct vault *vault, const char *name)
{
	const int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
	int fd = openat(vault->fd, name, flags);
	if (fd >= 0 || errno != EACCES)
		return fd < 0 ? -errno : fd;
	/* ours, with mode 000, and we are not root */
	if (fchmodat(vault->fd, name, 0400, 0) < 0)
		return -errno;
	fd = openat(vault->fd, name, flags);
	int code = fd < 0 ? errno : 0;
	if (fchmodat(vault->fd, name, 0, 0) < 0 && code == 0)
		code = errno;
	if (code && fd >= 0)
		fd_close(fd);
	return code ? -code : fd;
}

/* What was put there by another hand may be anything, or have a further name. */
static bool is_plain(int fd)
{
	struct stat st;
	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink == 1;
}

int vault_read(const struct vault *vault, const char *name, struct error *err)
{
	int fd = open_unread(vault, name);
	bool other = fd >= 0 ? !is_plain(fd) : fd == -ELOOP || fd == -ENXIO; /* a link, a socket */
	if (other && fd >= 0)
		fd_close(fd);
	if (other)
		return error_set(err, EBADMSG,
				 "%s/%s: what lies there is not what carved put there: it is no "
				 "file, or has another name",
				 vault->path, name);
	return fd < 0 ? error_set(err, -fd, "%s/%s: %s", vault->path, name, error_text(-fd)) : fd;
}

bool vault_is_ours(const struct vault *vault)
{
	struct stat st;
	return fstat(vault->fd, &st) == 0 && st.st_uid == geteuid();
}

void vault_free(struct vault *vault)
{
	if (!vault)
		return;
	fd_close(vault->fd);
	free(vault->path);
	free(vault);
}

static void name(char *out, const struct removal *removal, const char *end)
{
	(void)snprintf(out, VAULT_NAME, "%lld-%lld%s", (long long)removal->id,
		       (long long)removal->intended_ns, end);
}

void vault_taken(char *out, const struct removal *removal)
{
	name(out, removal, ".taken");
}

void vault_copy(char *out, const struct removal *removal)
{
	name(out, removal, ".copy");
}

void vault_json(char *out, const struct removal *removal)
{
	name(out, removal, ".json");
}

void vault_kept(char *out, const struct removal *removal, const struct version *version)
{
	AUTO_STR end = STR_INIT;
	str_putc(&end, '-');
	if (version->has_sha256)
		str_hex(&end, version->sha256, sizeof version->sha256);
	else
		str_puts(&end, "unhashed");
	name(out, removal, str_text(&end));
}
