/* carved pause: has the running daemon give no more files to detectors. */
#include <stddef.h>

#include "core/cli/cli.h"
#include "core/cli/order.h"

static int run(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "history", required_argument, NULL, 'H' },
		{ 0 },
	};
	return order_run(&cli_pause, longs, argc, argv);
}

const struct cli_command cli_pause = {
	.name = "pause",
	.usage = "[--history DB]",
	.summary = "Have the running daemon look at no more files for now",
	.help = "  --history DB  tell the daemon of this history\n\n"
		"Files that workers are at are finished. New ones are recorded as queued and wait, so\n"
		"nothing is lost, until \"carved resume\". The pause survives a reload, not a restart.\n"
		"SIGUSR1 ends it, since that has all that is queued finished; SIGTERM leaves the queue\n"
		"to the next start. A run that ends by itself cannot be paused.\n"
		"Exit codes: 0 paused, 2 usage or configuration, 3 no daemon runs for this history, or\n"
		"it cannot be paused.\n",
	.run = run,
};
