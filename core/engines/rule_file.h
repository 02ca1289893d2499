/*
 * rule_file: one file of YARA rules: its text, what it depends on, and what the compiler says of
 * it.
 *
 * Files are compiled alone first: libyara's compiler is of no use after an error (yr_compiler_add_*
 * in its manual), and a bad file is to cost only itself. Includes are read relative to the file
 * that includes and count into its hash. One thread.
 */
#ifndef CARVED_CORE_ENGINES_RULE_FILE_H
#define CARVED_CORE_ENGINES_RULE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <yara.h>

#include "core/engines/hash.h"

struct error;
struct keep_record;
struct str;

/* Bytes of one file of rules, and of one included file, at most. */
#define RULE_FILE_MAX ((size_t)64 << 20)

struct rule_file {
	const char *path; /* borrowed from the list */
	const char *name; /* the same; the namespace */
	char *text;	  /* owned; NULL: it could not be read */
	size_t len;
	char hash[HASH_HEX]; /* of the text and of all that it includes */
	unsigned reads;	     /* bits of HELPER_NAME, ...: external variables whose names it holds */
	YR_RULES *rules;     /* compiled alone (or what was kept); owned; NULL: failed */
	bool old;	     /* rules are what was kept of an earlier state */
};

/** Reads and compiles the file at path. 0, or a failure whose words name file, line and message. */
int rule_file_load(struct rule_file *file, struct error *err);
/** Takes what was kept of it instead. */
int rule_file_restore(struct rule_file *file, const struct keep_record *record, struct error *err);
void rule_file_done(struct rule_file *file);

/** Compiles the texts of all files that have rules of their present state, each in its namespace,
 * as one. *out NULL: there are none. */
int rule_file_join(YR_RULES **out, const struct rule_file *files, size_t count, struct error *err);

/** Compiled rules as bytes, and back. */
int rule_file_save(YR_RULES *rules, struct str *out, struct error *err);
int rule_file_read(YR_RULES **out, const void *bytes, size_t len, struct error *err);

/** Words for an error number of libyara (error.h). */
const char *rule_file_words(int code);

#endif
