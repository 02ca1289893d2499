/* carved resume: ends what "carved pause" began. */
#include <stddef.h>

#include "core/cli/cli.h"
#include "core/cli/order.h"

static int run(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "history", required_argument, NULL, 'H' },
		{ 0 },
	};
	return order_run(&cli_resume, longs, argc, argv);
}

const struct cli_command cli_resume = {
	.name = "resume",
	.usage = "[--history DB]",
	.summary = "Have the paused daemon go on",
	.help = "  --history DB  tell the daemon of this history\n\n"
		"What was recorded as queued meanwhile is looked at, the oldest first.\n"
		"Exit codes: 0 it is not paused any more, 2 usage or configuration, 3 no daemon runs for\n"
		"this history.\n",
	.run = run,
};
