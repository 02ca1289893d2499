/*
 * api_reading: what api.c and api_entry.c share while one api.yml is being read. One thread.
 */
#ifndef CARVED_CORE_CONFIG_API_READING_H
#define CARVED_CORE_CONFIG_API_READING_H

#include <stdbool.h>

#include "core/config/api.h"
#include "core/config/node.h"

#define API_SHOWN_MAX 80 /* of what somebody wrote, in messages */

struct api_reading {
	const struct document *document;
	struct api *api;
	const char *pattern; /* of the entry at hand */
	struct error *err;
};

/** Notes what is accepted only because BroAPT accepts it. */
void api_note(const struct api_reading *reading, struct mark at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/** Fails with "KEY: expected WHAT, found ...". */
int api_expected(const struct api_reading *reading, const struct node *node, const char *key,
		 const char *what);
/** Fails when the map's key number at stands in it before already. */
int api_check_once(const struct api_reading *reading, const struct node *map, size_t at);

/** Reads a mapping of variables into a new array. */
int api_read_variables(const struct api_reading *reading, const struct node *map, const char *key,
		       struct api_variable **out, size_t *count);
/** Reads an entry; its pattern is set already. */
int api_read_entry(struct api_reading *reading, const struct node *map, struct api_entry *entry);
/** True for "workdir", "report" and the other keys of an entry. */
bool api_is_field(const char *key);

void api_variables_free(struct api_variable *variables, size_t count);
void api_entry_done(struct api_entry *entry);

#endif
