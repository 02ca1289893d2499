#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "core/app/engine.h"
#include "core/base/error.h"
#include "core/config/config.h"
#include "core/detect/detect.h"

static char type_noop[] = "noop", name_noop[] = "first", type_list[] = "hashlist";
static char name_list[] = "second", no_file[] = "/nonexistent/list";

Test(engine, opens_the_detectors_and_keeps_the_configuration_alive)
{
	struct config_detector rows[] = { { .type = type_noop, .name = name_noop } };
	struct config config = { .refs = 1, .detectors = rows, .detector_count = 1 };
	struct engine *engine = NULL;
	struct error err = { 0 };
	cr_assert_eq(engine_new(&engine, &config, &err), 0, "%s", err.text);
	cr_assert_eq(config.refs, 2);
	cr_assert_eq(engine->detector_count, 1);
	cr_assert_str_eq(detector_name(engine->detectors[0]), "first");
	struct engine *again = engine_ref(engine);
	engine_unref(engine);
	cr_assert_str_eq(detector_name(again->detectors[0]), "first");
	engine_unref(again);
	cr_assert_eq(config.refs, 1);
	engine_unref(NULL);
}

Test(engine, a_detector_that_cannot_be_opened_is_named_and_nothing_is_left)
{
	struct config_detector rows[] = {
		{ .type = type_noop, .name = name_noop },
		{ .type = type_list, .name = name_list, .file = no_file }
	};
	struct config config = { .refs = 1, .detectors = rows, .detector_count = 2, .hash = true };
	struct engine *engine = NULL;
	struct error err = { 0 };
	cr_assert_eq(engine_new(&engine, &config, &err), -ENOENT);
	cr_assert(strstr(err.text, "second") && strstr(err.text, no_file), "%s", err.text);
	cr_assert_null(engine);
	cr_assert_eq(config.refs, 1);
}

Test(engine, what_nobody_configured_is_left_out_when_it_is_away)
{
	char type_clamd[] = "clamd", place[] = "/nonexistent/clamd.ctl";
	struct config_detector rows[] = {
		{ .type = type_clamd, .name = type_clamd, .socket = place, .if_there = true },
		{ .type = type_noop, .name = name_noop },
		{ .type = type_clamd, .name = name_list, .socket = place },
	};
	struct config config = { .refs = 1, .detectors = rows, .detector_count = 3, .workers = 1 };
	struct engine *engine = NULL;
	struct error err = { 0 };
	cr_assert_eq(engine_new(&engine, &config, &err), 0, "%s", err.text);
	cr_assert_eq(engine->detector_count, 2);
	cr_expect_str_eq(detector_name(engine->detectors[0]), "first");
	cr_expect_str_eq(detector_name(engine->detectors[1]), "second");
	engine_unref(engine);
}
