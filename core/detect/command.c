/*
 * command: a program of the operator's, asked by its exit status and by its reports (answer.h).
 *
 * The words of "run" become argv as they stand, with placeholders replaced inside each word: {path}
 * the file's absolute path, {fd} /proc/self/fd/4 (the opened file itself, whatever its path leads
 * to by then), {mime} its MIME type, {name} its base name. No shell is involved, and a placeholder
 * inside program text (sh -c "scan {path}") is refused when the detector is opened; the way is
 *	run: [sh, -c, 'scan "$1"', sh, "{path}"]
 * A word that begins with {name} may look like an option to the program: write "--" before it.
 *
 * An answer depends on MIME type and extension, because tools choose their parser by them, and on
 * the whole name only when "run" holds {name}: so the same content is not asked for twice under two
 * random names, and the answer for a.txt never clears invoice.pdf.exe. CARVED_NAME and {path} show
 * the whole name all the same; a program that judges by more of it than the extension should be
 * given {name}.
 *
 * It runs confined (cage.h): of what is not the system's it reads the file, the files that words of
 * "run" name, and what "read" lists.
 *
 * The digest knows the executable, and each word that is the absolute path of a file (a script, a
 * file of rules), by size, mtime and inode as they were at the start or reload; an update counts
 * from the next reload on. What they read beyond that is not known to it.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/mem.h"
#include "core/base/str.h"
#include "core/config/config.h"
#include "core/detect/answer.h"
#include "core/detect/cage.h"
#include "core/detect/child.h"
#include "core/detect/detect.h"
#include "core/detect/digest.h"
#include "core/detect/executable.h"
#include "core/detect/interpreter.h"
#include "core/detect/report.h"
#include "core/detect/scratch_dir.h"
#include "core/detect/spawn_plan.h"

#define SAMPLE_PATH "/proc/self/fd/4"

struct command {
	char *const *run; /* borrowed from the configuration */
	struct cage cage;
	bool takes_fd;
	bool takes_name;
};

enum placeholder {
	PATH,
	FD,
	MIME,
	NAME,
	PLACEHOLDERS
};

static const char *const placeholders[PLACEHOLDERS] = {
	[PATH] = "{path}",
	[FD] = "{fd}",
	[MIME] = "{mime}",
	[NAME] = "{name}",
};

/* The first placeholder in text, and which one; NULL when there is none. */
static const char *find_placeholder(const char *text, enum placeholder *which)
{
	for (const char *at = strchr(text, '{'); at; at = strchr(at + 1, '{')) {
		for (unsigned i = 0; i < PLACEHOLDERS; i++) {
			*which = (enum placeholder)i;
			if (strncmp(at, placeholders[i], strlen(placeholders[i])) == 0)
				return at;
		}
	}
	return NULL;
}

static bool holds(const char *text, enum placeholder wanted)
{
	return strstr(text, placeholders[wanted]) != NULL;
}

static int check_words(struct command *command, const struct config_detector *row,
		       struct error *err)
{
	if (!row->run || !row->run[0] || !row->run[0][0])
		return error_set(err, EINVAL, "detector %s (line %u): \"run\" names no program",
				 row->name, row->line);
	for (size_t i = 0; row->run[i]; i++) {
		const char *word = row->run[i];
		command->takes_fd |= holds(word, FD);
		command->takes_name |= holds(word, NAME);
		bool hostile = holds(word, PATH) || holds(word, NAME) || holds(word, MIME);
		if (hostile && i == 0)
			return error_set(err, EINVAL,
					 "detector %s (line %u): a file cannot choose the program: "
					 "\"%s\"",
					 row->name, row->line, word);
		if (hostile && interpreter_runs(row->run, i))
			return error_set(
				err, EINVAL,
				"detector %s (line %u): a placeholder stands in program text "
				"(\"%.100s\"): whoever names a file would write the program. "
				"Give it as an argument: [sh, -c, 'scan \"$1\"', sh, "
				"\"{path}\"]",
				row->name, row->line, word);
	}
	return 0;
}

/* Words with a placeholder name what the file wants, and open nothing. */
static void make_cage(struct command *command, const struct config_detector *row,
		      const struct config *config)
{
	enum placeholder which = PATH;
	for (char *const *word = row->run; *word; word++) {
		if (!find_placeholder(*word, &which))
			cage_file(&command->cage, *word);
	}
	for (char *const *path = row->read; path && *path; path++)
		cage_tree(&command->cage, *path);
	command->cage.place = scratch_dir_place(config->history);
	command->cage.network = row->network;
	command->cage.keep_sample = command->takes_fd;
}

