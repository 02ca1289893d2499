/* order: words that are understood, words that are not, and reports. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/launcher/order.h"

static int parse(struct order *order, char **argv, struct error *err)
{
	int argc = 0;
	while (argv[argc])
		argc++;
	return order_parse(order, argc, argv, err);
}

#define WORDS(...)                                  \
	(char *[])                                  \
	{                                           \
		(char *)"launch", __VA_ARGS__, NULL \
	}

Test(order, every_word_has_its_place)
{
	struct order order;
	char **words = WORDS("--parent=7", "--file=/a", "--file", "/b", "--tree=/c", "--scratch=/s",
			     "--network", "--open", "--sample=keep", "--memory=100",
			     "--file-size=200", "--program=/bin/x", "--", "x", "--tree=/not/ours");
	cr_assert_eq(parse(&order, words, NULL), 0);
	cr_expect_eq(order.parent, 7);
	cr_expect_eq(order.file_count, 2);
	cr_expect_str_eq(order.files[1], "/b");
	cr_expect_null(order.files[2]);
	cr_expect_eq(order.tree_count, 1);
	cr_expect_str_eq(order.trees[0], "/c");
	cr_expect_str_eq(order.scratch, "/s");
	cr_expect(order.network);
	cr_expect(order.open);
	cr_expect_eq(order.sample, ORDER_KEEP_SAMPLE);
	cr_expect_eq(order.memory, 100);
	cr_expect_eq(order.file_size, 200);
	cr_expect_str_eq(order.program, "/bin/x");
	cr_expect_str_eq(order.argv[0], "x");
	cr_expect_str_eq(order.argv[1], "--tree=/not/ours");
	order_done(&order);
}

Test(order, what_is_not_understood_is_refused)
{
	char **const cases[] = {
		WORDS("--parent=7", "--program=/x"),
		WORDS("--parent=7", "--", "x"),
		WORDS("--program=/x", "--", "x"),
		WORDS("--parent=0", "--program=/x", "--", "x"),
		WORDS("--parent=-7", "--program=/x", "--", "x"),
		WORDS("--parent=7", "--memory=1x", "--program=/x", "--", "x"),
		WORDS("--parent=7", "--memory=", "--program=/x", "--", "x"),
		WORDS("--parent=7", "--memory=99999999999999999999", "--program=/x", "--", "x"),
		WORDS("--parent=7", "--sample=maybe", "--program=/x", "--", "x"),
		WORDS("--parent=7", "--unheard-of", "--program=/x", "--", "x"),
		WORDS("--parent=7", "--program"),
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct order order;
		struct error err = { 0 };
		cr_expect_eq(parse(&order, cases[i], &err), -EINVAL, "case %zu", i);
		cr_expect(strstr(err.text, "carved-launch"), "case %zu: %s", i, err.text);
		order_done(&order);
	}
}

Test(order, a_report_arrives_as_it_was_written)
{
	int ends[2];
	cr_assert_eq(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	struct launch_report report;
	cr_expect_not(launch_report_read(ends[0], &report), "there is none yet");
	launch_report_write(ends[1], LAUNCH_SIGNALED, 9, NULL);
	char words[2000];
	memset(words, 'x', sizeof words - 1);
	words[sizeof words - 1] = '\0';
	launch_report_write(ends[1], LAUNCH_FAILED, EACCES, words);
	cr_assert(launch_report_read(ends[0], &report));
	cr_expect_eq(report.end, LAUNCH_SIGNALED);
	cr_expect_eq(report.value, 9);
	cr_assert(launch_report_read(ends[0], &report));
	cr_expect_eq(report.end, LAUNCH_FAILED);
	cr_expect_eq(strlen(report.words), sizeof report.words - 1);
	(void)close(ends[1]);
	cr_expect_not(launch_report_read(ends[0], &report));
	(void)close(ends[0]);
}

Test(order, what_is_no_report_of_ours_is_none)
{
	static const struct launch_report cases[] = {
		{ .size = sizeof(struct launch_report), .end = 0 },
		{ .size = sizeof(struct launch_report), .end = LAUNCH_STOPPED + 1 },
		{ .size = sizeof(struct launch_report) + 4, .end = LAUNCH_EXITED },
	};
	int ends[2];
	cr_assert_eq(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	struct launch_report report;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		cr_assert_eq(write(ends[1], &cases[i], sizeof cases[i]), (ssize_t)sizeof cases[i]);
		cr_expect_not(launch_report_read(ends[0], &report), "case %zu", i);
	}
	cr_assert_eq(write(ends[1], cases, 10), 10);
	cr_expect_not(launch_report_read(ends[0], &report));
	(void)close(ends[0]);
	(void)close(ends[1]);
}
