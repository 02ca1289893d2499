/* Tests of core/config/server_row.c. */
#include "config_support.h"

static void setup(void)
{
	support_setup();
	support_write("api.yml", "example: {report: 'true'}\n");
}

TestSuite(server_row, .init = setup, .fini = support_teardown);

#define R "detectors:\n  - {type: remote, "
#define A "detectors:\n  - {type: api, file: api.yml, "

Test(server_row, says_what_is_wrong_and_where)
{
	static const struct refusal refusals[] = {
		{ R "name: x}\n", "2:5", "type remote needs the key \"url\"", NULL },
		{ R "url: x}\n", "2:25", "url: expected http:// or https://", NULL },
		{ R "url: 'ftp://x/'}\n", "2:25", "expected http:// or https://", NULL },
		{ R "url: 'http://'}\n", "2:25", "there is no host", NULL },
		{ R "url: 'http:///scan'}\n", "2:25", "there is no host", NULL },
		{ R "url: 'http://:80'}\n", "2:25", "there is no host", NULL },
		{ R "url: 'http://a b'}\n", "2:25", "without blanks", NULL },
		{ R "url: \"http://a\\r\\nX: y\"}\n", "2:25", "without blanks", NULL },
		{ R "url: 'http://m\xc3\xbcller/'}\n", "2:25", "printable ASCII", NULL },
		{ R "url: 'https://me:pw@host/'}\n", "2:25", "use token_file", NULL },
		{ R "url: 'http://host/#x'}\n", "2:25", "no \"#\"", NULL },
		{ R "url: 'http://host/', ca: /x}\n", "2:25", "ca is for https://", NULL },
		{ A "server: 'http://host/?x'}\n", "2:40", "server: expected no \"?\"", NULL },
		{ A "url: 'http://host/'}\n", "2:32", "belongs to type remote, not to api", NULL },
		{ A "ca: /x}\n", "2:5", "server: ca is for https://", NULL },
	};
	SUPPORT_EXPECT_REFUSALS(refusals);
}

Test(server_row, what_stands_in_the_file_is_kept)
{
	char path[400];
	struct config *config = support_load_good(
		R
		"url: 'https://scan.example:8443/v1?rules=2', ca: ca.pem, token_file: /run/token}\n"
		"  - {type: api, file: api.yml, server: 'https://daemon:5443/', ca: ca.pem}\n");
	const struct config_detector *rows = config->detectors;
	snprintf(path, sizeof path, "%s/ca.pem", support_dir);
	cr_assert_str_eq(rows[0].url, "https://scan.example:8443/v1?rules=2");
	cr_assert_str_eq(rows[0].ca, path);
	cr_assert_str_eq(rows[0].token_file, "/run/token");
	cr_assert_eq(rows[0].retries, 3);
	cr_assert_str_eq(rows[1].url, "https://daemon:5443/");
	cr_assert_str_eq(rows[1].ca, path);
	cr_assert_null(rows[1].token_file);
	config_unref(config);
}

static void expect_server(const char *keys, const char *url)
{
	char text[200];
	snprintf(text, sizeof text, A "%s}\n", keys);
	struct config *config = support_load_good(text);
	cr_assert_str_eq(config->detectors[0].url, url);
	config_unref(config);
}

Test(server_row, the_environment_names_broapts_daemon)
{
	expect_server("", "http://localhost:5000");
	expect_server("server: 'http://file'", "http://file");
	setenv("SERVER_NAME_PORT", "81", 1);
	expect_server("server: 'http://file'", "http://localhost:81");
	setenv("SERVER_NAME_HOST", "fd00::1", 1);
	expect_server("", "http://[fd00::1]:81");
	unsetenv("SERVER_NAME_PORT");
	setenv("SERVER_NAME_HOST", "bd", 1);
	expect_server("", "http://bd:5000");
	setenv("CARVED_SERVER", "https://ours", 1);
	expect_server("server: 'http://file'", "https://ours");
}

static void expect_refused(const char *words)
{
	struct error err;
	struct config *config = support_load(A "name: x}\n", &err);
	cr_assert_null(config);
	cr_assert_eq(strncmp(err.text, words, strlen(words)), 0, "%s", err.text);
}

Test(server_row, what_the_environment_says_is_checked_as_well)
{
	setenv("SERVER_NAME_PORT", "http", 1);
	expect_refused("SERVER_NAME_PORT: expected a number from 1 to 65535, found \"http\"");
	setenv("SERVER_NAME_PORT", "65536", 1);
	expect_refused("SERVER_NAME_PORT: expected a number");
	unsetenv("SERVER_NAME_PORT");
	setenv("SERVER_NAME_HOST", "a b", 1);
	expect_refused("SERVER_NAME_HOST: server: expected printable ASCII");
	setenv("CARVED_SERVER", "localhost:5000", 1);
	expect_refused("CARVED_SERVER: server: expected http:// or https://");
}

Test(server_row, retries_of_the_environment_are_for_remote_too)
{
	setenv("BROAPT_MAX_RETRY", "7", 1);
	setenv("CARVED_SERVER", "http://ours", 1);
	struct config *config = support_load_good(R "url: 'http://x'}\n");
	cr_assert_eq(config->detectors[0].retries, 7);
	cr_assert_str_eq(config->detectors[0].url, "http://x", "the server is api's");
	config_unref(config);
}
