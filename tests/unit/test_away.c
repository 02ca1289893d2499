/* away: one line when a detector goes away and one when it is back, and who is away as JSON. */
#include <criterion/criterion.h>

#include "core/app/away.h"
#include "core/app/engine.h"
#include "tests/unit/clamd_fixture.h"

static char type_clamd[] = "clamd", type_noop[] = "noop";

/* What the log said, in a file, as long as it is written there. */
static char log_path[] = "/tmp/carved-away-XXXXXX";

static void setup(void)
{
	int fd = mkstemp(log_path);
	assert(fd >= 0);
	assert(dup2(fd, 2) == 2);
	(void)close(fd);
}

static void teardown(void)
{
	(void)unlink(log_path);
}

TestSuite(away, .init = setup, .fini = teardown, .timeout = 240);

static size_t logged(const char *part)
{
	AUTO_FREE char *text = fixture_read(log_path);
	size_t count = 0;
	for (const char *at = text; (at = strstr(at, part)); at += strlen(part))
		count++;
	return count;
}

Test(away, going_and_coming_back_are_told_once)
{
	static const struct said script[] = { CLOSE, SAID("1: ClamAV 9/1/x\0"), END };
	struct scripted peer;
	scripted_init(&peer, script);
	struct config_detector rows[] = {
		{ .type = type_noop, .name = type_noop },
		{ .type = type_clamd, .name = type_clamd, .socket = peer.socket, .required = true },
	};
	struct config config = { .refs = 1, .detectors = rows, .detector_count = 2, .workers = 1 };
	struct engine *engine = NULL;
	struct error err = { 0 };
	cr_assert_eq(engine_new(&engine, &config, &err), 0, "%s", err.text);
	away_tell_all(engine);
	away_tell_all(engine);
	cr_expect_eq(logged("detector clamd is away, files wait for it: "), 1);
	AUTO_STR json = STR_INIT;
	away_json(engine, &json);
	cr_expect(strstr(json.data, "[{\"name\":\"clamd\",\"since_ns\":") == json.data, "%s",
		  json.data);
	char digest[65];
	while (!detector_digest(engine->detectors[1], digest, &err))
		(void)poll(NULL, 0, 20);
	away_tell(engine, 1);
	away_tell_all(engine);
	cr_expect_eq(logged("detector clamd is back"), 1);
	cr_expect_eq(logged("noop"), 0);
	str_reset(&json);
	away_json(engine, &json);
	cr_expect_str_eq(json.data, "[]");
	engine_unref(engine);
	scripted_done(&peer);
}

Test(away, files_do_without_one_that_is_not_required)
{
	char place[] = "/nonexistent/clamd.ctl";
	struct config_detector rows[] = {
		{ .type = type_clamd, .name = type_clamd, .socket = place },
	};
	struct config config = { .refs = 1, .detectors = rows, .detector_count = 1, .workers = 1 };
	struct engine *engine = NULL;
	struct error err = { 0 };
	cr_assert_eq(engine_new(&engine, &config, &err), 0, "%s", err.text);
	away_tell_all(engine);
	cr_expect_eq(logged("detector clamd is away, files do without it: "), 1);
	engine_unref(engine);
}
