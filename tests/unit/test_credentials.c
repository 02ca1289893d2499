/* credentials: certificates and tokens in files, and files that are none of anybody's business. */
#include <sys/stat.h>

#include <criterion/criterion.h>
#include <errno.h>

#include "core/detect/credentials.h"
#include "tests/unit/detect_fixture.h"

static struct fixture fixture;
static struct config_detector row;

static void setup(void)
{
	fixture_init(&fixture, "sample");
	row = (struct config_detector){ 0 };
}

static void teardown(void)
{
	free(row.ca);
	free(row.token_file);
	fixture_done(&fixture);
}

TestSuite(credentials, .init = setup, .fini = teardown, .timeout = 60);

static char *file(const char *name, const char *text, mode_t mode)
{
	char *path = fixture_path(&fixture, name);
	fixture_write(path, text);
	cr_assert_eq(chmod(path, mode), 0);
	return path;
}

static void expect(const char *token, const char *ca)
{
	__attribute__((cleanup(credentials_cleanup))) struct credentials found = { 0 };
	struct error err = { 0 };
	cr_assert_eq(credentials_load(&found, row.ca, row.token_file, &err), 0, "%s", err.text);
	cr_assert(token ? found.token && strcmp(found.token, token) == 0 : !found.token);
	cr_assert_str_eq(str_text(&found.ca), ca);
}

static void expect_refused(int code, const char *words)
{
	__attribute__((cleanup(credentials_cleanup))) struct credentials found = { 0 };
	struct error err = { 0 };
	cr_assert_eq(credentials_load(&found, row.ca, row.token_file, &err), -code, "%s", err.text);
	cr_assert(strstr(err.text, words), "%s", err.text);
	cr_assert_not(strstr(err.text, "s3cret"), "%s", err.text);
}

Test(credentials, none_are_named)
{
	expect(NULL, "");
}

Test(credentials, are_read_from_their_files)
{
	row.token_file = file("token", "s3cret-t0ken==\r\n", 0640);
	row.ca = file("ca", "-----BEGIN", 0644);
	expect("s3cret-t0ken==", "-----BEGIN");
}

Test(credentials, a_token_that_others_may_read_or_change_is_refused)
{
	static const mode_t modes[] = { 0644, 0660, 0604, 0602, 0601 };
	row.token_file = file("token", "s3cret", 0600);
	expect("s3cret", "");
	for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
		cr_assert_eq(chmod(row.token_file, modes[i]), 0);
		expect_refused(EPERM, "chmod g-w,o-rwx");
	}
	row.ca = file("ca", "x", 0646);
	expect_refused(EPERM, "chmod o-w");
}

Test(credentials, what_is_no_token_is_refused)
{
	static const char *const texts[] = { "s3cret two", "s3cret\nX-Evil: 1", "s3cret\t",
					     "s3cret\x80" };
	row.token_file = file("token", "\n", 0600);
	expect_refused(EINVAL, "there is no token in it");
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		fixture_write(row.token_file, texts[i]);
		expect_refused(EINVAL, "printable ASCII");
	}
	char text[CREDENTIALS_TOKEN_MAX + 2];
	memset(text, 's', sizeof text);
	text[CREDENTIALS_TOKEN_MAX] = '\0';
	fixture_write(row.token_file, text);
	expect(text, "");
	text[CREDENTIALS_TOKEN_MAX] = 's';
	text[CREDENTIALS_TOKEN_MAX + 1] = '\0';
	fixture_write(row.token_file, text);
	expect_refused(EFBIG, "longer than 4096 bytes");
}

Test(credentials, a_file_that_is_missing_or_none_is_named)
{
	row.token_file = fixture_path(&fixture, "token");
	expect_refused(ENOENT, row.token_file);
	cr_assert_eq(mkfifo(row.token_file, 0600), 0);
	expect_refused(EINVAL, "not a regular file");
	row.ca = file("ca", "", 0644);
	expect_refused(EINVAL, "ca: ");
}
