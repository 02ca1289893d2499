/* sink: see sink.h. */
#include "core/sink/sink.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/lock.h"
#include "core/base/pulse.h"
#include "core/base/str.h"
#include "core/store/event_reader.h"
#include "core/store/store.h"

struct sink {
	const struct sink_receiver *receiver;
	char name[16]; /* of its thread, and of its pulse: "sink events" */
	struct store *store;
	int64_t waited;		     /* fixed */
	struct event_reader *reader; /* the thread's */
	pthread_t thread;
	struct pulse pulse; /* the thread's: works from its waking until all is told */
	pthread_cond_t wake;
	struct lock lock;
	/* guarded by lock */
	bool woken;
	bool stopping;
	bool submitted; /* op is with the store */
	int64_t seq;	/* of the last event that was told */
	struct error trouble;
	int64_t events; /* told since the start */
	int64_t waiting;
	/* the thread's */
	struct mono next; /* not before that is take called again */
	/* the store's while submitted */
	struct store_told told;
	struct store_op op;
	/* the store's from the thread's end on, as op may be still */
	struct store_told last_told;
	struct store_op last;
};

/* Events being gathered. */
struct portion {
	const struct sink_receiver *receiver;
	struct str text;
	int64_t seq; /* of the last of them, or of what is passed over behind it */
	size_t events;
	bool full;
};

static bool put_event(void *context, const struct store_event *event)
{
	struct portion *portion = context;
	const struct sink_receiver *receiver = portion->receiver;
	if (event->version)
		receiver->put(&portion->text, event);
	portion->seq = event->seq;
	portion->full = ++portion->events >= receiver->most_events ||
			portion->text.len >= receiver->most_bytes;
	return !portion->full;
}

static void submit_op(struct sink *sink, struct store_op *op, struct store_told *told)
{
	*op = (struct store_op){ .verb = STORE_TOLD, .told = told, .owner = sink };
	list_init(&op->link);
	store_submit(sink->store, op);
}

/* Has the number brought up to date, and what was told deleted, unless that is under way:
 * sink_committed() goes on. */
static void submit(struct sink *sink)
{
	if (sink->submitted)
		return;
	bool left = sink->told.left && !sink->stopping; /* else the next start's */
	if (sink->seq == sink->told.seq && !left)
		return;
	sink->submitted = true;
	sink->told.seq = sink->seq;
	submit_op(sink, &sink->op, &sink->told);
}

/* Trouble is told when it begins, when it is another, and when it ends. */
static void set_trouble(struct sink *sink, const struct error *err)
{
	lock_take(&sink->lock);
	int before = sink->trouble.code;
	if (err)
		sink->trouble = *err;
	else
		sink->trouble.code = 0;
	lock_drop(&sink->lock);
	if (before != (err ? err->code : 0))
		sink->receiver->fails(sink->receiver->context, err);
}

static int gather(struct sink *sink, struct portion *portion, struct error *err)
{
	lock_take(&sink->lock);
	*portion = (struct portion){ .receiver = sink->receiver, .seq = sink->seq };
	lock_drop(&sink->lock);
	const struct event_visit each = {
		.visit = put_event,
		.context = portion,
		.verdicts = sink->receiver->verdicts,
	};
	return event_reader_each(sink->reader, portion->seq, &each, &portion->seq, err);
}

/* Sleeps until then; true: it is being stopped, which is not slept through. */
static bool sleep_until(struct sink *sink, struct mono then)
{
	pulse_silent((then.ns - mono_now().ns) / CLOCK_NS_PER_MS);
	lock_take(&sink->lock);
	while (!sink->stopping && lock_wait_until(&sink->lock, &sink->wake, then.ns))
		;
	bool stopping = sink->stopping;
	lock_drop(&sink->lock);
	pulse_silent(0);
	return stopping;
}

/* How many wait behind a portion. */
static int count_rest(struct sink *sink, const struct portion *portion, int64_t *out,
		      struct error *err)
{
	*out = 0;
	if (!portion->full || !sink->receiver->verdicts)
		return 0;
	return event_reader_count(sink->reader, portion->seq, sink->receiver->verdicts, out, err);
}

static void note_waiting(struct sink *sink, int64_t waiting)
{
	lock_take(&sink->lock);
	sink->waiting = waiting;
	lock_drop(&sink->lock);
}

static int tell(struct sink *sink, const struct portion *portion, struct error *err)
{
	struct sink_portion told = { .text = portion->text.data,
				     .len = portion->text.len,
				     .events = portion->events };
	int result = count_rest(sink, portion, &told.waiting, err);
	if (result < 0)
		return result;
	note_waiting(sink, told.waiting + (int64_t)told.events);
	sink->next = mono_add_ms(mono_now(), sink->receiver->every_ms);
	pulse_silent(sink->receiver->take_ms);
	result = sink->receiver->take(sink->receiver->context, &told, err);
	pulse_silent(0);
	if (result < 0)
		return result;
	lock_take(&sink->lock);
	sink->events += (int64_t)told.events;
	sink->waiting = told.waiting;
	lock_drop(&sink->lock);
	return 0;
}

/* Gathers a portion, in its time: what comes until then belongs to it. */
static int gather_in_time(struct sink *sink, struct portion *portion, struct error *err)
{
	int result = gather(sink, portion, err);
	if (result < 0 || portion->text.len == 0 || mono_passed(sink->next))
		return result;
	note_waiting(sink, (int64_t)portion->events);
	(void)sleep_until(sink, sink->next);
	str_done(&portion->text);
	return gather(sink, portion, err);
}

