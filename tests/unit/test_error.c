/* error: one failure with words. */
#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "core/base/error.h"

static const char *repeat(char c, size_t len)
{
	static char text[4096];
	memset(text, c, len);
	text[len] = '\0';
	return text;
}

Test(error, set_fills_and_returns_the_negative_code)
{
	struct error err = { 0 };
	cr_assert_eq(error_set(&err, EINVAL, "%s:%d: wrong", "file", 7), -EINVAL);
	cr_assert_eq(err.code, EINVAL);
	cr_assert_str_eq(err.text, "file:7: wrong");
}

Test(error, nobody_has_to_want_the_words)
{
	cr_assert_eq(error_set(NULL, ENOENT, "x"), -ENOENT);
	cr_assert_eq(error_prefix(NULL, "x"), 0);
}

Test(error, prefix_stands_in_front)
{
	struct error err = { 0 };
	error_set(&err, EACCES, "cannot read");
	cr_assert_eq(error_prefix(&err, "%s", "/etc/x"), -EACCES);
	cr_assert_str_eq(err.text, "/etc/x: cannot read");
}

Test(error, long_texts_are_cut_never_overrun)
{
	static const size_t lengths[] = { 0, 1, 509, 510, 511, 512, 513, 2000 };
	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
		struct {
			struct error err;
			char guard[16];
		} box = { 0 };

		error_set(&box.err, EIO, "%s", repeat('a', lengths[i]));
		size_t expected = lengths[i] < 511 ? lengths[i] : 511;
		cr_assert_eq(strlen(box.err.text), expected, "%zu", lengths[i]);
		error_prefix(&box.err, "%s", repeat('b', lengths[i]));
		size_t whole = 2 * lengths[i] + 2;
		if (lengths[i] > 511)
			whole = 511 + 2 + 511;
		cr_assert_eq(strlen(box.err.text), whole < 511 ? whole : 511, "%zu", lengths[i]);
		for (size_t j = 0; j < sizeof box.guard; j++)
			cr_assert_eq(box.guard[j], 0);
	}
}

Test(error, an_argument_may_be_the_old_text)
{
	struct error err = { 0 };
	error_set(&err, EIO, "read failed");
	error_set(&err, EIO, "line %d: %s", 3, err.text);
	cr_assert_str_eq(err.text, "line 3: read failed");
	error_prefix(&err, "(%s)", err.text);
	cr_assert_str_eq(err.text, "(line 3: read failed): line 3: read failed");
}

static void *other_thread(void *argument)
{
	(void)argument;
	(void)error_text(99999);
	return NULL;
}

Test(error, text_of_a_code_is_this_threads_own)
{
	cr_assert_str_eq(error_text(ENOENT), "No such file or directory");
	const char *mine = error_text(12345);
	pthread_t thread;
	cr_assert_eq(pthread_create(&thread, NULL, other_thread, NULL), 0);
	pthread_join(thread, NULL);
	cr_assert_str_eq(mine, "Unknown error 12345");
}

Test(error, want_of_ours_is_told_from_what_is_wrong_with_what_was_asked_for)
{
	const int ours[] = { EMFILE, ENFILE, ENOMEM };
	const int others[] = { 0, -EMFILE, ENOENT, EACCES, ENOSPC, EAGAIN };
	for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
		cr_expect(error_is_ours(ours[i]), "%zu", i);
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		cr_expect(!error_is_ours(others[i]), "%zu", i);
}

Test(error, a_path_that_was_led_out_of_the_root_leads_nowhere)
{
	const int absent[] = { ENOENT, ENOTDIR, EXDEV };
	const int others[] = { 0, -ENOENT, EACCES, ELOOP, EIO, EMFILE };
	for (size_t i = 0; i < sizeof absent / sizeof *absent; i++)
		cr_expect(error_is_absence(absent[i]), "%zu", i);
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		cr_expect(!error_is_absence(others[i]), "%zu", i);
}

Test(error, what_can_be_mended_has_words)
{
	cr_expect_str_eq(error_mend(ENOENT), ": make the directory");
	cr_expect(strstr(error_mend(EACCES), "must belong to the user"));
	cr_expect(strstr(error_mend(ENOSPC), "free some space"));
	cr_expect_str_eq(error_mend(EINVAL), "");
}
