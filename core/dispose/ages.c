/* ages: see ages.h. */
#include "core/dispose/ages.h"

#include "core/base/str.h"
#include "core/config/config.h"
#include "core/store/kept.h"

#define NOTES "clock_set_" /* and a step's until_ns; the value is its by_ns */

/* Less is not worth a word. */
#define LEAST_NS (10 * CLOCK_NS_PER_S)

enum {
	LOOK_MS = 3600000
};

struct step {
	int64_t until_ns; /* what the clock had said last before */
	int64_t by_ns;	  /* it was set forward; 0: it was set back again */
	bool noted;
};

struct ages {
	struct step *steps; /* in the order in which they were made; owned */
	size_t count;
	int64_t ahead_ns; /* of the monotonic clock, as far as its steps are known */
	struct mono next;
};

static void add_step(struct ages *ages, int64_t until_ns, int64_t by_ns, bool noted)
{
	ages->steps = xrealloc(ages->steps, ages->count + 1, sizeof *ages->steps);
	ages->steps[ages->count] = (struct step){ until_ns, by_ns, noted };
	ages->count++;
}

static void load_step(void *context, int64_t until_ns, int64_t by_ns)
{
	add_step(context, until_ns, by_ns, true);
}

int ages_new(struct ages **out, const char *history, struct error *err)
{
	AUTO(ages) struct ages *ages = xcalloc(1, sizeof *ages);
	AUTO(kept_reader) struct kept_reader *reader = NULL;
	ages->ahead_ns = clock_wall_ns() - mono_now().ns;
	int result = kept_reader_open(&reader, history, err);
	if (result == 0)
		result = kept_notes(reader, NOTES, load_step, ages, err);
	if (result == 0)
		*out = TAKE(ages);
	return result;
}

void ages_free(struct ages *ages)
{
	if (!ages)
		return;
	free(ages->steps);
	free(ages);
}

int64_t ages_ms(const struct ages *ages, int64_t then_ns)
{
	/* a step that was made since the last look is not known, and has no part in it */
	int64_t now_ns = mono_now().ns + ages->ahead_ns;
	for (size_t i = 0; i < ages->count; i++) {
		const struct step *step = &ages->steps[i];
		if (then_ns <= step->until_ns)
			then_ns += step->by_ns;
	}
	return (now_ns - then_ns) / CLOCK_NS_PER_MS;
}

/* The last steps were the wrong ones, or too far. */
static void take_back(struct ages *ages, int64_t by_ns)
{
	for (size_t i = ages->count; i > 0 && by_ns > 0; i--) {
		struct step *step = &ages->steps[i - 1];
		int64_t part_ns = step->by_ns < by_ns ? step->by_ns : by_ns;
		if (part_ns == 0)
			continue;
		step->by_ns -= part_ns;
		step->noted = false;
		by_ns -= part_ns;
	}
}

void ages_look(struct ages *ages, int64_t wall_ns, struct mono now)
{
	int64_t by_ns = wall_ns - now.ns - ages->ahead_ns;
	if (by_ns >= 0 && by_ns < LEAST_NS)
		return; /* several of them add up */
	ages->ahead_ns += by_ns;
	if (by_ns > 0)
		add_step(ages, wall_ns - by_ns, by_ns, false);
	else if (by_ns <= -LEAST_NS)
		take_back(ages, -by_ns);
}

/* Nothing may come between the two clocks. */
static void look(struct ages *ages)
{
	struct mono before, now;
	int64_t wall_ns;
	do {
		before = mono_now();
		wall_ns = clock_wall_ns();
		now = mono_now();
	} while (now.ns - before.ns > CLOCK_NS_PER_MS);
	ages_look(ages, wall_ns, now);
}

static struct step *not_noted(struct ages *ages)
{
	size_t i = 0;
	while (i < ages->count && ages->steps[i].noted)
		i++;
	return i < ages->count ? &ages->steps[i] : NULL;
}

static int choose(void *context, const struct config *config, struct choice *out, struct error *err)
{
	struct ages *ages = context;
	const struct config_retention *limits = &config->retention;
	(void)err;
	look(ages);
	ages->next.ns = INT64_MAX;
	if (limits->age_ms || limits->quarantine_ms)
		ages->next = mono_add_ms(mono_now(), LOOK_MS);
	struct step *step = not_noted(ages);
	if (!step)
		return 0;
	AUTO_STR key = STR_INIT;
	str_printf(&key, NOTES "%lld", (long long)step->until_ns);
	out->intents.note_key = str_take(&key);
	out->intents.note = step->by_ns;
	step->noted = true;
	out->more = true;
	return 0;
}

static struct mono next(void *context)
{
	return ((struct ages *)context)->next;
}

struct chooser ages_chooser(struct ages *ages)
{
	return (struct chooser){ .choose = choose, .next = next, .context = ages };
}
