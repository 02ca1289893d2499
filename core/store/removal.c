/* removal: see removal.h. */
#include "core/store/removal.h"

#include <string.h>

#include "core/base/clock.h"

/* The longest pause between two tries. */
#define PAUSE_MAX_MS INT64_C(600000)

static const char *const actions[REMOVAL_ACTIONS] = {
	[REMOVAL_DELETE] = "delete",
	[REMOVAL_QUARANTINE] = "quarantine",
};

static const char *const causes[REMOVAL_CAUSES] = {
	[CAUSE_RULE] = "rule",	 [CAUSE_AGE] = "age",	[CAUSE_COUNT] = "count",
	[CAUSE_BYTES] = "bytes", [CAUSE_DISK] = "disk", [CAUSE_SHED] = "shed",
};

static const char *const states[REMOVAL_STATES] = {
	[REMOVAL_INTENDED] = "intended",       [REMOVAL_REMOVED] = "removed",
	[REMOVAL_QUARANTINED] = "quarantined", [REMOVAL_GONE] = "gone",
	[REMOVAL_REPLACED] = "replaced",       [REMOVAL_LEFT] = "left",
	[REMOVAL_RESTORED] = "restored",       [REMOVAL_EXPIRED] = "expired",
};

static size_t find(const char *const *names, size_t count, const char *name)
{
	size_t i = 0;
	while (i < count && !(name && strcmp(names[i], name) == 0))
		i++;
	return i;
}

const char *removal_action_name(enum removal_action action)
{
	return actions[action];
}

const char *removal_cause_name(enum removal_cause cause)
{
	return causes[cause];
}

const char *removal_state_name(enum removal_state state)
{
	return states[state];
}

enum removal_action removal_action_by_name(const char *name)
{
	return (enum removal_action)find(actions, REMOVAL_ACTIONS, name);
}

enum removal_cause removal_cause_by_name(const char *name)
{
	return (enum removal_cause)find(causes, REMOVAL_CAUSES, name);
}

enum removal_state removal_state_by_name(const char *name)
{
	return (enum removal_state)find(states, REMOVAL_STATES, name);
}

void removal_put_off(struct removal *removal, int64_t now_ns, const char *words)
{
	int64_t pause_ms = 1000;
	removal->tries++;
	for (unsigned i = 1; i < removal->tries && pause_ms < PAUSE_MAX_MS; i++)
		pause_ms *= 2;
	if (pause_ms > PAUSE_MAX_MS)
		pause_ms = PAUSE_MAX_MS;
	removal->due_ns = now_ns + pause_ms * CLOCK_NS_PER_MS;
	free(removal->note);
	removal->note = xstrdup(words);
}

void removal_done(struct removal *removal)
{
	free(TAKE(removal->place));
	free(TAKE(removal->note));
}

void removals_add(struct removals *removals, struct removal *removal)
{
	removals->items = xrealloc(removals->items, removals->count + 1, sizeof *removals->items);
	removals->items[removals->count++] = *removal;
	*removal = (struct removal){ 0 };
}

void removals_done(struct removals *removals)
{
	for (size_t i = 0; i < removals->count; i++)
		removal_done(&removals->items[i]);
	free(removals->items);
	*removals = (struct removals){ 0 };
}

void store_removals_done(struct store_removals *removals)
{
	removals_done(&removals->list);
	free(removals->note_key);
	*removals = (struct store_removals){ 0 };
}
