/* detect: classes, reuse keys, routing, and the check that a path still leads to the opened file.
 */
#include <sys/wait.h>

#include <criterion/criterion.h>
#include <errno.h>

#include "core/detect/detect.h"
#include "tests/unit/detect_fixture.h"

static struct fixture fixture;

static void setup(void)
{
	fixture_init(&fixture, "sample.pdf");
	cr_assert_eq(chdir(fixture.dir), 0);
}

static void teardown(void)
{
	fixture_done(&fixture);
}

TestSuite(detect, .init = setup, .fini = teardown);

static struct config_detector row_of(char **run)
{
	return (struct config_detector){ .type = (char *)"command",
					 .name = (char *)"tool",
					 .run = run };
}

Test(detect, classes_are_found_by_type)
{
	static const char *const types[] = { "noop", "hashlist", "command", "api",
					     "yara", "magic",	 "clamd",   "remote" };
	for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
		cr_assert_not_null(detect_class(types[i]));
		cr_assert_str_eq(detect_class(types[i])->type, types[i]);
	}
	cr_assert_null(detect_class("nonsense"));
	const struct config_detector row = { .type = (char *)"nonsense",
					     .name = (char *)"y",
					     .line = 3 };
	struct detector *detector = NULL;
	struct error err = { 0 };
	cr_assert_eq(detector_open(&detector, &row, &fixture_config, &err), -EINVAL);
	cr_assert_str_eq(err.text, "detector y (line 3): there is no type \"nonsense\"");
	detector_free(NULL);
}

Test(detect, who_asks_nobody_is_never_away)
{
	struct config_detector row = row_of(WORDS("true"));
	struct detector *detector = NULL;
	struct error why = { 0 };
	cr_assert_eq(detector_open(&detector, &row, &fixture_config, &why), 0);
	cr_assert_not(detector_in_vain(detector, &fixture.entry, &why));
	cr_assert_eq(detector_probe(detector, &why), 0);
	detector_free(detector);
}

Test(detect, tells_what_it_was_opened_with)
{
	struct config_detector row = row_of(WORDS("true"));
	row.mime = WORDS("application/vnd.ms-*", "text/plain");
	struct detector *detector = NULL;
	cr_assert_eq(detector_open(&detector, &row, &fixture_config, NULL), 0);
	cr_assert_str_eq(detector_name(detector), "tool");
	cr_assert_eq(strlen(fixture_digest(detector)), 64);
	cr_assert_eq(detector_row(detector), &row);
	cr_assert_eq(detector_class(detector), &command_class);
	struct entry excel = { .mime = "application/vnd.ms-excel" };
	struct entry none = { .mime = "" };
	cr_assert(detector_wants(detector, &excel, NULL));
	cr_assert_not(detector_wants(detector, &fixture.entry, NULL));
	cr_assert_not(detector_wants(detector, &none, NULL));
	detector_free(detector);
}

#define SLICE(text)                                   \
	{                                             \
		.at = (text), .len = sizeof(text) - 1 \
	}

/* Entry and name of one file; keys are equal exactly where the group is. */
static const struct {
	int group, group_with_name;
	struct entry entry;
	const char *name;
} files[] = {
	/* the same content, type and extension: asked for once, whatever the random part is */
	{ 1,
	  1,
	  { .scheme = "broapt", .field[ENTRY_EXTENSION] = SLICE("pdf"), .mime = "application/pdf" },
	  "HTTP-Fa.cap.application.pdf.pdf" },
	{ 1,
	  2,
	  { .scheme = "broapt", .field[ENTRY_EXTENSION] = SLICE("pdf"), .mime = "application/pdf" },
	  "HTTP-Fb.cap.application.pdf.pdf" },
	{ 2,
	  3,
	  { .scheme = "broapt", .field[ENTRY_EXTENSION] = SLICE("exe"), .mime = "application/pdf" },
	  "HTTP-Fb.cap.application.pdf.exe" },
	{ 3,
	  4,
	  { .scheme = "broapt", .field[ENTRY_EXTENSION] = SLICE("pdf"), .mime = "text/plain" },
	  "HTTP-Fb.cap.text.plain.pdf" },
	/* what follows a match does not hide behind the entry's extension */
	{ 4,
	  5,
	  { .scheme = "broapt", .field[ENTRY_EXTENSION] = SLICE("txt"), .mime = "text/plain" },
	  "HTTP-Fb.cap.text.plain.txt evil.exe" },
	{ 5,
	  6,
	  { .scheme = "broapt", .field[ENTRY_EXTENSION] = SLICE("txt"), .mime = "text/plain" },
	  "HTTP-Fb.cap.text.plain.txt" },
	/* no scheme: the name's own extension counts */
	{ 6, 7, { .mime = "" }, "a.txt" },
	{ 6, 8, { .mime = "" }, "b.txt" },
	{ 7, 9, { .mime = "" }, "invoice.pdf.exe" },
	/* no scheme and an ending that is no plain extension: the whole name */
	{ 8, 10, { .mime = "" }, "a" },
	{ 9, 11, { .mime = "" }, "b" },
	{ 10, 12, { .mime = "" }, "invoice.ex\xff" },
	{ 11, 13, { .mime = "" }, "a." },
	/* a scheme whose names have no extension: the part after the last dot is none */
	{ 12, 14, { .scheme = "zeek", .mime = "" }, "extract-1576862364.5-HTTP-FmQ8" },
	{ 12, 15, { .scheme = "zeek", .mime = "" }, "extract-1576862365.7-HTTP-FmQ9" },
};

