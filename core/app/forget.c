/*
 * forget: see forget.h.
 *
 * What costs time is done here and not by the writer: looking for what is old, asking the file
 * system for it, and having the pages read that deleting will touch. Between two portions the
 * thread sleeps for several times as long as the last took, so a busy store is asked less often.
 *
 * A file may come back to its path between our look and the commit: the daemon has met it as known,
 * and its row is gone. So what was deleted is looked at once more, and a walk makes up for that.
 *
 * Free pages are used again. They go back to the file system only where they are many, as when
 * history_keep was made shorter: giving them back and asking for them anew is work for nothing.
 */
#include "core/app/forget.h"

#include <sys/resource.h>

#include <errno.h>
#include <pthread.h>

#include "core/app/loop.h"
#include "core/app/standing.h"
#include "core/app/state.h"
#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/log.h"
#include "core/base/str.h"
#include "core/config/config.h"
#include "core/store/old_reader.h"
#include "core/store/store.h"

enum {
	HOUR_MS = 3600000,
	PASSES_A_DAY = 24,
	NICE_LEAST = 19,
	PORTION_MIN = 4, /* versions, or pages, in one operation, by how long the last took: */
	PORTION_FIRST = 32,
	PORTION_MAX = OLD_PAGE_MAX,
	TOOK_LONG_MS = 3,
	TOOK_SHORT_MS = 1,
	PAUSE_MIN_MS = 10,
	PAUSE_MAX_MS = 5000,
	PAUSE_TIMES = 4,   /* as long as the last portion */
	FREE_PART = 8,	   /* of the file, may be free without being given back, */
	FREE_PAGES = 4096, /* and so many pages: 32 MiB */
};

#define DAY_NS INT64_C(86400000000000)

enum {
	CUT_SHORT = 1 /* it is to end, or goes by another configuration, or the store refused */
};

struct forget {
	struct store *store;
	char *history;
	bool started;
	pthread_t thread;
	pthread_cond_t wake;
	struct lock lock;
	/* guarded by lock */
	struct config *config; /* a reference */
	bool stopping;
	bool changed; /* config is another one */
	bool submitted;
	bool came_back;		 /* a file did whose row is gone: a walk is to be made */
	unsigned long long gone; /* versions, since the start */
	unsigned long long silent;
	int64_t pass_ended_ns; /* wall clock; 0: none has */
	struct error trouble;
	/* the store's while submitted */
	int64_t ids[OLD_PAGE_MAX];
	struct store_expire work;
	struct store_op op;
	/* the thread's */
	struct old_reader *reader;
	struct old_page page;
	unsigned passes; /* that ended, since one was cut short: each 24th begins anew */
	size_t portion;
	int64_t before_ns;
};

/* False when it is to end, or goes by another configuration. */
static bool goes_on(const struct forget *forget)
{
	return !forget->stopping && !forget->changed;
}

static bool wait_ms(struct forget *forget, int64_t ms)
{
	struct mono until = mono_add_ms(mono_now(), ms);
	lock_take(&forget->lock);
	while (goes_on(forget) && lock_wait_until(&forget->lock, &forget->wake, until.ns))
		;
	bool on = goes_on(forget);
	lock_drop(&forget->lock);
	return on;
}

static bool rest(struct forget *forget, struct mono began)
{
	int64_t ms = (mono_now().ns - began.ns) * PAUSE_TIMES / CLOCK_NS_PER_MS;
	ms = ms < PAUSE_MIN_MS ? PAUSE_MIN_MS : ms;
	return wait_ms(forget, ms > PAUSE_MAX_MS ? PAUSE_MAX_MS : ms);
}

/* Not while it is with the store still, as it may be from a stop on. */
static bool submit(struct forget *forget, const struct store_expire *work)
{
	if (forget->submitted || forget->stopping)
		return false;
	forget->work = *work;
	forget->op = (struct store_op){ .verb = STORE_EXPIRE, .expire = &forget->work };
	list_init(&forget->op.link);
	forget->submitted = true;
	store_submit(forget->store, &forget->op);
	/* also when the configuration is another: what it points to is ours */
	while (forget->submitted && !forget->stopping)
		lock_wait(&forget->lock, &forget->wake);
	return !forget->submitted && forget->op.result != STORE_REFUSED;
}

/* Has the work done by the writer. False when it is not waited for any more, or was refused. */
static bool have_done(struct forget *forget, const struct store_expire *work)
{
	struct store_expire dated = *work;
	dated.before_ns = forget->before_ns;
	lock_take(&forget->lock);
	bool done = submit(forget, &dated);
	if (done)
		forget->gone += forget->work.gone;
	lock_drop(&forget->lock);
	return done;
}

static void adapt(struct forget *forget, size_t used)
{
	int64_t ms = forget->work.took_ns / CLOCK_NS_PER_MS;
	if (ms >= TOOK_LONG_MS && forget->portion > PORTION_MIN)
		forget->portion /= 2;
	else if (ms < TOOK_SHORT_MS && used == forget->portion && used < PORTION_MAX)
		forget->portion *= 2;
}

