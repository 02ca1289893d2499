/* want: see want.h. getrlimit(2). */
#include "core/app/want.h"

#include <sys/resource.h>

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>

#include "core/app/state.h"
#include "core/base/error.h"
#include "core/base/log.h"
#include "core/base/str.h"
#include "core/config/config.h"
#include "watcher/limit.h"
#include "watcher/watcher.h"

/* What is open at once, measured and rounded up. The daemon: epoll, timers, signals, the history
 * and its log, listening and spoken-to clients, roots. A worker: a reading connection (2), the
 * file, and a command's pipes while it is started (10). For each detector a worker may hold a
 * session or a scanner (2), and the daemon its process, channel and rules. */
#define FILES_OF_DAEMON	  64
#define FILES_OF_ROOT	  1
#define FILES_OF_WORKER	  14
#define FILES_OF_DETECTOR 4
#define FILES_OF_SESSION  2
/* Without these it cannot be started at all. */
#define FILES_TO_START	      32
#define FILES_OF_WORKER_LEAST 3

unsigned long long want_files(const struct config *config)
{
	unsigned long long detectors = config->detector_count;
	return FILES_OF_DAEMON + FILES_OF_ROOT * config->root_count +
	       FILES_OF_DETECTOR * detectors +
	       config->workers * (FILES_OF_WORKER + FILES_OF_SESSION * detectors);
}

unsigned long long want_files_open(void)
{
	DIR *directory = opendir("/proc/self/fd");
	if (!directory)
		return 0;
	unsigned long long count = 0;
	const struct dirent *item;
	/* a stream of our own: NOLINTNEXTLINE(concurrency-mt-unsafe) */
	while ((item = readdir(directory)))
		count += item->d_name[0] != '.';
	(void)closedir(directory);
	return count - 1; /* the stream's */
}

/* The soft limit, after it was raised to the hard one. */
static unsigned long long raise_limit(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return RLIM_INFINITY;
	const rlim_t before = limit.rlim_cur;
	limit.rlim_cur = limit.rlim_max;
	return setrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : before;
}

int want_prepare(const struct config *config, struct error *err)
{
	unsigned long long granted = raise_limit();
	unsigned long long open = want_files_open();
	unsigned long long need = open + want_files(config);
	unsigned long long least =
		open + FILES_TO_START + (unsigned long long)FILES_OF_WORKER_LEAST * config->workers;
	unsigned long long good = limit_round(need);
	if (granted < least)
		return error_set(
			err, EMFILE,
			"only %llu files may be open (RLIMIT_NOFILE), %llu are needed by %u "
			"workers: set LimitNOFILE=%llu in the service, or ulimit -n %llu",
			granted, need, config->workers, good, good);
	if (granted < need)
		log_warning("only %llu files may be open (RLIMIT_NOFILE), %llu may be needed by %u "
			    "workers: set LimitNOFILE=%llu in the service, or ulimit -n %llu",
			    granted, need, config->workers, good, good);
	return 0;
}

void want_tell(struct app *app, const char *path, int code)
{
	unsigned long long others = 0;
	if (!seldom_say(&app->want, &others)) {
		log_debug("not looked at now, trying again path=%s error=%s", path,
			  error_text(code));
		return;
	}
	char words[LIMIT_WORDS];
	limit_explain(words, -code);
	log_warning("a file could not be looked at, trying again path=%s error=%s others=%llu: %s",
		    path, error_text(code), others, words);
}

static void member(struct str *out, const char *name, unsigned long long value)
{
	str_printf(out, "%s\"%s\":%llu", out->data[out->len - 1] == '{' ? "" : ",", name, value);
}

void want_status(struct app *app, struct str *out)
{
	struct watcher_stats stats = { 0 };
	struct rlimit limit = { 0 };
	watcher_stats(app->watcher, &stats);
	(void)getrlimit(RLIMIT_NOFILE, &limit);
	str_puts(out, ",\"limits\":{");
	member(out, "watches_used", stats.watches);
	if (stats.granted != LIMIT_UNKNOWN)
		member(out, "watches_granted", stats.granted);
	unsigned long long open = want_files_open();
	if (open)
		member(out, "files_open", open);
	member(out, "files_needed", want_files(app->config));
	member(out, "files_granted", limit.rlim_cur);
	str_putc(out, '}');
}
