/*
 * api: BroAPT's api.yml as a value: which commands look at files of which MIME type.
 *
 * Format: BroAPT's documentation of its App framework ("api.yml"); here: top keys "environment",
 * the nine media types and "example" (mandatory default); below a type its subtype patterns, each
 * with workdir, environ, install, scripts, report, remote, shared. YAML anchors and aliases are
 * honoured. Immutable after loading; any thread.
 */
#ifndef CARVED_CORE_CONFIG_API_H
#define CARVED_CORE_CONFIG_API_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/mem.h"

struct error;

/* One command: a string, which /bin/sh -c runs, or a list, which runs without a shell. */
struct api_command {
	char *shell; /* NULL for a list */
	char **argv; /* NULL for a string; NULL-terminated */
	unsigned line;
};

struct api_variable {
	char *name;
	char *value; /* as written; expansion happens when a command is prepared */
};

struct api_entry {
	char *pattern; /* "application/pdf", "application/vnd.ms-*", "example": lower case */
	char *workdir; /* as written, default "." */
	char *shared;  /* install-once and lock group, default: the pattern */
	bool remote;
	struct api_variable *environ;
	size_t environ_count;
	struct api_command *install;
	size_t install_count;
	struct api_command *scripts;
	size_t script_count;
	struct api_command report;
	unsigned line;
};

/* Something that is accepted because BroAPT accepts it, but that is worth mending. */
struct api_note {
	char *text;
	unsigned line;
};

struct api {
	char *file;
	struct api_variable *environment; /* global */
	size_t environment_count;
	struct api_entry *entries; /* in match order: the nine types in their fixed order, the order
				    * of the file inside a type, "example" last */
	size_t entry_count;
	struct api_note *notes; /* in the order of the file's reading */
	size_t note_count;
};

/** Loads FILE; on failure -EINVAL or the error of reading, and err as config_load() words it. */
int api_load(struct api **out, const char *file, struct error *err);
void api_free(struct api *api);
AUTO_DEFINE(api);

/** The entry for mime (lower case; "" for none), never NULL: the first fnmatch hit, else "example".
 */
const struct api_entry *api_find(const struct api *api, const char *mime);

#endif