/* Reads and tells a portion. -errno with err; else whether there may be more. */
static int tell_some(struct sink *sink, bool *more, struct error *err)
{
	const struct sink_receiver *receiver = sink->receiver;
	struct portion portion = { .receiver = receiver };
	int result = receiver->ready ? receiver->ready(receiver->context, err) : 0;
	if (result == 0)
		result = gather_in_time(sink, &portion, err);
	if (result == 0 && portion.text.len > 0)
		result = tell(sink, &portion, err);
	str_done(&portion.text);
	if (result < 0)
		return result;
	lock_take(&sink->lock);
	sink->seq = portion.seq;
	submit(sink);
	lock_drop(&sink->lock);
	*more = portion.full;
	return 0;
}

/* Until all is told, or, when it is being stopped, a failure. */
static void tell_all(struct sink *sink)
{
	const struct sink_receiver *receiver = sink->receiver;
	bool more = true;
	for (int64_t pause = receiver->pause_ms; more;) {
		struct error err = { 0 };
		pulse_silent(0);
		if (tell_some(sink, &more, &err) == 0) {
			set_trouble(sink, NULL);
			pause = receiver->pause_ms;
			continue;
		}
		if (err.code != ECANCELED)
			set_trouble(sink, &err);
		if (sleep_until(sink, mono_add_ms(mono_now(), pause)))
			return;
		pause = pause * 2 < receiver->pause_max_ms ? pause * 2 : receiver->pause_max_ms;
	}
}

/* Once more when it is being stopped, for what was committed last. */
static void *run(void *context)
{
	struct sink *sink = context;
	(void)pthread_setname_np(pthread_self(), sink->name);
	pulse_take(&sink->pulse);
	pulse_work(&sink->pulse);
	for (bool stopping = false; !stopping;) {
		tell_all(sink);
		lock_take(&sink->lock);
		while (!sink->woken && !sink->stopping) {
			pulse_rest(&sink->pulse);
			lock_wait(&sink->lock, &sink->wake);
		}
		sink->woken = false;
		stopping = sink->stopping;
		lock_drop(&sink->lock);
	}
	tell_all(sink);
	return NULL;
}

static int start(struct sink *sink, const char *path, struct error *err)
{
	int result = event_reader_open(&sink->reader, path, err);
	if (result == 0)
		result = event_reader_sink(sink->reader, sink->receiver->name, &sink->seq,
					   &sink->waited, err);
	if (result < 0)
		return result;
	sink->told.seq = sink->seq;
	int code = pthread_create(&sink->thread, NULL, run, sink);
	if (code == 0)
		return 0;
	event_reader_free(sink->reader);
	return error_set(err, code,
			 "cannot start the thread of %s: %s (memory, ulimit -u, TasksMax=, "
			 "pids.max)",
			 sink->receiver->name, error_text(code));
}

int sink_new(struct sink **out, struct store *store, const char *path,
	     const struct sink_receiver *receiver, struct error *err)
{
	struct sink *sink = xcalloc(1, sizeof *sink);
	sink->receiver = receiver;
	sink->store = store;
	sink->told.sink = receiver->name;
	lock_init(&sink->lock);
	(void)snprintf(sink->name, sizeof sink->name, "sink %s", receiver->name);
	pulse_init(&sink->pulse, sink->name);
	lock_condition_init(&sink->wake);
	int result = start(sink, path, err);
	if (result < 0)
		sink_free(sink);
	else
		*out = sink;
	return result;
}

int64_t sink_waited(const struct sink *sink)
{
	return sink->waited;
}

void sink_wake(struct sink *sink)
{
	if (!sink)
		return;
	lock_take(&sink->lock);
	sink->woken = true;
	pulse_work(&sink->pulse);
	(void)pthread_cond_signal(&sink->wake);
	lock_drop(&sink->lock);
}

void sink_committed(struct sink *sink)
{
	lock_take(&sink->lock);
	sink->submitted = false;
	submit(sink);
	lock_drop(&sink->lock);
}

bool sink_trouble(struct sink *sink, struct error *err)
{
	lock_take(&sink->lock);
	bool is = sink->trouble.code != 0;
	if (is)
		*err = sink->trouble;
	lock_drop(&sink->lock);
	return is;
}

void sink_counts(struct sink *sink, int64_t *told, int64_t *waiting)
{
	lock_take(&sink->lock);
	*told = sink->events;
	*waiting = sink->waiting;
	lock_drop(&sink->lock);
}

void sink_stop(struct sink *sink)
{
	if (!sink)
		return;
	lock_take(&sink->lock);
	sink->stopping = true;
	(void)pthread_cond_signal(&sink->wake);
	lock_drop(&sink->lock);
	(void)pthread_join(sink->thread, NULL);
	event_reader_free(sink->reader);
	if (sink->seq == sink->told.seq)
		return;
	sink->last_told = (struct store_told){ .sink = sink->receiver->name, .seq = sink->seq };
	submit_op(sink, &sink->last, &sink->last_told);
}

void sink_free(struct sink *sink)
{
	if (!sink)
		return;
	pulse_done(&sink->pulse);
	(void)pthread_cond_destroy(&sink->wake);
	lock_done(&sink->lock);
	free(sink);
}
