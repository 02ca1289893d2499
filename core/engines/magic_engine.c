/*
 * magic_engine: libmagic in a helper (libmagic(3)): what a file is, by its content.
 *
 * The beginning of the file is read into memory of our own and handed over as a buffer: libmagic is
 * given no descriptor that it could seek, map or follow. It says what it sees; what that means is
 * the daemon's to judge.
 */
#include <errno.h>
#include <fcntl.h>
#include <magic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/mem.h"
#include "core/base/str.h"
#include "core/engines/engine.h"
#include "core/engines/hash.h"
#include "core/engines/sample.h"

/* Bytes that are looked at: the directory of an OLE document lies anywhere in it. */
#define LOOK_MAX ((size_t)8 * 1024 * 1024)
/* Goes into the digest: to be raised when the same database would give other answers. */
#define ENGINE_VERSION "carved-magic-1"

static void add_file(struct hash *hash, const char *path)
{
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	AUTO_FREE char *part = xcalloc(1, 65536);
	ssize_t got = 0;
	while (fd >= 0 && (got = read(fd, part, 65536)) > 0)
		hash_field(hash, part, (size_t)got);
}

/* The content of every file of the database: its path is a list with colons, and of each the
 * compiled form (".mgc") is preferred (magic_load(3)). */
static void make_digest(char digest[HASH_HEX])
{
	AUTO(hash) struct hash *hash = hash_new();
	hash_text(hash, ENGINE_VERSION);
	char version[16];
	(void)snprintf(version, sizeof version, "%d", magic_version());
	hash_text(hash, version);
	const char *at = magic_getpath(NULL, 0);
	while (at && *at) {
		size_t len = strcspn(at, ":");
		AUTO_STR path = STR_INIT;
		str_append(&path, at, len);
		add_file(hash, str_text(&path));
		str_puts(&path, ".mgc");
		add_file(hash, str_text(&path));
		at += len + (at[len] == ':');
	}
	hash_end(hash, digest);
}

static int magic_load_database(void **state, const struct engine_start *start,
			       struct helper_hello *hello, struct error *err)
{
	(void)start;
	magic_t cookie = magic_open(MAGIC_MIME_TYPE | MAGIC_ERROR);
	if (!cookie)
		return error_set(err, errno, "libmagic: %s", error_text(errno));
	size_t limit = LOOK_MAX;
	if (magic_load(cookie, NULL) < 0 ||
	    magic_setparam(cookie, MAGIC_PARAM_BYTES_MAX, &limit) < 0) {
		const char *words = magic_error(cookie);
		(void)error_set(err, EINVAL, "libmagic's database (%s): %s", magic_getpath(NULL, 0),
				words ? words : "it cannot be loaded");
		magic_close(cookie);
		return -EINVAL;
	}
	make_digest(hello->digest);
	hello->reads = 0;
	hello->files = 1;
	*state = cookie;
	return 0;
}

static void magic_scan(void *state, const struct helper_request *request, int fd,
		       struct helper_answer *answer)
{
	magic_t cookie = state;
	__attribute__((cleanup(sample_cleanup))) struct sample sample = { 0 };
	size_t size = request->size < (int64_t)LOOK_MAX ? (size_t)request->size : LOOK_MAX;
	int result = sample_read(&sample, fd, size);
	if (result < 0) {
		engine_say(answer, OUTCOME_ERROR, "error", "reading the file: %s",
			   error_text(-result));
		return;
	}
	const char *type =
		magic_buffer(cookie, sample.bytes ? (const void *)sample.bytes : "", sample.len);
	if (!type) {
		const char *words = magic_error(cookie);
		engine_say(answer, OUTCOME_ERROR, "error", "libmagic: %s",
			   words ? words : "it gave no type");
		return;
	}
	answer->outcome = OUTCOME_CLEAN;
	if (helper_is_mime(type))
		answer->real_mime = xstrdup(type);
	else
		engine_say(answer, OUTCOME_UNKNOWN, "note",
			   "libmagic gave no MIME type: \"%.100s\"", type);
}

static void magic_close_database(void *state)
{
	if (state)
		magic_close(state);
}

const struct engine_class magic_engine = {
	.type = "magic",
	.load = magic_load_database,
	.scan = magic_scan,
	.close = magic_close_database,
};
