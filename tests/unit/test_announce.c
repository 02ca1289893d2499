/* announce: what goes out with --json. */
#include <criterion/criterion.h>
#include <string.h>
#include <unistd.h>

#include "core/app/announce.h"
#include "core/app/state.h"
#include "core/store/version.h"

static struct app app;
static struct version *version;
static int out[2];

static void setup(void)
{
	app = (struct app){ .options = { .json = true } };
	version = version_new("/r/a", 4);
	version->state = VERSION_DONE;
	version->verdict = OUTCOME_CLEAN;
	cr_assert(pipe(out) == 0 && dup2(out[1], STDOUT_FILENO) == STDOUT_FILENO);
}

static void teardown(void)
{
	version_free(version);
	close(out[0]);
	close(out[1]);
}

TestSuite(announce, .init = setup, .fini = teardown);

static const char *line(void)
{
	static char got[1024];
	ssize_t len = read(out[0], got, sizeof got - 1);
	cr_assert(len > 0);
	got[len] = '\0';
	return got;
}

static void expect_line(const char *begin, const char *end)
{
	const char *got = line();
	size_t len = strlen(got);
	cr_expect(strncmp(got, begin, strlen(begin)) == 0, "%s", got);
	cr_expect(len > strlen(end) && strcmp(got + len - strlen(end), end) == 0, "%s", got);
	cr_expect(strchr(got, '\n') == got + len - 1, "one line: %s", got);
}

Test(announce, each_kind_is_one_line)
{
	announce(&app, version);
	expect_line("{\"event\":\"file\",", "\"findings\":[]}\n");
	announce_rescan(&app, version, OUTCOME_MALICIOUS);
	expect_line("{\"event\":\"file\",", "\"rescan\":true,\"was\":\"malicious\"}\n");
	version->note = xstrdup("cut");
	announce_incomplete(&app, version);
	expect_line("{\"event\":\"incomplete\",", "\"note\":\"cut\"}\n");
}
