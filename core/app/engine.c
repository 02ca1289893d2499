/* engine: see engine.h. */
#include "core/app/engine.h"

#include <string.h>

#include "core/base/error.h"
#include "core/base/log.h"
#include "core/base/str.h"
#include "core/config/config.h"
#include "core/detect/detect.h"
#include "core/detect/detect_state.h"

/* Said at each start and reload: what disappoints is not a reason to refuse the configuration. */
static void log_doubts(const struct detector *detector)
{
	AUTO_STR doubts = STR_INIT;
	detector_doubts(detector, &doubts);
	for (const char *at = str_text(&doubts); *at;) {
		size_t len = strcspn(at, "\n");
		log_warning("detector \"%s\": %.*s", detector_name(detector), (int)len, at);
		at += len + (at[len] == '\n');
	}
}

/* Nobody configured it, and it is not there. */
static bool is_left_out(const struct detector *detector, const struct config_detector *row)
{
	struct error why = { 0 };
	int64_t since_ns = 0;
	return row->if_there && detector_away(detector, &why, &since_ns);
}

static const struct detector *earlier_detector(const struct engine *earlier, const char *name)
{
	for (size_t i = 0; earlier && i < earlier->detector_count; i++) {
		if (strcmp(detector_name(earlier->detectors[i]), name) == 0)
			return earlier->detectors[i];
	}
	return NULL;
}

int engine_new_after(struct engine **out, struct config *config, const struct engine *earlier,
		     int cancel_fd, struct error *err)
{
	AUTO(engine) struct engine *engine = xcalloc(1, sizeof *engine);
	atomic_init(&engine->refs, 1);
	engine->config = config_ref(config);
	engine->detectors = xcalloc(config->detector_count, sizeof(struct detector *));
	engine->told_away = xcalloc(config->detector_count, sizeof *engine->told_away);
	for (size_t i = 0; i < config->detector_count; i++) {
		const struct config_detector *row = &config->detectors[i];
		struct detector *detector = NULL;
		const struct detect_opening opening = { .row = row,
							.config = config,
							.cancel_fd = cancel_fd };
		int result = detector_open_after(&detector, &opening,
						 earlier_detector(earlier, row->name), err);
		if (result < 0) {
			error_prefix(err, "detector \"%s\"", row->name);
			return result;
		}
		if (is_left_out(detector, row)) {
			detector_free(detector);
			continue;
		}
		engine->detectors[engine->detector_count++] = detector;
		log_doubts(detector);
	}
	*out = TAKE(engine);
	return 0;
}

int engine_new(struct engine **out, struct config *config, struct error *err)
{
	return engine_new_after(out, config, NULL, -1, err);
}

struct engine *engine_ref(struct engine *engine)
{
	atomic_fetch_add_explicit(&engine->refs, 1, memory_order_relaxed);
	return engine;
}

void engine_unref(struct engine *engine)
{
	if (!engine || atomic_fetch_sub_explicit(&engine->refs, 1, memory_order_acq_rel) > 1)
		return;
	for (size_t i = 0; i < engine->detector_count; i++)
		detector_free(engine->detectors[i]);
	free(engine->detectors);
	free(engine->told_away);
	config_unref(engine->config);
	free(engine);
}
