/* check_limits: what the kernel grants: inotify instances, watches and queue, open files. Each line
 * names the sysctl or the limit and the value to set. */
#include <sys/inotify.h>
#include <sys/resource.h>

#include <errno.h>
#include <unistd.h>

#include "core/app/want.h"
#include "core/base/error.h"
#include "core/base/mem.h"
#include "core/cli/check_report.h"
#include "core/config/config.h"
#include "watcher/limit.h"

#define INOTIFY "/proc/sys/fs/inotify/"

#define QUEUE_USUAL 16384 /* the kernel's default of max_queued_events */

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
	char words[LIMIT_WORDS];
	limit_advise(words, LIMIT_INSTANCES, limit_enough(LIMIT_INSTANCES, 0, 64));
	static const char format[] = "inotify: no instance (%s), this user has used up all: %s. %s";
	if (needs_inotify(check->config, CONFIG_MODE_INOTIFY))
		check_fail(check, format, error_text(why), words,
			   "A root of mode inotify cannot do without");
	else
		check_warn(check, format, error_text(why), words,
			   "Without one all roots are walked every rescan_interval");
}

static void check_watches(struct check *check)
{
	uint64_t granted = limit_granted(LIMIT_WATCHES);
	if (granted == LIMIT_UNKNOWN)
		return;
	if (check->directories < granted - granted / 10) {
		check_ok(
			"inotify: %zu directories need watches, %llu are granted to all programs of "
			"this user",
			check->directories, (unsigned long long)granted);
		return;
	}
	char words[LIMIT_WORDS];
	limit_advise(words, LIMIT_WATCHES, limit_enough(LIMIT_WATCHES, 0, check->directories));
	check_warn(
		check,
		"inotify: %zu directories need watches, %llu are granted to all programs of this "
		"user: %s. Those without one are walked every rescan_interval",
		check->directories, (unsigned long long)granted, words);
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
	/* the daemon raises the soft limit to the hard one */
	unsigned long long granted = limit.rlim_max;
	unsigned long long need = want_files(check->config);
	unsigned long long good = limit_round(need);
	if (granted >= need)
		check_ok("open files: %llu may be needed, %llu are granted", need, granted);
	else
		check_fail(check,
			   "open files: %llu may be needed by %u workers, %llu are granted: set "
			   "LimitNOFILE=%llu in the service, or ulimit -n %llu",
			   need, check->config->workers, granted, good, good);
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
