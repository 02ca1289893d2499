/*
 * api_log: what a command of api.yml printed, where BroAPT puts it.
 *
 *	<api_logs>/<type>/<subtype>/<fuid>-{scripts,report}.<n>[_<retry>]
 *
 * n counts from 1; the first attempt has no suffix, the second _1. BroAPT overwrites when a fuid
 * repeats; here every log is a new file (O_EXCL), and a name that is taken counts the suffix up.
 * The directory of files without a type, and of the default entry, is "example". No symlink below
 * api_logs is followed. Any thread.
 */
#ifndef CARVED_CORE_DETECT_API_LOG_H
#define CARVED_CORE_DETECT_API_LOG_H

#include <stdint.h>

struct error;
struct head;
struct scan_request;
struct str;

/* Bytes of a command's output that a log holds. */
#define API_LOG_MAX ((size_t)1024 * 1024)
/* Names that are tried when they are taken. */
#define API_LOG_TRIES 100
/* Bytes of the first part of the name. */
#define API_LOG_ID_MAX 64

struct api_log {
	const char *root; /* api_logs; made when it is missing */
	const char *mime; /* "" counts as "example" */
	const char *id;	  /* of api_log_id() */
	const char *step; /* "scripts.1", "report.1" */
	unsigned attempt; /* 1 is the first */
};

/** Appends the first part of a log's name: the fuid, when it is made of letters, digits and _; else
 * the first 16 digits of the content's hash; else the file's name with everything else replaced by
 * _. */
void api_log_id(struct str *out, const struct scan_request *request);

/** Writes a new log. 0, or -errno and words. */
int api_log_write(const struct api_log *log, const struct head *output, struct error *err);

#endif