/* A file whose row went meanwhile is there again. */
static void look_again(struct forget *forget, struct standing *standing,
		       const struct old_version *const *gone, size_t count)
{
	bool back = false;
	for (size_t i = 0; i < count; i++)
		back = back || standing_look(standing, gone[i]) == STANDING_THERE;
	if (!back)
		return;
	const struct store_expire nothing = { 0 };
	lock_take(&forget->lock);
	forget->came_back = true;
	(void)submit(forget, &nothing); /* comes back to the loop */
	lock_drop(&forget->lock);
}

/* The next versions of the page, from *at on, that may go, as many as are let go of at once. */
static size_t gather(struct forget *forget, struct standing *standing, size_t *at,
		     const struct old_version **gone)
{
	size_t count = 0;
	for (; *at < forget->page.count && count < forget->portion; ++*at) {
		const struct old_version *version = &forget->page.versions[*at];
		if (standing_look(standing, version) != STANDING_GONE)
			continue;
		old_reader_warm(forget->reader, version->id);
		gone[count++] = version;
	}
	return count;
}

/* False when there is to be no more. */
static bool let_go(struct forget *forget, struct standing *standing)
{
	for (size_t at = 0; at < forget->page.count;) {
		const struct old_version *gone[OLD_PAGE_MAX];
		struct mono began = mono_now();
		size_t count = gather(forget, standing, &at, gone);
		for (size_t i = 0; i < count; i++)
			forget->ids[i] = gone[i]->id;
		const struct store_expire work = { .ids = forget->ids, .count = count };
		if (count && !have_done(forget, &work))
			return false;
		if (count) {
			adapt(forget, count);
			look_again(forget, standing, gone, count);
		}
		if (!rest(forget, began))
			return false;
	}
	return true;
}

/* Notes what sinks are yet to tell of: that stays. 0, CUT_SHORT, or -errno with err. */
static int find_untold(struct forget *forget, struct error *err)
{
	bool more = true;
	int result = 0;
	for (bool first = true; result == 0 && more; first = false) {
		struct mono began = mono_now();
		result = old_reader_note_untold(forget->reader, forget->before_ns, first, &more,
						err);
		if (result == 0 && more && !rest(forget, began))
			result = CUT_SHORT;
	}
	return result;
}

/* 0, CUT_SHORT, or -errno with err. */
static int let_all_go(struct forget *forget, struct standing *standing, struct error *err)
{
	int result = find_untold(forget, err);
	forget->page.more = true;
	while (result == 0 && forget->page.more) {
		result = old_reader_next(forget->reader, forget->before_ns, &forget->page, err);
		if (result == 0 && !let_go(forget, standing))
			result = CUT_SHORT;
	}
	return result;
}

/* Gaps, and pages that are free. */
static void let_rest_go(struct forget *forget)
{
	const struct store_expire gaps = { .gaps = true };
	int64_t before = INT64_MAX;
	struct mono began = mono_now();
	if (!have_done(forget, &gaps))
		return;
	while (forget->work.free_pages > FREE_PAGES &&
	       forget->work.free_pages > forget->work.pages / FREE_PART &&
	       forget->work.free_pages < before && rest(forget, began)) {
		before = forget->work.free_pages;
		began = mono_now();
		const struct store_expire work = { .give_back = (unsigned)forget->portion };
		if (!have_done(forget, &work))
			return;
		adapt(forget, forget->portion);
	}
}

static void tell_silent(const struct standing_silent *silent)
{
	if (silent->root)
		log_warning("history_keep: root %s is missing: what was seen there is kept",
			    silent->root);
	if (silent->place)
		log_warning("history_keep: %s is on another file system than it was (not "
			    "mounted?): what was seen there is kept, until \"carved prune "
			    "--any-volume\"",
			    silent->place);
}

/* A pass ended. whole: it began at the oldest version, so it has met all that are silent. */
static void note_end(struct forget *forget, bool whole, unsigned long long silent,
		     const struct error *err)
{
	if (err->code)
		log_warning("history_keep: %s", err->text);
	lock_take(&forget->lock);
	forget->silent = whole ? silent : forget->silent + silent;
	forget->trouble = *err;
	forget->pass_ended_ns = clock_wall_ns();
	lock_drop(&forget->lock);
}

/* The earlier of what the two clocks say: one that was wrong, and set since, makes nothing old. */
static int64_t old_before(const struct config *config)
{
	int64_t wall_ns = clock_wall_ns();
	int64_t steady_ns = clock_steady_ns();
	return (wall_ns < steady_ns ? wall_ns : steady_ns) -
	       (int64_t)config->history_keep_days * DAY_NS;
}

