/* api_prepare: variables, directories and words of api.yml's commands. */
#include <criterion/criterion.h>
#include <errno.h>

#include "core/detect/api_prepare.h"
#include "tests/unit/detect_fixture.h"

static const struct config config = { .api_root = (char *)"/api/" };

static struct api_variable global[] = {
	{ (char *)"PYTHON", (char *)"/usr/bin/python3" },
	{ (char *)"BOTH", (char *)"global" },
	{ (char *)"FROM_PROCESS", (char *)"$CARVED_TEST_VARIABLE/x" },
};

static struct api_variable own[] = {
	{ (char *)"BOTH", (char *)"own $BOTH" },
	{ (char *)"TARGET", (char *)"in=${BROAPT_PATH}" },
	{ (char *)"DEEPER", (char *)"$TARGET" },
	{ (char *)"PATH", (char *)"/opt/bin:/bin" },
	{ (char *)"BROAPT_PATH", (char *)"ignored" },
};

static struct api api = { .file = (char *)"api.yml",
			  .environment = global,
			  .environment_count = 3 };

static struct api_entry entry = { .pattern = (char *)"application/vnd.ms-*",
				  .workdir = (char *)"tool",
				  .environ = own,
				  .environ_count = 5 };

static void setup(void)
{
	cr_assert_eq(setenv("CARVED_TEST_VARIABLE", "outer", 1), 0);
}

TestSuite(api_prepare, .init = setup);

#define EVIL "/d/$(touch x) 'y'.doc"

static struct spawn_plan prepare(const struct api_command *command)
{
	const struct api_site site = { .config = &config,
				       .api = &api,
				       .entry = &entry,
				       .path = EVIL,
				       .mime = "application/vnd.ms-excel" };
	struct spawn_plan plan = { 0 };
	struct error err = { 0 };
	cr_assert_eq(api_prepare(&site, command, &plan, NULL, &err), 0, "%s", err.text);
	return plan;
}

static const char *env_of(const struct spawn_plan *plan, const char *name)
{
	for (size_t i = 0; i < plan->envc; i++) {
		size_t len = strlen(name);
		if (strncmp(plan->envp[i], name, len) == 0 && plan->envp[i][len] == '=')
			return plan->envp[i] + len + 1;
	}
	return NULL;
}

Test(api_prepare, environment_is_two_maps_and_two_names)
{
	const struct api_command command = { .shell = (char *)"true" };
	__attribute__((cleanup(spawn_plan_cleanup))) struct spawn_plan plan = prepare(&command);

	static const struct {
		const char *name, *value;
	} expected[] = {
		{ "PATH", "/opt/bin:/bin" },
		{ "LANG", "C.UTF-8" },
		{ "PYTHON", "/usr/bin/python3" },
		{ "BOTH", "own global" },
		{ "FROM_PROCESS", "outer/x" },
		{ "TARGET", "in=" EVIL },
		{ "DEEPER", "in=" EVIL },
		{ "BROAPT_PATH", EVIL },
		{ "BROAPT_MIME", "application/vnd.ms-excel" },
	};

	cr_assert_eq(plan.envc, sizeof expected / sizeof *expected);
	for (size_t i = 0; i < plan.envc; i++)
		cr_expect_str_eq(env_of(&plan, expected[i].name), expected[i].value);
}

