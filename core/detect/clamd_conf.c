/* clamd_conf: see clamd_conf.h; the format is clamd.conf(5)'s: "Option value", # begins a comment.
 */
#include "core/detect/clamd_conf.h"

#include <sys/stat.h>

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "core/base/str.h"

#define LINE_MAX_LEN 4096

/* The value of an option in a line, NULL when it is another's. The line is cut behind it. */
static char *value_of(char *line, const char *option)
{
	size_t len = strlen(option);
	if (strncasecmp(line, option, len) != 0 || !strchr(" \t", line[len]) || !line[len])
		return NULL;
	char *value = line + len + strspn(line + len, " \t");
	value[strcspn(value, " \t\r\n")] = '\0';
	return value;
}

/* /run and /var/run lead to the same socket. */
static bool same_socket(const char *one, const char *other)
{
	struct stat first, second;
	return strcmp(one, other) == 0 ||
	       (stat(one, &first) == 0 && stat(other, &second) == 0 &&
		first.st_dev == second.st_dev && first.st_ino == second.st_ino);
}

static bool is_yes(const char *value)
{
	return strcasecmp(value, "yes") == 0 || strcasecmp(value, "true") == 0 ||
	       strcmp(value, "1") == 0;
}

void clamd_conf_doubts(const char *path, const char *socket, struct str *out)
{
	FILE *file = fopen(path, "re");
	if (!file)
		return;
	bool ours = false, alerts = false;
	char line[LINE_MAX_LEN];
	while (fgets(line, sizeof line, file)) {
		const char *value = value_of(line, "LocalSocket");
		if (value)
			ours = same_socket(value, socket);
		value = value_of(line, "AlertExceedsMax");
		if (value)
			alerts = is_yes(value);
	}
	(void)fclose(file);
	if (ours && !alerts)
		str_printf(out,
			   "AlertExceedsMax is off in %s: what clamd's limits keep it from looking "
			   "at (MaxFileSize, MaxScanSize, MaxScanTime and others) it calls OK, and "
			   "is recorded as clean; put \"AlertExceedsMax yes\" there\n",
			   path);
}
