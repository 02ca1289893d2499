#include "config_support.h"

TestSuite(installed, .init = support_setup, .fini = support_teardown);

Test(installed, data_is_found_by_variable_and_uninstalled)
{
	char want[400];
	support_write("rules", "");
	setenv("CARVED_DATA_DIR", support_dir, 1);
	char *path = config_shipped_rules();
	snprintf(want, sizeof want, "%s/rules", support_dir);
	cr_assert_str_eq(path, want);
	free(path);
	setenv("CARVED_DATA_DIR", "/nonexistent", 1);
	path = config_shipped_rules();
	cr_assert_not_null(path, "an uninstalled build finds the rules of its source");
	snprintf(want, sizeof want, "%s/eicar.yar", path);
	cr_assert_eq(access(want, R_OK), 0);
	free(path);
}

Test(installed, programs_must_be_programs)
{
	char want[400];
	setenv("CARVED_LIBEXEC_DIR", support_dir, 1);
	snprintf(want, sizeof want, "%s/carved-thing", support_dir);
	cr_assert_null(config_program("carved-thing"));
	support_write("carved-thing", "");
	cr_assert_eq(chmod(want, 0755), 0);
	char *path = config_program("carved-thing");
	cr_assert_str_eq(path, want);
	free(path);
}
