#include <sys/stat.h>

#include <errno.h>

#include "core/engines/rule_file.h"
#include "engine_fixture.h"

static struct bench b;
static struct rule_file file;
static char *path;

static void setup(void)
{
	bench_init(&b, "yara");
	cr_assert_eq(yr_initialize(), ERROR_SUCCESS);
	AUTO_STR text = STR_INIT;
	str_printf(&text, "%s/a.yar", b.dir);
	path = str_take(&text);
	file = (struct rule_file){ .path = path, .name = "a.yar" };
}

static void teardown(void)
{
	rule_file_done(&file);
	yr_finalize();
	free(path);
	bench_done(&b);
}

TestSuite(rule_file, .init = setup, .fini = teardown);

static int load(const char *text)
{
	rule_file_done(&file);
	file = (struct rule_file){ .path = path, .name = "a.yar" };
	bench_write(&b, "a.yar", text);
	b.err = (struct error){ 0 };
	return rule_file_load(&file, &b.err);
}

Test(rule_file, says_which_fields_its_rules_mention)
{
	static const struct {
		const char *condition;
		unsigned reads;
	} rows[] = {
		{ "true", 0 },
		{ "filename == \"a\"", 1U << HELPER_NAME },
		{ "extension == \"a\" and mime == \"b\"",
		  1U << HELPER_EXTENSION | 1U << HELPER_MIME },
		{ "protocol == \"HTTP\"", 1U << HELPER_PROTOCOL },
		{ "true // myfilename filenames file_name mimes", 0 },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		AUTO_STR text = STR_INIT;
		str_printf(&text, "rule a { condition: %s\n}", rows[i].condition);
		cr_assert_eq(load(str_text(&text)), 0, "%s", b.err.text);
		cr_expect_eq(file.reads, rows[i].reads, "%s", rows[i].condition);
	}
}

Test(rule_file, errors_name_file_line_and_message)
{
	AUTO_STR place = STR_INIT;
	str_printf(&place, "%s:2: ", path);
	cr_assert_eq(load(BROKEN), -EINVAL);
	cr_assert_eq(strncmp(b.err.text, str_text(&place), place.len), 0, "%s", b.err.text);
	cr_assert_not_null(strstr(b.err.text, "undefined string"), "%s", b.err.text);
	cr_assert_null(file.rules);
	cr_assert_eq(load("rule a { condition: unknown_variable }"), -EINVAL);
	cr_assert_eq(load("\x7f\xff{{{"), -EINVAL);
	cr_assert_eq(load("include \"nowhere.yar\""), -EINVAL);
	cr_assert_not_null(strstr(b.err.text, "No such file"), "%s", b.err.text);
	cr_assert_eq(load("include \"a.yar\""), -EINVAL);
	cr_assert_eq(unlink(path), 0);
	rule_file_done(&file);
	file = (struct rule_file){ .path = path, .name = "a.yar" };
	cr_assert_eq(rule_file_load(&file, &b.err), -ENOENT);
}

Test(rule_file, what_is_no_regular_file_is_refused_by_name_and_not_waited_for)
{
	AUTO_STR fifo = STR_INIT;
	str_printf(&fifo, "%s/fifo", b.dir);
	cr_assert_eq(mkfifo(str_text(&fifo), 0600), 0);
	cr_assert_eq(load("include \"fifo\""), -EINVAL);
	cr_assert_not_null(strstr(b.err.text, "a.yar:1: "), "%s", b.err.text);
	cr_assert_not_null(strstr(b.err.text, "fifo"), "%s", b.err.text);
	cr_assert_not_null(strstr(b.err.text, "not a regular file"), "%s", b.err.text);
	rule_file_done(&file);
	file = (struct rule_file){ .path = str_text(&fifo), .name = "fifo" };
	cr_assert_eq(rule_file_load(&file, &b.err), -EINVAL);
	cr_assert_not_null(strstr(b.err.text, "/fifo: not a regular file"), "%s", b.err.text);
}

Test(rule_file, an_empty_file_has_no_rules)
{
	cr_assert_eq(load(""), 0, "%s", b.err.text);
	cr_assert_eq(file.rules->num_rules, 0);
}

Test(rule_file, includes_count_into_the_hash)
{
	char before[HASH_HEX];
	bench_write(&b, "inner", HELLO);
	cr_assert_eq(load("include \"inner\"\n"), 0, "%s", b.err.text);
	cr_assert_eq(file.rules->num_rules, 1);
	strcpy(before, file.hash);
	bench_write(&b, "inner", HELLO "// filename\n");
	cr_assert_eq(load("include \"inner\"\n"), 0);
	cr_assert_str_neq(before, file.hash);
	cr_assert_eq(file.reads, 1U << HELPER_NAME);
}

Test(rule_file, files_are_joined_each_in_its_namespace)
{
	cr_assert_eq(load(HELLO), 0);
	struct rule_file files[] = { file, file, { .path = "none" } };
	files[1].name = "b.yar";
	YR_RULES *joint = NULL;
	cr_assert_eq(rule_file_join(&joint, files, 3, &b.err), 0, "%s", b.err.text);
	cr_assert_eq(joint->num_rules, 2);
	yr_rules_destroy(joint);
	cr_assert_eq(rule_file_join(&joint, &files[2], 1, &b.err), 0);
	cr_assert_null(joint);
}

Test(rule_file, compiled_rules_survive_as_bytes)
{
	cr_assert_eq(load(HELLO), 0);
	AUTO_STR bytes = STR_INIT;
	YR_RULES *again = NULL;
	cr_assert_eq(rule_file_save(file.rules, &bytes, &b.err), 0, "%s", b.err.text);
	cr_assert_eq(rule_file_read(&again, bytes.data, bytes.len, &b.err), 0, "%s", b.err.text);
	cr_assert_eq(again->num_rules, 1);
	yr_rules_destroy(again);
	cr_assert_lt(rule_file_read(&again, bytes.data, 10, &b.err), 0);
	cr_assert_lt(rule_file_read(&again, "nonsense", 8, &b.err), 0);
}
