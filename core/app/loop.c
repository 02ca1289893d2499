/* loop: see loop.h. */
#include "core/app/loop.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <unistd.h>

#include "core/app/backlog.h"
#include "core/app/control.h"
#include "core/app/disposing.h"
#include "core/app/ends.h"
#include "core/app/gaps.h"
#include "core/app/health.h"
#include "core/app/outbox.h"
#include "core/app/pause.h"
#include "core/app/pressure.h"
#include "core/app/pull.h"
#include "core/app/record.h"
#include "core/app/reload.h"
#include "core/app/reloader.h"
#include "core/app/reroot.h"
#include "core/app/rescan.h"
#include "core/app/rules_watch.h"
#include "core/app/settle.h"
#include "core/app/state.h"
#include "core/base/error.h"
#include "core/base/log.h"
#include "core/base/mem.h"
#include "core/config/config.h"
#include "core/store/store.h"
#include "watcher/watcher.h"

/* When so many jobs were in memory and no more than a quarter is left, what they took is given
 * back. */
#define TRIM_ABOVE 4096
/* A history that was moved, removed or replaced is waited for this many rescan intervals. */
#define MOVED_INTERVALS 3

enum source {
	SOURCE_WATCHER,
	SOURCE_STORE,
	SOURCE_OUTBOX,
	SOURCE_SIGNAL,
	SOURCE_TIMER,
	SOURCE_MOUNTS,
	SOURCE_CONTROL,
	SOURCE_RELOADER,
	SOURCE_RULES,
	SOURCES,
};

static const int handled_signals[] = { SIGTERM, SIGINT, SIGUSR1, SIGUSR2, SIGHUP };

static void fill_handled(sigset_t *set)
{
	(void)sigemptyset(set);
	for (size_t i = 0; i < sizeof handled_signals / sizeof *handled_signals; i++)
		(void)sigaddset(set, handled_signals[i]);
}

void loop_hold_signals(void)
{
	sigset_t set;
	fill_handled(&set);
	(void)pthread_sigmask(SIG_BLOCK, &set, NULL); /* fails for a wrong first argument only */
}

static int take_over_signals(struct app *app)
{
	sigset_t set;
	fill_handled(&set);
	loop_hold_signals();
	/* SIGIO: a broken lease would kill us (fcntl(2)); SIGPIPE: a client or reader that went
	 * away; SIGXFSZ: a history at the limit of RLIMIT_FSIZE is one that cannot be written */
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	(void)sigaction(SIGIO, &ignore, NULL);
	(void)sigaction(SIGPIPE, &ignore, NULL);
	(void)sigaction(SIGXFSZ, &ignore, NULL);
	app->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return app->signal_fd < 0 ? -errno : 0;
}

