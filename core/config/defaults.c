/* defaults: what holds when nobody says: where the history lies, how many workers there are. Public
 * parts in config.h. */
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/base/str.h"
#include "core/config/loading.h"
#include "core/config/resolve.h"

#define WORKERS_MAX 4 /* by default; more must be asked for */

#define STATE_DIRECTORY_DEFAULT "/var/lib/carved"

char *config_service_history(void)
{
	return xstrdup(STATE_DIRECTORY_DEFAULT "/history.db");
}

char *config_default_history(void)
{
	AUTO_STR path = STR_INIT;
	const char *state = environment_get("STATE_DIRECTORY");
	if (state) /* systemd.exec(5): a colon separates several */
		str_append(&path, state, strcspn(state, ":"));
	else if (access(STATE_DIRECTORY_DEFAULT, W_OK | X_OK) == 0)
		str_puts(&path, STATE_DIRECTORY_DEFAULT);
	if (!path.len)
		return xstrdup("./carved.db");
	str_puts(&path, "/history.db");
	return str_take(&path);
}

char *config_default_quarantine(const char *history)
{
	AUTO_FREE char *directory = resolve_directory(history);
	AUTO_STR path = STR_INIT;
	str_printf(&path, "%s/quarantine", strcmp(directory, "/") == 0 ? "" : directory);
	return str_take(&path);
}

/* The processors' worth of time that the control group grants (cgroup v2 cpu.max, seen from inside
 * a container), rounded up; UINT_MAX: no limit. */
static unsigned group_limit(void)
{
	FILE *file = fopen("/sys/fs/cgroup/cpu.max", "re");
	if (!file)
		return UINT_MAX;
	char line[64];
	bool got = fgets(line, sizeof line, file);
	(void)fclose(file);
	char *end;
	unsigned long quota = got ? strtoul(line, &end, 10) : 0; /* "max": 0 */
	unsigned long period = quota ? strtoul(end, NULL, 10) : 0;
	return period && quota / period < WORKERS_MAX ? (unsigned)((quota + period - 1) / period)
						      : UINT_MAX;
}

unsigned default_workers(void)
{
	cpu_set_t set;
	unsigned count = WORKERS_MAX; /* a machine with more processors than the set holds */
	if (sched_getaffinity(0, sizeof set, &set) == 0)
		count = (unsigned)CPU_COUNT(&set);
	unsigned limit = group_limit();
	count = count < limit ? count : limit;
	if (count > WORKERS_MAX)
		count = WORKERS_MAX;
	return count ? count : 1;
}
