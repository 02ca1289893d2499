/* defaults: what holds when nobody says: where the history lies, which hash list is used, how many
 * workers there are. Public parts in config.h. */
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
#define DATA_DIRECTORY		"/usr/share/carved"
#define HASHLIST_NAME		"bad.sha256"

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

static char *list_in(const char *directory, const char *rest)
{
	AUTO_STR path = STR_INIT;
	str_printf(&path, "%s%s/" HASHLIST_NAME, directory, rest);
	return access(str_text(&path), R_OK) == 0 ? str_take(&path) : NULL;
}

/* Beside the binary as "cmake --install" lays it out: bin/carved, share/carved. */
static char *list_beside_binary(void)
{
	char exe[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", exe, sizeof exe - 1);
	if (len <= 0)
		return NULL;
	exe[len] = '\0';
	char *directory AUTO_FREE = resolve_directory(exe);
	return list_in(directory, "/../share/carved");
}

/* An uninstalled build finds the list in its source tree, whose place the compiler was told with
 * the name of this file. It comes after the one beside the binary, so that an installed carved
 * never looks where it was once built. */
static char *list_in_source(void)
{
	static const char here[] = __FILE__;
	static const char below[] = "/core/config/defaults.c";
	size_t len = sizeof here - 1;
	size_t tail = sizeof below - 1;
	if (*here != '/' || len <= tail || strcmp(here + len - tail, below) != 0)
		return NULL;
	char *source AUTO_FREE = xmemdup(here, len - tail);
	return list_in(source, "/packaging");
}

char *config_shipped_hashlist(void)
{
	const char *data = environment_get("CARVED_DATA_DIR");
	char *path = data ? list_in(data, "") : NULL;
	if (!path)
		path = list_beside_binary();
	if (!path)
		path = list_in_source();
	return path ? path : list_in(DATA_DIRECTORY, "");
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
