/* disposer: see disposer.h. */
#include "core/dispose/disposer.h"

#include <pthread.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/lock.h"
#include "core/config/config.h"
#include "core/detect/hasher.h"
#include "core/dispose/ledger.h"
#include "core/dispose/overdue.h"
#include "core/dispose/remove.h"
#include "core/dispose/rules.h"
#include "core/dispose/site.h"
#include "core/dispose/vault.h"
#include "core/store/removal_reader.h"
#include "core/store/store.h"
#include "core/store/version.h"

enum {
	FAILED_MS = 5000, /* after the quarantine or the history could not be had */
};

struct disposer {
	const struct disposer_options *options;
	char *history;
	/* the thread's */
	struct config *config;
	struct vault *vault;
	struct hasher *hasher;
	int64_t started_ns;
	struct removal_reader *reader;
	struct disposal_rules *rules;
	struct ledger ledger;
	bool failed; /* the last pass could not do something */
	struct overdue overdue;
	pthread_t thread;
	pthread_cond_t wake;
	struct lock lock;
	/* guarded by lock */
	struct config *next_config; /* owned; NULL: no other */
	bool woken;
	bool working;
	bool stopping;
	struct disposer_status status;
	struct mono stepped; /* when it came further last */
};

/* Asked at each step. */
static bool is_stopping(struct disposer *disposer)
{
	lock_take(&disposer->lock);
	disposer->stepped = mono_now();
	bool stopping = disposer->stopping;
	lock_drop(&disposer->lock);
	return stopping;
}

static bool write_batch(struct disposer *disposer, enum store_verb verb)
{
	bool back = ledger_write(&disposer->ledger, verb);
	disposer_step(disposer);
	return back;
}

/* err NULL: there is none any more. */
static void set_trouble(struct disposer *disposer, const struct error *err)
{
	lock_take(&disposer->lock);
	bool was = disposer->status.trouble.code != 0;
	disposer->status.trouble = err ? *err : (struct error){ 0 };
	lock_drop(&disposer->lock);
	if (err || was)
		disposer->options->fails(disposer->options->context, err);
	disposer->failed = disposer->failed || err;
}

/* Asks one chooser once; what it chose is committed when this returns true. */
static bool choose(struct disposer *disposer, const struct chooser *chooser, bool *more)
{
	struct choice choice = { 0 };
	struct error err = { 0 };
	if (chooser->choose(chooser->context, disposer->config, &choice, &err) < 0) {
		store_removals_done(&choice.intents);
		set_trouble(disposer, &err);
		return true;
	}
	*more = *more || choice.more;
	disposer->ledger.batch = choice.intents;
	disposer->ledger.told = choice.told;
	bool any = choice.intents.list.count > 0 || choice.intents.note_key || choice.told.sink;
	if (any && !write_batch(disposer, choice.intents.list.count > 0 || choice.intents.note_key
						  ? STORE_INTEND
						  : STORE_TOLD))
		return false;
	ledger_clear(&disposer->ledger);
	return true;
}

/* Does them one by one, until it is being stopped; how many were dealt with. */
static size_t do_tasks(struct disposer *disposer, struct removal_tasks *tasks)
{
	struct error err = { 0 };
	struct site_dirs dirs = { 0 };
	const struct ground ground = {
		.dirs = &dirs,
		.config = disposer->config,
		.vault = disposer->vault,
		.hasher = disposer->hasher,
		.started_ns = disposer->started_ns,
		.has_writer = disposer->options->has_writer,
		.wanted = disposal_wanted,
		.hold = disposer->options->hold,
		.drop = disposer->options->drop,
	};
	size_t i = 0;
	for (; i < tasks->count && !is_stopping(disposer); i++) {
		if (remove_file(&ground, &tasks->items[i], &err)) {
			/* or whoever fills the disk has it, and nothing more can be intended */
			store_look_for_room(disposer->options->store);
			continue;
		}
		removal_put_off(&tasks->items[i].removal, clock_steady_ns(), err.text);
		if (err.code)
			set_trouble(disposer, &err);
	}
	if (site_sync(&dirs, disposer->vault->fd, &err) < 0)
		set_trouble(disposer, &err);
	return i;
}

