/* Tests of core/config/defaults.c. */
#include <sched.h>

#include "config_support.h"
#include "core/config/loading.h"

TestSuite(defaults, .init = support_setup, .fini = support_teardown);

Test(defaults, the_history_follows_the_state_directory)
{
	setenv("STATE_DIRECTORY", "/run/one:/run/two", 1);
	char *path = config_default_history();
	cr_assert_str_eq(path, "/run/one/history.db");
	free(path);
	unsetenv("STATE_DIRECTORY");
	path = config_default_history();
	bool writable = access("/var/lib/carved", W_OK | X_OK) == 0;
	cr_assert_str_eq(path, writable ? "/var/lib/carved/history.db" : "./carved.db");
	free(path);
}

Test(defaults, the_hash_list_is_found_by_variable_and_uninstalled)
{
	char want[400];
	support_write("bad.sha256", "");
	setenv("CARVED_DATA_DIR", support_dir, 1);
	char *path = config_shipped_hashlist();
	snprintf(want, sizeof want, "%s/bad.sha256", support_dir);
	cr_assert_str_eq(path, want);
	free(path);
	setenv("CARVED_DATA_DIR", "/nonexistent", 1);
	path = config_shipped_hashlist();
	cr_assert_not_null(path, "an uninstalled build finds the list of its source");
	cr_assert_eq(access(path, R_OK), 0);
	free(path);
}

Test(defaults, workers_follow_the_processors)
{
	unsigned workers = default_workers();
	cr_assert(workers >= 1 && workers <= 4);
	cpu_set_t set;
	CPU_ZERO(&set);
	CPU_SET(sched_getcpu(), &set);
	cr_assert_eq(sched_setaffinity(0, sizeof set, &set), 0);
	cr_assert_eq(default_workers(), 1);
}
