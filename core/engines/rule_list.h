/*
 * rule_list: which files of YARA rules a configuration means.
 *
 * A path is a file, whatever its name, or a directory: then *.yar and *.yara below it, recursively,
 * symbolic links followed (the directory is the operator's), hidden names left out, sorted by their
 * bytes. A directory that links lead to more than once is searched once. A file's name is its path
 * relative to what was configured: its namespace, and the same wherever the rules lie. One thread.
 */
#ifndef CARVED_CORE_ENGINES_RULE_LIST_H
#define CARVED_CORE_ENGINES_RULE_LIST_H

#include <stddef.h>

struct error;

#define RULE_LIST_MAX	      65536 /* files */
#define RULE_LIST_DEPTH	      32    /* directories inside each other */
#define RULE_LIST_DIRECTORIES 4096  /* below one path */

struct rule_path {
	char *path; /* owned */
	char *name; /* owned; unique in the list */
};

struct rule_list {
	struct rule_path *items;
	size_t count;
	/* directories that could not be read, and the like */
	char **problems;
	size_t problem_count;
};

/** Lists what paths (count of them) mean. Fails when one of them is not there, or when there is too
 * much. */
int rule_list_make(struct rule_list *out, char *const *paths, size_t count, struct error *err);
void rule_list_done(struct rule_list *list);

static inline void rule_list_cleanup(struct rule_list *list)
{
	rule_list_done(list);
}

#endif
