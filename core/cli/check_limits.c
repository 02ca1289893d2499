/* check_limits: what the kernel grants: inotify instances, watches and queue, open files. Each line
 * names the sysctl or the limit and the value to set. */
#include <sys/inotify.h>
#include <sys/resource.h>

#include <errno.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/mem.h"
#include "core/cli/check_report.h"
#include "core/config/config.h"

#define INOTIFY "/proc/sys/fs/inotify/"

#define QUEUE_USUAL 16384 /* the kernel's default of max_queued_events */

/* Descriptors: per worker the file, its pipes and its helper's; and what the daemon itself holds.
 */
#define FILES_PER_WORKER 16
#define FILES_OF_DAEMON	 64

static bool needs_inotify(const struct config *config, enum config_mode mode)
{
	for (size_t i = 0; i < config->root_count; i++) {
		if (config->roots[i].mode == mode)
			return true;
	}
	return false;
}

static void check_instances(struct check *check)
{
	int fd AUTO_CLOSE = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (fd >= 0) {
		check_ok("inotify: an instance is free");
		return;
	}
	int why = errno;
	unsigned long long limit = 0;
	(void)check_read_number(INOTIFY "max_user_instances", &limit);
	static const char format[] = "inotify: no instance (%s): this user has used up "
				     "fs.inotify.max_user_instances, which is %llu: sysctl "
				     "fs.inotify.max_user_instances=%llu. %s";
	if (needs_inotify(check->config, CONFIG_MODE_INOTIFY))
		check_fail(check, format, error_text(why), limit, limit * 2 + 128,
			   "A root of mode inotify cannot do without");
	else
		check_warn(check, format, error_text(why), limit, limit * 2 + 128,
			   "Without one all roots are walked every rescan_interval");
}

static void check_watches(struct check *check)
{
	unsigned long long limit;
	if (!check_read_number(INOTIFY "max_user_watches", &limit))
		return;
	if (check->directories < limit - limit / 10) {
		check_ok(
			"inotify: %zu directories need watches, %llu are granted to all programs of "
			"this user (fs.inotify.max_user_watches)",
			check->directories, limit);
		return;
	}
	unsigned long long wanted = 65536;
	while (wanted < 2 * (unsigned long long)check->directories)
		wanted *= 2;
	check_warn(check,
		   "inotify: %zu directories need watches, %llu are granted: sysctl "
		   "fs.inotify.max_user_watches=%llu. Those without one are walked every "
		   "rescan_interval",
		   check->directories, limit, wanted);
}

static void check_queue(struct check *check)
{
	unsigned long long limit;
	if (!check_read_number(INOTIFY "max_queued_events", &limit))
		return;
	if (limit >= QUEUE_USUAL)
		check_ok("inotify: %llu events may wait (fs.inotify.max_queued_events)", limit);
	else
		check_warn(
			check,
			"inotify: only %llu events may wait, so bursts end in walks over everything: "
			"sysctl fs.inotify.max_queued_events=%d",
			limit, QUEUE_USUAL);
}

static void check_files(struct check *check)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	unsigned long long need =
		FILES_OF_DAEMON + (unsigned long long)check->config->workers * FILES_PER_WORKER;
	if (limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= need)
		check_ok("open files: %llu may be needed, %llu are granted", need,
			 (unsigned long long)limit.rlim_cur);
	else
		check_fail(check,
			   "open files: %llu may be needed by %u workers, %llu are granted: set "
			   "LimitNOFILE=%llu in the service, or ulimit -n",
			   need, check->config->workers, (unsigned long long)limit.rlim_cur, need);
}

void check_limits(struct check *check)
{
	bool events = needs_inotify(check->config, CONFIG_MODE_AUTO) ||
		      needs_inotify(check->config, CONFIG_MODE_INOTIFY);
	if (events) {
		check_instances(check);
		check_watches(check);
		check_queue(check);
	}
	check_files(check);
}