static void tell_removal(struct disposer *disposer, const struct removal *removal,
			 const struct version *version)
{
	lock_take(&disposer->lock);
	disposer->status.ended[removal->state]++;
	lock_drop(&disposer->lock);
	disposer->options->ended(disposer->options->context, removal, version);
}

/* The results go to the history; the batch owns the words from then on. */
static bool record(struct disposer *disposer, struct removal_tasks *tasks, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct removal copy = tasks->items[i].removal;
		copy.note = xstrdup(copy.note);
		copy.place = xstrdup(copy.place);
		removals_add(&disposer->ledger.batch.list, &copy);
	}
	if (count > 0 && !write_batch(disposer, STORE_REMOVED))
		return false;
	for (size_t i = 0; i < count; i++) {
		if (tasks->items[i].removal.state != REMOVAL_INTENDED)
			tell_removal(disposer, &tasks->items[i].removal, tasks->items[i].version);
	}
	ledger_clear(&disposer->ledger);
	return true;
}

/* False: it is being stopped. */
static bool do_due(struct disposer *disposer, bool *more)
{
	struct removal_tasks tasks = { 0 };
	struct error err = { 0 };
	if (removal_reader_due(disposer->reader, clock_steady_ns(), CHOOSE_AT_ONCE, &tasks, &err) <
	    0) {
		set_trouble(disposer, &err);
		return true;
	}
	*more = *more || tasks.count == CHOOSE_AT_ONCE;
	size_t count = tasks.count > 0 ? do_tasks(disposer, &tasks) : 0;
	bool goes_on = record(disposer, &tasks, count);
	removal_tasks_done(&tasks);
	return goes_on;
}

/* What is in the quarantine for too long goes there. False: it is being stopped. */
static bool expire(struct disposer *disposer, bool *more)
{
	int64_t age_ms = disposer->config->retention.quarantine_ms;
	struct overdue *overdue = &disposer->overdue;
	struct removals *batch = &disposer->ledger.batch.list;
	struct error err = { 0 };
	overdue->next.ns = INT64_MAX;
	if (age_ms == 0)
		return true;
	if (overdue_find(overdue, disposer->reader, age_ms, batch, &err) < 0)
		set_trouble(disposer, &err);
	size_t count = batch->count;
	disposer->failed = disposer->failed || overdue->failed;
	if (count == 0)
		return true;
	if (!write_batch(disposer, STORE_REMOVED) || !ledger_sync(&disposer->ledger))
		return false;
	*more = overdue_do(overdue, disposer->reader, batch, &err) || *more;
	if (err.code)
		set_trouble(disposer, &err);
	if (!write_batch(disposer, STORE_REMOVED))
		return false;
	for (size_t i = 0; i < count; i++) {
		if (batch->items[i].state == REMOVAL_EXPIRED)
			tell_removal(disposer, &batch->items[i], NULL);
	}
	ledger_clear(&disposer->ledger);
	return true;
}

/* What could not be done is tried at once. A commit that was not synced may be all that says what
 * is intended: it is, before anything is done. */
static bool take_up(struct disposer *disposer)
{
	disposer->ledger.batch.afresh = true;
	bool goes_on = write_batch(disposer, STORE_INTEND);
	if (goes_on)
		ledger_clear(&disposer->ledger);
	return goes_on;
}

/* Other roots or rules may be why something could not be done. False: it is being stopped. */
static bool change_config(struct disposer *disposer)
{
	lock_take(&disposer->lock);
	struct config *config = TAKE(disposer->next_config);
	lock_drop(&disposer->lock);
	if (!config)
		return true;
	bool other = config != disposer->config;
	config_unref(disposer->config);
	disposer->config = config;
	return !other || take_up(disposer);
}

