/*
 * announce: see announce.h.
 *
 * Whoever reads the --json lines is waited for, for ever: they are the product. But not by a daemon
 * that was asked to end: then as long as running detectors are, once.
 */
#include "core/app/announce.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "core/app/loop.h"
#include "core/app/state.h"
#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/log.h"
#include "core/base/mem.h"
#include "core/base/str.h"
#include "core/config/config.h"
#include "core/sink/line.h"

static enum log_level level_of(const struct version *version)
{
	if (version->state == VERSION_DONE)
		return version->verdict <= OUTCOME_SUSPICIOUS ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO;
	return version->reason == REASON_FAILED || version->reason == REASON_UNREADABLE
		       ? LOG_LEVEL_NOTICE
		       : LOG_LEVEL_INFO;
}

/* Until stdout takes something, or it was in vain. */
static bool wait_for_reader(struct app *app)
{
	struct pollfd fds[] = { { .fd = STDOUT_FILENO, .events = POLLOUT },
				{ .fd = -1, .events = POLLIN } };
	if (poll(fds, 1, 0) > 0)
		return true;
	AUTO_CLOSE int end_fd = loop_end_fd();
	fds[1].fd = end_fd;
	int ready = 0;
	while (app->mode != APP_STOPPING && ready == 0) {
		ready = poll(fds, 2, watchdog_wait_ms(app));
		watchdog_tick(app);
	}
	if (ready > 0 && fds[0].revents)
		return true;
	/* asked to end, by a signal that the loop has yet to take perhaps */
	if (!app->json_until.ns)
		app->json_until = mono_add_ms(mono_now(), app->config->stop_grace_ms);
	errno = ETIMEDOUT;
	return poll(fds, 1, mono_ms_until(app->json_until)) > 0;
}

static bool write_all(struct app *app, const char *data, size_t len)
{
	while (len > 0) {
		if (!wait_for_reader(app))
			return false;
		/* a pipe that has room takes as much without waiting: pipe(7) */
		ssize_t wrote = write(STDOUT_FILENO, data, len < PIPE_BUF ? len : PIPE_BUF);
		if (wrote < 0 && errno != EINTR && errno != EAGAIN)
			return false;
		if (wrote > 0) {
			data += wrote;
			len -= (size_t)wrote;
		}
	}
	return true;
}

static void print_line(struct app *app, struct str *line, const struct version *version)
{
	str_putc(line, '\n');
	bool late = app->json_until.ns && mono_passed(app->json_until);
	if (!late && !write_all(app, line->data, line->len))
		log_error("stdout cannot be written, --json lines are lost path=%s error=%s",
			  version->path, error_text(errno));
}

/* What is to be mended, where the note alone does not say it. */
static const char *mend_of(const struct version *version)
{
	bool denied = version->reason == REASON_UNREADABLE && version->note &&
		      strcmp(version->note, error_text(EACCES)) == 0;
	return denied ? " (give the user of this program read permission: group, ACL, or "
			"CAP_DAC_READ_SEARCH)"
		      : "";
}

void announce(struct app *app, const struct version *version)
{
	const char *word = version->state == VERSION_DONE ? outcome_name(version->verdict)
							  : version_state_name(version->state);
	const char *reason = version_reason_name(version->reason);
	const char *signature = line_signature(version);
	log_line(level_of(version), "%s%s path=%s%s%s%s%s%s%s%s", word,
		 version->incomplete ? " (incomplete)" : "", version->path,
		 signature ? " signature=" : "", signature ? signature : "",
		 reason ? " reason=" : "", reason ? reason : "", version->note ? " note=" : "",
		 version->note ? version->note : "", mend_of(version));
	if (!app->options.json)
		return;
	AUTO_STR line = STR_INIT;
	line_version(&line, version);
	print_line(app, &line, version);
}

/* What was known before is no news, however bad. */
void announce_rescan(struct app *app, const struct version *version, enum outcome was)
{
	const char *before = was < OUTCOMES ? outcome_name(was) : "none";
	const char *signature = line_signature(version);
	enum log_level level = level_of(version);
	if (level > LOG_LEVEL_NOTICE)
		level = LOG_LEVEL_NOTICE; /* that an alarm is taken back is news as well */
	log_line(was == version->verdict ? LOG_LEVEL_INFO : level,
		 "%s%s path=%s%s%s rescan=yes was=%s", outcome_name(version->verdict),
		 version->incomplete ? " (incomplete)" : "", version->path,
		 signature ? " signature=" : "", signature ? signature : "", before);
	if (!app->options.json)
		return;
	AUTO_STR line = STR_INIT;
	line_rescan(&line, version, was);
	print_line(app, &line, version);
}

void announce_incomplete(struct app *app, const struct version *version)
{
	log_info("incomplete path=%s note=%s", version->path, version->note);
	if (app->options.incomplete)
		app->options.incomplete(app->options.context, version);
	if (!app->options.json)
		return;
	AUTO_STR line = STR_INIT;
	line_incomplete(&line, version);
	print_line(app, &line, version);
}
