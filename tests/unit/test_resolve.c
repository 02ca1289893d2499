/* Tests of core/config/resolve.c. */
#include "config_support.h"
#include "core/config/resolve.h"

TestSuite(resolve, .init = support_setup, .fini = support_teardown);

static void expect(const char *written, const char *expected)
{
	char path[600], want[600];
	snprintf(path, sizeof path, "%s%s", support_dir, written);
	snprintf(want, sizeof want, "%s%s", support_dir, expected);
	char *got = resolve_path(path);
	cr_expect_str_eq(got, want, "of %s", path);
	free(got);
}

Test(resolve, follows_links_and_keeps_what_is_not_there)
{
	cr_assert_eq(chdir(support_dir), 0);
	cr_assert_eq(mkdir("real", 0700), 0);
	cr_assert_eq(mkdir("real/sub", 0700), 0);
	cr_assert_eq(symlink("real", "link"), 0);
	cr_assert_eq(symlink("nowhere", "dangling"), 0);
	expect("/real", "/real");
	expect("/link/sub", "/real/sub");
	expect("/link/none/at//all/", "/real/none/at/all");
	expect("/link/none/./x/../y", "/real/none/y");
	expect("/dangling/x", "/dangling/x");
	char *here = resolve_path("link/none");
	char want[600];
	snprintf(want, sizeof want, "%s/real/none", support_dir);
	cr_assert_str_eq(here, want);
	free(here);
	here = resolve_path("none");
	snprintf(want, sizeof want, "%s/none", support_dir);
	cr_assert_str_eq(here, want);
	free(here);
}

static void expect_absolute(const char *written, const char *expected)
{
	char want[600];
	snprintf(want, sizeof want, "%s%s", *expected == '/' ? "" : support_dir,
		 *expected == '.' ? expected + 1 : expected);
	char *got = resolve_absolute(written);
	cr_expect_str_eq(got, want, "of %s", written);
	free(got);
}

Test(resolve, what_is_absolute_follows_no_link)
{
	cr_assert_eq(chdir(support_dir), 0);
	cr_assert_eq(symlink("/", "link"), 0);
	expect_absolute("link/sub", "./link/sub");
	expect_absolute("././none", "./none");
	expect_absolute("/link/./sub", "/link/./sub");
	cr_assert_eq(chdir("/"), 0);
	expect_absolute("tmp/x", "/tmp/x");
}

Test(resolve, of_the_top)
{
	static const char *const rows[][2] = {
		{ "/", "/" },
		{ "//", "/" },
		{ "/zz-nowhere", "/zz-nowhere" },
		{ "/zz-nowhere/..", "/" },
		{ "/zz-nowhere/../../x", "/x" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char *got = resolve_path(rows[i][0]);
		cr_expect_str_eq(got, rows[i][1], "of %s", rows[i][0]);
		free(got);
	}
}

Test(resolve, directories_of_paths)
{
	static const char *const rows[][2] = {
		{ "a", "." }, { "/a", "/" }, { "a/b", "a" }, { "/a/b/c", "/a/b" }, { "./a", "." },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char *got = resolve_directory(rows[i][0]);
		cr_expect_str_eq(got, rows[i][1]);
		free(got);
	}
}

Test(resolve, below_is_not_a_prefix_of_letters)
{
	cr_assert(resolve_is_below("/a/b", "/a"));
	cr_assert(resolve_is_below("/a", "/a"));
	cr_assert(resolve_is_below("/a", "/"));
	cr_assert_not(resolve_is_below("/ab", "/a"));
	cr_assert_not(resolve_is_below("/a", "/a/b"));
}
