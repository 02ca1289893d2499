/* executable: what a command's first word means. */
#include <criterion/criterion.h>

#include "core/detect/digest.h"
#include "core/detect/executable.h"
#include "tests/unit/detect_fixture.h"

static struct fixture fixture;

static void setup(void)
{
	fixture_init(&fixture, "sample");
}

static void teardown(void)
{
	fixture_done(&fixture);
}

TestSuite(executable, .init = setup, .fini = teardown);

static void make(const char *name, mode_t mode)
{
	AUTO_FREE char *path = fixture_path(&fixture, name);
	fixture_write(path, "#!/bin/sh\n");
	cr_assert_eq(chmod(path, mode), 0);
}

Test(executable, is_found_in_the_given_path_only)
{
	make("tool", 0755);
	make("data", 0644);
	AUTO_FREE char *expected = fixture_path(&fixture, "tool");
	AUTO_STR list = STR_INIT;
	str_printf(&list, ":.:relative:/nonexistent:%s:/bin", fixture.dir);
	AUTO_FREE char *tool = executable_find("tool", str_text(&list));
	cr_assert_str_eq(tool, expected);
	AUTO_FREE char *sh = executable_find("sh", EXECUTABLE_PATH);
	cr_assert_not_null(sh);
	cr_assert_null(executable_find("tool", EXECUTABLE_PATH));
	cr_assert_null(executable_find("data", str_text(&list)));
	cr_assert_null(executable_find("", str_text(&list)));
	cr_assert_null(executable_find("sh", ""));
	cr_assert_null(executable_find("sh", NULL));
}

Test(executable, relative_parts_of_path_are_passed_over)
{
	make("tool", 0755);
	cr_assert_eq(chdir(fixture.dir), 0);
	cr_assert_null(executable_find("tool", ".::"));
}

Test(executable, a_name_with_a_slash_is_itself)
{
	AUTO_FREE char *path = executable_find("./missing", EXECUTABLE_PATH);
	cr_assert_str_eq(path, "./missing");
}

Test(executable, digest_tells_versions_apart)
{
	char missing[DIGEST_HEX], first[DIGEST_HEX], again[DIGEST_HEX], second[DIGEST_HEX];
	AUTO(digest) struct digest *digest = digest_new();
	char *out[] = { missing, first, again, second };
	for (int i = 0; i < 4; i++) {
		AUTO_FREE char *path = fixture_path(&fixture, "tool");
		if (i == 1)
			make("tool", 0755);
		if (i == 3)
			fixture_write(path, "#!/bin/sh\nexit 1\n");
		digest_begin(digest);
		executable_digest(digest, "tool", fixture.dir);
		digest_end_hex(digest, out[i]);
	}
	cr_assert_str_neq(missing, first);
	cr_assert_str_eq(first, again);
	cr_assert_str_neq(first, second);
}
