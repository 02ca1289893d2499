#include <errno.h>

#include "core/engines/rule_list.h"
#include "engine_fixture.h"

static struct bench b;

static void setup(void)
{
	bench_init(&b, "yara");
}

static void teardown(void)
{
	bench_done(&b);
}

TestSuite(rule_list, .init = setup, .fini = teardown);

static void make_directory(const char *name)
{
	AUTO_STR path = STR_INIT;
	str_printf(&path, "%s/%s", b.dir, name);
	cr_assert_eq(mkdir(str_text(&path), 0755), 0);
}

static void expect(const struct rule_list *list, const char *const *names)
{
	size_t count = 0;
	for (; names[count]; count++) {
		cr_assert_lt(count, list->count);
		cr_expect_str_eq(list->items[count].name, names[count]);
	}
	cr_assert_eq(list->count, count);
}

Test(rule_list, directories_are_searched_and_sorted)
{
	struct rule_list list;
	make_directory("sub");
	make_directory(".git");
	const char *const files[] = { "b.yar",		"a.yara",    ".hidden.yar", "notes.txt",
				      ".git/inner.yar", "sub/c.yar", "yar",	    "a b.yar" };
	for (size_t i = 0; i < sizeof files / sizeof *files; i++)
		bench_write(&b, files[i], "");
	cr_assert_eq(rule_list_make(&list, b.paths, 1, &b.err), 0, "%s", b.err.text);
	const char *const wanted[] = { "a b.yar", "a.yara", "b.yar", "sub/c.yar", NULL };
	expect(&list, wanted);
	cr_assert_eq(list.problem_count, 0);
	rule_list_done(&list);
}

Test(rule_list, files_are_taken_by_any_name_and_once)
{
	struct rule_list list;
	bench_write(&b, ".rules", "");
	bench_write(&b, "a.yar", "");
	AUTO_STR hidden = STR_INIT;
	AUTO_STR plain = STR_INIT;
	AUTO_STR slash = STR_INIT;
	str_printf(&hidden, "%s/.rules", b.dir);
	str_printf(&plain, "%s/a.yar", b.dir);
	str_printf(&slash, "%s//", b.dir);
	char *paths[] = { hidden.data, plain.data, slash.data, NULL };
	cr_assert_eq(rule_list_make(&list, paths, 3, &b.err), 0);
	const char *const wanted[] = { ".rules", "a.yar", NULL };
	expect(&list, wanted);
	rule_list_done(&list);
}

Test(rule_list, names_are_unique)
{
	struct rule_list list;
	AUTO_STR one = STR_INIT;
	AUTO_STR two = STR_INIT;
	make_directory("1");
	make_directory("2");
	bench_write(&b, "1/a.yar", "");
	bench_write(&b, "2/a.yar", "");
	str_printf(&one, "%s/1", b.dir);
	str_printf(&two, "%s/2", b.dir);
	char *paths[] = { one.data, two.data, NULL };
	cr_assert_eq(rule_list_make(&list, paths, 2, &b.err), 0);
	cr_assert_eq(list.count, 2);
	cr_assert_str_eq(list.items[0].name, "a.yar");
	cr_assert_str_eq(list.items[1].name, list.items[1].path);
	rule_list_done(&list);
}

Test(rule_list, links_are_followed_and_loops_end)
{
	struct rule_list list;
	AUTO_STR link = STR_INIT;
	AUTO_STR dead = STR_INIT;
	make_directory("sub");
	bench_write(&b, "sub/a.yar", "");
	str_printf(&link, "%s/sub/up", b.dir);
	str_printf(&dead, "%s/dead.yar", b.dir);
	cr_assert_eq(symlink("..", str_text(&link)), 0);
	cr_assert_eq(symlink("/nonexistent", str_text(&dead)), 0);
	cr_assert_eq(rule_list_make(&list, b.paths, 1, &b.err), 0);
	const char *const wanted[] = { "sub/a.yar", NULL };
	expect(&list, wanted);
	cr_assert_eq(list.problem_count, 1); /* the link to nowhere */
	rule_list_done(&list);
}

Test(rule_list, directories_are_searched_once_however_many_links_lead_to_them)
{
	struct rule_list list;
	make_directory("s");
	bench_write(&b, "s/x.yar", "");
	for (unsigned i = 0; i < 4; i++) { /* 4^32 places */
		AUTO_STR link = STR_INIT;
		str_printf(&link, "%s/s/%u", b.dir, i);
		cr_assert_eq(symlink(".", str_text(&link)), 0);
	}
	cr_assert_eq(rule_list_make(&list, b.paths, 1, &b.err), 0, "%s", b.err.text);
	const char *const wanted[] = { "s/x.yar", NULL };
	expect(&list, wanted);
	rule_list_done(&list);
}

Test(rule_list, what_is_no_regular_file_is_named)
{
	struct rule_list list;
	AUTO_STR fifo = STR_INIT;
	str_printf(&fifo, "%s/fifo.yar", b.dir);
	cr_assert_eq(mkfifo(str_text(&fifo), 0600), 0);
	cr_assert_eq(rule_list_make(&list, b.paths, 1, &b.err), 0, "%s", b.err.text);
	cr_assert_eq(list.count, 0);
	cr_assert_eq(list.problem_count, 1);
	cr_assert_not_null(strstr(list.problems[0], "fifo.yar: not a regular file"));
	rule_list_done(&list);
}

Test(rule_list, directories_are_bounded_and_it_says_so)
{
	struct rule_list list;
	for (unsigned i = 0; i < RULE_LIST_DIRECTORIES; i++) {
		char name[16];
		snprintf(name, sizeof name, "%u", i);
		make_directory(name);
	}
	cr_assert_eq(rule_list_make(&list, b.paths, 1, &b.err), -E2BIG);
	cr_assert_not_null(strstr(b.err.text, "more than 4096 directories"), "%s", b.err.text);
}

Test(rule_list, depth_is_bounded_and_it_says_so)
{
	struct rule_list list;
	AUTO_STR name = STR_INIT;
	for (unsigned i = 0; i < RULE_LIST_DEPTH; i++) {
		str_puts(&name, i ? "/d" : "d");
		make_directory(str_text(&name));
	}
	cr_assert_eq(rule_list_make(&list, b.paths, 1, &b.err), 0, "%s", b.err.text);
	cr_assert_eq(list.problem_count, 1);
	cr_assert_not_null(strstr(list.problems[0], "too deep"), "%s", list.problems[0]);
	rule_list_done(&list);
}

Test(rule_list, a_path_that_is_not_there_is_an_error)
{
	struct rule_list list;
	char *paths[] = { b.dir, (char *)"/nonexistent/rules", NULL };
	cr_assert_eq(rule_list_make(&list, paths, 2, &b.err), -ENOENT);
	cr_assert_not_null(strstr(b.err.text, "/nonexistent/rules"));
}
