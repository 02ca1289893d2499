/* poke: see poke.h. */
#include "core/cli/poke.h"

#include <errno.h>

#include "core/app/control_client.h"
#include "core/base/error.h"
#include "core/base/str.h"
#include "core/cli/cli.h"

static void tell(const char *history, const char *what)
{
	AUTO_STR answer = STR_INIT;
	struct error err = { 0 };
	int result = control_request(history, what, &answer, &err);
	if (result < 0 && result != -ENOENT && result != -ECONNREFUSED)
		cli_complain("the daemon was not told (%s): it sees the change at its next look",
			     err.text);
}

void poke_daemon(const char *history)
{
	tell(history, "poke");
}

void poke_to_walk(const char *history)
{
	tell(history, "walk");
}
