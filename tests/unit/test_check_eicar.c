/* core/cli/check_eicar.c, taken in whole: which line each detector gets, and what is left behind.
 */
#include <stdarg.h>

#include "config_support.h"
#include "core/cli/check_eicar.c"

static char said[8192];

static void say(const char *word, const char *format, va_list args)
{
	size_t len = strlen(said);
	len += (size_t)snprintf(said + len, sizeof said - len, "%s ", word);
	vsnprintf(said + len, sizeof said - len, format, args);
	strncat(said, "\n", sizeof said - strlen(said) - 1);
}

void check_ok(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	say("ok", format, args);
	va_end(args);
}

void check_warn(struct check *check, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	say("warn", format, args);
	va_end(args);
	check->warnings++;
}

void check_fail(struct check *check, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	say("fail", format, args);
	va_end(args);
	check->failures++;
}

TestSuite(check_eicar, .init = support_setup, .fini = support_teardown);

static struct check check;

/* Tries one command; its program text gets the file as $1. */
static void try_command(const char *program, bool required)
{
	char *run[] = { (char[]){ "/bin/sh" }, (char[]){ "-c" },     xstrdup(program),
			(char[]){ "sh" },      (char[]){ "{path}" }, NULL };
	struct config config = { .hash = true };
	const struct config_detector row = { .type = (char[]){ "command" },
					     .name = (char[]){ "c" },
					     .run = run,
					     .timeout_ms = 60000,
					     .required = required };
	struct error err = { 0 };
	AUTO(eicar) struct eicar *eicar = NULL;
	AUTO(detector) struct detector *detector = NULL;
	*said = '\0';
	check = (struct check){ .config = &config };
	cr_assert_eq(eicar_new(&eicar, &config, &err), 0, "%s", err.text);
	cr_assert_eq(detector_open(&detector, &row, eicar_config(eicar), &err), 0, "%s", err.text);
	cr_expect(eicar_try(eicar, &check, detector));
	eicar_conclude(eicar, &check);
	char *directory = xstrdup(eicar->directory);
	eicar_free(TAKE(eicar));
	cr_expect(access(directory, F_OK) < 0, "%s is left", directory);
	free(directory);
	free(run[2]);
}

#define EXPECT_SAID(words) cr_expect(strstr(said, words), "expected \"%s\" in: %s", words, said)

Test(check_eicar, a_detector_that_sees_it_is_told_with_what_it_said)
{
	try_command("grep -q 'EICAR-STANDARD-ANTI' \"$1\" && test $CARVED_SIZE = 68 &&"
		    " test $CARVED_SHA256 ="
		    " 275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f && exit 1",
		    true);
	EXPECT_SAID("ok detector c: finds EICAR as application/x-dosexec");
	cr_expect(check.failures == 0 && check.warnings == 0, "%s", said);
}

Test(check_eicar, one_that_lets_it_pass_misses_it_and_alone_is_a_failure)
{
	try_command("exit 0", true);
	EXPECT_SAID("warn detector c: MISSES EICAR");
	EXPECT_SAID("fail none of the detectors finds EICAR");
	cr_expect(check.failures == 1 && check.warnings == 1, "%s", said);
}

Test(check_eicar, an_error_is_a_failure_of_one_that_is_required)
{
	try_command("echo no licence >&2; exit 7", true);
	EXPECT_SAID("fail detector c: failed on EICAR");
	EXPECT_SAID("no licence");
	try_command("exit 7", false);
	EXPECT_SAID("warn detector c: failed on EICAR");
}

Test(check_eicar, a_signal_ends_it_and_nothing_is_said_of_that_detector)
{
	struct config config = { .hash = true };
	char *run[] = { (char[]){ "/bin/sleep" }, (char[]){ "1000" }, (char[]){ "{path}" }, NULL };
	const struct config_detector row = { .type = (char[]){ "command" },
					     .name = (char[]){ "c" },
					     .run = run,
					     .timeout_ms = 60000 };
	struct error err = { 0 };
	AUTO(eicar) struct eicar *eicar = NULL;
	AUTO(detector) struct detector *detector = NULL;
	*said = '\0';
	check = (struct check){ .config = &config };
	cr_assert_eq(eicar_new(&eicar, &config, &err), 0);
	cr_assert_eq(detector_open(&detector, &row, eicar_config(eicar), &err), 0);
	cr_assert_eq(raise(SIGINT), 0);
	cr_expect_not(eicar_try(eicar, &check, detector));
	cr_expect_str_eq(said, "");
	struct signalfd_siginfo taken; /* or it would end this test as well */
	cr_assert_eq(read(eicar->cancel_fd, &taken, sizeof taken), (ssize_t)sizeof taken);
}

Test(check_eicar, a_type_is_made_from_what_the_globs_allow)
{
	static const struct {
		const char *glob, *mime;
	} rows[] = {
		{ "*", "application/x-dosexec" },
		{ "text/*", "text/plain" },
		{ "application/vnd.ms-*", "application/vnd.ms-x" },
		{ "image/[jp]?g", "image/jxg" },
		{ "image/[!a]x", "image/xx" },
		{ "nonsense", NULL },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char glob[64], mime[ENTRY_MIME_MAX + 1] = "";
		snprintf(glob, sizeof glob, "%s", rows[i].glob);
		char *globs[] = { glob, NULL };
		cr_expect_eq(eicar_mime(globs, mime), rows[i].mime != NULL, "%s", glob);
		if (rows[i].mime)
			cr_expect_str_eq(mime, rows[i].mime);
	}
}

Test(check_eicar, a_directory_that_is_watched_is_not_written_to)
{
	struct config_root root = { .path = (char[]){ "/tmp" } };
	struct config config = { .roots = &root, .root_count = 1 };
	struct eicar *eicar = NULL;
	struct error err = { 0 };
	unsetenv("TMPDIR");
	cr_expect_eq(eicar_new(&eicar, &config, &err), -EINVAL);
	cr_expect(strstr(err.text, "set TMPDIR"), "%s", err.text);
}
