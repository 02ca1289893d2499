/*
 * rules: chooses by "dispose" in the configuration: what got its end, or another verdict, and is of
 * a kind that is not to be kept. The disposer's thread.
 */
#ifndef CARVED_CORE_DISPOSE_RULES_H
#define CARVED_CORE_DISPOSE_RULES_H

#include "core/base/mem.h"
#include "core/config/disposal.h"
#include "core/dispose/choose.h"

struct config;
struct disposal_rules;
struct error;
struct version;

/** The cursor's name: one of store_options.sinks while there are rules. */
#define RULES_SINK "dispose"

/** history is a path, of one that store_open() made. */
int disposal_rules_new(struct disposal_rules **out, const char *history, struct error *err);
void disposal_rules_free(struct disposal_rules *rules);
AUTO_DEFINE(disposal_rules);

/** What lies below these roots is chosen from now on, also once they are out of the configuration,
 * over a restart, too: they may be back before it is removed. Any thread. */
void disposal_rules_add_roots(struct disposal_rules *rules, const struct config *config);

/** What the rules say of a version as it is, wherever it lies. Any thread. */
enum config_disposal disposal_wanted(const struct config *config, const struct version *version);

/** As a chooser. Borrows rules. */
struct chooser disposal_rules_chooser(struct disposal_rules *rules);

#endif
