/*
 * sidecar: what a sensor writes beside a file of its own: is the file whole?
 *
 * Suricata's file-store, version 2: one JSON object, the event "fileinfo" (EVE format) with
 * "state" (CLOSED, TRUNCATED, ERROR) and "gaps"; version 1: lines "KEY: value" with STATE among
 * them. The bytes are a sensor's, the values in them an attacker's. Pure; any thread.
 */
#ifndef CARVED_CORE_ENTRY_SIDECAR_H
#define CARVED_CORE_ENTRY_SIDECAR_H

#include <stddef.h>

/* Suricata's are of a few hundred bytes; names and addresses in them have no such room. */
#define SIDECAR_MAX ((size_t)1024 * 1024)

/** How much of path, which scheme_parse() calls a sidecar, is the path of the file that it is
 * about; 0: of none. */
size_t sidecar_subject(const char *path, size_t len);

/** Why the file is not whole, in words (static); NULL: nothing of that kind is said, or the text
 * cannot be read: it may be in the making. */
const char *sidecar_shortened(const char *text, size_t len);

#endif
