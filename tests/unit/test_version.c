/* version: values, paths, names. */
#include <criterion/criterion.h>
#include <string.h>

#include "core/store/version.h"

struct split {
	const char *path;
	const char *name;
	size_t dir_len;
};

static const struct split splits[] = {
	{ "/spool/a/x.pdf", "x.pdf", 8 },
	{ "/x", "x", 0 },
	{ "//x", "x", 1 },
	{ "rel/x", "x", 3 },
	{ "./a/\xff\n", "\xff\n", 3 },
	{ "bare", "bare", 0 },
};

Test(version, a_path_is_split_at_its_last_slash)
{
	for (size_t i = 0; i < sizeof splits / sizeof *splits; i++) {
		AUTO(version)
		struct version *v = version_new(splits[i].path, strlen(splits[i].path));
		size_t len = 0;
		const char *name = version_name(v, &len);
		cr_expect(v->dir_len == splits[i].dir_len, "%s", splits[i].path);
		cr_expect(len == strlen(splits[i].name) && memcmp(name, splits[i].name, len) == 0);
		cr_expect(strcmp(v->path, splits[i].path) == 0);
		cr_expect(v->verdict == OUTCOMES && v->state == VERSION_QUEUED);
	}
}

Test(version, a_clone_has_its_own_path_and_slices_and_no_findings)
{
	AUTO(version) struct version *v = version_new("/d/HTTP-F1", 10);
	struct finding finding = { .detector = xstrdup("noop"), .outcome = OUTCOME_CLEAN };
	v->entry.field[ENTRY_FUID] = (struct slice){ v->path + 8, 2 };
	v->note = xstrdup("why");
	v->id = 9;
	version_add_finding(v, &finding);
	cr_expect(finding.detector == NULL);
	AUTO(version) struct version *copy = version_clone(v);
	cr_expect(copy->path != v->path && strcmp(copy->path, v->path) == 0);
	cr_expect(copy->entry.field[ENTRY_FUID].at == copy->path + 8);
	cr_expect(copy->entry.field[ENTRY_PCAP].at == NULL);
	cr_expect(copy->finding_count == 0 && copy->findings == NULL);
	cr_expect(copy->note != v->note && strcmp(copy->note, "why") == 0);
	cr_expect(copy->id == 9 && v->finding_count == 1);
}

Test(version, another_path_empties_the_entry)
{
	AUTO(version) struct version *v = version_new("/a/b/c", 6);
	v->entry.field[ENTRY_FUID] = (struct slice){ v->path + 1, 1 };
	version_set_path(v, v->path + 2, 4); /* a part of the old one */
	cr_expect(strcmp(v->path, "/b/c") == 0 && v->dir_len == 2);
	cr_expect(v->entry.field[ENTRY_FUID].at == NULL);
}

Test(version, names_go_there_and_back)
{
	for (unsigned i = 0; i < VERSION_STATES; i++)
		cr_expect(version_state_by_name(version_state_name(i)) == i);
	for (unsigned i = 1; i < REASONS; i++)
		cr_expect(version_reason_by_name(version_reason_name(i)) == i);
	for (unsigned i = 1; i < WAITS; i++)
		cr_expect(version_wait_by_name(version_wait_name(i)) == i);
	cr_expect(version_reason_name(REASON_NONE) == NULL &&
		  version_wait_name(WAIT_NOTHING) == NULL);
	cr_expect(version_state_by_name("x") == VERSION_STATES);
	cr_expect(version_reason_by_name("") == REASONS && version_wait_by_name(NULL) == WAITS);
}

Test(version, words_for_incomplete_stand_behind_its_note_once)
{
	AUTO(version) struct version *v = version_new("/a/b", 4);
	version_set_incomplete(v, "cut");
	version_set_incomplete(v, "cut");
	cr_expect(v->incomplete && strcmp(v->note, "cut") == 0);
	version_set_incomplete(v, "gaps");
	cr_expect_str_eq(v->note, "cut; gaps");
}
