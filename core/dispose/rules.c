/* rules: see rules.h. */
#include "core/dispose/rules.h"

#include <string.h>

#include "core/base/clock.h"
#include "core/base/lock.h"
#include "core/base/str.h"
#include "core/config/config.h"
#include "core/dispose/site.h"
#include "core/store/event_reader.h"
#include "core/store/removal_reader.h"
#include "core/store/version.h"

/* Under this key in the table meta, with the path behind it. */
#define ROOT_KEY "disposal_root_"

struct known_root {
	char *path; /* owned */
	bool noted; /* in the history */
};

struct disposal_rules {
	struct event_reader *events;
	struct removal_reader *removals;
	int64_t seq; /* of the last event that was looked at */
	struct lock lock;
	/* guarded by lock */
	struct known_root *roots; /* owned */
	size_t root_count;
};

/* One look at some events. */
struct looking {
	struct disposal_rules *rules;
	const struct config *config;
	struct choice *choice;
	size_t events;
	int result;
	struct error *err;
};

static void add_root(struct disposal_rules *rules, const char *path, bool noted)
{
	size_t i = 0;
	lock_take(&rules->lock);
	while (i < rules->root_count && strcmp(rules->roots[i].path, path) != 0)
		i++;
	if (i == rules->root_count) {
		rules->roots = xrealloc(rules->roots, i + 1, sizeof *rules->roots);
		rules->roots[rules->root_count++] =
			(struct known_root){ .path = xstrdup(path), .noted = noted };
	}
	lock_drop(&rules->lock);
}

static void take_noted(void *context, const char *key)
{
	add_root(context, key + strlen(ROOT_KEY), true);
}

void disposal_rules_add_roots(struct disposal_rules *rules, const struct config *config)
{
	for (size_t i = 0; i < config->root_count; i++)
		add_root(rules, config->roots[i].path, false);
}

/* The key of one that is to be noted, owned by the caller; NULL: all are. */
static char *note_root(struct disposal_rules *rules)
{
	AUTO_STR key = STR_INIT;
	size_t i = 0;
	lock_take(&rules->lock);
	while (i < rules->root_count && rules->roots[i].noted)
		i++;
	bool any = i < rules->root_count;
	if (any) {
		rules->roots[i].noted = true;
		str_printf(&key, ROOT_KEY "%s", rules->roots[i].path);
	}
	lock_drop(&rules->lock);
	return any ? str_take(&key) : NULL;
}

int disposal_rules_new(struct disposal_rules **out, const char *history, struct error *err)
{
	AUTO(disposal_rules) struct disposal_rules *rules = xcalloc(1, sizeof *rules);
	int64_t behind = 0;
	const struct note_visit roots = { take_noted, rules };
	lock_init(&rules->lock);
	int result = event_reader_open(&rules->events, history, err);
	if (result == 0)
		result = removal_reader_open(&rules->removals, history, err);
	if (result == 0)
		result = event_reader_sink(rules->events, RULES_SINK, &rules->seq, &behind, err);
	if (result == 0)
		result = removal_reader_notes(rules->removals, ROOT_KEY, &roots, err);
	if (result == 0)
		*out = TAKE(rules);
	return result;
}

void disposal_rules_free(struct disposal_rules *rules)
{
	if (!rules)
		return;
	event_reader_free(rules->events);
	removal_reader_free(rules->removals);
	for (size_t i = 0; i < rules->root_count; i++)
		free(rules->roots[i].path);
	free(rules->roots);
	lock_done(&rules->lock);
	free(rules);
}

static bool lies_below_root(struct disposal_rules *rules, const struct version *version)
{
	lock_take(&rules->lock);
	size_t i = 0;
	while (i < rules->root_count &&
	       !site_below(rules->roots[i].path, version->path, version->path_len))
		i++;
	bool below = i < rules->root_count;
	lock_drop(&rules->lock);
	return below;
}

enum config_disposal disposal_wanted(const struct config *config, const struct version *version)
{
	const char *mime = version->real_mime ? version->real_mime : version->entry.mime;
	if (version->state != VERSION_DONE || version->identity.inode == 0)
		return CONFIG_KEEP;
	return config_disposal(config, version->verdict, mime);
}

static void intend(struct looking *looking, const struct version *version,
		   enum config_disposal disposal)
{
	bool restored = false;
	looking->result = removal_reader_restored(looking->rules->removals, version->id, &restored,
						  looking->err);
	if (looking->result < 0 || restored)
		return;
	struct removal removal = {
		.version_id = version->id,
		.action = disposal == CONFIG_QUARANTINE ? REMOVAL_QUARANTINE : REMOVAL_DELETE,
		.cause = CAUSE_RULE,
		.intended_ns = clock_wall_ns(),
	};
	removals_add(&looking->choice->intents.list, &removal);
}

static bool look_at(void *context, const struct store_event *event)
{
	struct looking *looking = context;
	enum config_disposal disposal = CONFIG_KEEP;
	if (event->version && event->kind != EVENT_INCOMPLETE)
		disposal = disposal_wanted(looking->config, event->version);
	if (disposal != CONFIG_KEEP && lies_below_root(looking->rules, event->version))
		intend(looking, event->version, disposal);
	if (looking->result < 0)
		return false;
	looking->choice->told.seq = event->seq;
	return ++looking->events < CHOOSE_AT_ONCE;
}

static int choose(void *context, const struct config *config, struct choice *out, struct error *err)
{
	struct disposal_rules *rules = context;
	struct looking looking = { .rules = rules, .config = config, .choice = out, .err = err };
	const struct event_visit each = { .visit = look_at, .context = &looking };
	out->told = (struct store_told){ .sink = RULES_SINK, .seq = rules->seq };
	int result = event_reader_each(rules->events, rules->seq, &each, NULL, err);
	if (result < 0 || looking.result < 0)
		return result < 0 ? result : looking.result;
	if (looking.events == 0)
		out->told.sink = NULL;
	rules->seq = out->told.seq;
	out->intents.note_key = note_root(rules);
	out->intents.note = clock_wall_ns();
	out->more = looking.events == CHOOSE_AT_ONCE || out->intents.note_key;
	return 0;
}

struct chooser disposal_rules_chooser(struct disposal_rules *rules)
{
	return (struct chooser){ .choose = choose, .context = rules };
}
