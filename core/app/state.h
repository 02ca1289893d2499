/*
 * state: the daemon's one object, for the files of this room only.
 *
 * Which thread: everything belongs to the loop, except what the comments say. Workers reach the
 * store's inbox, the outbox, the twins, the engine (by engine_ref() under engine_lock) and the
 * pool.
 */
#ifndef CARVED_CORE_APP_STATE_H
#define CARVED_CORE_APP_STATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/app/app.h"
#include "core/app/flight.h"
#include "core/app/health.h"
#include "core/app/limits.h"
#include "core/app/manager.h"
#include "core/app/pause.h"
#include "core/app/rescan.h"
#include "core/app/watchdog.h"
#include "core/base/list.h"
#include "core/base/lock.h"
#include "core/base/seldom.h"
#include "core/base/table.h"
#include "watcher/event.h"

struct control;
struct disposing;
struct engine;
struct forget;
struct gaps;
struct met;
struct outbox;
struct pace;
struct pool;
struct pressure;
struct reloader;
struct roots;
struct rules_watch;
struct rules;
struct shortened;
struct store_reader;
struct twins;
struct watcher;

enum app_mode {
	APP_RUNNING,  /* all is as usual */
	APP_JOINING,  /* no new files; what is queued is finished, then it ends */
	APP_STOPPING, /* running jobs end or are given up, then it ends */
};

struct app_counters {
	uint64_t done[OUTCOMES];
	uint64_t unscanned[REASONS];
	uint64_t sidecars, ignored, repeats, refreshed, retries;
};

struct app {
	struct app_options options;
	struct config *config;
	struct lock engine_lock;
	struct engine *engine; /* guarded by engine_lock */
	struct roots *roots;
	struct met *met;
	struct watcher_event event; /* the watcher's last one; pull */
	struct watcher *watcher;
	struct store *store;
	struct store_reader *reader;
	struct pool *pool;
	struct twins *twins;
	struct closes *closes;
	struct outbox *outbox;
	struct shortened *shortened;
	struct control *control;
	struct sinks *sinks;   /* NULL: there are none */
	struct forget *forget; /* NULL: nothing is */
	struct pressure *pressure;
	struct disposing *disposing; /* NULL: nothing is ever removed */
	struct gaps *gaps;
	struct reloader *reloader;
	struct rules_watch *rules_watch; /* NULL: there are no rules, or they cannot be watched */
	struct mono reload_after;	 /* no reload begins before; 0: at once */
	struct mono rules_due;		 /* when changed rules are loaded; 0: none have */
	struct flight flight;
	size_t flight_most; /* jobs in memory since memory was given back last */
	/* raised when mounts have changed; 0: they are not watched. Any thread */
	atomic_uint_fast64_t mounts;
	atomic_size_t submitted; /* jobs that workers gave to the store; any thread */
	struct list side_ops; /* operations of the loop's own on their way to the history: record */
	uint64_t side_ops_sent;
	struct table ending; /* of them, those that end queued rows, by row */
	struct app_counters counters;
	struct rescans rescans;
	struct pausing pausing;
	struct health health;
	struct manager manager;
	struct watchdog watchdog;
	struct pace *pace;
	struct rules *rules;

	enum app_mode mode;
	int epoll_fd, signal_fd, timer_fd, mount_fd;
	int cancel_fd; /* eventfd; readable once running detectors are to give up */
	int exit_code;
	bool walked_all;   /* the first walk of all roots is through */
	bool once_asked;   /* once: once_ticket was taken, after that walk */
	bool walking;	   /* a walk is under way */
	bool backlog;	   /* the history may hold queued rows that are due and not in memory */
	bool empty_wait;   /* it does: of files without bytes, which wait until it spares no room */
	bool held;	   /* it is still to be taken */
	bool events_left;  /* the watcher may have more without its descriptor saying so */
	bool queue_unsure; /* something happened since the queue was last seen empty of due rows */
	bool own_due;	   /* a row of this run waits for a time */
	bool let_go;	   /* no room for events, and nothing is held open for them any more */
	uint64_t reloads;  /* of the configuration, begun so far */
	bool rerooting;	   /* roots are leaving or coming: reroot.h */
	uint64_t reroot_ticket; /* when it has passed, all that those told who leave is in */
	bool reload_again;	/* it was asked for while one was under way, or could not begin */
	bool refill_again;	/* more rows are due and there is room */
	bool watcher_armed;	/* its descriptor is polled */
	bool rules_unwatched;	/* changes of some rules would not be told: tried again */
	bool cancelled;
	bool history_met;	    /* below a root, and it was said */
	bool in_trouble;	    /* the store is */
	bool trouble_told;	    /* and that was logged */
	struct seldom trouble_said; /* the loop's */
	uint64_t once_ticket;	    /* when it has passed, all that the walk led to is in */
	int64_t next_due_ns;	    /* earliest due time of a queued row; INT64_MAX: none */
	struct mono full_since;	    /* since when there is no room for running jobs; 0: there is */
	struct mono no_room_since;  /* since when events are left to the kernel; 0: they are not */
	uint64_t interims_sent, interims_committed; /* rows of record_interim(), in their order */
	struct mono next_interim; /* when settle gives rows to slow jobs; 0: there are none */
	struct mono next_rescan;
	struct mono timer_set; /* what timer_fd is set to; ns 0: fired or never set */
	struct seldom want;    /* we are short of something; the loop's */
	struct seldom unread;  /* the history cannot be read; any thread */
	struct mono stop_deadline;
	struct mono json_until;	 /* the --json lines are waited for; ns 0: as long as it takes */
	struct mono moved_until; /* how long a history that is not in its place is waited for; 0: it
				  * is there */
	int64_t started_ns;
	int64_t reconciled_ns; /* when the last walk of all roots was through; 0: none was */
};

/** Jobs that wait for a worker, or that one is at. The loop. */
static inline size_t app_with_workers(const struct app *app)
{
	size_t running = app->flight.counts[JOB_RUNNING];
	size_t submitted = atomic_load_explicit(&app->submitted, memory_order_relaxed);
	return running > submitted ? running - submitted : 0;
}

/** The engine in force, a reference. Any thread. */
struct engine *app_engine(struct app *app);

#endif
