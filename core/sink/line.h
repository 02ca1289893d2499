/*
 * line: a version as one JSON object, ASCII only, as it is told to others. Pure; any thread.
 *
 * Native: the fields have the names that the history has. ecs.h has Elastic's.
 */
#ifndef CARVED_CORE_SINK_LINE_H
#define CARVED_CORE_SINK_LINE_H

#include "core/base/outcome.h"

struct store_event;
struct str;
struct version;

/** Appends the object of a version with its findings; no newline, as below. */
void line_version(struct str *out, const struct version *version);
/** The same for a version that was looked at again; was is the verdict that it had. */
void line_rescan(struct str *out, const struct version *version, enum outcome was);
/** That the version's file, which has been told already, or is being told, lacks a part. Its path
 * and note are used. */
void line_incomplete(struct str *out, const struct version *version);
/** Appends the object of an event whose version is there, with its number as "seq". */
void line_event(struct str *out, const struct store_event *event);

/** Appends the array of a version's findings. */
void line_findings(struct str *out, const struct version *version);
/** Appends ,"name":value with a string, or null for NULL. */
void line_member(struct str *out, const char *name, const char *value);
/** The signature of the first finding with the version's verdict that has one, or NULL; borrowed.
 */
const char *line_signature(const struct version *version);

#endif
