/*
 * rules: see rules.h.
 *
 * One operation at a time is on its way. It looks through some thousand versions and comes back, so
 * that the writer sees to new files in between; what is left when the daemon ends is done by the
 * next start, as the history notes a digest as asked for only when all is.
 *
 * The digest of most detectors holds as long as their engine. A peer of its own, like clamd, gets
 * other signatures under way; that is noticed by the first answer that comes with another digest,
 * so it costs nothing to watch for.
 */
#include "core/app/rules.h"

#include <string.h>

#include "core/app/engine.h"
#include "core/app/rescan.h"
#include "core/app/state.h"
#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/log.h"
#include "core/config/config.h"
#include "core/detect/detect.h"
#include "core/store/rescan.h"
#include "core/store/store.h"

#define HEARD_PAUSE_MS 1000
#define DAY_NS	       (INT64_C(86400) * CLOCK_NS_PER_S)

struct rules {
	struct engine *engine; /* a reference: its names are lent to the operation */
	struct store_rules noted;
	struct store_op op;
	int64_t asked;
	struct mono gathered;
	bool under_way;
	bool again; /* the engine has been replaced meanwhile */
};

static void forget(struct rules *rules)
{
	free(rules->noted.rules);
	engine_unref(rules->engine);
	*rules = (struct rules){ 0 };
}

void rules_free(struct rules *rules)
{
	if (!rules)
		return;
	forget(rules);
	free(rules);
}

static void gather(struct app *app, struct rules *rules)
{
	struct store_rules *noted = &rules->noted;
	forget(rules);
	rules->engine = app_engine(app);
	const struct config *config = rules->engine->config;
	noted->rules = xcalloc(rules->engine->detector_count, sizeof *noted->rules);
	for (size_t i = 0; i < rules->engine->detector_count; i++) {
		const struct detector *detector = rules->engine->detectors[i];
		struct store_rule *rule = &noted->rules[noted->count++];
		struct error why = { 0 };
		rule->detector = detector_name(detector);
		if (!detector_digest(detector, rule->digest, &why))
			rule->digest[0] = '\0';
	}
	rules->gathered = mono_now();
	noted->now_ns = clock_wall_ns();
	noted->ask = config->rescan == CONFIG_RESCAN_AUTO && !app->options.once;
	noted->since_ns = noted->now_ns - (int64_t)config->reuse_days * DAY_NS;
}

static void submit(struct app *app, struct rules *rules)
{
	rules->op = (struct store_op){ .verb = STORE_RULES, .rules = &rules->noted };
	list_init(&rules->op.link);
	rules->under_way = true;
	store_submit(app->store, &rules->op);
}

void rules_note(struct app *app)
{
	if (app->options.own_only)
		return; /* one pass over some paths says nothing of the daemon's rules */
	if (!app->rules)
		app->rules = xcalloc(1, sizeof *app->rules);
	if (app->rules->under_way) {
		app->rules->again = true;
		return;
	}
	gather(app, app->rules);
	submit(app, app->rules);
}

void rules_committed(struct app *app, struct store_op *op)
{
	struct rules *rules = app->rules;
	rules->under_way = false;
	rules->asked += op->rules->asked;
	if (op->rules->asked > 0)
		rescan_note(app);
	bool ends = app->mode != APP_RUNNING;
	if (op->result == STORE_WRITTEN && op->rules->more && !rules->again && !ends) {
		op->rules->from = op->rules->next;
		submit(app, rules);
		return;
	}
	if (rules->asked > 0)
		log_notice("detectors have other rules now: versions to be looked at again=%lld",
			   (long long)rules->asked);
	rules->asked = 0;
	bool again = rules->again && !ends;
	rules->again = false;
	if (again)
		rules_note(app);
}

static bool is_news(const struct rules *rules, const struct finding *finding)
{
	for (size_t i = 0; i < rules->noted.count; i++) {
		const struct store_rule *rule = &rules->noted.rules[i];
		if (detector_class(rules->engine->detectors[i])->digest &&
		    strcmp(rule->detector, finding->detector) == 0)
			return strcmp(rule->digest, finding->digest) != 0;
	}
	return false;
}

void rules_heard(struct app *app, const struct version *version)
{
	const struct rules *rules = app->rules;
	if (!rules || rules->under_way || app->mode != APP_RUNNING)
		return;
	/* servers that take turns with different signatures must not keep the writer busy */
	if (!mono_passed(mono_add_ms(rules->gathered, HEARD_PAUSE_MS)))
		return;
	for (size_t i = 0; i < version->finding_count; i++) {
		const struct finding *finding = &version->findings[i];
		/* a late answer of an engine that was replaced asks once too often, no more */
		if (!finding->cached && *finding->digest && is_news(rules, finding)) {
			rules_note(app);
			return;
		}
	}
}
