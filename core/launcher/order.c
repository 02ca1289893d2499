/* order: see order.h. */
#include "core/launcher/order.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/mem.h"

enum option_key {
	PARENT = 1,
	FILE_RULE,
	TREE_RULE,
	SCRATCH,
	NETWORK,
	OPEN,
	SAMPLE,
	MEMORY,
	FILE_SIZE,
	PROGRAM,
};

static const struct option options[] = {
	{ ORDER_PARENT, required_argument, NULL, PARENT },
	{ ORDER_FILE, required_argument, NULL, FILE_RULE },
	{ ORDER_TREE, required_argument, NULL, TREE_RULE },
	{ ORDER_SCRATCH, required_argument, NULL, SCRATCH },
	{ ORDER_NETWORK, no_argument, NULL, NETWORK },
	{ ORDER_OPEN, no_argument, NULL, OPEN },
	{ ORDER_SAMPLE, required_argument, NULL, SAMPLE },
	{ ORDER_MEMORY, required_argument, NULL, MEMORY },
	{ ORDER_FILE_SIZE, required_argument, NULL, FILE_SIZE },
	{ ORDER_PROGRAM, required_argument, NULL, PROGRAM },
	{ NULL, 0, NULL, 0 },
};

static int add(const char ***list, size_t *count, const char *path)
{
	*list = xrealloc(*list, *count + 2, sizeof **list);
	(*list)[(*count)++] = path;
	(*list)[*count] = NULL;
	return 0;
}

static int number(const char *text, uint64_t most, uint64_t *out)
{
	char *end = NULL;
	errno = 0;
	unsigned long long value = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno || value > most)
		return -EINVAL;
	*out = value;
	return 0;
}

static int parent_number(struct order *order, const char *text)
{
	uint64_t value = 0;
	int result = number(text, INT32_MAX, &value);
	order->parent = (pid_t)value;
	return result;
}

static int sample_word(struct order *order, const char *text)
{
	if (strcmp(text, "hide") == 0)
		order->sample = ORDER_HIDE_SAMPLE;
	else if (strcmp(text, "keep") == 0)
		order->sample = ORDER_KEEP_SAMPLE;
	else
		return -EINVAL;
	return 0;
}

static int take(struct order *order, int key, const char *value)
{
	switch (key) {
	case PARENT:
		return parent_number(order, value);
	case FILE_RULE:
		return add(&order->files, &order->file_count, value);
	case TREE_RULE:
		return add(&order->trees, &order->tree_count, value);
	case SCRATCH:
		order->scratch = value;
		return 0;
	case NETWORK:
		order->network = true;
		return 0;
	case OPEN:
		order->open = true;
		return 0;
	case SAMPLE:
		return sample_word(order, value);
	case MEMORY:
		return number(value, UINT64_MAX, &order->memory);
	case FILE_SIZE:
		return number(value, UINT64_MAX, &order->file_size);
	case PROGRAM:
		order->program = value;
		return 0;
	default:
		return -EINVAL;
	}
}

int order_parse(struct order *order, int argc, char **argv, struct error *err)
{
	*order = (struct order){ 0 };
	opterr = 0;
	optind = 0; /* glibc: begin anew */
	int key;
	/* one thread */
	// NOLINTNEXTLINE(concurrency-mt-unsafe)
	while ((key = getopt_long(argc, argv, "+", options, NULL)) != -1) {
		if (take(order, key, optarg) < 0)
			return error_set(
				err, EINVAL,
				"carved-launch: \"%.100s\" is not understood: it is started "
				"by carved, of the same version",
				argv[optind - 1]);
	}
	order->argv = argv + optind;
	if (!order->program || !order->argv[0] || order->parent <= 0)
		return error_set(
			err, EINVAL,
			"carved-launch: words are missing: it is started by carved, not by "
			"hand");
	return 0;
}

void order_done(struct order *order)
{
	free(order->files);
	free(order->trees);
	*order = (struct order){ 0 };
}

void launch_report_write(int fd, enum launch_end end, int value, const char *words)
{
	struct launch_report report = { .size = sizeof report, .end = end, .value = value };
	(void)snprintf(report.words, sizeof report.words, "%s", words ? words : "");
	while (write(fd, &report, sizeof report) < 0 && errno == EINTR)
		continue;
}

bool launch_report_read(int fd, struct launch_report *out)
{
	struct launch_report report;
	ssize_t got;
	do
		got = read(fd, &report, sizeof report);
	while (got < 0 && errno == EINTR);
	if (got != (ssize_t)sizeof report || report.size != sizeof report)
		return false;
	if (report.end < LAUNCH_EXITED || report.end > LAUNCH_STOPPED)
		return false;
	report.words[sizeof report.words - 1] = '\0';
	*out = report;
	return true;
}
