/*
 * loading: what the pieces of config_load() share while one configuration is being made.
 *
 * Rooms outside core/config have no use for it. Lives on config_load()'s stack; one thread.
 */
#ifndef CARVED_CORE_CONFIG_LOADING_H
#define CARVED_CORE_CONFIG_LOADING_H

#include "core/config/config.h"
#include "core/config/node.h"
#include "core/config/settings.h"

#define CONFIG_ROOTS_MAX     256
#define CONFIG_DETECTORS_MAX 64
#define CONFIG_TEXTS_MAX     256 /* items of one list of texts */
#define CONFIG_SHOWN_MAX     80	 /* characters of what somebody wrote, in an error */

/* Where a value was said, so that an error which shows only later can still name the place. */
struct origin {
	const char *name; /* an option or a variable, static; NULL: the file, at the mark */
	struct mark at;	  /* line 0 and no name: nobody said it, the default holds */
};

struct loading {
	struct config *config;
	const struct config_overrides *overrides;
	struct document *document; /* NULL: there is no file */
	char *base;		   /* absolute directory of the file; NULL without one */
	struct origin history, hash, rescan, roots, retention, shed;
	struct mark *root_at;	  /* of each root, when the file names them; else NULL */
	struct mark *detector_at; /* of each detector of the file; NULL: built in */
};

/** Fills err with "PLACE: words"; returns -EINVAL. */
int loading_error(const struct loading *loading, const struct origin *origin, struct error *err,
		  const char *format, ...) __attribute__((format(printf, 4, 5)));

/* config_file.c */

/** Reads the whole file into the configuration. */
int loading_file(struct loading *loading, struct error *err);

/** Reads a mapping into object by the rows of a scope; sections are left to the callback, which may
 * be NULL. Unknown and repeated keys are errors. */
struct section {
	enum setting_scope scope;
	void *object;
	int (*read)(struct loading *loading, const struct setting *setting,
		    const struct node *value, struct error *err);
};

int loading_section(struct loading *loading, const struct node *map, const struct section *section,
		    struct error *err);
/** "expected WHAT, found KIND" at the node. */
int loading_expected(const struct loading *loading, const struct node *node, const char *key,
		     const char *what, struct error *err);

/** The value of a key of the item, or the item itself when the key is not there. */
const struct node *loading_value_of(const struct node *item, const char *key);

/* detector_rows.c */

/** Reads the list of detectors. */
int loading_detectors(struct loading *loading, const struct node *list, struct error *err);
/** Once everything else is known: built-in detectors, files, api.yml. */
int loading_detectors_finish(struct loading *loading, struct error *err);

/* command_row.c */

/** What type command asks for beyond the table: "run" with a program and {path} or {fd}. */
int loading_command(const struct loading *loading, const struct node *item,
		    struct config_detector *row, struct error *err);

/* skips.c */

/** Whether the names in "skips" are those of detectors that may be skipped; list: all detectors,
 * read already. */
int loading_skips(const struct loading *loading, const struct node *list, struct error *err);

/* disposal.c */

/** Reads what "dispose" says of the verdict that the setting is. */
int loading_disposal(struct loading *loading, const struct setting *setting,
		     const struct node *value, struct error *err);

/* server_row.c */

/** What types remote and api ask for of "url" or "server", "ca" and "token_file". */
int loading_server(const struct loading *loading, const struct node *item,
		   struct config_detector *row, struct error *err);
/** Type api, once the environment is known: the server that the environment names, or the default.
 */
int loading_server_finish(const struct loading *loading, struct config_detector *row,
			  const struct origin *place, struct error *err);

/** What is wrong with a URL, static; NULL: nothing. takes_query: it may have one. */
const char *loading_url_fault(const char *url, bool takes_query);

/* alert_row.c */

/** Reads the mapping "alert". */
int loading_alert(struct loading *loading, const struct node *map, struct error *err);
void config_alert_free(struct config_alert *alert);

/* engine_row.c */

/** What type yara asks for beyond the table: places its rules. */
int loading_yara(const struct loading *loading, const struct node *item,
		 struct config_detector *row, struct error *err);
/** Gives the row the rules that are shipped, unless it has some; false: there are none. */
bool loading_ship_rules(struct config_detector *row);
/** match: real or both needs a detector that tells what files are. */
int loading_match(const struct loading *loading, struct error *err);

/* environment.c */

/** Lays the environment, then the command line, over the configuration. */
int loading_environment(struct loading *loading, struct error *err);
int loading_overrides(struct loading *loading, struct error *err);
/** The value of a variable, NULL when it is not set or empty. Borrowed; valid while the environment
 * is not changed. */
const char *environment_get(const char *name);
/** The value of the first of the row's variables that is set, and its name; NULL: none. */
const char *environment_of(const struct setting *setting, const char **name);

/* producer.c */

/** Whether spec is a scheme or a usable pattern; err says what is wrong. */
int producer_check(const char *spec, struct error *err);

/* consistency.c */

/** What no single key can tell: overlapping roots, a history below a root, hash against hashlist.
 */
int loading_consistency(const struct loading *loading, struct error *err);

/* defaults.c */

/** "quarantine" beside the history. Owned. */
char *config_default_quarantine(const char *history);

/** How many workers "0" means here: 1 to 4. */
unsigned default_workers(void);

/* config.c */

/** Takes trailing slashes off a root's path, so that a slash and the rest can be put behind and
 * equal roots are written alike; "/" stays. */
void config_root_trim(const struct config_root *root);
/** Frees what a root or detector owns. */
void config_root_done(struct config_root *root);
void config_detector_done(struct config_detector *detector);

#endif
