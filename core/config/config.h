/*
 * config: carved.yml, the environment and the command line, as one immutable value.
 *
 * Command line over environment (CARVED_*, then BroAPT's names) over file over default. Immutable
 * after config_load(), so any thread may read it; counted, because a reload replaces it while jobs
 * still refer to the old one.
 */
#ifndef CARVED_CORE_CONFIG_CONFIG_H
#define CARVED_CORE_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/mem.h"
#include "core/config/config_alert.h"
#include "core/config/config_detector.h"
#include "core/config/disposal.h"

struct error;

enum config_mode {
	CONFIG_MODE_AUTO,
	CONFIG_MODE_INOTIFY,
	CONFIG_MODE_POLL
};

enum config_unmatched {
	CONFIG_UNMATCHED_RECORD,
	CONFIG_UNMATCHED_SCAN,
	CONFIG_UNMATCHED_IGNORE
};

enum config_rescan {
	CONFIG_RESCAN_MANUAL, /* when "carved rescan" asks for it */
	CONFIG_RESCAN_AUTO    /* and when a detector's digest has changed */
};

struct config_root {
	char *path;	/* as written, without trailing slashes (but "/" stays) */
	char *producer; /* "auto", a scheme word, or a PCRE2 pattern */
	enum config_mode mode;
	int64_t settle_ms; /* settling time where leases do not work, default 2000 */
};

/* How long files stay below the roots, and what may go when their disk is full. 0: no limit. */
struct config_retention {
	int64_t age_ms; /* since a file was first seen */
	unsigned count; /* files of ours that are in place */
	int64_t bytes;	/* of them */
	/* shares of a root's file system that are used: from high on files go, until it is low */
	unsigned disk_high_percent, disk_low_percent;
	bool unscanned;	       /* files that got no answer may go too, when no other is left */
	int64_t quarantine_ms; /* age at which what is in quarantine goes */
	char **shed; /* globs of types: what waits for a scan is given up in their order; NULL:
			nothing is */
};

struct config {
	unsigned refs;	   /* atomic; use config_ref() */
	char *file;	   /* the file that was read, NULL: built-in defaults */
	bool has_settings; /* it holds a mapping, though perhaps an empty one */
	struct config_root *roots;
	size_t root_count;
	char *history;
	unsigned workers;      /* resolved: 1 to 256, never 0 */
	bool hash;	       /* false: "never" */
	int64_t max_file_size; /* bytes */
	enum config_unmatched unmatched;
	struct config_detector *detectors;
	size_t detector_count;
	int64_t rescan_interval_ms; /* default 10 s */
	int64_t stop_grace_ms;	    /* default 5 s */
	unsigned reuse_days;	    /* how far back outcomes are reused, default 30 */
	unsigned history_keep_days; /* the same for what is kept; 0: for ever */
	enum config_rescan rescan;
	char *events;		    /* the file of events; NULL: none */
	bool events_ecs;	    /* its fields are named as in the Elastic Common Schema */
	struct config_alert *alert; /* NULL: nobody is told at once */
	char *api_root;		    /* where relative workdirs of api.yml lie, default "/api/" */
	char *api_logs;		    /* BROAPT_API_LOGS, default "/var/log/bro/api/" */
	struct config_disposal_rule *disposal;
	size_t disposal_count;
	char *quarantine; /* a directory; never NULL */
	struct config_retention retention;
	char *pressure; /* the file that tells how much there is to do; NULL: none */
};

/* What the command line said; zero or NULL: nothing. Borrowed for the call. */
struct config_overrides {
	const char *file; /* -c FILE */
	const char *history;
	unsigned workers;
	const char *const *roots; /* replaces the file's roots */
	size_t root_count;
};

/**
 * Loads the configuration. Without -c, /etc/carved/carved.yml is read when it exists, else built-in
 * defaults hold (see "detectors" in settings.c). On failure returns -EINVAL (or the error of
 * reading the file) and err reads "FILE:LINE:COLUMN: what is wrong, what was expected (did you mean
 * "KEY"?)"; nothing is left behind.
 */
int config_load(struct config **out, const struct config_overrides *overrides, struct error *err);
struct config *config_ref(struct config *config);
void config_unref(struct config *config);

static inline void config_cleanup(struct config **config)
{
	config_unref(*config);
}

/** Where the history lies when nobody says: $STATE_DIRECTORY/history.db, else
 * /var/lib/carved/history.db, else ./carved.db when that directory cannot be written. Owned. */
char *config_default_history(void);

/** Where the service that is installed has it: /var/lib/carved/history.db. Owned. */
char *config_service_history(void);

/** The hash list that is shipped: uninstalled beside the source or the binary, else installed
 * (/usr/share/carved/bad.sha256). Owned; NULL when there is none. */
char *config_shipped_hashlist(void);
/** The rules of YARA that are shipped, a directory: the same places. Owned; NULL: there are none.
 */
char *config_shipped_rules(void);
/** A helper program of ours: in $CARVED_LIBEXEC_DIR, as installed (libexec/carved), or beside the
 * running binary, where it was built. Owned; NULL: it is nowhere. */
char *config_program(const char *name);

/** True when mime ("" for none) is matched by one of the globs (fnmatch without FNM_PATHNAME,
 * lower case); NULL globs match everything; "" is matched only by "*". */
bool config_mime_matches(char *const *globs, const char *mime);

#endif