Test(api_prepare, text_for_a_shell_never_holds_what_a_file_is_called)
{
	static const struct {
		const char *text, *expanded;
	} cases[] = {
		{ "$PYTHON detect.py $BROAPT_PATH", "/usr/bin/python3 detect.py $BROAPT_PATH" },
		{ "x \"${BROAPT_PATH}\" '$BROAPT_MIME'", "x \"${BROAPT_PATH}\" '$BROAPT_MIME'" },
		{ "x $TARGET ${DEEPER}", "x $TARGET ${DEEPER}" },
		{ "$CARVED_TEST_VARIABLE $BOTH $UNKNOWN $1 $?", "outer own global $UNKNOWN $1 $?" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct api_command command = { .shell = (char *)cases[i].text };
		__attribute__((cleanup(spawn_plan_cleanup))) struct spawn_plan plan =
			prepare(&command);
		cr_assert_eq(plan.argc, 3);
		cr_expect_str_eq(plan.argv[0], "/bin/sh");
		cr_expect_str_eq(plan.argv[1], "-c");
		cr_expect_str_eq(plan.argv[2], cases[i].expanded);
	}
}

static void expect_words(char **argv, char **expected)
{
	const struct api_command command = { .argv = argv };
	__attribute__((cleanup(spawn_plan_cleanup))) struct spawn_plan plan = prepare(&command);
	size_t i = 0;
	for (; expected[i] && i < plan.argc; i++)
		cr_expect_str_eq(plan.argv[i], expected[i]);
	cr_expect_eq(plan.argc, i);
	cr_expect_null(expected[i]);
}

Test(api_prepare, words_of_a_list_are_expanded_each_for_itself)
{
	expect_words(
		WORDS("$PYTHON", "scan.py", "--in=$BROAPT_PATH", "$TARGET", "${BROAPT_MIME}", ""),
		WORDS("/usr/bin/python3", "scan.py", "--in=" EVIL, "in=" EVIL,
		      "application/vnd.ms-excel", ""));
	/* program text, also behind a variable */
	expect_words(WORDS("sh", "-c", "x $BROAPT_PATH $BOTH", "$BROAPT_PATH"),
		     WORDS("sh", "-c", "x $BROAPT_PATH own global", EVIL));
	expect_words(WORDS("$PYTHON", "-c", "'$TARGET'"),
		     WORDS("/usr/bin/python3", "-c", "'$TARGET'"));
	/* and the program itself */
	expect_words(WORDS("$BROAPT_PATH", "x"), WORDS("$BROAPT_PATH", "x"));
}

Test(api_prepare, directory_is_that_of_the_files_type)
{
	static const struct {
		const char *pattern, *workdir, *cwd, *install;
	} cases[] = {
		{ "application/vnd.ms-*", "tool", "/api/application/vnd.ms-excel/tool",
		  "/api/application/vnd.ms-*/tool" },
		{ "application/vnd.ms-*", ".", "/api/application/vnd.ms-excel",
		  "/api/application/vnd.ms-*" },
		{ "application/vnd.ms-*", "/abs/$BOTH", "/abs/own global", "/abs/own global" },
		{ "example", "./x", "/api/example/./x", "/api/example/./x" },
		{ "example", "", "/api/example", "/api/example" },
	};
	const struct api_command command = { .shell = (char *)"true" };
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		entry.pattern = (char *)cases[i].pattern;
		entry.workdir = (char *)cases[i].workdir;
		__attribute__((cleanup(spawn_plan_cleanup))) struct spawn_plan plan =
			prepare(&command);
		cr_expect_str_eq(plan.cwd, cases[i].cwd);
		__attribute__((cleanup(spawn_plan_cleanup))) struct spawn_plan install = { 0 };
		cr_assert_eq(api_prepare_install(&config, &api, &entry, &command, &install, NULL),
			     0);
		cr_expect_str_eq(install.cwd, cases[i].install);
	}
}

Test(api_prepare, install_steps_know_no_file)
{
	const struct api_command command = { .shell = (char *)"pip install $BOTH $BROAPT_PATH" };
	__attribute__((cleanup(spawn_plan_cleanup))) struct spawn_plan plan = { 0 };
	cr_assert_eq(api_prepare_install(&config, &api, &entry, &command, &plan, NULL), 0);
	cr_assert_str_eq(plan.argv[2], "pip install own global $BROAPT_PATH");
	cr_assert_null(env_of(&plan, "BROAPT_PATH"));
	cr_assert_null(env_of(&plan, "BROAPT_MIME"));
	cr_assert_str_eq(env_of(&plan, "BOTH"), "own global");
}

Test(api_prepare, says_what_cannot_be_prepared)
{
	static struct api_variable bad[] = { { (char *)"A=B", (char *)"x" } };
	const struct api_command command = { .shell = (char *)"true" };
	const struct api_command empty = { .argv = WORDS(NULL), .line = 7 };
	const struct api_command none = { .line = 8 };
	struct error err = { 0 };
	__attribute__((cleanup(spawn_plan_cleanup))) struct spawn_plan plan = { 0 };
	cr_assert_eq(api_prepare_install(&config, &api, &entry, &empty, &plan, &err), -EINVAL);
	cr_assert_str_eq(err.text, "api.yml:7: the command is empty");
	cr_assert_eq(api_prepare_install(&config, &api, &entry, &none, &plan, &err), -EINVAL);
	cr_assert_str_eq(err.text, "api.yml:8: the command is empty");
	entry.environ = bad;
	entry.environ_count = 1;
	cr_assert_eq(api_prepare_install(&config, &api, &entry, &command, &plan, &err), -EINVAL);
	cr_assert_str_eq(err.text, "api.yml: \"A=B\" cannot be the name of a variable");
}
