/*
 * quarantine_export: files out of the quarantine as an encrypted zip, so that whoever gets it
 * neither opens one by accident nor has it taken away by a scanner on the way.
 */
#ifndef CARVED_CORE_CLI_QUARANTINE_EXPORT_H
#define CARVED_CORE_CLI_QUARANTINE_EXPORT_H

#include <stddef.h>
#include <stdint.h>

struct error;
struct removal_reader;

struct quarantine_export {
	struct removal_reader *reader;
	const int64_t *ids;
	size_t count;
	const char *to; /* must not exist */
	const char *password;
};

/** Writes it whole, or not at all. 0, or -errno with err. */
int quarantine_export(const struct quarantine_export *export, struct error *err);

#endif
