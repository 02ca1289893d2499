/*
 * config_detector: one configured detector, as a part of the immutable configuration (config.h).
 */
#ifndef CARVED_CORE_CONFIG_CONFIG_DETECTOR_H
#define CARVED_CORE_CONFIG_CONFIG_DETECTOR_H

#include <stdbool.h>
#include <stdint.h>

/* Where Debian's clamd listens. */
#define CONFIG_CLAMD_SOCKET "/run/clamav/clamd.ctl"
/* Its MaxFileSize there, bytes. */
#define CONFIG_CLAMD_MAX_FILE_SIZE (INT64_C(25) << 20)

struct api;

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

/* Owned by the configuration. */
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

/** True when row is not to be asked about a file that the hash list by knows to be good. */
bool config_skips(const struct config_detector *by, const struct config_detector *row);

#endif
