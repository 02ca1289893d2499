/* check_history: whether the history's directory can be written, whether what is there is ours, and
 * whether it lies where SQLite's write-ahead log works. */
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <errno.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/mem.h"
#include "core/base/str.h"
#include "core/cli/check_report.h"
#include "core/config/config.h"
#include "core/config/resolve.h"
#include "core/store/query.h"

#define SPACE_WANTED (UINT64_C(256) << 20)

static bool ignore_row(void *context, const struct query_row *row)
{
	(void)context;
	(void)row;
	return false;
}

/* Asks the history something that only one of ours can answer; reading does not disturb a daemon.
 */
static void check_content(struct check *check)
{
	const char *path = check->config->history;
	struct error err = { 0 };
	if (store_query(path, "SELECT 1 FROM file LIMIT 1", NULL, 0, ignore_row, NULL, &err) < 0)
		check_fail(check, "history %s: %s", path, err.text);
	else
		check_ok("history %s: can be read", path);
}

static void check_space(struct check *check, const char *directory)
{
	struct statvfs st;
	if (statvfs(directory, &st) < 0)
		return;
	uint64_t space = (uint64_t)st.f_bavail * st.f_frsize;
	if (space < SPACE_WANTED)
		check_warn(check, "history %s: only %llu MiB are free in %s",
			   check->config->history, (unsigned long long)(space >> 20), directory);
}

void check_history(struct check *check)
{
	const char *path = check->config->history;
	char *directory AUTO_FREE = resolve_directory(path);
	struct stat st;
	AUTO_STR why = STR_INIT;
	if (!check_makeable(path, &why)) {
		check_fail(check, "history %s: %s", path, str_text(&why));
		return;
	}
	const char *remote = check_remote_filesystem(directory);
	if (remote)
		check_fail(
			check,
			"history %s: lies on %s, where SQLite's write-ahead log does not work: put it "
			"on a local file system",
			path, remote);
	if (stat(path, &st) == 0 && access(path, R_OK | W_OK) < 0) {
		check_fail(check, "history %s: %s: it must belong to the user that runs carved",
			   path, error_text(errno));
		return;
	}
	check_space(check, directory);
	if (stat(path, &st) < 0 || st.st_size == 0)
		check_ok("history %s: is not there yet, it will be made", path);
	else
		check_content(check);
}
