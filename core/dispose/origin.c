/* origin: see origin.h. */
#include "core/dispose/origin.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/identity.h"
#include "core/base/str.h"
#include "core/store/removal.h"
#include "core/store/version.h"

void origin_name(char *out, const char *kept)
{
	(void)snprintf(out, ORIGIN_NAME, "%s.json", kept);
}

struct origin origin_of(const struct statx *st)
{
	struct statx access = *st;
	access.stx_mtime = st->stx_atime;
	return (struct origin){
		.uid = st->stx_uid,
		.gid = st->stx_gid,
		.mode = st->stx_mode & 07777,
		.mtime_ns = identity_of(st, 0).mtime_ns,
		.atime_ns = identity_of(&access, 0).mtime_ns,
	};
}

static void put_text(struct str *out, const char *name, const char *value)
{
	str_printf(out, ",\"%s\":", name);
	str_json_text(out, value);
}

static void put_number(struct str *out, const char *name, int64_t value)
{
	str_printf(out, ",\"%s\":%lld", name, (long long)value);
}

static void put_answer(struct str *out, const struct finding *finding)
{
	str_puts(out, "{\"detector\":");
	str_json_text(out, finding->detector);
	put_text(out, "detector_digest", finding->digest);
	put_text(out, "outcome", outcome_name(finding->outcome));
	put_text(out, "signature", finding->signature);
	put_text(out, "detail", finding->detail);
	put_number(out, "attempt", finding->attempt);
	put_number(out, "finished_ns", finding->finished_ns);
	str_putc(out, '}');
}

static void put_version(struct str *out, const struct version *version)
{
	put_number(out, "file_id", version->id);
	str_puts(out, ",\"path\":");
	str_json(out, version->path, version->path_len);
	put_number(out, "size", version->identity.size);
	str_puts(out, ",\"sha256\":");
	if (version->has_sha256) {
		str_putc(out, '"');
		str_hex(out, version->sha256, sizeof version->sha256);
		str_putc(out, '"');
	} else {
		str_puts(out, "null");
	}
	put_text(out, "verdict",
		 version->verdict < OUTCOMES ? outcome_name(version->verdict) : NULL);
	put_text(out, "mime", *version->entry.mime ? version->entry.mime : NULL);
	put_text(out, "real_mime", version->real_mime);
	put_number(out, "first_seen_ns", version->first_seen_ns);
	put_number(out, "finished_ns", version->finished_ns);
	str_puts(out, ",\"answers\":[");
	for (size_t i = 0; i < version->finding_count; i++) {
		if (i)
			str_putc(out, ',');
		put_answer(out, &version->findings[i]);
	}
	str_putc(out, ']');
}

void origin_put(struct str *out, const struct origin *origin, const struct removal *removal,
		const struct version *version)
{
	str_printf(out, "{\"uid\":%u,\"gid\":%u,\"mode\":\"%04o\",\"mtime_ns\":%lld", origin->uid,
		   origin->gid, origin->mode, (long long)origin->mtime_ns);
	put_number(out, "atime_ns", origin->atime_ns);
	put_number(out, "id", removal->id);
	put_text(out, "cause", removal_cause_name(removal->cause));
	put_number(out, "intended_ns", removal->intended_ns);
	put_number(out, "quarantined_ns", clock_wall_ns());
	put_version(out, version);
	str_puts(out, "}\n");
}

static int write_all(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t wrote = write(fd, data, len);
		if (wrote < 0 && errno != EINTR)
			return -errno;
		data += wrote > 0 ? wrote : 0;
		len -= wrote > 0 ? (size_t)wrote : 0;
	}
	return fsync(fd) < 0 ? -errno : 0;
}

int origin_write(const struct vault *vault, const char *kept, const struct origin *origin,
		 const struct removal *removal, const struct version *version)
{
	char name[ORIGIN_NAME];
	char unfinished[VAULT_NAME];
	struct stat st;
	origin_name(name, kept);
	vault_json(unfinished, removal);
	if (fstatat(vault->fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	AUTO_STR text = STR_INIT;
	origin_put(&text, origin, removal, version);
	const int flags = O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC;
	AUTO_CLOSE int fd = openat(vault->fd, unfinished, flags, 0600);
	int result = fd < 0 ? -errno : write_all(fd, text.data, text.len);
	if (result == 0 && renameat(vault->fd, unfinished, vault->fd, name) < 0)
		result = -errno;
	if (result < 0)
		(void)unlinkat(vault->fd, unfinished, 0);
	return result;
}

void origin_forget(const struct vault *vault, const char *kept, const struct removal *removal)
{
	char name[ORIGIN_NAME];
	origin_name(name, kept);
	(void)unlinkat(vault->fd, name, 0);
	vault_json(name, removal);
	(void)unlinkat(vault->fd, name, 0);
}

/* The number behind key, which is what comes next in *at. */
static bool read_number(const char **at, const char *key, int base, long long *out)
{
	size_t len = strlen(key);
	char *end;
	if (strncmp(*at, key, len) != 0)
		return false;
	errno = 0;
	*out = strtoll(*at + len, &end, base);
	bool good = errno == 0 && end != *at + len;
	*at = end;
	return good;
}

static bool parse(const char *at, struct origin *out)
{
	long long uid;
	long long gid;
	long long mode;
	long long mtime_ns;
	long long atime_ns;
	if (!read_number(&at, "{\"uid\":", 10, &uid) || !read_number(&at, ",\"gid\":", 10, &gid) ||
	    !read_number(&at, ",\"mode\":\"", 8, &mode) ||
	    !read_number(&at, "\",\"mtime_ns\":", 10, &mtime_ns) ||
	    !read_number(&at, ",\"atime_ns\":", 10, &atime_ns))
		return false;
	*out = (struct origin){ .uid = (uid_t)uid,
				.gid = (gid_t)gid,
				.mode = (mode_t)mode & 07777,
				.mtime_ns = mtime_ns,
				.atime_ns = atime_ns };
	return true;
}

int origin_read(const struct vault *vault, const char *kept, struct origin *out, struct error *err)
{
	char name[ORIGIN_NAME];
	char head[256];
	origin_name(name, kept);
	AUTO_CLOSE int fd = openat(vault->fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : pread(fd, head, sizeof head - 1, 0);
	if (got < 0) {
		int code = errno;
		return error_set(err, code, "%s/%s: %s", vault->path, name, error_text(code));
	}
	head[got] = '\0';
	if (parse(head, out))
		return 0;
	return error_set(err, EBADMSG, "%s/%s does not begin as carved writes it", vault->path,
			 name);
}
