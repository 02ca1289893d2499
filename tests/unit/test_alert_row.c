/* Tests of core/config/alert_row.c. */
#include "config_support.h"
#include "core/base/outcome.h"

TestSuite(alert_row, .init = support_setup, .fini = support_teardown);

#define BOTH (1U << OUTCOME_MALICIOUS | 1U << OUTCOME_SUSPICIOUS)

Test(alert_row, a_command_has_defaults_and_lies_below_the_file)
{
	struct config *config = support_load_good("alert: { run: [bin/tell, --now] }\n");
	const struct config_alert *alert = config->alert;
	char path[400];
	snprintf(path, sizeof path, "%s/bin/tell", support_dir);
	cr_expect_str_eq(alert->run[0], path);
	cr_expect_str_eq(alert->run[1], "--now");
	cr_expect_null(alert->url);
	cr_expect_eq(alert->verdicts, BOTH);
	cr_expect_eq(alert->every_ms, 10000);
	cr_expect_eq(alert->timeout_ms, 30000);
	cr_expect_not(alert->ecs);
	config_unref(config);
	config = support_load_good("alert: { run: mail }\n");
	cr_expect_str_eq(config->alert->run[0], "mail");
	config_unref(config);
	config = support_load_good("{}\n");
	cr_expect_null(config->alert);
	config_unref(config);
}

Test(alert_row, a_server_has_all_its_keys)
{
	struct config *config = support_load_good(
		"alert:\n  url: https://h.example/x?y=z\n  on: suspicious\n  format: ecs\n"
		"  every: 0\n  timeout: 5s\n  ca: ca.pem\n  token_file: /t\n");
	const struct config_alert *alert = config->alert;
	char path[400];
	snprintf(path, sizeof path, "%s/ca.pem", support_dir);
	cr_expect_str_eq(alert->url, "https://h.example/x?y=z");
	cr_expect_null(alert->run);
	cr_expect_eq(alert->verdicts, 1U << OUTCOME_SUSPICIOUS);
	cr_expect(alert->ecs);
	cr_expect_eq(alert->every_ms, 0);
	cr_expect_eq(alert->timeout_ms, 5000);
	cr_expect_str_eq(alert->ca, path);
	cr_expect_str_eq(alert->token_file, "/t");
	config_unref(config);
}

Test(alert_row, verdicts_are_one_or_several)
{
	struct config *config =
		support_load_good("alert: { run: x, on: [malicious, suspicious] }\n");
	cr_expect_eq(config->alert->verdicts, BOTH);
	config_unref(config);
	config = support_load_good("alert: { run: x, on: [malicious] }\n");
	cr_expect_eq(config->alert->verdicts, 1U << OUTCOME_MALICIOUS);
	config_unref(config);
}

Test(alert_row, says_what_is_wrong_and_where)
{
	static const struct refusal refusals[] = {
		{ "alert: /bin/mail\n", "1:8", "expected a mapping with \"run\" or \"url\"", NULL },
		{ "alert: {}\n", "1:8", "expected either \"run\"", NULL },
		{ "alert: { run: x, url: 'http://h' }\n", "1:8", "expected either \"run\"", NULL },
		{ "alert: { run: [] }\n", "1:15", "a list of texts with at least one", NULL },
		{ "alert: { run: [x, '{path}'] }\n", "1:19", "{path} is not replaced here", NULL },
		{ "alert: { run: 'x{name}' }\n", "1:15", "{name} is not replaced here", NULL },
		{ "alert: { run: x, ca: y }\n", "1:22", "\"ca\" belongs to \"url\"", NULL },
		{ "alert: { run: x, token_file: y }\n", "1:30", "\"token_file\" belongs", NULL },
		{ "alert: { url: h }\n", "1:15", "expected http:// or https://", NULL },
		{ "alert: { url: 'http://u:p@h/' }\n", "1:15", "use token_file", NULL },
		{ "alert: { url: 'http://h/', ca: y }\n", "1:15", "ca is for https:// only", NULL },
		{ "alert: { run: x, on: clean }\n", "1:22", "expected malicious or suspicious",
		  NULL },
		{ "alert: { run: x, on: [malicious, bad] }\n", "1:34", "found \"bad\"", NULL },
		{ "alert: { run: x, every: often }\n", "1:25", "from 0 to 1d", NULL },
		{ "alert: { run: x, timeout: 1ms }\n", "1:27", "from 10ms to 1d", NULL },
		{ "alert: { run: x, format: xml }\n", "1:26", "native or ecs", NULL },
		{ "alert: { run: x, evry: 1s }\n", "1:18", "unknown key \"evry\"", "every" },
		{ "every: 1s\n", "1:1", "belongs into \"alert\"", NULL },
	};
	SUPPORT_EXPECT_REFUSALS(refusals);
}
