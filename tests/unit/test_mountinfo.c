/* mountinfo: lines as the kernel writes them, and others. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "watcher/mountinfo.h"

/* The line lies in memory of its own, so that a step beyond its end is seen. */
static bool parse(const char *text, char **out_line, struct mountinfo *out)
{
	*out_line = strdup(text);
	return mountinfo_parse(*out_line, out);
}

Test(mountinfo, fields_are_found_with_and_without_optional_ones)
{
	static const struct {
		const char *line;
		struct mountinfo is;
	} rows[] = {
		{ "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue\n",
		  { 36, 35, 98 << 20, "/mnt1", "/mnt2", "ext3" } },
		{ "21 1 254:3 / / rw,relatime - ext4 /dev/vda rw",
		  { 21, 1, 254 << 20 | 3, "/", "/", "ext4" } },
		{ "40 21 0:35 / /a shared:7 master:2 propagate_from:3 unbindable - fuse.sshfs h: rw",
		  { 40, 21, 35, "/", "/a", "fuse.sshfs" } },
		{ "41 21 0:4 net:[4026532] /run/netns/x rw shared:9 - nsfs nsfs rw",
		  { 41, 21, 4, "net:[4026532]", "/run/netns/x", "nsfs" } },
		{ "42 21 0:35 /x\\040y /with\\040space\\011tab\\012line\\134back rw - tmpfs t rw",
		  { 42, 21, 35, "/x y", "/with space\ttab\nline\\back", "tmpfs" } },
		{ "43 21 0:35 / /no\\04escape\\ rw - tmpfs t rw",
		  { 43, 21, 35, "/", "/no\\04escape\\", "tmpfs" } },
		{ "44 21 0:35 / /zero\\000and\\777 rw - tmpfs t rw",
		  { 44, 21, 35, "/", "/zero\\000and\\777", "tmpfs" } },
		{ "4294967295 0 4095:1048575 / / rw - tmpfs",
		  { UINT32_MAX, 0, UINT32_MAX, "/", "/", "tmpfs" } },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char *line;
		struct mountinfo got;
		cr_assert(parse(rows[i].line, &line, &got), "%s", rows[i].line);
		cr_expect_eq(got.id, rows[i].is.id, "%s", rows[i].line);
		cr_expect_eq(got.parent, rows[i].is.parent, "%s", rows[i].line);
		cr_expect_eq(got.dev, rows[i].is.dev, "%s", rows[i].line);
		cr_expect_str_eq(got.root, rows[i].is.root);
		cr_expect_str_eq(got.point, rows[i].is.point);
		cr_expect_str_eq(got.type, rows[i].is.type);
		free(line);
	}
}

Test(mountinfo, what_is_no_such_line_is_refused)
{
	static const char *const lines[] = {
		"",
		"\n",
		" ",
		"36",
		"36 35",
		"36 35 98:0 / /a rw",
		"36 35 98:0 / /a rw master:1",
		"36 35 98:0 / /a rw -",
		"x 35 98:0 / /a rw - ext4",
		"36 -1 98:0 / /a rw - ext4",
		"36 35 98 / /a rw - ext4",
		"36 35 98: / /a rw - ext4",
		"36 35 :0 / /a rw - ext4",
		"36 35 98:0x / /a rw - ext4",
		"4294967296 35 98:0 / /a rw - ext4",
		"36 35 98:0 / relative rw - ext4",
		"36 35 98:0 / \\057a rw - ext4",
		"36 35 98:0 /  rw - ext4",
	};
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		char *line;
		struct mountinfo got = { .id = 77 };
		cr_expect(!parse(lines[i], &line, &got), "%s", lines[i]);
		cr_expect_eq(got.id, 77);
		free(line);
	}
}

/* Every beginning of a line, and every line with one byte another one: no step beyond its end. */
Test(mountinfo, damaged_lines_are_taken_or_refused)
{
	static const char whole[] =
		"36 35 98:0 /m\\0401 /m\\0112 rw,noatime master:1 - ext\\0433 /dev/root rw\n";
	size_t taken = 0;
	for (size_t cut = 0; cut < sizeof whole; cut++) {
		char *line = strndup(whole, cut);
		struct mountinfo got;
		taken += mountinfo_parse(line, &got);
		free(line);
	}
	for (size_t i = 0; i < sizeof whole - 1; i++) {
		for (int byte = 1; byte < 256; byte++) {
			char *line;
			struct mountinfo got;
			char changed[sizeof whole];
			memcpy(changed, whole, sizeof whole);
			changed[i] = (char)byte;
			if (!parse(changed, &line, &got)) {
				free(line);
				continue;
			}
			taken++;
			cr_assert_eq(*got.point, '/');
			free(line);
		}
	}
	cr_assert_gt(taken, 1000);
}

Test(mountinfo, below_goes_by_names_not_by_letters)
{
	static const struct {
		const char *point, *top, *below;
	} rows[] = {
		{ "/", "/a/b", "" },
		{ "/a", "/a/b", "" },
		{ "/a/b", "/a/b", "" },
		{ "/a/b/c", "/a/b", "/c" },
		{ "/a/b/c/d", "/a/b", "/c/d" },
		{ "/a/bc", "/a/b", NULL },
		{ "/a/b", "/a/bc", NULL },
		{ "/b", "/a", NULL },
		{ "/x", "/", "/x" },
		{ "/", "/", "" },
		{ "/a/", "/a", "" },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const char *got = mountinfo_below(rows[i].point, rows[i].top);
		cr_expect_eq(got == NULL, rows[i].below == NULL, "%s %s", rows[i].point,
			     rows[i].top);
		if (got && rows[i].below)
			cr_expect_str_eq(got, rows[i].below);
	}
}
