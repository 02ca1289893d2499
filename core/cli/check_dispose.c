/* check_dispose: whether files may be removed from the roots, and whether the quarantine, by which
 * all goes that is removed, is carved's alone, or can be made, and lies with them. Nothing is made.
 */
#include <sys/stat.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/mem.h"
#include "core/base/str.h"
#include "core/cli/check_report.h"
#include "core/config/config.h"
#include "core/config/resolve.h"

static void check_missing(struct check *check, const char *path)
{
	AUTO_STR why = STR_INIT;
	if (check_makeable(path, &why))
		check_ok("quarantine %s: is not there yet, it will be made", path);
	else
		check_warn(check, "quarantine %s: nothing is removed: %s", path, str_text(&why));
}

/* As the daemon wants it before each removal (core/dispose/vault.h). */
static void check_quarantine(struct check *check, const char *path)
{
	struct stat st;
	if (lstat(path, &st) < 0 && errno == ENOENT)
		check_missing(check, path);
	else if (lstat(path, &st) < 0)
		check_warn(check, "quarantine %s: %s", path, error_text(errno));
	else if (!S_ISDIR(st.st_mode))
		check_warn(check,
			   "quarantine %s: is no directory: nothing is removed: name one, not a "
			   "link to it",
			   path);
	else if (st.st_mode & 077)
		check_warn(check,
			   "quarantine %s: others may look into it: nothing is removed: chmod 0700",
			   path);
	else if (st.st_uid != geteuid())
		check_warn(check,
			   "quarantine %s: belongs to user %u: nothing is removed unless carved "
			   "runs as that",
			   path, st.st_uid);
	else if (access(path, W_OK | X_OK) < 0)
		check_warn(check, "quarantine %s: nothing is removed: %s: %s", path,
			   error_text(errno), check_writing(errno));
	else
		check_ok("quarantine %s: can be written, and is nobody else's", path);
}

/* Directories below it may have other permissions, which the daemon tells when it meets them. */
static void check_removal(struct check *check, const char *root)
{
	if (access(root, F_OK) < 0 || access(root, W_OK | X_OK) == 0)
		return; /* one that is not there was told of with the roots */
	int code = errno;
	check_warn(check, "root %s: files cannot be removed from it: %s: %s", root,
		   error_text(code), check_writing(code));
}

static void check_device(struct check *check, const char *root, const char *quarantine)
{
	AUTO_FREE char *directory = resolve_directory(quarantine);
	struct stat there;
	struct stat here;
	if (stat(root, &there) < 0)
		return; /* said of the roots already */
	if ((stat(quarantine, &here) == 0 || stat(directory, &here) == 0) &&
	    here.st_dev != there.st_dev)
		check_warn(check,
			   "quarantine %s: is another file system than %s: files are copied, and "
			   "removed by their names: better name one on that of the root",
			   quarantine, root);
}

void check_dispose(struct check *check)
{
	const struct config *config = check->config;
	if (!config_disposes(config) && !config_retains(config))
		return;
	check_quarantine(check, config->quarantine);
	for (size_t i = 0; i < config->root_count; i++) {
		check_device(check, config->roots[i].path, config->quarantine);
		check_removal(check, config->roots[i].path);
	}
}
