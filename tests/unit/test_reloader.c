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

/* The wish for the file as it is now, after it had these settings. */
static struct reload_result rewritten(const char *before, const char *after)
{
	struct reloader *reloader = NULL;
	struct error err = { 0 };
	const struct config_overrides overrides = { .file = support_file };
	struct config *config = NULL;
	struct reload_wish wish = { .overrides = &overrides };
	support_write("carved.yml", before);
	cr_assert_eq(config_load(&config, &overrides, &err), 0, "%s", err.text);
	cr_assert_eq(engine_new(&wish.earlier, config, &err), 0, "%s", err.text);
	support_write("carved.yml", after);
	cr_assert_eq(reloader_new(&reloader, &err), 0);
	cr_assert_eq(reloader_ask(reloader, &wish), 0);
	struct reload_result result = wait_for(reloader);
	config_unref(config);
	reloader_free(reloader);
	return result;
}

Test(reloader, a_file_that_lost_its_settings_is_refused_and_an_empty_mapping_is_not)
{
	static const char settings[] = "detectors: [ { type: noop } ]\n";
	static const char *const cut[] = { "",	    "\n \n",	      "# a comment\n",
					   "---\n", "--- # x\n...\n", "~\n" };

	static const struct {
		const char *before, *after;
	} taken[] = { { settings, "{}\n" }, { "---\n", "" }, { "", "" }, { "", settings } };

	for (size_t i = 0; i < sizeof cut / sizeof *cut; i++) {
		struct reload_result result = rewritten(settings, cut[i]);
		cr_assert(!result.engine && !result.config, "%s", cut[i]);
		cr_assert(strstr(result.err.text, "holds no settings"), "%s", result.err.text);
	}
	for (size_t i = 0; i < sizeof taken / sizeof *taken; i++) {
		struct reload_result result = rewritten(taken[i].before, taken[i].after);
		cr_assert(result.engine && result.config, "%zu: %s", i, result.err.text);
		engine_unref(result.engine);
		config_unref(result.config);
	}
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
