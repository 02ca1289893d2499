/* check_sinks: whether the file of events can be written where it is, or made where it is not. */
#include <sys/stat.h>

#include <errno.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/mem.h"
#include "core/cli/check_report.h"
#include "core/config/config.h"
#include "core/config/resolve.h"

static void check_place(struct check *check, const char *path)
{
	char *directory AUTO_FREE = resolve_directory(path);
	if (access(directory, W_OK | X_OK) == 0)
		check_ok("events %s: is not there yet, it will be made", path);
	else
		check_warn(check, "events %s: %s: %s: %s", path, directory, error_text(errno),
			   errno == ENOENT ? "make the directory"
					   : "give the user that runs carved write permission");
}

void check_sinks(struct check *check)
{
	const char *path = check->config->events;
	struct stat st;
	if (!path)
		return;
	if (stat(path, &st) < 0)
		check_place(check, path);
	else if (!S_ISREG(st.st_mode))
		check_warn(check, "events %s: is no regular file: name one, or remove it", path);
	else if (access(path, R_OK | W_OK) < 0)
		check_warn(check, "events %s: %s: it must belong to the user that runs carved",
			   path, error_text(errno));
	else
		check_ok("events %s: can be written", path);
}
