/* known: see known.h. */
#include "core/app/known.h"

#include <string.h>

#include "core/app/ask.h"
#include "core/app/conclude.h"
#include "core/app/engine.h"
#include "core/app/job.h"
#include "core/base/clock.h"
#include "core/base/str.h"
#include "core/config/config.h"
#include "core/detect/detect.h"

bool known_is_list(const struct detector *detector)
{
	return detector_class(detector) == &hashlist_class &&
	       detector_row(detector)->known == CONFIG_KNOWN_GOOD;
}

const struct detector *known_skips(const struct asking *asking, const struct config_detector *row)
{
	for (size_t i = 0; i < asking->engine->detector_count; i++) {
		const struct detector *list = asking->engine->detectors[i];
		const struct standing *standing = &asking->standings[i];
		if (known_is_list(list) && config_skips(detector_row(list), row) && standing->row &&
		    standing->outcome == OUTCOME_CLEAN)
			return list;
	}
	return NULL;
}

static bool said_before(const struct asking *asking, const struct finding *skipped)
{
	for (size_t i = 0; asking->earlier_stands && i < asking->earlier_count; i++) {
		const struct finding *earlier = &asking->earlier[i];
		if (earlier->outcome == OUTCOME_SKIPPED &&
		    strcmp(earlier->detector, skipped->detector) == 0 &&
		    memcmp(earlier->key, skipped->key, sizeof skipped->key) == 0)
			return true;
	}
	return false;
}

void known_skip(struct asking *asking, struct standing *standing, struct finding *wanted,
		const struct detector *by)
{
	standing->outcome = OUTCOME_SKIPPED;
	standing->abstains = true;
	memset(wanted->key, 0, sizeof wanted->key);
	if (said_before(asking, wanted))
		return;
	AUTO_STR detail = STR_INIT;
	str_puts(&detail, "{\"reason\": \"known good\", \"by\": ");
	str_json_text(&detail, detector_name(by));
	str_putc(&detail, '}');
	wanted->outcome = OUTCOME_SKIPPED;
	wanted->detail = str_take(&detail);
	wanted->started_ns = clock_wall_ns();
	wanted->finished_ns = wanted->started_ns;
	version_add_finding(asking->job->version, wanted);
}
