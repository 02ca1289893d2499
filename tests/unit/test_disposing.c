/* disposing: the daemon has a disposer when the configuration names anything to be removed. */
#include "core/app/disposing.h"
#include "core/app/state.h"
#include "core/base/str.h"
#include "core/config/config.h"
#include "daemon_harness.h"

Test(disposing, without_rules_there_is_none)
{
	AUTO_STR out = STR_INIT;
	struct config config = { 0 };
	struct app app = { .config = &config };
	cr_expect(!disposing_wanted(&config));
	cr_expect(disposing_start(&app, NULL) == 0 && app.disposing == NULL);
	cr_expect(!disposing_busy(&app));
	disposing_wake(&app);
	disposing_configure(&app);
	disposing_status(&app, &out);
	cr_expect_str_eq(str_text(&out), ",\"disposal\":null");
	disposing_stop(&app);
	disposing_free(&app);
	struct config_disposal_rule rule = { .disposal = CONFIG_QUARANTINE };
	config.disposal = &rule;
	config.disposal_count = 1;
	cr_expect(disposing_wanted(&config));
	app.options.own_only = true;
	cr_expect(disposing_start(&app, NULL) == 0 && app.disposing == NULL, "a scan has none");
}

Test(disposing, a_daemon_that_runs_once_ends_when_all_is_removed)
{
	struct daemon d;
	daemon_init(&d, "unmatched: scan\ndetectors: [ { type: noop } ]\n"
			"dispose: { clean: quarantine }\n");
	d.once = true;
	for (int i = 0; i < 20; i++) {
		char name[16];
		snprintf(name, sizeof name, "%d", i);
		daemon_put(&d, name, name);
	}
	daemon_start(&d);
	cr_expect(daemon_wait_exit(&d) == 0);
	cr_expect(rmdir(d.root) == 0, "nothing is left in the root");
	daemon_expect(&d, "SELECT count(*) FROM quarantine", "20");
	daemon_done(&d);
}