static void pass(struct forget *forget, const struct config *config)
{
	struct error err = { 0 };
	AUTO(standing) struct standing *standing = standing_new(config);
	unsigned long long before = forget->gone; /* nobody else changes it */
	bool whole = forget->passes % PASSES_A_DAY == 0;
	if (whole)
		old_page_rewind(&forget->page);
	forget->before_ns = old_before(config);
	int result = let_all_go(forget, standing, &err);
	if (forget->gone > before)
		log_notice("history_keep: versions forgotten: %llu", forget->gone - before);
	struct standing_silent silent = standing_silent(standing);
	tell_silent(&silent);
	if (result == CUT_SHORT) {
		forget->passes = 0; /* the page was not looked at to its end */
		return;
	}
	forget->passes++;
	if (result == 0 && old_reader_has_untold(forget->reader))
		error_set(&err, EAGAIN,
			  "events of that time wait to be told: their versions are kept");
	if (result == 0)
		let_rest_go(forget);
	note_end(forget, whole, silent.count, &err);
}

/* NULL: it is to end. A reference. */
static struct config *next_config(struct forget *forget)
{
	lock_take(&forget->lock);
	while (!forget->stopping && forget->config->history_keep_days == 0)
		lock_wait(&forget->lock, &forget->wake);
	struct config *config = forget->stopping ? NULL : config_ref(forget->config);
	if (forget->changed)
		forget->passes = 0;
	forget->changed = false;
	lock_drop(&forget->lock);
	return config;
}

static void *run(void *context)
{
	struct forget *forget = context;
	(void)pthread_setname_np(pthread_self(), "forget");
	/* of this thread alone; it may be forbidden, and then all of us are nice already */
	(void)setpriority(PRIO_PROCESS, 0, NICE_LEAST);
	for (struct config *config; (config = next_config(forget));) {
		pass(forget, config);
		config_unref(config);
		(void)wait_ms(forget, HOUR_MS);
	}
	return NULL;
}

static int start(struct forget *forget, struct error *err)
{
	int result = forget->reader ? 0 : old_reader_open(&forget->reader, forget->history, err);
	if (result < 0)
		return result;
	int code = pthread_create(&forget->thread, NULL, run, forget);
	if (code)
		return error_set(err, code,
				 "cannot start the thread of history_keep: %s (memory, ulimit -u, "
				 "TasksMax=, pids.max)",
				 error_text(code));
	forget->started = true;
	return 0;
}

static struct forget *forget_new(struct app *app)
{
	struct forget *forget = xcalloc(1, sizeof *forget);
	forget->store = app->store;
	forget->history = xstrdup(app->config->history);
	forget->config = config_ref(app->config);
	forget->portion = PORTION_FIRST;
	lock_init(&forget->lock);
	lock_condition_init(&forget->wake);
	return forget;
}

int forget_begin(struct app *app, struct error *err)
{
	struct forget *forget = app->forget;
	if (!forget && (app->options.once || app->config->history_keep_days == 0))
		return 0;
	if (!forget) {
		app->forget = forget_new(app);
		return start(app->forget, err);
	}
	lock_take(&forget->lock);
	config_unref(forget->config);
	forget->config = config_ref(app->config);
	forget->changed = true;
	(void)pthread_cond_signal(&forget->wake);
	lock_drop(&forget->lock);
	return forget->started ? 0 : start(forget, err);
}

void forget_committed(struct app *app, const struct store_op *op)
{
	struct forget *forget = app->forget;
	(void)op;
	lock_take(&forget->lock);
	forget->submitted = false;
	bool walk = forget->came_back;
	forget->came_back = false;
	(void)pthread_cond_signal(&forget->wake);
	lock_drop(&forget->lock);
	if (!walk)
		return;
	log_notice("a file came back while it was forgotten: all roots are walked");
	loop_walk(app);
}

void forget_status(struct app *app, struct str *out)
{
	struct forget *forget = app->forget;
	if (!forget || app->config->history_keep_days == 0) {
		str_puts(out, ",\"history_keep\":null");
		return;
	}
	lock_take(&forget->lock);
	str_printf(out,
		   ",\"history_keep\":{\"days\":%u,\"forgotten_since_start\":%llu,"
		   "\"kept_not_mounted\":%llu,\"looked_ns\":%lld,\"trouble\":",
		   app->config->history_keep_days, forget->gone, forget->silent,
		   (long long)forget->pass_ended_ns);
	str_json_text(out, forget->trouble.code ? forget->trouble.text : NULL);
	lock_drop(&forget->lock);
	str_putc(out, '}');
}

void forget_stop(struct app *app)
{
	struct forget *forget = app->forget;
	if (!forget)
		return;
	lock_take(&forget->lock);
	forget->stopping = true;
	(void)pthread_cond_signal(&forget->wake);
	lock_drop(&forget->lock);
	if (forget->started)
		(void)pthread_join(forget->thread, NULL);
	old_reader_free(forget->reader);
	forget->reader = NULL;
}

void forget_free(struct app *app)
{
	struct forget *forget = app->forget;
	if (!forget)
		return;
	old_page_done(&forget->page);
	config_unref(forget->config);
	free(forget->history);
	(void)pthread_cond_destroy(&forget->wake);
	lock_done(&forget->lock);
	free(TAKE(app->forget));
}