int loop_end_fd(void)
{
	sigset_t set;
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

int loop_init(struct app *app, struct error *err)
{
	int result = take_over_signals(app);
	if (result < 0)
		return error_set(err, -result, "signals: %s", error_text(-result));
	app->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	app->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	app->cancel_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (app->epoll_fd < 0 || app->timer_fd < 0 || app->cancel_fd < 0)
		return error_set(err, errno, "no descriptors left (RLIMIT_NOFILE): %s",
				 error_text(errno));
	app->mount_fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	if (app->mount_fd < 0)
		log_warning("mounts are not watched: /proc/self/mountinfo: %s", error_text(errno));
	atomic_init(&app->mounts, app->mount_fd >= 0);
	return 0;
}

static int add(struct app *app, int fd, enum source source, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.u32 = source };
	return epoll_ctl(app->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

int loop_watch_rules(struct app *app)
{
	return add(app, rules_watch_fd(app->rules_watch), SOURCE_RULES, EPOLLIN);
}

int loop_arm(struct app *app, struct error *err)
{
	int result = add(app, watcher_fd(app->watcher), SOURCE_WATCHER, EPOLLIN);
	app->watcher_armed = true;
	if (result == 0)
		result = add(app, store_fd(app->store), SOURCE_STORE, EPOLLIN);
	if (result == 0)
		result = add(app, outbox_fd(app->outbox), SOURCE_OUTBOX, EPOLLIN);
	if (result == 0)
		result = add(app, app->signal_fd, SOURCE_SIGNAL, EPOLLIN);
	if (result == 0)
		result = add(app, app->timer_fd, SOURCE_TIMER, EPOLLIN);
	if (result == 0 && app->mount_fd >= 0)
		/* proc(5): a change of mounts is told as an error condition; edge, as it never
		 * clears */
		result = add(app, app->mount_fd, SOURCE_MOUNTS, EPOLLPRI | EPOLLERR | EPOLLET);
	if (result == 0)
		result = add(app, control_fd(app->control), SOURCE_CONTROL, EPOLLIN);
	if (result == 0)
		result = add(app, reloader_fd(app->reloader), SOURCE_RELOADER, EPOLLIN);
	if (result == 0 && app->rules_watch)
		result = loop_watch_rules(app);
	if (result < 0)
		return error_set(err, -result, "epoll: %s", error_text(-result));
	return 0;
}

void loop_done(struct app *app)
{
	const int fds[] = { app->epoll_fd, app->timer_fd, app->cancel_fd, app->signal_fd,
			    app->mount_fd };
	for (size_t i = 0; i < sizeof fds / sizeof *fds; i++) {
		if (fds[i] >= 0)
			fd_close(fds[i]);
	}
}

/* While there is no room for events their descriptor must not wake us. */
static void arm_watcher(struct app *app, bool wanted)
{
	if (app->watcher_armed == wanted)
		return;
	struct epoll_event event = { .events = wanted ? EPOLLIN : 0, .data.u32 = SOURCE_WATCHER };
	if (epoll_ctl(app->epoll_fd, EPOLL_CTL_MOD, watcher_fd(app->watcher), &event) == 0)
		app->watcher_armed = wanted;
}

static void sooner(struct mono *next, struct mono at)
{
	if (at.ns && at.ns < next->ns)
		*next = at;
}

/* The moment at which something is due; ns 0 when it is INT64_MAX, never. */
static struct mono mono_at_due(int64_t due_ns)
{
	if (due_ns == INT64_MAX)
		return (struct mono){ 0 };
	int64_t left = due_ns - clock_steady_ns();
	return (struct mono){ mono_now().ns + (left > 0 ? left : 0) };
}

static struct mono next_wake(struct app *app)
{
	struct mono next = settle_next(app);
	if (app->mode != APP_STOPPING)
		sooner(&next, mono_at_due(app->next_due_ns));
	if (app->mode == APP_RUNNING)
		sooner(&next, mono_at_due(app->rescans.next_due_ns));
	if (app->mode == APP_RUNNING &&
	    (app->rules_unwatched || watcher_needs_retry(app->watcher))) {
		if (app->next_rescan.ns == 0)
			app->next_rescan = pull_next_rescan(app);
		sooner(&next, app->next_rescan);
	}
	/* a worker that comes to rest, and a ticket that passes, wake nobody */
	if (app->mode == APP_STOPPING ||
	    ((app->once_asked || app->rerooting) && app->mode == APP_RUNNING))
		sooner(&next, mono_add_ms(mono_now(), APP_LIMBO_MS));
	if (!reloader_busy(app->reloader)) {
		sooner(&next, app->rules_due);
		if (app->reload_again)
			sooner(&next, app->reload_after);
	}
	sooner(&next, control_due(app->control));
	sooner(&next, app->stop_deadline);
	sooner(&next, app->moved_until);
	sooner(&next, pull_room_at(app));
	sooner(&next, pull_rest_at(app));
	sooner(&next, watchdog_due(app));
	sooner(&next, manager_due(app));
	sooner(&next, pressure_next(app));
	return next;
}

static void set_timer(struct app *app)
{
	struct mono next = next_wake(app);
	if (next.ns == app->timer_set.ns)
		return;
	app->timer_set = next;
	struct itimerspec when = { 0 };
	if (next.ns != INT64_MAX) {
		when.it_value.tv_sec = (time_t)(next.ns / CLOCK_NS_PER_S);
		when.it_value.tv_nsec = (long)(next.ns % CLOCK_NS_PER_S);
	}
	(void)timerfd_settime(app->timer_fd, TFD_TIMER_ABSTIME, &when, NULL);
}

void loop_walk(struct app *app)
{
	app->walking = true;
	watcher_reconcile(app->watcher);
	app->events_left = true;
}

static void take_signals(struct app *app)
{
	struct signalfd_siginfo info;
	while (read(app->signal_fd, &info, sizeof info) == (ssize_t)sizeof info) {
		switch ((int)info.ssi_signo) {
		case SIGTERM:
		case SIGINT:
			ends_stop(app);
			break;
		case SIGUSR1:
			ends_join(app);
			break;
		case SIGUSR2:
			log_notice("reconcile asked for by SIGUSR2");
			loop_walk(app);
			break;
		case SIGHUP:
			reload(app);
			break;
		}
	}
}

static void take_timer(struct app *app)
{
	uint64_t times;
	ssize_t ignored = read(app->timer_fd, &times, sizeof times);
	(void)ignored;
	app->timer_set.ns = 0; /* fired: whatever comes next is armed anew */
	control_tick(app->control);
	if (app->next_rescan.ns && mono_passed(app->next_rescan)) {
		app->next_rescan.ns = 0;
		watcher_retry(app->watcher);
		reload_retry(app);
		app->events_left = true;
	}
}

static void take(struct app *app, enum source source)
{
	switch (source) {
	case SOURCE_WATCHER:
		app->events_left = true;
		break;
	case SOURCE_SIGNAL:
		take_signals(app);
		break;
	case SOURCE_TIMER:
		take_timer(app);
		break;
	case SOURCE_MOUNTS:
		atomic_fetch_add(&app->mounts, 1);
		app->walking = true;
		watcher_mounts_changed(app->watcher);
		app->events_left = true;
		break;
	case SOURCE_CONTROL:
		control_serve(app);
		break;
	case SOURCE_RULES:
		reload_rules_changed(app);
		break;
	case SOURCE_STORE:
	case SOURCE_OUTBOX:
	case SOURCE_RELOADER:
	case SOURCES:
		break; /* looked at every turn */
	}
}

/* One that does not come back will not: whoever starts us anew has us find its files again, and
 * take the history that is there now, or make one. Staying would mean to hold everything for ever.
 */
static int wait_for_history(struct app *app, const struct error *trouble, struct error *err)
{
	if (trouble->code != ESTALE) {
		app->moved_until = (struct mono){ 0 };
		return 0;
	}
	if (!app->moved_until.ns)
		app->moved_until =
			mono_add_ms(mono_now(), app->config->rescan_interval_ms * MOVED_INTERVALS);
	if (!mono_passed(app->moved_until))
		return 0;
	return error_set(err, ESTALE, "%s; it did not come back: ending, to be started again",
			 trouble->text);
}

static int tell_trouble(struct app *app, struct error *err)
{
	struct error trouble = { 0 };
	bool now = store_trouble(app->store, &trouble);
	unsigned long long others = 0;
	/* at the brim of a disk it comes and goes */
	if (now && !app->trouble_told &&
	    (trouble.code != ENOSPC || seldom_say(&app->trouble_said, &others))) {
		log_error("the history cannot be written, everything is held until it can: %s",
			  trouble.text);
		app->trouble_told = true;
	} else if (!now && app->trouble_told) {
		log_notice("the history can be written again");
		app->trouble_told = false;
	}
	app->in_trouble = now;
	return wait_for_history(app, &trouble, err);
}

/* The allocator keeps what was freed in the middle of its heaps, for ever: malloc_trim(3). */
static void give_memory_back(struct app *app)
{
	size_t now = flight_total(&app->flight);
	if (now > app->flight_most)
		app->flight_most = now;
	if (app->flight_most < TRIM_ABOVE || now > app->flight_most / 4)
		return;
	app->flight_most = now;
	(void)malloc_trim(0);
}

int loop_run(struct app *app, struct error *err)
{
	app->events_left = true;
	while (!ends_reached(app)) {
		bool room = pull_has_room(app);
		arm_watcher(app, room);
		pull_rest(app, room);
		set_timer(app);
		give_memory_back(app);
		pool_wake(app->pool);
		health_tick(app);
		manager_tick(app);
		watchdog_tick(app);
		bool busy = (room && app->events_left) || app->refill_again;
		struct epoll_event events[SOURCES];
		int count = epoll_wait(app->epoll_fd, events, SOURCES, busy ? 0 : -1);
		if (count < 0 && errno != EINTR)
			return error_set(err, errno, "epoll: %s", error_text(errno));
		for (int i = 0; i < count; i++)
			take(app, (enum source)events[i].data.u32);
		int result = tell_trouble(app, err);
		if (result < 0)
			return result;
		record_committed(app);
		settle_tick(app);
		gaps_tick(app);
		reload_tick(app);
		reroot_tick(app);
		pause_tick(app);
		disposing_tick(app);
		result = pull_events(app, err);
		if (result < 0)
			return result;
		app->refill_again = backlog_refill(app);
		rescan_refill(app);
		pressure_tick(app);
	}
	return 0;
}