#define FILES (sizeof files / sizeof *files)

static void keys_of(const struct detector *detector, uint8_t keys[FILES][16])
{
	for (size_t i = 0; i < FILES; i++)
		detector_key(detector, fixture_digest(detector), &files[i].entry,
			     (struct slice){ files[i].name, strlen(files[i].name) }, keys[i]);
}

Test(detect, keys_are_equal_exactly_where_answers_must_be)
{
	char **const runs[] = { WORDS("true", "{path}"), WORDS("true", "{name}") };
	for (int by_name = 0; by_name < 2; by_name++) {
		const struct config_detector row = row_of(runs[by_name]);
		struct detector *detector = NULL;
		uint8_t keys[FILES][16];
		cr_assert_eq(detector_open(&detector, &row, &fixture_config, NULL), 0);
		keys_of(detector, keys);
		for (size_t a = 0; a < FILES; a++) {
			for (size_t b = 0; b < FILES; b++) {
				bool same = by_name ? files[a].group_with_name ==
							      files[b].group_with_name
						    : files[a].group == files[b].group;
				cr_expect_eq(memcmp(keys[a], keys[b], 16) == 0, same, "%s %s",
					     files[a].name, files[b].name);
			}
		}
		detector_free(detector);
	}
}

Test(detect, keys_differ_between_detectors)
{
	const struct config_detector noop = { .type = (char *)"noop", .name = (char *)"noop" };
	const struct config_detector a = row_of(WORDS("true"));
	const struct config_detector b = row_of(WORDS("true", "-x"));
	const struct config_detector *rows[] = { &noop, &a, &b };
	uint8_t keys[3][16];
	for (int i = 0; i < 3; i++) {
		struct detector *detector = NULL;
		cr_assert_eq(detector_open(&detector, rows[i], &fixture_config, NULL), 0);
		detector_key(detector, fixture_digest(detector), &fixture.entry,
			     (struct slice){ "x.pdf", 5 }, keys[i]);
		detector_free(detector);
	}
	cr_assert_arr_neq(keys[0], keys[1], 16);
	cr_assert_arr_neq(keys[1], keys[2], 16);
}

static void expect_lost(struct answer *answer)
{
	cr_expect_eq(answer->outcome, OUTCOME_ERROR);
	cr_expect_null(answer->signature);
	cr_expect(strstr(answer->detail, "the path no longer leads to the file that was opened"),
		  "%s", answer->detail);
	answer_done(answer);
}

/* From now on a command that is asked at all is cancelled, which is another answer. */
static void cancel(void)
{
	int ends[2];
	cr_assert_eq(pipe2(ends, O_CLOEXEC), 0);
	cr_assert_eq(write(ends[1], "x", 1), 1);
	fixture.request.cancel_fd = ends[0];
}

Test(detect, a_path_that_leads_elsewhere_is_not_scanned)
{
	cancel();
	const struct config_detector row = row_of(WORDS("true"));
	fixture_write("other", "other");
	cr_assert_eq(rename("other", fixture.path), 0);
	struct answer answer = fixture_ask(&fixture, &row, NULL);
	expect_lost(&answer);
	cr_assert_eq(unlink(fixture.path), 0);
	answer = fixture_ask(&fixture, &row, NULL);
	expect_lost(&answer);
}

Test(detect, a_symlink_to_the_file_is_not_its_path)
{
	cancel();
	const struct config_detector row = row_of(WORDS("true"));
	cr_assert_eq(rename(fixture.path, "moved"), 0);
	cr_assert_eq(symlink("moved", fixture.path), 0);
	struct answer answer = fixture_ask(&fixture, &row, NULL);
	expect_lost(&answer);
}

/* In another process: once the command has opened the FIFO to read, the sample is gone from its
 * path, or another file is there; then the command goes on. */
static void swap_meanwhile(const char *fifo, const struct fixture *swapped, bool other)
{
	if (fork() != 0)
		return;
	int fd = open(fifo, O_WRONLY | O_CLOEXEC);
	if (other)
		fixture_write("other", "other");
	bool done = other ? rename("other", swapped->path) == 0 : unlink(swapped->path) == 0;
	_exit(done && write(fd, "go\n", 3) == 3 ? 0 : 1);
}

Test(detect, a_path_swapped_during_the_scan_spoils_the_answer)
{
	static const char *const texts[] = {
		"read -r go <$0; exit 0",
		"read -r go <$0; echo '{\"outcome\":\"malicious\",\"signature\":\"M\"}' >&3",
		"read -r go <$0; exit 1",
	};
	AUTO_FREE char *fifo = fixture_path(&fixture, "fifo");
	cr_assert_eq(mkfifo(fifo, 0600), 0);
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct fixture swapped;
		fixture_init(&swapped, "sample.pdf");
		swap_meanwhile(fifo, &swapped, i < 2);
		const struct config_detector row =
			row_of(WORDS("sh", "-c", (char *)texts[i], fifo, "{path}"));
		struct answer answer = fixture_ask(&swapped, &row, NULL);
		expect_lost(&answer);
		int status = -1;
		cr_assert_gt(wait(&status), 0);
		cr_expect_eq(status, 0);
		fixture_done(&swapped);
	}
}
