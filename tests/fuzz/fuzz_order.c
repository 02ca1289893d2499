/* The words that carved-launch is started with, and reports on its pipe. */
#include <fcntl.h>

#include "core/base/error.h"
#include "core/launcher/order.h"
#include "tests/fuzz/fuzz.h"

#define WORDS_MAX 64

static void read_report(const struct input *in)
{
	int ends[2];
	struct launch_report report;
	must(pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0);
	size_t len = in->left < 4096 ? in->left : 4096;
	must(write(ends[1], in->at, len) == (ssize_t)len);
	close(ends[1]);
	while (launch_report_read(ends[0], &report))
		must(memchr(report.words, '\0', sizeof report.words));
	close(ends[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { (const char *)data, size };
	char *argv[WORDS_MAX + 2] = { input_text("carved-launch", 13) };
	int argc = 1;
	read_report(&in);
	while (in.left > 0 && argc <= WORDS_MAX) {
		struct input word = input_until(&in, '\0');
		argv[argc++] = input_text(word.at, word.left);
	}
	/* getopt may put words in another order */
	char *owned[WORDS_MAX + 2];
	memcpy(owned, argv, sizeof argv);
	struct order order;
	struct error err = { 0 };
	int result = order_parse(&order, argc, argv, &err);
	if (result == 0)
		must(order.program && order.argv && order.argv[0]);
	else
		must(has_words(err.text));
	order_done(&order);
	for (int i = 0; i < argc; i++)
		free(owned[i]);
	return 0;
}
