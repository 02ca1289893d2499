/* check_sinks: whether the file of events, and the logs of api.yml, can be written where they are,
 * or made where they are not; the file of the pressure, which is replaced as a whole; and whether
 * there is somebody to alert: nothing is run or posted. */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/mem.h"
#include "core/base/str.h"
#include "core/cli/check_report.h"
#include "core/config/config.h"
#include "core/detect/credentials.h"
#include "core/detect/executable.h"
#include "core/detect/http.h"

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

static void check_events(struct check *check)
{
	const char *path = check->config->events;
	struct stat st;
	AUTO_STR why = STR_INIT;
	if (!path)
		return;
	if (stat(path, &st) < 0 && check_makeable(path, &why))
		check_ok("events %s: is not there yet, it will be made", path);
	else if (why.len)
		check_warn(check, "events %s: %s", path, str_text(&why));
	else if (!S_ISREG(st.st_mode))
		check_warn(check, "events %s: is no regular file: name one, or remove it", path);
	else if (access(path, R_OK | W_OK) < 0)
		check_warn(check, "events %s: %s: it must belong to the user that runs carved",
			   path, error_text(errno));
	else
		check_ok("events %s: can be written", path);
}

static void check_program(struct check *check, const char *name)
{
	struct stat st;
	char *path AUTO_FREE = executable_find(name, EXECUTABLE_PATH);
	if (!path)
		check_warn(check, "alert %s: no such program in PATH=%s: name its path", name,
			   EXECUTABLE_PATH);
	else if (stat(path, &st) < 0)
		check_warn(check, "alert %s: %s", path, error_text(errno));
	else if (!S_ISREG(st.st_mode) || faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) < 0)
		check_warn(check,
			   "alert %s: it may not be run: chmod +x, for the user that runs "
			   "carved",
			   path);
	else
		check_ok("alert %s: can be run", path);
}

static void check_server(struct check *check, const struct config_alert *alert)
{
	__attribute__((cleanup(credentials_cleanup))) struct credentials credentials = { 0 };
	AUTO(http_client) struct http_client *client = NULL;
	struct error err = { 0 };
	int result = credentials_load(&credentials, alert->ca, alert->token_file, &err);
	const struct http_setup setup = { .url = alert->url,
					  .ca = &credentials.ca,
					  .token = credentials.token };
	if (result == 0)
		result = http_client_new(&client, &setup, &err);
	if (result < 0)
		check_warn(check, "alert: %s", err.text);
	else
		check_ok("alert %s: can be posted to, if it answers (it is not asked)",
			 http_client_place(client));
}

static void check_pressure(struct check *check)
{
	const char *path = check->config->pressure;
	struct stat st;
	AUTO_STR why = STR_INIT;
	if (!path)
		return;
	if (!check_makeable(path, &why))
		check_warn(check, "pressure %s: %s", path, str_text(&why));
	else if (lstat(path, &st) == 0 && S_ISDIR(st.st_mode))
		check_warn(check, "pressure %s: is a directory: name a file in it", path);
	else
		check_ok("pressure %s: can be written", path);
}

void check_sinks(struct check *check)
{
	const struct config_alert *alert = check->config->alert;
	check_api_logs(check);
	check_events(check);
	if (alert && alert->run)
		check_program(check, alert->run[0]);
	else if (alert)
		check_server(check, alert);
	check_pressure(check);
}