/* What was opened here is opened anew each time: somebody may have moved it away. */
static bool open_vault(struct disposer *disposer)
{
	struct error err = { 0 };
	vault_free(TAKE(disposer->vault));
	if (vault_open(&disposer->vault, disposer->config->quarantine, &err) == 0)
		return true;
	set_trouble(disposer, &err);
	return false;
}

/* For the status; how many. */
static int64_t read_intended(struct disposer *disposer)
{
	int64_t intended = 0;
	struct error err = { 0 };
	if (removal_reader_intended(disposer->reader, &intended, &err) < 0)
		set_trouble(disposer, &err);
	lock_take(&disposer->lock);
	disposer->status.intended = intended;
	lock_drop(&disposer->lock);
	return intended;
}

/* What is chosen by rules goes first. False: it is being stopped. */
static bool choose_and_do(struct disposer *disposer, bool *more)
{
	const struct chooser rules = disposal_rules_chooser(disposer->rules);
	const struct chooser *other = disposer->options->others;
	if (!disposer->options->no_rules && !choose(disposer, &rules, more))
		return false;
	for (; !*more && other->choose; other++) {
		if (!choose(disposer, other, more))
			return false;
	}
	(void)read_intended(disposer);
	return do_due(disposer, more) && expire(disposer, more);
}

/* One turn. False: it is being stopped. */
static bool pass(struct disposer *disposer, bool *more)
{
	disposer->failed = false;
	*more = false;
	if (!change_config(disposer))
		return false;
	bool goes_on = !open_vault(disposer) || choose_and_do(disposer, more);
	return goes_on && !is_stopping(disposer);
}

static struct mono earlier(struct mono a, struct mono b)
{
	return a.ns < b.ns ? a : b;
}

/* When there is something to do, unless something is committed before. */
static struct mono next_work(struct disposer *disposer)
{
	struct mono now = mono_now(), next = disposer->overdue.next;
	int64_t due_ns = INT64_MAX;
	struct error err = { 0 };
	if (removal_reader_next(disposer->reader, &due_ns, &err) < 0)
		set_trouble(disposer, &err);
	if (read_intended(disposer) == 0 && !disposer->failed)
		set_trouble(disposer, NULL);
	int64_t left_ns = due_ns - clock_steady_ns();
	if (left_ns <= 0 && !disposer->failed) /* else it could not be begun with */
		next = now;
	if (left_ns > 0 && due_ns != INT64_MAX)
		next = earlier(next, mono_add_ms(now, left_ns / CLOCK_NS_PER_MS + 1));
	if (disposer->failed)
		next = earlier(next, mono_add_ms(now, FAILED_MS));
	for (const struct chooser *other = disposer->options->others; other->choose; other++)
		next = earlier(next, other->next(other->context));
	return next;
}

/* False: it is being stopped. */
static bool wait_for_work(struct disposer *disposer)
{
	struct mono until = next_work(disposer);
	lock_take(&disposer->lock);
	bool idle = !disposer->woken;
	disposer->working = false;
	lock_drop(&disposer->lock);
	if (idle)
		disposer->options->idle(disposer->options->context);
	lock_take(&disposer->lock);
	while (!disposer->woken && !disposer->stopping &&
	       lock_wait_until(&disposer->lock, &disposer->wake, until.ns))
		;
	disposer->woken = false;
	disposer->working = true;
	disposer->stepped = mono_now();
	bool goes_on = !disposer->stopping;
	lock_drop(&disposer->lock);
	return goes_on;
}

static void *run(void *context)
{
	struct disposer *disposer = context;
	(void)pthread_setname_np(pthread_self(), "disposer");
	bool goes_on = take_up(disposer);
	while (goes_on) {
		bool more = false;
		goes_on = pass(disposer, &more);
		if (goes_on && !more)
			goes_on = wait_for_work(disposer);
	}
	return NULL;
}

