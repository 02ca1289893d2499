/* api_log: logs where BroAPT puts them, without its collisions, and never outside. */
#include <criterion/criterion.h>
#include <errno.h>

#include "core/detect/api_log.h"
#include "core/detect/capture.h"
#include "tests/unit/detect_fixture.h"

static struct fixture fixture;
static char *root;
static struct head output;

static void setup(void)
{
	fixture_init(&fixture, "sam ple.pdf");
	root = fixture_path(&fixture, "var/log/api/");
	str_puts(&output.kept, "what it printed\n");
}

static void teardown(void)
{
	str_done(&output.kept);
	free(root);
	fixture_done(&fixture);
}

TestSuite(api_log, .init = setup, .fini = teardown);

static int write_log(const char *mime, const char *step, unsigned attempt, struct error *err)
{
	const struct api_log log = {
		.root = root, .mime = mime, .id = "Fab", .step = step, .attempt = attempt
	};
	return api_log_write(&log, &output, err);
}

static void expect_text(const char *name, const char *text)
{
	AUTO_FREE char *path = fixture_path(&fixture, name);
	AUTO_FREE char *found = fixture_read(path);
	cr_expect_str_eq(found, text, "%s", name);
}

Test(api_log, has_its_place)
{
	cr_assert_eq(write_log("application/pdf", "scripts.2", 1, NULL), 0);
	cr_assert_eq(write_log("application/pdf", "report.1", 3, NULL), 0);
	cr_assert_eq(write_log("", "report.1", 1, NULL), 0);
	expect_text("var/log/api/application/pdf/Fab-scripts.2", "what it printed\n");
	expect_text("var/log/api/application/pdf/Fab-report.1_2", "what it printed\n");
	expect_text("var/log/api/example/Fab-report.1", "what it printed\n");
}

Test(api_log, a_name_that_is_taken_counts_up)
{
	struct error err = { 0 };
	for (unsigned i = 0; i < API_LOG_TRIES; i++)
		cr_assert_eq(write_log("a/b", "report.1", 1, &err), 0, "%s", err.text);
	cr_assert(fixture_has(&fixture, "var/log/api/a/b/Fab-report.1"));
	cr_assert(fixture_has(&fixture, "var/log/api/a/b/Fab-report.1_1"));
	cr_assert(fixture_has(&fixture, "var/log/api/a/b/Fab-report.1_99"));
	cr_assert_eq(write_log("a/b", "report.1", 1, &err), -EEXIST);
	cr_assert(strstr(err.text, "a/b/Fab-report.1_99: File exists"), "%s", err.text);
}

Test(api_log, follows_no_symlink)
{
	struct error err = { 0 };
	AUTO_FREE char *outside = fixture_path(&fixture, "outside");
	AUTO_FREE char *link = fixture_path(&fixture, "var/log/api/a");
	AUTO_FREE char *name = fixture_path(&fixture, "var/log/api/c/d/Fab-report.1");
	cr_assert_eq(mkdir(outside, 0700), 0);
	cr_assert_eq(write_log("c/d", "scripts.1", 1, NULL), 0); /* makes the directories */
	cr_assert_eq(symlink(outside, link), 0);
	cr_assert_lt(write_log("a/b", "report.1", 1, &err), 0);
	cr_assert(strstr(err.text, "/a/b: "), "%s", err.text);
	cr_assert_eq(symlink("../../../../outside/target", name), 0);
	cr_assert_eq(write_log("c/d", "report.1", 1, NULL), 0);
	cr_assert(fixture_has(&fixture, "var/log/api/c/d/Fab-report.1_1"));
	cr_assert_not(fixture_has(&fixture, "outside/target"));
	cr_assert_not(fixture_has(&fixture, "outside/b"));
}

Test(api_log, says_what_was_left_out)
{
	output.dropped = 7;
	cr_assert_eq(write_log("a/b", "report.1", 1, NULL), 0);
	expect_text("var/log/api/a/b/Fab-report.1",
		    "what it printed\n\n[7 more bytes were not kept]\n");
}

Test(api_log, says_where_it_cannot_write)
{
	struct error err = { 0 };
	AUTO_FREE char *file = fixture_path(&fixture, "var");
	fixture_write(file, "not a directory");
	cr_assert_lt(write_log("a/b", "report.1", 1, &err), 0);
	cr_assert(strstr(err.text, "var/log/api//a/b: Not a directory"), "%s", err.text);
}

#define FUID(text)                                                            \
	{                                                                     \
		.field[ENTRY_FUID] = {.at = (text), .len = sizeof(text) - 1 } \
	}

Test(api_log, id_is_the_fuid_or_what_is_safe)
{
	static const uint8_t hash[32] = { 0xab, 0xcd, [7] = 0x01 };

	static const struct {
		struct entry entry;
		const uint8_t *hash;
		const char *id;
	} cases[] = {
		{ FUID("Fab_9"), NULL, "Fab_9" },
		{ FUID("Fab_9"), hash, "Fab_9" },
		{ FUID("F/../x"), hash, "abcd000000000001" },
		{ FUID("F\xc3\xa9"), hash, "abcd000000000001" },
		{ FUID(""), hash, "abcd000000000001" },
		{ { 0 }, hash, "abcd000000000001" },
		{ { 0 }, NULL, "sam_ple_pdf" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		AUTO_STR id = STR_INIT;
		fixture.request.entry = &cases[i].entry;
		fixture.request.sha256 = cases[i].hash;
		api_log_id(&id, &fixture.request);
		cr_expect_str_eq(str_text(&id), cases[i].id);
	}
}
