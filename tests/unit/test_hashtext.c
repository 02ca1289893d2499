/* hashtext: the text of a hash list, read once and again. */
#include <criterion/criterion.h>
#include <errno.h>

#include "core/detect/hashtext.h"
#include "tests/unit/detect_fixture.h"

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static struct fixture fixture;

static void setup(void)
{
	fixture_init(&fixture, "sample");
}

static void teardown(void)
{
	fixture_done(&fixture);
}

TestSuite(hashtext, .init = setup, .fini = teardown);

static int count(void *context, const struct hashline *line, struct error *err)
{
	(void)err;
	*(int *)context += line->kind == HASH_MD5;
	return strcmp(line->signature, "stop") == 0 ? -ECANCELED : 0;
}

/* Reads text with take; the lines that take was given in *taken. */
static int read_text(const char *text, struct hashtext *in, int *taken, struct error *err)
{
	AUTO_FREE char *path = fixture_path(&fixture, "list");
	fixture_write(path, text);
	AUTO_CLOSE int fd = hashtext_open(path, err);
	cr_assert_geq(fd, 0, "%s", err->text);
	*taken = 0;
	in->file = path;
	in->fd = fd;
	in->take = count;
	in->context = taken;
	int result = hashtext_read(in, err);
	struct hashtext again = { .file = path, .fd = fd };
	if (result == 0) {
		cr_assert_eq(hashtext_read(&again, err), 0);
		cr_assert_eq(again.lines, in->lines);
		cr_assert_arr_eq(again.sha256, in->sha256, DIGEST_SIZE);
	}
	return result;
}

Test(hashtext, gives_each_hash_and_counts_lines)
{
	struct hashtext in = { 0 };
	struct error err = { 0 };
	int taken;
	cr_assert_eq(read_text("# x\n" A "\n\n" A " y\r\n" A, &in, &taken, &err), 0, "%s",
		     err.text);
	cr_assert_eq(taken, 3);
	cr_assert_eq(in.lines, 4);
	cr_assert_eq(read_text("", &in, &taken, &err), 0);
	cr_assert_eq(taken, 0);
}

Test(hashtext, reads_lines_that_lie_across_chunks)
{
	enum {
		LINES = 20000
	};

	AUTO_STR text = STR_INIT;
	for (int i = 0; i < LINES; i++)
		str_printf(&text, A " %d\n", i * 7919);
	struct hashtext in = { 0 };
	struct error err = { 0 };
	int taken;
	cr_assert_eq(read_text(str_text(&text), &in, &taken, &err), 0, "%s", err.text);
	cr_assert_eq(taken, LINES);
	cr_assert_eq(in.lines, LINES);
	str_puts(&text, "x\n");
	cr_assert_eq(read_text(str_text(&text), &in, &taken, &err), -EINVAL);
	cr_assert(strstr(err.text, "/list:20001: expected 32"), "%s", err.text);
}

Test(hashtext, ends_when_whoever_takes_says_so)
{
	struct hashtext in = { 0 };
	struct error err = { 0 };
	int taken;
	cr_assert_eq(read_text(A "\n" A " stop\n" A "\n", &in, &taken, &err), -ECANCELED);
	cr_assert_eq(taken, 2);
}

Test(hashtext, says_when_a_text_is_longer_than_it_was)
{
	struct hashtext in = { .limit = 32 };
	struct error err = { 0 };
	int taken;
	cr_assert_eq(read_text(A, &in, &taken, &err), 0);
	cr_assert_eq(read_text(A "\n", &in, &taken, &err), -EAGAIN);
	cr_assert(strstr(err.text, "list: it changed while it was read"), "%s", err.text);
}