static int start(struct disposer *disposer, struct error *err)
{
	int result = removal_reader_open(&disposer->reader, disposer->history, err);
	if (result == 0)
		result = disposal_rules_new(&disposer->rules, disposer->history, err);
	if (result < 0)
		return result;
	disposal_rules_add_roots(disposer->rules, disposer->config);
	disposer->working = true;
	disposer->stepped = mono_now();
	int code = pthread_create(&disposer->thread, NULL, run, disposer);
	if (code == 0)
		return 0;
	return error_set(err, code,
			 "cannot start the thread that removes files: %s (memory, ulimit -u, "
			 "TasksMax=, pids.max)",
			 error_text(code));
}

static void close_reading(struct disposer *disposer)
{
	disposal_rules_free(TAKE(disposer->rules));
	removal_reader_free(TAKE(disposer->reader));
}

int disposer_new(struct disposer **out, const struct disposer_options *options,
		 struct config *config, struct error *err)
{
	struct disposer *disposer = xcalloc(1, sizeof *disposer);
	disposer->options = options;
	disposer->overdue = (struct overdue){ .ages = options->ages, .next = { INT64_MAX } };
	disposer->config = config_ref(config);
	disposer->history = xstrdup(config->history);
	disposer->hasher = hasher_new();
	disposer->started_ns = clock_wall_ns();
	ledger_init(&disposer->ledger, options->store, disposer);
	lock_init(&disposer->lock);
	lock_condition_init(&disposer->wake);
	*out = disposer;
	int result = start(disposer, err);
	if (result == 0)
		return 0;
	*out = NULL;
	close_reading(disposer);
	disposer_free(disposer);
	return result;
}

void disposer_wake(struct disposer *disposer)
{
	if (!disposer)
		return;
	lock_take(&disposer->lock);
	disposer->woken = true;
	(void)pthread_cond_signal(&disposer->wake);
	lock_drop(&disposer->lock);
}

void disposer_committed(struct disposer *disposer)
{
	ledger_committed(&disposer->ledger);
}

bool disposer_busy(struct disposer *disposer)
{
	if (!disposer)
		return false;
	lock_take(&disposer->lock);
	bool busy = disposer->woken || disposer->working;
	lock_drop(&disposer->lock);
	return busy;
}

void disposer_configure(struct disposer *disposer, struct config *config)
{
	disposal_rules_add_roots(disposer->rules, config);
	lock_take(&disposer->lock);
	struct config *unread = disposer->next_config;
	disposer->next_config = config_ref(config);
	lock_drop(&disposer->lock);
	config_unref(unread);
	disposer_wake(disposer);
}

void disposer_step(struct disposer *disposer)
{
	(void)is_stopping(disposer);
}

void disposer_status(struct disposer *disposer, struct disposer_status *out)
{
	lock_take(&disposer->lock);
	*out = disposer->status;
	out->silent_ms = -1;
	if (disposer->working)
		out->silent_ms = (mono_now().ns - disposer->stepped.ns) / CLOCK_NS_PER_MS;
	lock_drop(&disposer->lock);
}

void disposer_stop(struct disposer *disposer)
{
	if (!disposer)
		return;
	lock_take(&disposer->lock);
	disposer->stopping = true;
	(void)pthread_cond_signal(&disposer->wake);
	lock_drop(&disposer->lock);
	ledger_stop(&disposer->ledger);
	(void)pthread_join(disposer->thread, NULL);
	close_reading(disposer);
}

void disposer_free(struct disposer *disposer)
{
	if (!disposer)
		return;
	ledger_done(&disposer->ledger);
	vault_free(disposer->vault);
	hasher_free(disposer->hasher);
	config_unref(disposer->next_config);
	config_unref(disposer->config);
	(void)pthread_cond_destroy(&disposer->wake);
	lock_done(&disposer->lock);
	free(disposer->history);
	free(disposer);
}
