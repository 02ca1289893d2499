/*
 * api_remote: entries of api.yml with "remote: true", which BroAPT's daemon runs.
 *
 * BroAPT-Daemon shares the directory of extracted files with us and runs an entry's commands where
 * their tools are. What is sent is what BroAPT-App sends (POST SERVER/api/v1.0/scan, a JSON object
 * with name, mime, uuid, report, shared, inited, workdir, environ, install, scripts); of the answer
 * {"id", "inited", "scanned", "reported", "deleted"} "inited" and "reported" are read. The daemon
 * runs "install" itself, once for each "shared" group, until it says that it did. "reported" true
 * means that the commands ran, which is the outcome unknown.
 *
 * The daemon pastes names into the text of shell commands. A name or type that holds anything a
 * shell would read more into than a word is therefore never sent: the outcome is skipped.
 *
 * Source: BroAPT's documentation, and its client and daemon as published. Any thread.
 */
#ifndef CARVED_CORE_DETECT_API_REMOTE_H
#define CARVED_CORE_DETECT_API_REMOTE_H

#include <stdbool.h>

#include "core/base/mem.h"

struct answer;
struct api_entry;
struct api_remote;
struct config_detector;
struct digest;
struct error;
struct scan_request;
struct str;

/** For the remote entries of the row's api.yml; *out is NULL when there are none. The row is
 * borrowed. */
int api_remote_new(struct api_remote **out, const struct config_detector *row, struct error *err);
void api_remote_free(struct api_remote *remote);
AUTO_DEFINE(api_remote);

/** Adds what an answer about a remote entry's files depends on. */
void api_remote_digest(const struct api_remote *remote, struct digest *hash,
		       const struct api_entry *entry);
/** Asks about a file of a remote entry. */
void api_remote_scan(struct api_remote *remote, const struct api_entry *entry,
		     const struct scan_request *request, struct answer *answer);
/** See detector_in_vain(), detector_doubts() and detector_probe(). */
bool api_remote_away(struct api_remote *remote, struct error *why);
void api_remote_doubts(const struct api_remote *remote, struct str *out);
int api_remote_probe(struct api_remote *remote, struct error *err);

#endif
