/*
 * disposal: what becomes of files once they have their end: "dispose" in the configuration, a list
 * of rules, of which the first that fits counts.
 */
#ifndef CARVED_CORE_CONFIG_DISPOSAL_H
#define CARVED_CORE_CONFIG_DISPOSAL_H

#include <stdbool.h>

#include "core/base/outcome.h"

struct config;

enum config_disposal {
	CONFIG_KEEP,
	CONFIG_DELETE,
	CONFIG_QUARANTINE
};

struct config_disposal_rule {
	enum outcome verdict;
	char *mime; /* a glob, as config_mime_matches() takes them; owned */
	enum config_disposal disposal;
};

/** What becomes of a file with that verdict and type ("" for none); OUTCOMES and what no rule
 * names: it is kept. Any thread. */
enum config_disposal config_disposal(const struct config *config, enum outcome verdict,
				     const char *mime);
/** Does any rule say anything but keep? */
bool config_disposes(const struct config *config);
/** Whether files go because there is too much of them; but for the quarantine. */
bool config_retains(const struct config *config);

#endif
