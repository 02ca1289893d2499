/* isolation: see isolation.h. */
#include "core/app/isolation.h"

#include <string.h>

#include "core/base/error.h"
#include "core/base/log.h"
#include "core/base/mem.h"
#include "core/base/str.h"
#include "core/config/config.h"
#include "core/detect/cage.h"
#include "core/detect/scratch_dir.h"
#include "core/sandbox/sandbox.h"

static bool runs_commands(const struct config *config)
{
	if (config->alert && config->alert->run)
		return true;
	for (size_t i = 0; i < config->detector_count; i++) {
		const char *type = config->detectors[i].type;
		if (strcmp(type, "command") == 0 || strcmp(type, "api") == 0)
			return true;
	}
	return false;
}

static void tell(const struct config *config)
{
	struct sandbox_parts parts;
	sandbox_probe(&parts);
	AUTO_STR words = STR_INIT;
	sandbox_words(&parts, &words);
	if (sandbox_whole(&parts))
		log_notice("isolation: %s", str_text(&words));
	else
		log_warning("isolation: %s", str_text(&words));
	struct error err = { 0 };
	AUTO_FREE char *launcher = cage_launcher(&err);
	if (!launcher && runs_commands(config))
		log_warning("isolation: %s", err.text);
}

static void remove_place(const struct config *config)
{
	AUTO_FREE char *place = scratch_dir_place(config->history);
	struct error err = { 0 };
	if (scratch_dir_remove(place, &err) < 0)
		log_warning("%s", err.text);
}

void isolation_begin(const struct config *config)
{
	tell(config);
	remove_place(config);
}

void isolation_end(const struct config *config)
{
	remove_place(config);
}
