/* backup: see backup.h. */
#include "core/store/backup.h"

#include <sys/stat.h>

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/mem.h"
#include "core/base/str.h"
#include "core/store/db.h"
#include "core/store/inplace.h"

enum {
	STEP_PAGES = 1024, /* between two questions whether to go on */
	/* and between two syncs: the daemon's own are not to wait for gigabytes of ours */
	SYNC_STEPS = 16,
	CHECK_OPS = 20000, /* SQLite's instructions between two such questions */
};

/* https://www.sqlite.org/fileformat.html#file_format_version_numbers */
enum {
	VERSIONS_AT = 18,
	VERSION_BYTES = 2,
	VERSION_ROLLBACK = 1
};

struct backup {
	const struct store_backup_options *options;
	int fd;	    /* of the copy; -1: none yet */
	char *name; /* its name for now; NULL: none */
};

static void backup_done(struct backup *backup)
{
	if (backup->name)
		(void)unlink(backup->name);
	free(backup->name);
	if (backup->fd >= 0)
		fd_close(backup->fd);
}

static int fail(const char *path, const char *doing, int code, struct error *err)
{
	return error_set(err, code, "%s: %s: %s", path, doing, error_text(code));
}

static bool goes_on(const struct backup *backup)
{
	const struct store_backup_options *options = backup->options;
	return !options->go_on || options->go_on(options->context);
}

static int given_up(const struct backup *backup, struct error *err)
{
	return error_set(err, ECANCELED, "%s: the copy was given up, nothing is left of it",
			 backup->options->to);
}

static int exists(const char *to, struct error *err)
{
	return error_set(err, EEXIST, "%s: it exists already and is not overwritten", to);
}

static int make(struct backup *backup, struct error *err)
{
	const char *to = backup->options->to;
	struct stat st;
	if (lstat(to, &st) == 0)
		return exists(to, err);
	AUTO_STR name = STR_INIT;
	str_printf(&name, "%s.XXXXXX", to);
	char *made = str_take(&name);
	backup->fd = mkostemp(made, O_CLOEXEC);
	if (backup->fd < 0) {
		int code = errno;
		free(made);
		return fail(to, "cannot be made", code, err);
	}
	backup->name = made;
	return 0;
}

/* From here on the connection sees the history as it is now. */
static int hold(const struct db *from, struct error *err)
{
	int64_t ignored;
	int result = db_exec(from, "BEGIN", err);
	if (result == 0)
		result = db_integer(from, "SELECT count(*) FROM sqlite_schema", &ignored, err);
	if (result == 0 && !inplace_log_fits(from))
		return error_set(err, ESTALE,
				 "%s-wal: it was replaced or cut short while the history was open: "
				 "end all that have it open, then start the daemon",
				 from->path);
	return result;
}

static int copy_pages(struct backup *backup, sqlite3_backup *pages, struct error *err)
{
	for (unsigned step = 1;; step++) {
		int rc = sqlite3_backup_step(pages, STEP_PAGES);
		if (rc != SQLITE_OK)
			return rc;
		if (!goes_on(backup)) {
			given_up(backup, err);
			return SQLITE_INTERRUPT;
		}
		if (step % SYNC_STEPS == 0 && fdatasync(backup->fd) < 0) {
			fail(backup->name, "cannot be synced", errno, err);
			return SQLITE_INTERRUPT;
		}
	}
}

static int copy(struct backup *backup, const struct db *from, const struct db *to,
		struct error *err)
{
	/* it is synced at its end, and thrown away when anything fails */
	static const char settings[] = "PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF;";
	int result = db_exec(to, settings, err);
	if (result < 0)
		return result;
	sqlite3_backup *pages = sqlite3_backup_init(to->handle, "main", from->handle, "main");
	if (!pages)
		return db_fail(to, sqlite3_extended_errcode(to->handle), "copying", err);
	err->code = 0;
	int rc = copy_pages(backup, pages, err);
	int end = sqlite3_backup_finish(pages);
	if (err->code)
		return -err->code;
	if (rc == SQLITE_DONE && end == SQLITE_OK)
		return 0;
	/* which of the two it was about is told by what their connections say */
	bool source = sqlite3_errcode(from->handle) != SQLITE_OK &&
		      sqlite3_errcode(from->handle) != SQLITE_DONE;
	return db_fail(source ? from : to, end == SQLITE_OK ? rc : end, "copying", err);
}

