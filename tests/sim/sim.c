/* sim: the driver; see sim.h. */
#include "tests/sim/sim.h"

#include <sys/inotify.h>

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/simulation.h"

#define CALLS_MOST   20000 /* of watcher_next() until there is nothing to do */
#define ROUNDS_MOST  2000  /* of waking and sleeping until everything is at rest */
#define RETRIES_MOST 4

struct sim sim;
static bool aloud;

void sim_speak(bool speak)
{
	aloud = speak;
}

const char *sim_words(void)
{
	return sim.words;
}

void sim_fail(const char *format, ...)
{
	va_list arguments;
	if (sim.failed)
		return;
	sim.failed = true;
	va_start(arguments, format);
	(void)vsnprintf(sim.words, sizeof sim.words, format, arguments);
	va_end(arguments);
	sim_say("FAILED: %s", sim.words);
}

void sim_say(const char *format, ...)
{
	va_list arguments;
	if (!aloud)
		return;
	(void)fprintf(stderr, "%5llu %8.3f ", (unsigned long long)sim.clock,
		      (double)mem.now_ns / 1e9);
	va_start(arguments, format);
	(void)vfprintf(stderr, format, arguments);
	va_end(arguments);
	(void)fputc('\n', stderr);
}

bool sim_done(void)
{
	return sim.at >= sim.size || sim.failed;
}

unsigned sim_dice(unsigned below)
{
	return sim.at < sim.size && below > 0 ? sim.data[sim.at++] % below : 0;
}

/* ------- the kernel's queue ------- */

static size_t encode(const struct mem_event *event, unsigned char *out)
{
	struct inotify_event head = {
		.wd = event->wd,
		.mask = event->mask,
		.cookie = event->cookie,
		.len = (uint32_t)(mem_event_size(event) - sizeof head),
	};
	memset(out, 0, mem_event_size(event));
	memcpy(out, &head, sizeof head);
	memcpy(out + sizeof head, event->name, strlen(event->name));
	return mem_event_size(event);
}

/* One read of up to most events. */
static void deliver(unsigned most)
{
	unsigned char bytes[1024];
	size_t ends[sizeof bytes / sizeof(struct inotify_event)];
	size_t len = 0;
	unsigned count = 0;
	for (; count < most && count < mem_queue_left(); count++) {
		struct mem_event copy = mem.queue[mem.queue_at + count];
		if (len + mem_event_size(&copy) > sizeof bytes)
			break;
		len += encode(&copy, bytes + len);
		ends[count] = len;
	}
	while (count > 0 && !reader_feed(sim.w->reader, bytes, ends[count - 1]))
		count--;
	for (; count > 0; count--) {
		const struct mem_event *event = mem_queue_first();
		sim.overflows_read += (event->mask & IN_Q_OVERFLOW) != 0;
		sim_say("  read: wd %d mask %08x cookie %u %s", event->wd, event->mask,
			event->cookie, event->name);
		mem_queue_pop();
	}
}

/* What the kernel never wrote. */
static void feed_garbage(void)
{
	static const uint32_t masks[] = { IN_CREATE,	  IN_CREATE | IN_ISDIR,
					  IN_MOVED_FROM,  IN_MOVED_FROM | IN_ISDIR,
					  IN_MOVED_TO,	  IN_MOVED_TO | IN_ISDIR,
					  IN_DELETE_SELF, IN_MOVE_SELF,
					  IN_IGNORED,	  IN_UNMOUNT,
					  IN_Q_OVERFLOW,  IN_DELETE | IN_ISDIR,
					  IN_ATTRIB,	  IN_CLOSE_WRITE,
					  0xffffffff,	  0 };
	unsigned char bytes[256];
	struct mem_event event = { .wd = (int)sim_dice(12) - 2,
				   .mask = masks[sim_dice(16)],
				   .cookie = sim_dice(4) };
	unsigned how = sim_dice(8);
	if (how > 2)
		event.name[0] = (char)('a' + sim_dice(5));
	size_t len = encode(&event, bytes);
	if (how == 7)
		len = sim_dice((unsigned)len + 1);
	for (unsigned n = how == 6 ? sim_dice(8) : 0; n > 0; n--)
		bytes[sim_dice((unsigned)len)] = (unsigned char)sim_dice(256);
	sim.fed_garbage = true;
	sim_say("  garbage: wd %d mask %08x, %zu bytes", event.wd, event.mask, len);
	(void)reader_feed(sim.w->reader, bytes, len);
}

/* ------- the watcher ------- */

