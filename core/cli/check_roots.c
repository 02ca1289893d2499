/*
 * check_roots: whether each root is there and can be read, how changes below it are noticed, and
 * whether leases tell that a file is complete.
 *
 * Nothing is written below a root, not even for a moment: a running daemon would see it. The lease
 * is tried on the first regular file that is met.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/app/lease.h"
#include "core/base/error.h"
#include "core/base/mem.h"
#include "core/cli/check_report.h"
#include "core/config/config.h"
#include "watcher/place.h"
#include "watcher/view.h"

#define CAP_LEASE_BIT 28 /* capabilities(7) */

/* What a walk over a root has met. */
struct walk {
	size_t directories;
	size_t unreadable;
	char *first_file; /* owned; NULL: none yet */
	char *first_unreadable;
};

static void walk_done(struct walk *walk)
{
	free(walk->first_file);
	free(walk->first_unreadable);
}

static void walk_entry(struct walk *walk, const FTSENT *entry)
{
	switch (entry->fts_info) {
	case FTS_D:
		walk->directories++;
		break;
	case FTS_DNR:
		if (!walk->unreadable++)
			walk->first_unreadable = xstrdup(entry->fts_path);
		break;
	case FTS_F:
		if (!walk->first_file)
			walk->first_file = xstrdup(entry->fts_path);
		break;
	default: /* links, special files, directories on the way back */
		break;
	}
}

static void walk_root(struct walk *walk, char *path)
{
	char *const paths[] = { path, NULL };
	FTS *tree = fts_open(paths, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR, NULL);
	if (!tree)
		return;
	for (FTSENT *entry = fts_read(tree); entry; entry = fts_read(tree))
		walk_entry(walk, entry);
	(void)fts_close(tree);
}

/* Whether the process has CAP_LEASE, from the effective set in /proc/self/status. */
static bool may_lease(void)
{
	FILE *file = fopen("/proc/self/status", "re");
	if (!file)
		return false;
	char text[256];
	bool may = false;
	while (fgets(text, sizeof text, file)) {
		if (strncmp(text, "CapEff:", 7) == 0)
			may = (strtoull(text + 7, NULL, 16) >> CAP_LEASE_BIT) & 1;
	}
	(void)fclose(file);
	return may;
}

/* 0 when a read lease was taken and given back, or refused only because somebody writes. */
static int try_lease(const char *file)
{
	int fd AUTO_CLOSE = open(file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return -errno;
	/* whoever opens it for writing just then breaks the lease, which is told by SIGIO */
	(void)signal(SIGIO, SIG_IGN);
	return lease_probe(fd) == LEASE_UNKNOWN ? -errno : 0;
}

static void check_lease(struct check *check, const struct config_root *root, const char *file)
{
	static const char without[] =
		"what nobody says to be complete waits until it has rested for \"settle\"";
	unsigned long long enabled = 1;
	if (check_read_number("/proc/sys/fs/leases-enable", &enabled) && !enabled) {
		check_warn(check, "root %s: leases are off, so %s: sysctl fs.leases-enable=1",
			   root->path, without);
		return;
	}
	if (!file) {
		if (!may_lease())
			check_warn(
				check,
				"root %s: no CAP_LEASE, so for files of other users %s: give the "
				"service AmbientCapabilities=CAP_LEASE, or the container cap_add LEASE",
				root->path, without);
		return;
	}
	int r = try_lease(file);
	if (r == 0)
		check_ok("root %s: leases tell when a file is complete", root->path);
	else if (r == -EACCES && access(file, R_OK) < 0)
		check_fail(check,
			   "root %s: %s cannot be read: %s: give the user that runs carved "
			   "read permission (the sensor's group, or an ACL: setfacl -R -m "
			   "u:USER:rX,d:u:USER:rX), or the service "
			   "AmbientCapabilities=CAP_DAC_READ_SEARCH",
			   root->path, file, error_text(EACCES));
	else if (r == -EACCES)
		check_warn(
			check,
			"root %s: no lease on %s without CAP_LEASE, so %s: give the service "
			"AmbientCapabilities=CAP_LEASE, the container cap_add LEASE, or run as the "
			"owner of the files",
			root->path, file, without);
	else
		check_warn(check, "root %s: no leases there (%s), so %s", root->path,
			   error_text(-r), without);
}

/* Whether the watcher will trust events to tell every change. */
static bool tells_changes(const char *path)
{
	uint64_t fsid;
	uint64_t magic;
	int fd AUTO_CLOSE = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 || view_filesystem(fd, &fsid, &magic) < 0 ||
	       (place_is_local(magic) && !view_is_deaf(fd));
}

static void check_events(struct check *check, const struct config_root *root)
{
	const char *name = check_remote_filesystem(root->path);
	if (!name)
		name = "its file system, as far as is known,";
	if (root->mode == CONFIG_MODE_POLL)
		check_ok("root %s: walked every rescan_interval, as its mode asks", root->path);
	else if (tells_changes(root->path))
		check_ok("root %s: watched by events", root->path);
	else if (root->mode == CONFIG_MODE_AUTO)
		check_warn(
			check,
			"root %s: %s tells nothing of what other machines write, so it is walked "
			"every rescan_interval instead of watched",
			root->path, name);
	else
		check_warn(
			check,
			"root %s: %s tells nothing of what other machines write: expected mode auto "
			"or poll there",
			root->path, name);
}

static void check_root(struct check *check, const struct config_root *root)
{
	struct stat st;
	bool known = stat(root->path, &st) == 0;
	if (!known && (errno == ENOENT || errno == ENOTDIR)) {
		check_warn(check,
			   "root %s: is not there yet; it is looked for every rescan_interval",
			   root->path);
		return;
	}
	if (known && view_is_mounted_file(root->path)) {
		check_fail(check,
			   "root %s: is a single file that is mounted alone: edits and renames on "
			   "the host are not seen here; mount its directory",
			   root->path);
		return;
	}
	if (known && !S_ISDIR(st.st_mode)) {
		check_fail(check, "root %s: is not a directory", root->path);
		return;
	}
	if (access(root->path, R_OK | X_OK) < 0) {
		check_fail(check,
			   "root %s: %s: give the user that runs carved read and search "
			   "permission (setfacl -m u:USER:rx)",
			   root->path, error_text(errno));
		return;
	}
	struct walk walk = { 0 };
	walk_root(&walk, root->path);
	check->directories += walk.directories;
	check_events(check, root);
	check_lease(check, root, walk.first_file);
	if (walk.unreadable)
		check_warn(check,
			   "root %s: %zu directories cannot be read, the first is %s: give the "
			   "user that runs carved read and search permission",
			   root->path, walk.unreadable, walk.first_unreadable);
	walk_done(&walk);
}

void check_roots(struct check *check)
{
	if (!check->config->root_count)
		check_warn(
			check,
			"no roots: name them in the file, in CARVED_ROOT or on the command line");
	for (size_t i = 0; i < check->config->root_count; i++)
		check_root(check, &check->config->roots[i]);
}
