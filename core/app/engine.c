/* engine: see engine.h. */
#include "core/app/engine.h"

#include <string.h>

#include "core/base/error.h"
#include "core/base/log.h"
#include "core/base/str.h"
#include "core/config/config.h"
#include "core/detect/detect.h"

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

int engine_new(struct engine **out, struct config *config, struct error *err)
{
	AUTO(engine) struct engine *engine = xcalloc(1, sizeof *engine);
	atomic_init(&engine->refs, 1);
	engine->config = config_ref(config);
	engine->detectors = xcalloc(config->detector_count, sizeof(struct detector *));
	for (size_t i = 0; i < config->detector_count; i++) {
		const struct config_detector *row = &config->detectors[i];
		int result = detector_open(&engine->detectors[i], row, config, err);
		if (result < 0) {
			error_prefix(err, "detector \"%s\"", row->name);
			return result;
		}
		engine->detector_count++;
		log_doubts(engine->detectors[i]);
	}
	*out = TAKE(engine);
	return 0;
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
	config_unref(engine->config);
	free(engine);
}
