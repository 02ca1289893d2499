/* cage: what becomes of a plan: the launcher's words, the environment, the scratch directory. */
#include <criterion/criterion.h>
#include <errno.h>

#include "core/detect/cage.h"
#include "core/launcher/order.h"
#include "tests/unit/detect_fixture.h"

static struct fixture fixture;
static struct cage cage;
static struct spawn_plan plan;
static struct caged caged;

static void word(const char *text)
{
	spawn_plan_arg(&plan, text, strlen(text));
}

static void setup(void)
{
	fixture_init(&fixture, "sample");
	cage.place = fixture_path(&fixture, "scratch");
}

static void teardown(void)
{
	cr_expect_eq(caged_done(&caged, NULL), 0);
	spawn_plan_done(&plan);
	cage_done(&cage);
	fixture_done(&fixture);
}

TestSuite(cage, .init = setup, .fini = teardown);

static void make(bool has_sample)
{
	struct error err = { 0 };
	spawn_plan_base_env(&plan);
	cr_assert_eq(caged_make(&caged, &plan, &cage, has_sample, &err), 0, "%s", err.text);
}

static const char *variable(const char *name)
{
	for (size_t i = 0; i < caged.plan.envc; i++) {
		if (strncmp(caged.plan.envp[i], name, strlen(name)) == 0 &&
		    caged.plan.envp[i][strlen(name)] == '=')
			return caged.plan.envp[i] + strlen(name) + 1;
	}
	return "";
}

Test(cage, the_launcher_understands_what_it_is_told)
{
	word("sh");
	word("--network"); /* of the program, not of the launcher */
	cage_file(&cage, "/etc/rules");
	cage_file(&cage, "relative");
	cage_file(&cage, "-x");
	cage_tree(&cage, "/opt/tool");
	make(true);
	struct order order;
	struct error err = { 0 };
	cr_assert_eq(order_parse(&order, (int)caged.plan.argc, caged.plan.argv, &err), 0, "%s",
		     err.text);
	cr_expect_eq(order.parent, getpid());
	cr_expect_eq(order.file_count, 2);
	cr_expect_str_eq(order.files[0], "/etc/rules");
	cr_expect_str_eq(order.files[1], "/usr/bin/sh");
	cr_expect_eq(order.tree_count, 1);
	cr_expect_str_eq(order.trees[0], "/opt/tool");
	cr_expect_not(order.network);
	cr_expect_eq(order.sample, ORDER_HIDE_SAMPLE);
	cr_expect_eq(order.memory, (uint64_t)CAGE_MEMORY);
	cr_expect_eq(order.file_size, (uint64_t)CAGE_FILE_SIZE);
	cr_expect_str_eq(order.scratch, caged.scratch);
	cr_expect_str_eq(order.program, "/usr/bin/sh");
	cr_expect_str_eq(order.argv[0], "sh");
	cr_expect_str_eq(order.argv[1], "--network");
	cr_expect_null(order.argv[2]);
	order_done(&order);
}

Test(cage, network_and_sample_are_told)
{
	word("true");
	cage.network = true;
	cage.keep_sample = true;
	make(true);
	struct order order;
	cr_assert_eq(order_parse(&order, (int)caged.plan.argc, caged.plan.argv, NULL), 0);
	cr_expect(order.network);
	cr_expect_eq(order.sample, ORDER_KEEP_SAMPLE);
	order_done(&order);
}

Test(cage, a_plan_without_a_sample_tells_none)
{
	word("true");
	make(false);
	struct order order;
	cr_assert_eq(order_parse(&order, (int)caged.plan.argc, caged.plan.argv, NULL), 0);
	cr_expect_eq(order.sample, ORDER_NO_SAMPLE);
	order_done(&order);
}

Test(cage, tmpdir_and_home_are_the_scratch_directory_unless_the_plan_sets_them)
{
	word("true");
	spawn_plan_env(&plan, "HOME", "/somewhere");
	make(false);
	cr_expect_str_eq(variable("TMPDIR"), caged.scratch);
	cr_expect_str_eq(variable("HOME"), "/somewhere");
	cr_expect_eq(access(caged.scratch, W_OK), 0);
	AUTO_FREE char *path = xstrdup(caged.scratch);
	cr_assert_eq(caged_done(&caged, NULL), 0);
	cr_expect_lt(access(path, F_OK), 0);
}

Test(cage, a_program_that_is_not_there_makes_nothing)
{
	word("nonexistent-tool");
	spawn_plan_base_env(&plan);
	struct error err = { 0 };
	cr_assert_eq(caged_make(&caged, &plan, &cage, false, &err), -ENOENT);
	cr_expect(strstr(err.text, "nonexistent-tool"), "%s", err.text);
	cr_expect_lt(access(cage.place, F_OK), 0);
}

Test(cage, the_launcher_is_found_beside_the_binary)
{
	struct error err = { 0 };
	AUTO_FREE char *launcher = cage_launcher(&err);
	cr_assert(launcher, "%s", err.text);
	cr_assert_eq(access(launcher, X_OK), 0);
}

Test(cage, an_open_one_has_no_scratch_directory)
{
	word("sh");
	cage.open = true;
	make(false);
	struct order order;
	cr_assert_eq(order_parse(&order, (int)caged.plan.argc, caged.plan.argv, NULL), 0);
	cr_expect(order.open);
	cr_expect_null(order.scratch);
	cr_expect_null(caged.scratch);
	cr_expect_str_eq(variable("HOME"), "/");
	cr_expect_str_eq(variable("TMPDIR"), "");
	order_done(&order);
}
