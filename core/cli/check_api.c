/*
 * check_api: entries of an api.yml that cannot do what they seem to do.
 *
 * Four of BroAPT's six bundled detectors are among them. Each pattern is a row of a table: a test
 * of one command and the words for it. Entries that are aliases of one mapping are looked at once.
 */
#include <stdint.h>
#include <string.h>

#include "core/base/mem.h"
#include "core/cli/check_report.h"
#include "core/config/api.h"
#include "core/config/config.h"

enum step {
	STEP_INSTALL,
	STEP_SCRIPT,
	STEP_REPORT
};

struct pattern {
	bool (*found)(const struct api_command *command, enum step step);
	const char *words;
};

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\0';
}

/* Whether the word stands in the text by itself or behind a slash. */
static bool text_has_word(const char *text, const char *word)
{
	size_t len = strlen(word);
	for (const char *at = strstr(text, word); at; at = strstr(at + 1, word)) {
		bool starts = at == text || strchr(" \t\n/;&|(", at[-1]);
		if (starts && (is_space(at[len]) || strchr(";&|)=", at[len])))
			return true;
	}
	return false;
}

static bool has_word(const struct api_command *command, const char *word)
{
	if (command->shell)
		return text_has_word(command->shell, word);
	for (char **argument = command->argv; *argument; argument++) {
		if (text_has_word(*argument, word))
			return true;
	}
	return false;
}

static bool always_fails(const struct api_command *command, enum step step)
{
	static const char *const failures[] = { "false", "/bin/false", "/usr/bin/false", "exit 1" };
	(void)step;
	const char *text = command->shell ? command->shell : command->argv[0];
	size_t start = strspn(text, " \t\n");
	size_t len = strlen(text + start);
	while (len && is_space(text[start + len - 1]))
		len--;
	for (size_t i = 0; i < sizeof failures / sizeof *failures; i++) {
		if (strlen(failures[i]) == len && strncmp(text + start, failures[i], len) == 0)
			return true;
	}
	return false;
}

static bool scans_a_list(const struct api_command *command, enum step step)
{
	(void)step;
	return has_word(command, "maldet") &&
	       (has_word(command, "-f") || has_word(command, "--file-list"));
}

static bool fetches(const struct api_command *command, enum step step)
{
	static const char *const tools[] = {
		"apt-get", "apt", "yum", "dnf", "pip", "pip3", "docker"
	};
	for (size_t i = 0; step == STEP_INSTALL && i < sizeof tools / sizeof *tools; i++) {
		if (has_word(command, tools[i]))
			return true;
	}
	return false;
}

static bool joins_lines_wrongly(const struct api_command *command, enum step step)
{
	(void)step;
	return command->shell && strstr(command->shell, " \\ ");
}

static bool is_one_long_argument(const struct api_command *command, enum step step)
{
	(void)step;
	return command->argv && !command->argv[1] && strchr(command->argv[0], ' ');
}

/* Whether a variable of that name begins behind the dollar sign at text. */
static bool names_variable(const char *text, const char *name)
{
	text += 1 + (text[1] == '{');
	return strncmp(text, name, strlen(name)) == 0;
}

/* Where a shell's text stands: a command within it, "$(...)", has quotes of its own. */
struct quoting {
	uint64_t in_double; /* a bit for each command, the innermost in the lowest */
	bool in_single;
};

/* Takes what stands at c, and returns its last character. */
static const char *take(struct quoting *quoting, const char *c)
{
	bool in_double = quoting->in_double & 1;
	if (quoting->in_single || (*c == '\'' && !in_double)) {
		quoting->in_single ^= *c == '\'';
	} else if (*c == '\\' && c[1]) {
		return c + 1;
	} else if (*c == '"') {
		quoting->in_double ^= 1;
	} else if (*c == '$' && c[1] == '(') {
		quoting->in_double <<= 1;
		return c + 1;
	} else if (*c == '(' && !in_double) {
		quoting->in_double <<= 1;
	} else if (*c == ')' && !in_double) {
		quoting->in_double >>= 1;
	}
	return c;
}

static bool splits_the_path(const struct api_command *command, enum step step)
{
	(void)step;
	struct quoting quoting = { 0 };
	for (const char *c = command->shell; c && *c; c++) {
		bool bare = !quoting.in_single && !(quoting.in_double & 1);
		if (bare && *c == '$' && names_variable(c, "BROAPT_PATH"))
			return true;
		c = take(&quoting, c);
	}
	return false;
}

static const struct pattern patterns[] = {
	{ always_fails, "this always fails: every such file would end as unscanned, failed" },
	{ scans_a_list,
	  "maldet takes the file as a list of paths, so that what is scanned is what stands "
	  "in it: expected maldet -a PATH" },
	{ fetches,
	  "installs software, which needs the network and often root; carved run never does "
	  "that: run \"carved check --install\" once" },
	{ joins_lines_wrongly,
	  "a backslash stands before a space: a folded text (>) has joined the lines, "
	  "and the shell takes the space for part of a word; leave the backslashes "
	  "out" },
	{ is_one_long_argument,
	  "a list is a program and its arguments, and this one has a single item with "
	  "spaces: write it as a text, or one item for each argument" },
	{ splits_the_path, "$BROAPT_PATH without double quotes: names with spaces fall apart" },
};

static void check_command(struct check *check, const struct config_detector *row,
			  const struct api_command *command, enum step step)
{
	for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
		if (patterns[i].found(command, step))
			check_warn(check, "%s:%u: %s", row->file, command->line, patterns[i].words);
	}
}

static void check_entry(struct check *check, const struct config_detector *row,
			const struct api_entry *entry)
{
	/* a remote entry is installed where it runs */
	for (size_t i = 0; !entry->remote && i < entry->install_count; i++)
		check_command(check, row, &entry->install[i], STEP_INSTALL);
	for (size_t i = 0; i < entry->script_count; i++)
		check_command(check, row, &entry->scripts[i], STEP_SCRIPT);
	check_command(check, row, &entry->report, STEP_REPORT);
}

static bool looked_at(const struct api *api, size_t index)
{
	for (size_t i = 0; i < index; i++) {
		if (api->entries[i].line == api->entries[index].line)
			return true;
	}
	return false;
}

void check_api(struct check *check, const struct config_detector *row)
{
	const struct api *api = row->api;
	for (size_t i = 0; i < api->note_count; i++)
		check_warn(check, "%s:%u: %s", row->file, api->notes[i].line, api->notes[i].text);
	for (size_t i = 0; i < api->entry_count; i++) {
		if (!looked_at(api, i))
			check_entry(check, row, &api->entries[i]);
	}
}
