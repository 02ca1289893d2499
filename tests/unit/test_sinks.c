/* sinks: which there are. */
#include <criterion/criterion.h>
#include <stddef.h>

#include "core/app/sinks.h"
#include "core/app/state.h"
#include "core/config/config.h"

Test(sinks, are_those_that_are_configured)
{
	struct config config = { 0 };
	struct app app = { .config = &config };
	cr_expect(sinks_names(&app)[0] == NULL);
	config.events = (char *)"/e";
	cr_expect_str_eq(sinks_names(&app)[0], "events");
	cr_expect(sinks_names(&app)[1] == NULL);
	struct config_alert alert = { 0 };
	config.alert = &alert;
	cr_expect_str_eq(sinks_names(&app)[0], "alert");
	cr_expect_str_eq(sinks_names(&app)[1], "events");
	cr_expect(sinks_names(&app)[2] == NULL);
	config.events = NULL;
	cr_expect_str_eq(sinks_names(&app)[0], "alert");
	cr_expect(sinks_names(&app)[1] == NULL);
	config.alert = NULL;
	config.events = (char *)"/e";
	struct config_disposal_rule rule = { .disposal = CONFIG_DELETE };
	config.disposal = &rule;
	config.disposal_count = 1;
	cr_expect_str_eq(sinks_names(&app)[1], "dispose");
	config.events = NULL;
	cr_expect_str_eq(sinks_names(&app)[0], "dispose");
	cr_expect(sinks_names(&app)[1] == NULL);
	rule.disposal = CONFIG_KEEP;
	cr_expect(sinks_names(&app)[0] == NULL);
	app.options.own_only = true;
	cr_expect(sinks_names(&app) == NULL);
	cr_expect(sinks_start(&app, NULL) == 0 && app.sinks == NULL, "a scan starts none");
}

Test(sinks, without_any_there_is_nothing_to_start_or_end)
{
	struct config config = { 0 };
	struct app app = { .config = &config };
	cr_expect(sinks_start(&app, NULL) == 0 && app.sinks == NULL);
	sinks_wake(&app);
	sinks_end(&app);
	sinks_stop(&app);
	sinks_free(&app);
}
