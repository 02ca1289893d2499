/* order: see order.h. */
#include "core/cli/order.h"

#include <stdio.h>

#include "core/app/control_client.h"
#include "core/base/error.h"
#include "core/base/mem.h"
#include "core/base/str.h"
#include "core/cli/cli.h"

/* The daemon's words are escaped by it. */
static int give(const char *history, const char *order)
{
	AUTO_STR words = STR_INIT;
	struct error err = { 0 };
	enum control_end end = CONTROL_FAILED;
	if (control_order(history, order, &end, &words, &err) < 0) {
		cli_complain("%s", err.text);
		return CLI_FAILED;
	}
	switch (end) {
	case CONTROL_OK:
		(void)printf("%s\n", str_text(&words));
		return CLI_OK;
	case CONTROL_REFUSED:
		cli_complain("%s", str_text(&words));
		return CLI_USAGE;
	case CONTROL_FAILED:
	case CONTROL_ENDS:
		break;
	}
	cli_complain("%s", str_text(&words));
	return CLI_FAILED;
}

int order_run(const struct cli_command *command, const struct option *longs, int argc, char **argv)
{
	const char *given = NULL;
	int got;
	while ((got = cli_next_option(argc, argv, ":", longs)) != -1) {
		if (got != 'H')
			return cli_bad_option(command, got, argv);
		given = optarg;
	}
	if (optind < argc)
		return cli_usage_error(command, "%s is one word too many", argv[optind]);
	AUTO_FREE char *history = NULL;
	int code = cli_history_path(given, &history);
	return code == CLI_OK ? give(history, command->name) : code;
}
