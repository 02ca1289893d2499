/*
 * expand: variables of api.yml, and their expansion in texts.
 *
 * $NAME and ${NAME} with NAME of [A-Za-z_][A-Za-z0-9_]*; a name that is not known stays as written;
 * there is no quoting (BroAPT's documentation of api.yml: what os.path.expandvars does). Variables
 * that hold something of a file's name are "tainted", and so is every variable whose value was made
 * from one: in text for a shell they are left as written, for the shell to expand from its
 * environment, where no content of a variable is ever parsed as a command. One thread.
 */
#ifndef CARVED_CORE_DETECT_EXPAND_H
#define CARVED_CORE_DETECT_EXPAND_H

#include <stdbool.h>
#include <stddef.h>

/* No Linux takes an argument or variable that is longer: 32 pages with its NUL (MAX_ARG_STRLEN,
 * execve(2)), of 64 KiB at most. */
#define EXPAND_MAX ((size_t)32 * 64 * 1024 - 1)

struct variable {
	char *name;
	char *value;
	bool tainted;
};

struct variables {
	struct variable *items;
	size_t count;
	char *const *process; /* "NAME=value", looked at last; borrowed; NULL: none */
};

enum expand_mode {
	EXPAND_ALL,	/* for a value that nothing parses: an argument, the environment */
	EXPAND_TRUSTED, /* for text that a shell parses: tainted variables stay as written */
};

/** Sets name to value (both copied); an earlier value is replaced. */
void variables_set(struct variables *variables, const char *name, const char *value, bool tainted);
void variables_done(struct variables *variables);

static inline void variables_cleanup(struct variables *variables)
{
	variables_done(variables);
}

/** text with its variables replaced, once: what a value contains is not expanded again. Owned.
 * *out_tainted (may be NULL) tells whether a tainted variable was used. Values that make
 * the result longer than EXPAND_MAX are cut; it is longer even so, and nothing runs with it. */
char *expand(const struct variables *variables, const char *text, enum expand_mode mode,
	     bool *out_tainted);

#endif
