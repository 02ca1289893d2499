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

/* Where Debian's clamd listens. */
#define CONFIG_CLAMD_SOCKET "/run/clamav/clamd.ctl"
/* Its MaxFileSize there, bytes. */
#define CONFIG_CLAMD_MAX_FILE_SIZE (INT64_C(25) << 20)

struct api;
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

/* What a hash list is a list of. */
enum config_known {
	CONFIG_KNOWN_BAD,
	CONFIG_KNOWN_GOOD
};

/* By which type a detector's globs choose. */
enum config_match {
	CONFIG_MATCH_DECLARED, /* the name's; of a name that has none, the real one */
	CONFIG_MATCH_REAL,     /* the content's, as the detector magic tells it */
	CONFIG_MATCH_BOTH,     /* either */
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

struct config_detector {
	char *type;		 /* "hashlist", "command", "api", "yara", "magic", "clamd", ... */
	char *name;		 /* defaults to the type */
	char **mime;		 /* globs, NULL-terminated; NULL: every file */
	char *file;		 /* hashlist: the list; api: api.yml; else NULL */
	enum config_known known; /* hashlist: what is in the list; default bad */
	char **skips; /* hashlist of known good files: names of the detectors that are not asked
		       * about them, or "*"; NULL-terminated, NULL: none */
	char **run;   /* command: argv with placeholders, NULL-terminated; else NULL */
	char *socket; /* clamd: where it listens */
	int64_t max_file_size; /* yara, clamd: larger files are skipped; 0: the config's */
	bool if_there;	       /* left out when it is away at the start */
	char **read;	       /* command, api: absolute paths that its commands may read and run,
				* NULL-terminated; NULL: none */
	bool network;	       /* command, api: they may open sockets */
	char *url;	  /* remote: where to ask; api: the server of "remote: true"; else NULL */
	char *ca;	  /* remote, api: PEM file of who may sign the server's certificate */
	char *token_file; /* remote, api: what the server is told who we are; NULL: nothing */
	char **rules;	  /* yara: files and directories, NULL-terminated; else NULL */
	enum config_match match;
	int64_t timeout_ms;	/* deadline of one scan, default 60 s */
	int64_t retry_pause_ms; /* pause before the second attempt after error or timeout, default
				 * 10 s; it doubles with each further one */
	int64_t wait_ms;	/* how long files wait for it while it is away, default 1 h */
	bool required;		/* a version is done only with a definite outcome of it; default */
	unsigned retries; /* attempts in all, default 3 for api, clamd, command, remote, else 1 */
	struct api *api;  /* type api: the file, loaded; owned by the config */
	unsigned line;	  /* where it stands in the file, for messages; 0: built in */
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
	enum config_rescan rescan;
	char *events;	 /* the file of events; NULL: none */
	bool events_ecs; /* its fields are named as in the Elastic Common Schema */
	char *api_root;	 /* where relative workdirs of api.yml lie, default "/api/" */
	char *api_logs;	 /* BROAPT_API_LOGS, default "/var/log/bro/api/" */
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

/** The hash list that is shipped: uninstalled beside the source or the binary, else installed
 * (/usr/share/carved/bad.sha256). Owned; NULL when there is none. */
char *config_shipped_hashlist(void);
/** The rules of YARA that are shipped, a directory: the same places. Owned; NULL: there are none.
 */
char *config_shipped_rules(void);
/** A helper program of ours: in $CARVED_LIBEXEC_DIR, as installed (libexec/carved), or beside the
 * running binary, where it was built. Owned; NULL: it is nowhere. */
char *config_program(const char *name);

/** True when row is not to be asked about a file that the hash list by knows to be good. */
bool config_skips(const struct config_detector *by, const struct config_detector *row);

/** True when mime ("" for none) is matched by one of the globs (fnmatch without FNM_PATHNAME,
 * lower case); NULL globs match everything; "" is matched only by "*". */
bool config_mime_matches(char *const *globs, const char *mime);

#endif
