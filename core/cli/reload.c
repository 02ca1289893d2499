/* carved reload: has the running daemon read configuration and rules anew, and tells how that went.
 */
#include <stddef.h>

#include "core/cli/cli.h"
#include "core/cli/order.h"

static int run(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "history", required_argument, NULL, 'H' },
		{ 0 },
	};
	return order_run(&cli_reload, longs, argc, argv);
}

const struct cli_command cli_reload = {
	.name = "reload",
	.usage = "[--history DB]",
	.summary = "Have the running daemon read its configuration and rules anew",
	.help = "  --history DB  tell the daemon of this history\n\n"
		"Waits until the daemon is through with it, which takes as long as compiling all\n"
		"rules does, and prints how it went: what is refused, and why, leaves everything as\n"
		"it was; below that, which roots come and go, and what was not loaded. Another history,\n"
		"other events and another alert take effect at the next start only; dispose and\n"
		"retention begin then where there was none.\n"
		"SIGHUP does the same without waiting, and tells the log.\n"
		"Exit codes: 0 the new state is in force, 2 usage, or the new configuration was refused,\n"
		"3 no daemon runs for this history, or it cannot do it now.\n",
	.run = run,
};