static int fill(struct backup *backup, struct error *err)
{
	AUTO(db) struct db *from = NULL;
	AUTO(db) struct db *to = NULL;
	int result = db_open_history(&from, backup->options->history, DB_READ, err);
	if (result == 0)
		result = hold(from, err);
	if (result == 0)
		result = db_open(&to, backup->name, DB_WRITE, err);
	return result == 0 ? copy(backup, from, to, err) : result;
}

/* The history's pages say that there is a log beside them. */
static int mark_complete(const struct backup *backup, struct error *err)
{
	static const unsigned char versions[VERSION_BYTES] = { VERSION_ROLLBACK, VERSION_ROLLBACK };
	ssize_t put = pwrite(backup->fd, versions, sizeof versions, VERSIONS_AT);
	if (put == (ssize_t)sizeof versions)
		return 0;
	return fail(backup->name, "cannot be written", put < 0 ? errno : EIO, err);
}

static int ask_to_go_on(void *backup)
{
	return !goes_on(backup);
}

static int check(struct backup *backup, struct error *err)
{
	AUTO(db) struct db *db = NULL;
	AUTO_STMT *statement = NULL;
	int result = db_open_history(&db, backup->name, DB_READ, err);
	if (result == 0)
		result = db_prepare(db, &statement, "PRAGMA quick_check(1)", err);
	if (result < 0)
		return result;
	sqlite3_progress_handler(db->handle, CHECK_OPS, ask_to_go_on, backup);
	int rc = sqlite3_step(statement);
	if ((rc & 0xff) == SQLITE_INTERRUPT)
		return given_up(backup, err);
	if (rc != SQLITE_ROW)
		return db_fail(db, rc, "checking the copy", err);
	const char *said = (const char *)sqlite3_column_text(statement, 0);
	if (said && strcmp(said, "ok") == 0)
		return 0;
	return error_set(err, EBADMSG,
			 "%s: its copy is corrupt, so it is itself, or the disk fails: %s",
			 backup->options->history, said ? said : "");
}

/* Never more than may read the history. */
static int permit(const struct backup *backup, struct error *err)
{
	struct stat st;
	if (stat(backup->options->history, &st) < 0)
		return fail(backup->options->history, "cannot be looked at", errno, err);
	mode_t mode = st.st_mode & 0666;
	if (fchown(backup->fd, st.st_uid, st.st_gid) < 0 &&
	    fchown(backup->fd, (uid_t)-1, st.st_gid) < 0)
		mode &= ~(mode_t)0060; /* another group's now */
	return fchmod(backup->fd, mode) < 0
		       ? fail(backup->name, "its permissions cannot be set", errno, err)
		       : 0;
}

static int sync_directory(const char *path, struct error *err)
{
	const char *slash = strrchr(path, '/');
	AUTO_FREE char *dir = slash ? xmemdup(path, (size_t)(slash - path) + 1) : xstrdup(".");
	AUTO_CLOSE int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	/* EINVAL: a file system that syncs no directories */
	if (fd < 0 || (fsync(fd) < 0 && errno != EINVAL))
		return fail(dir, "cannot be synced", errno, err);
	return 0;
}

/* Where the file system knows no such rename: a second name, which takes no other's place either.
 */
static int take_place(const char *name, const char *to)
{
	if (renameat2(AT_FDCWD, name, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -errno;
	if (link(name, to) < 0)
		return -errno;
	return unlink(name) < 0 ? -errno : 0;
}

static int publish(struct backup *backup, struct error *err)
{
	const char *to = backup->options->to;
	if (fsync(backup->fd) < 0)
		return fail(backup->name, "cannot be synced", errno, err);
	int result = take_place(backup->name, to);
	if (result == -EEXIST)
		return exists(to, err);
	if (result < 0)
		return fail(to, "the copy cannot be given its name", -result, err);
	free(backup->name);
	backup->name = NULL;
	return sync_directory(to, err);
}

int store_backup(const struct store_backup_options *options, int64_t *bytes, struct error *err)
{
	__attribute__((cleanup(backup_done))) struct backup backup = { .options = options,
								       .fd = -1 };
	struct stat st;
	int result = make(&backup, err);
	if (result == 0)
		result = fill(&backup, err);
	if (result == 0)
		result = mark_complete(&backup, err);
	if (result == 0)
		result = check(&backup, err);
	if (result == 0)
		result = permit(&backup, err);
	if (result == 0)
		result = publish(&backup, err);
	if (result < 0)
		return result;
	if (fstat(backup.fd, &st) < 0)
		return fail(options->to, "cannot be looked at", errno, err);
	*bytes = st.st_size;
	return 0;
}