static void make_digest(const struct config_detector *row, char digest[65])
{
	AUTO(digest) struct digest *hash = digest_new();
	digest_text(hash, "command");
	digest_text(hash, row->name);
	for (char *const *word = row->run; *word; word++) {
		digest_text(hash, *word);
		if (**word == '/')
			executable_digest_file(hash, *word);
	}
	digest_number(hash, row->timeout_ms);
	cage_digest(hash, row->read, row->network);
	executable_digest(hash, row->run[0], EXECUTABLE_PATH);
	digest_end_hex(hash, digest);
}

static int command_open(void **state, const struct config_detector *row,
			const struct config *config, char digest[65], struct error *err)
{
	struct command command = { .run = row->run };
	int result = check_words(&command, row, err);
	if (result < 0)
		return result;
	make_digest(row, digest);
	make_cage(&command, row, config);
	struct command *kept = xcalloc(1, sizeof *kept);
	*kept = command;
	*state = kept;
	return 0;
}

static void replace(struct str *out, const char *word, const char *const values[PLACEHOLDERS])
{
	enum placeholder which = PATH;
	for (const char *at = find_placeholder(word, &which); at;
	     at = find_placeholder(word, &which)) {
		str_append(out, word, (size_t)(at - word));
		str_puts(out, values[which]);
		word = at + strlen(placeholders[which]);
	}
	str_puts(out, word);
}

static void make_plan(struct spawn_plan *plan, const struct command *command,
		      const struct scan_request *request)
{
	const char *const values[PLACEHOLDERS] = {
		[PATH] = request->path,
		[FD] = SAMPLE_PATH,
		[MIME] = request->entry->mime,
		[NAME] = request->path + request->name_offset,
	};
	for (char *const *word = command->run; *word; word++) {
		AUTO_STR text = STR_INIT;
		replace(&text, *word, values);
		spawn_plan_arg(plan, str_text(&text), text.len);
	}
	char size[32];
	(void)snprintf(size, sizeof size, "%" PRId64, request->size);
	spawn_plan_base_env(plan);
	spawn_plan_env(plan, "CARVED_PATH", values[PATH]);
	spawn_plan_env(plan, "CARVED_NAME", values[NAME]);
	spawn_plan_env(plan, "CARVED_MIME", values[MIME]);
	spawn_plan_env(plan, "CARVED_SIZE", size);
	if (!request->sha256)
		return;
	AUTO_STR hash = STR_INIT;
	str_hex(&hash, request->sha256, DIGEST_SIZE);
	spawn_plan_env(plan, "CARVED_SHA256", str_text(&hash));
}

static void command_scan(const void *state, const struct scan_request *request,
			 struct answer *answer)
{
	static const struct answer_rule rule = { .zero = OUTCOME_CLEAN, .one = OUTCOME_MALICIOUS };
	const struct command *command = state;
	__attribute__((cleanup(spawn_plan_cleanup))) struct spawn_plan plan = { 0 };
	make_plan(&plan, command, request);
	const struct child_job job = {
		.plan = &plan,
		.cage = &command->cage,
		.sample_fd = request->fd,
		.cancel_fd = request->cancel_fd,
		.deadline = request->deadline,
		.report_limit = REPORT_MAX,
	};
	__attribute__((cleanup(child_result_cleanup))) struct child_result result;
	struct error err;
	int ran = child_run(&job, &result, &err);
	if (ran < 0) {
		answer_not_run(answer, -ran, err.text);
		return;
	}
	__attribute__((cleanup(report_cleanup))) struct report report = REPORT_INIT;
	report_read(&report, str_text(&result.report.kept), result.report.kept.len,
		    result.report.dropped > 0);
	answer_from_child(answer, &result, &report, &rule);
}

static unsigned command_also_reads(const void *state)
{
	const struct command *command = state;
	return command->takes_name ? DETECT_READS_NAME : 0;
}

static void command_close(void *state)
{
	struct command *command = state;
	cage_done(&command->cage);
	free(command);
}

const struct detector_class command_class = {
	.type = "command",
	.needs = DETECT_NEEDS_FD | DETECT_NEEDS_PATH,
	.reads = DETECT_READS_MIME | DETECT_READS_EXTENSION,
	.open = command_open,
	.also_reads = command_also_reads,
	.scan = command_scan,
	.close = command_close,
};
