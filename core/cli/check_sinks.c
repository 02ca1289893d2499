/* check_sinks: whether the file of events, and the logs of api.yml, can be written where they are,
 * or made where they are not. */
#include <sys/stat.h>

#include <errno.h>
#include <string.h>
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

static bool keeps_api_logs(const struct config *config)
{
	for (size_t i = 0; i < config->detector_count; i++) {
		if (strcmp(config->detectors[i].type, "api") == 0)
			return true;
	}
	return false;
}

/* Where the output of api.yml's commands goes; it is made with the directories above it. */
static void check_api_logs(struct check *check)
{
	const char *path = check->config->api_logs;
	AUTO_FREE char *above = xstrdup(path);
	if (!keeps_api_logs(check->config))
		return;
	int result = access(above, W_OK | X_OK);
	while (result < 0 && errno == ENOENT && strcmp(above, "/") != 0) {
		char *slash = strrchr(above, '/');
		if (!slash)
			break;
		slash[slash == above] = '\0';
		result = access(above, W_OK | X_OK);
	}
	if (result == 0)
		check_ok("api_logs %s: can be written", path);
	else
		check_warn(check,
			   "api_logs %s: %s: %s: what api.yml's commands print is not kept: give "
			   "the user that runs carved write permission, or name another directory",
			   path, above, error_text(errno));
}

void check_sinks(struct check *check)
{
	check_api_logs(check);
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
