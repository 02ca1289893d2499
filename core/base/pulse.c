/* pulse: see pulse.h. */
#include "core/base/pulse.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

/* A plain mutex: it is there before anything runs. */
static pthread_mutex_t list_lock = PTHREAD_MUTEX_INITIALIZER;
static struct list pulses = { &pulses, &pulses }; /* guarded by list_lock */
static _Thread_local struct pulse *own;

void pulse_init(struct pulse *pulse, const char *name)
{
	(void)snprintf(pulse->name, sizeof pulse->name, "%s", name);
	atomic_init(&pulse->beats, 0);
	atomic_init(&pulse->silent_ms, 0);
	pulse->seen = 0;
	pulse->since = mono_now();
	list_init(&pulse->link);
	(void)pthread_mutex_lock(&list_lock);
	list_append(&pulses, &pulse->link);
	(void)pthread_mutex_unlock(&list_lock);
}

void pulse_done(struct pulse *pulse)
{
	(void)pthread_mutex_lock(&list_lock);
	list_unlink(&pulse->link);
	(void)pthread_mutex_unlock(&list_lock);
}

void pulse_take(struct pulse *pulse)
{
	own = pulse;
}

void pulse_work(struct pulse *pulse)
{
	(void)atomic_fetch_or_explicit(&pulse->beats, 1, memory_order_relaxed);
}

void pulse_rest(struct pulse *pulse)
{
	/* to the next even number, so that whoever rests and works again has moved */
	if (atomic_load_explicit(&pulse->beats, memory_order_relaxed) & 1)
		(void)atomic_fetch_add_explicit(&pulse->beats, 1, memory_order_relaxed);
}

void pulse_step(struct pulse *pulse)
{
	(void)atomic_fetch_add_explicit(&pulse->beats, 2, memory_order_relaxed);
}

void pulse_beat(void)
{
	if (own)
		pulse_step(own);
}

void pulse_silent(int64_t ms)
{
	if (!own)
		return;
	/* the longer silence is granted before the step that begins it, and taken back behind the
	 * step that ends it */
	if (ms > 0)
		atomic_store(&own->silent_ms, ms);
	(void)atomic_fetch_add(&own->beats, 2);
	if (ms == 0)
		atomic_store(&own->silent_ms, 0);
}

void pulse_forgive(void)
{
	struct mono now = mono_now();
	(void)pthread_mutex_lock(&list_lock);
	LIST_FOREACH(at, &pulses)
		LIST_OF(at, struct pulse, link)->since = now;
	(void)pthread_mutex_unlock(&list_lock);
}

/* For how long it has stalled beyond what it may be silent, ms; 0: it has not. */
static int64_t stalled_ms(struct pulse *pulse, struct mono now)
{
	int64_t silent_ms = atomic_load(&pulse->silent_ms);
	uint64_t beats = atomic_load(&pulse->beats);
	if (beats != pulse->seen || !(beats & 1))
		pulse->since = now;
	pulse->seen = beats;
	int64_t for_ms = (now.ns - pulse->since.ns) / CLOCK_NS_PER_MS;
	return for_ms > silent_ms ? for_ms - silent_ms : 0;
}

int64_t pulse_stalled_ms(struct mono now, int64_t limit_ms, char out[24])
{
	int64_t longest_ms = limit_ms;
	int64_t silent_ms = 0;
	(void)pthread_mutex_lock(&list_lock);
	LIST_FOREACH(at, &pulses) {
		struct pulse *pulse = LIST_OF(at, struct pulse, link);
		int64_t beyond_ms = stalled_ms(pulse, now);
		if (beyond_ms <= longest_ms)
			continue;
		longest_ms = beyond_ms;
		silent_ms = (now.ns - pulse->since.ns) / CLOCK_NS_PER_MS;
		memcpy(out, pulse->name, sizeof pulse->name);
	}
	(void)pthread_mutex_unlock(&list_lock);
	return silent_ms;
}
