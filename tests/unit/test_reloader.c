#include <poll.h>

#include "config_support.h"
#include "core/app/engine.h"
#include "core/app/reloader.h"
#include "core/detect/detect.h"

TestSuite(reloader, .init = support_setup, .fini = support_teardown);

static struct reload_result wait_for(struct reloader *reloader)
{
	struct reload_result result;
	struct pollfd one = { .fd = reloader_fd(reloader), .events = POLLIN };
	cr_assert_eq(poll(&one, 1, 240000), 1);
	cr_assert(reloader_busy(reloader));
	cr_assert(reloader_take(reloader, &result));
	cr_assert_not(reloader_busy(reloader));
	cr_assert_not(reloader_take(reloader, &result), "only once");
	return result;
}

Test(reloader, loads_the_configuration_or_takes_it)
{
	struct reloader *reloader = NULL;
	struct error err = { 0 };
	support_write("carved.yml", "detectors: [ { type: noop } ]\n");
	const struct config_overrides overrides = { .file = support_file };
	cr_assert_eq(reloader_new(&reloader, &err), 0);
	cr_assert_eq(reloader_ask(reloader, &(struct reload_wish){ .overrides = &overrides }), 0);
	struct reload_result first = wait_for(reloader);
	cr_assert(first.anew && first.engine, "%s", first.err.text);
	cr_assert_str_eq(detector_name(first.engine->detectors[0]), "noop");
	const struct reload_wish again = { .config = first.config,
					   .earlier = engine_ref(first.engine) };
	cr_assert_eq(reloader_ask(reloader, &again), 0);
	struct reload_result second = wait_for(reloader);
	cr_assert(!second.anew && second.engine && second.engine != first.engine);
	engine_unref(first.engine);
	engine_unref(second.engine);
	config_unref(second.config);
	reloader_free(reloader);
}

Test(reloader, a_refusal_has_words)
{
	struct reloader *reloader = NULL;
	struct error err = { 0 };
	support_write("carved.yml", "detectors: [ { type: nonsense } ]\n");
	const struct config_overrides overrides = { .file = support_file };
	cr_assert_eq(reloader_new(&reloader, &err), 0);
	cr_assert_eq(reloader_ask(reloader, &(struct reload_wish){ .overrides = &overrides }), 0);
	struct reload_result result = wait_for(reloader);
	cr_assert(!result.engine && !result.config);
	cr_assert_not_null(strstr(result.err.text, "nonsense"), "%s", result.err.text);
	reloader_free(reloader);
}

Test(reloader, ends_with_work_under_way_and_without_any)
{
	struct reloader *reloader = NULL;
	struct error err = { 0 };
	cr_assert_eq(reloader_new(&reloader, &err), 0);
	reloader_free(reloader);
	support_write("carved.yml", "detectors: [ { type: noop } ]\n");
	const struct config_overrides overrides = { .file = support_file };
	cr_assert_eq(reloader_new(&reloader, &err), 0);
	cr_assert_eq(reloader_ask(reloader, &(struct reload_wish){ .overrides = &overrides }), 0);
	reloader_free(reloader); /* the sanitizer knows whether all of it was freed */
	reloader_free(NULL);
}