/* While the watcher asks something: somebody does something, or events are read. */
static void race(void)
{
	static bool inside;
	if (inside || !sim.racing || sim_done() || sim_dice(256) >= sim.race)
		return;
	inside = true;
	sim_say("  meanwhile:");
	if (sim.w && sim.w->reader && sim_dice(3) == 0)
		deliver(1 + sim_dice(4));
	else
		sim_deed();
	inside = false;
}

static int fault(const char *what)
{
	static const int errors[] = { EMFILE, ENFILE, ENOMEM, EIO };
	if (!(sim.features & SIM_FAULTS) || !sim.racing || sim_done() || sim_dice(256) >= 20)
		return 0;
	int error = errors[sim_dice(4)];
	sim_say("  fault: %s: %d", what, error);
	return error;
}

static int next(void)
{
	struct watcher_event event;
	int did = watcher_next(sim.w, &event);
	if (did < 0)
		sim_fail("watcher_next: %d", did);
	if (did == WATCHER_EVENT)
		oracle_told(&event);
	oracle_look_at_tickets();
	return did;
}

static void work(void)
{
	unsigned calls = 0;
	while (!sim.failed && next() != WATCHER_NOTHING) {
		if (++calls > CALLS_MOST)
			sim_fail("it never comes to rest");
	}
}

static bool is_awake(void)
{
	struct pollfd fd = { .fd = sim.w->wake_fd, .events = POLLIN };
	return poll(&fd, 1, 0) == 1;
}

/* Until nobody has anything to do; sleeps and wakes as the program's loop does. */
static void settle(void)
{
	for (unsigned rounds = 0; !sim.failed; rounds++) {
		if (rounds > ROUNDS_MOST) {
			sim_fail("it wakes up for ever");
			return;
		}
		deliver(64);
		if (is_awake()) {
			work();
		} else if (sim.mounts_untold) {
			sim.mounts_untold = false;
			watcher_mounts_changed(sim.w);
			oracle_walk();
		} else if (mem_queue_first()) {
			continue;
		} else if (sim.w->timer_ns != 0) {
			if (sim.w->timer_ns > mem.now_ns)
				mem.now_ns = sim.w->timer_ns;
			sim_say("time passes");
			work();
		} else {
			return;
		}
	}
}

static void settle_with_retries(void)
{
	settle();
	for (unsigned i = 0; i < RETRIES_MOST && watcher_needs_retry(sim.w); i++) {
		mem.now_ns += INT64_C(10000000000);
		sim_say("retry");
		watcher_retry(sim.w);
		settle();
	}
}

static void add_root(const char *path, enum watcher_mode mode)
{
	uint32_t index;
	sim.roots[sim.root_count++] = path;
	mem.structure++;
	oracle_look();
	int failed = watcher_add_root(sim.w, path, mode, &index);
	if (failed != 0 && !sim.disturbed && !sim.mounted && mem.answered_fault == 0)
		sim_fail("watcher_add_root(%s): %d", path, failed);
	if (failed != 0) {
		sim.root_count--;
		mem.structure++;
		oracle_look();
	}
}

static void add_late_root(void)
{
	if (!sim.late_root)
		return;
	sim_say("another root");
	sim.late_root = false;
	unsigned before = sim.root_count;
	add_root("/w/s", WATCHER_AUTO);
	if (sim.root_count > before) /* one that is refused is not walked */
		oracle_walk();
}

static bool reloads;

void sim_reload(bool on)
{
	reloads = on;
}

/* As a reload does with a root that is to be watched in another mode, or that went and comes back.
 */
static void begin_root_anew(void)
{
	unsigned which = sim_dice(SIM_ROOTS);
	bool goes = sim_dice(2);
	if (which >= sim.w->root_count)
		return;
	sim_say("root %u %s", which, goes ? "goes and comes back" : "anew");
	enum watcher_mode mode = sim.w->roots[which]->mode;
	sim.reloaded = true;
	if (goes)
		watcher_leave_root(sim.w, which);
	watcher_begin_root(sim.w, which, mode);
	oracle_walk();
}

static void other_step(void)
{
	switch (sim_dice(8)) {
	case 0:
		sim_say("reconcile");
		watcher_reconcile(sim.w);
		oracle_walk();
		break;
	case 1:
		if (watcher_needs_retry(sim.w)) {
			sim_say("retry");
			bool polled = !mem.instance;
			watcher_retry(sim.w);
			if (polled && mem.instance)
				oracle_instance();
		}
		break;
	case 2:
		if (sim.mounts_untold) {
			sim.mounts_untold = false;
			sim_say("mounts changed");
			watcher_mounts_changed(sim.w);
			oracle_walk();
		}
		break;
	case 3:
		if (sim.features & SIM_GARBAGE && mem.instance)
			feed_garbage();
		break;
	case 4:
		settle();
		break;
	case 5:
		if (sim.late_root || !reloads)
			add_late_root();
		else
			begin_root_anew();
		break;
	default:
		oracle_ticket();
		break;
	}
}

