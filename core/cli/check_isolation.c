/* check_isolation: what this kernel has to confine commands and helpers with, and the paths that
 * commands may read. */
#include <errno.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/mem.h"
#include "core/base/str.h"
#include "core/cli/check_report.h"
#include "core/config/config.h"
#include "core/detect/cage.h"
#include "core/sandbox/sandbox.h"

static void check_kernel(struct check *check)
{
	struct sandbox_parts parts;
	sandbox_probe(&parts);
	AUTO_STR words = STR_INIT;
	sandbox_words(&parts, &words);
	if (sandbox_whole(&parts))
		check_ok("isolation: %s", str_text(&words));
	else
		check_warn(check, "isolation: %s", str_text(&words));
}

/* Whoever runs no command does without. */
static void check_launcher(struct check *check, bool commands)
{
	struct error err = { 0 };
	AUTO_FREE char *launcher = cage_launcher(&err);
	if (!launcher && commands)
		check_fail(check, "isolation: %s", err.text);
}

static void check_reads(struct check *check, const struct config_detector *row)
{
	for (char *const *path = row->read; path && *path; path++) {
		if (access(*path, R_OK) < 0)
			check_warn(check, "detector %s (line %u): read: %s: %s", row->name,
				   row->line, *path, error_text(errno));
	}
}

void check_isolation(struct check *check)
{
	const struct config *config = check->config;
	bool commands = false;
	check_kernel(check);
	for (size_t i = 0; i < config->detector_count; i++) {
		commands = commands || config->detectors[i].run || config->detectors[i].api;
		check_reads(check, &config->detectors[i]);
	}
	check_launcher(check, commands);
}
