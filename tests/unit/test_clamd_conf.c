/* clamd_conf: AlertExceedsMax is missed in the clamd.conf of the clamd that is asked, only there.
 */
#include <criterion/criterion.h>

#include "core/detect/clamd_conf.h"
#include "tests/unit/detect_fixture.h"

static struct fixture fixture;

static void setup(void)
{
	fixture_init(&fixture, "sample");
}

static void teardown(void)
{
	fixture_done(&fixture);
}

TestSuite(clamd_conf, .init = setup, .fini = teardown);

static bool doubted(const char *text, const char *socket)
{
	AUTO_FREE char *path = fixture_path(&fixture, "clamd.conf");
	AUTO_STR out = STR_INIT;
	if (text)
		fixture_write(path, text);
	clamd_conf_doubts(path, socket, &out);
	if (out.len)
		cr_expect(strstr(out.data, "AlertExceedsMax is off in ") &&
				  strstr(out.data, path) && strchr(out.data, '\n'),
			  "%s", out.data);
	return out.len > 0;
}

Test(clamd_conf, alerts_that_are_off_are_missed)
{
	static const struct {
		const char *text;
		bool doubted;
	} cases[] = {
		{ NULL, false },
		{ "", false },
		{ "LocalSocket /a\n", true },
		{ "LocalSocket /b\n", false },
		{ "#LocalSocket /a\n", false },
		{ "LocalSocketGroup /a\n", false },
		{ "LocalSocket /a\nAlertExceedsMax yes\n", false },
		{ "AlertExceedsMax\ttrue \r\nLocalSocket \t/a \r\n", false },
		{ "LocalSocket /a\nAlertExceedsMax no\n", true },
		{ "LocalSocket /a\n# AlertExceedsMax yes\n", true },
		{ "LocalSocket /a\nAlertExceedsMax\n", true },
		{ "LocalSocket /a\nAlertExceedsMaximum yes\n", true },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		cr_expect_eq(doubted(cases[i].text, "/a"), cases[i].doubted, "%s", cases[i].text);
}

Test(clamd_conf, another_name_of_the_socket_is_the_socket)
{
	AUTO_FREE char *link = fixture_path(&fixture, "link");
	AUTO_STR text = STR_INIT;
	cr_assert_eq(symlink(fixture.path, link), 0);
	str_printf(&text, "LocalSocket %s\n", link);
	cr_expect(doubted(str_text(&text), fixture.path));
}