static void step(void)
{
	unsigned what = sim_dice(16);
	if (what < 7) {
		sim_deed();
	} else if (what < 10) {
		deliver(1 + sim_dice(8));
	} else if (what < 13) {
		for (unsigned n = 1 + sim_dice(8); n > 0 && !sim.failed; n--)
			(void)next();
	} else if (what == 13) {
		mem.now_ns += INT64_C(1000000) << sim_dice(14);
		sim_say("time passes");
	} else {
		other_step();
	}
}

/* ------- a run ------- */

static void add_roots(unsigned variant)
{
	switch (variant) {
	case 0:
	case 1:
		add_root("/w/r", WATCHER_AUTO);
		break;
	case 2:
		add_root("/w/link", WATCHER_AUTO);
		break;
	case 3:
		add_root("/w/s/a", WATCHER_AUTO);
		sim.disturbed = true; /* others come and go there */
		break;
	case 4:
		add_root("/w/r", WATCHER_AUTO);
		add_root("/w/s", WATCHER_POLL);
		break;
	case 5:
		add_root("/w/r", WATCHER_AUTO);
		sim.late_root = true;
		break;
	default:
		add_root("/w/r", WATCHER_AUTO);
		add_root("/w/s", WATCHER_AUTO);
		break;
	}
}

static void begin(const uint8_t *data, size_t size)
{
	static const size_t queues[] = { 3, 4, 6, 9, 15, 40, 16384, 16384 };
	static const unsigned races[] = { 0, 8, 25, 80 };
	sim = (struct sim){ .data = data, .size = size, .clock = 1 };
	unsigned variant = sim_dice(8);
	unsigned queue = sim_dice(8);
	sim.race = races[sim_dice(4)];
	sim.features = sim_dice(256);
	switch (sim_dice(6)) { /* mostly the plain things, with the strictest questions */
	case 0:
		break;
	case 1:
		sim.features &= SIM_HOLDS | SIM_FAULTS;
		break;
	default:
		sim.features &= SIM_HOLDS;
		break;
	}
	unsigned habits = sim_dice(16);
	unsigned random = sim_dice(256) << 8;
	mem_begin(random + sim_dice(256));
	mem.queue_most = queues[queue];
	mem.reuse_inos = habits & 1;
	mem.unknown_types = habits & 2;
	mem.no_instance = sim.features & SIM_LIMITS && habits & 8;
	mem_hook = race;
	mem_fault = fault;
	oracle_begin();
	sim_first_tree();
	struct watcher_options options = { .buffer_bytes = habits & 4 ? 1 : 0 };
	if (watcher_new(&sim.w, &options) != 0)
		abort();
	sim_say("variant %u, queue %zu, race %u, features %x, habits %u", variant, mem.queue_most,
		sim.race, sim.features, habits);
	sim.racing = true;
	add_roots(variant);
}

/* Deeds are over: does everything come right, first without help, then with whatever stood in the
 * way taken away? And does it still hear? */
static void end(void)
{
	sim.racing = false;
	sim.size = 0;
	sim_say("end");
	settle();
	if (sim.fed_garbage) {
		watcher_reconcile(sim.w);
		oracle_walk();
		settle();
	}
	if (!oracle_hindered())
		settle_with_retries();
	if (!sim.failed)
		oracle_rest(!oracle_hindered());
	if (sim.failed)
		return;
	sim_heal();
	settle_with_retries();
	if (!sim.failed)
		oracle_rest(true);
	if (sim.failed)
		return;
	sim_touch_everywhere();
	settle();
	if (watcher_needs_retry(sim.w))
		settle_with_retries();
	if (!sim.failed)
		oracle_rest(true);
}

int sim_run(const uint8_t *data, size_t size)
{
	begin(data, size);
	while (!sim_done())
		step();
	if (!sim.failed)
		end();
	bool failed = sim.failed;
	sim.racing = false;
	watcher_free(sim.w);
	sim.w = NULL;
	mem_hook = NULL;
	mem_fault = NULL;
	mem_end();
	return failed;
}

size_t sim_bytes(uint64_t seed, uint8_t *out, size_t size)
{
	uint64_t state = seed;
	for (size_t i = 0; i < size; i++) {
		/* splitmix64 (Steele, Lea, Flood 2014) */
		state += UINT64_C(0x9e3779b97f4a7c15);
		uint64_t z = state;
		z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
		z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
		out[i] = (uint8_t)(z >> 56);
	}
	size_t least = 40;
	return size > least ? least + (size_t)(seed * 2654435761u >> 7) % (size - least) : size;
}
