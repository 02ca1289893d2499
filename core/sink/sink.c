/* sink: see sink.h. */
#include "core/sink/sink.h"

#include <pthread.h>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/lock.h"
#include "core/base/pulse.h"
#include "core/base/str.h"
#include "core/store/event_reader.h"
#include "core/store/store.h"

enum {
	AT_ONCE = 256, /* events: so many are told again at most after a crash */
	PAUSE_MIN_MS = 100,
	PAUSE_MAX_MS = 5000,
};

struct sink {
	const struct sink_receiver *receiver;
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
	/* the store's while submitted */
	struct store_told told;
	struct store_op op;
	/* the store's from the thread's end on, as op may be still */
	struct store_told last_told;
	struct store_op last;
};

/* Some events as the receiver takes them. */
struct portion {
	const struct sink_receiver *receiver;
	struct str text;
	int64_t seq; /* of the last of them */
	size_t events;
};

static bool put_event(void *context, const struct store_event *event)
{
	struct portion *portion = context;
	if (event->version)
		portion->receiver->put(&portion->text, event);
	portion->seq = event->seq;
	return ++portion->events < AT_ONCE;
}

static void submit_op(struct sink *sink, struct store_op *op, struct store_told *told)
{
	*op = (struct store_op){ .verb = STORE_TOLD, .told = told, .owner = sink };
	list_init(&op->link);
	store_submit(sink->store, op);
}

/* Has the number brought up to date, unless that is under way: sink_committed() goes on. */
static void submit(struct sink *sink)
{
	if (sink->submitted || sink->seq == sink->told.seq)
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

/* Reads and tells a portion. -errno with err; else whether there may be more. */
static int tell_some(struct sink *sink, bool *more, struct error *err)
{
	lock_take(&sink->lock);
	struct portion portion = { .receiver = sink->receiver, .seq = sink->seq };
	lock_drop(&sink->lock);
	const struct event_visit each = { put_event, &portion };
	const struct sink_receiver *receiver = sink->receiver;
	int result = receiver->ready ? receiver->ready(receiver->context, err) : 0;
	if (result == 0)
		result = event_reader_each(sink->reader, portion.seq, &each, err);
	if (result == 0 && portion.text.len > 0)
		result = sink->receiver->take(sink->receiver->context, portion.text.data,
					      portion.text.len, err);
	str_done(&portion.text);
	if (result < 0)
		return result;
	lock_take(&sink->lock);
	sink->seq = portion.seq;
	submit(sink);
	lock_drop(&sink->lock);
	*more = portion.events == AT_ONCE;
	return 0;
}

/* Until all is told, or, when it is being stopped, a failure. */
static void tell_all(struct sink *sink)
{
	bool more = true;
	for (int pause = PAUSE_MIN_MS; more;) {
		struct error err = { 0 };
		pulse_silent(0);
		if (tell_some(sink, &more, &err) == 0) {
			set_trouble(sink, NULL);
			pause = PAUSE_MIN_MS;
			continue;
		}
		set_trouble(sink, &err);
		struct mono until = mono_add_ms(mono_now(), pause);
		pulse_silent(pause);
		lock_take(&sink->lock);
		while (!sink->stopping && lock_wait_until(&sink->lock, &sink->wake, until.ns))
			;
		bool stopping = sink->stopping;
		lock_drop(&sink->lock);
		if (stopping)
			return;
		pause = pause * 2 < PAUSE_MAX_MS ? pause * 2 : PAUSE_MAX_MS;
	}
}

/* Once more when it is being stopped, for what was committed last. */
static void *run(void *context)
{
	struct sink *sink = context;
	(void)pthread_setname_np(pthread_self(), "sink");
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
	pulse_init(&sink->pulse, "sink");
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
