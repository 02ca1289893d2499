/* installed: where the files and programs lie that come with carved, installed or as they were
 * built. Public parts in config.h. */
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "core/base/str.h"
#include "core/config/loading.h"
#include "core/config/resolve.h"

#define DATA_DIRECTORY	  "/usr/share/carved"
#define LIBEXEC_DIRECTORY "/usr/libexec/carved"

static char *in_directory(const char *directory, const char *rest, const char *name, int mode)
{
	AUTO_STR path = STR_INIT;
	str_printf(&path, "%s%s/%s", directory, rest, name);
	return access(str_text(&path), mode) == 0 ? str_take(&path) : NULL;
}

/* Relative to the directory of the running binary. */
static char *beside_binary(const char *rest, const char *name, int mode)
{
	char exe[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", exe, sizeof exe - 1);
	if (len <= 0)
		return NULL;
	exe[len] = '\0';
	char *directory AUTO_FREE = resolve_directory(exe);
	return in_directory(directory, rest, name, mode);
}

/* An uninstalled build finds its data in its source tree, whose place the compiler was told with
 * the name of this file. It comes after what lies beside the binary, so that an installed carved
 * never looks where it was once built. */
static char *in_source(const char *name)
{
	static const char here[] = __FILE__;
	static const char below[] = "/core/config/installed.c";
	size_t len = sizeof here - 1;
	size_t tail = sizeof below - 1;
	if (*here != '/' || len <= tail || strcmp(here + len - tail, below) != 0)
		return NULL;
	char *source AUTO_FREE = xmemdup(here, len - tail);
	return in_directory(source, "/packaging", name, R_OK);
}

static char *shipped(const char *name)
{
	const char *data = environment_get("CARVED_DATA_DIR");
	char *path = data ? in_directory(data, "", name, R_OK) : NULL;
	if (!path) /* as "cmake --install" lays it out: bin/carved, share/carved */
		path = beside_binary("/../share/carved", name, R_OK);
	if (!path)
		path = in_source(name);
	return path ? path : in_directory(DATA_DIRECTORY, "", name, R_OK);
}

char *config_shipped_hashlist(void)
{
	return shipped("bad.sha256");
}

char *config_shipped_rules(void)
{
	return shipped("rules");
}

char *config_program(const char *name)
{
	const char *named = environment_get("CARVED_LIBEXEC_DIR");
	char *path = named ? in_directory(named, "", name, X_OK) : NULL;
	if (!path)
		path = beside_binary("/../libexec/carved", name, X_OK);
	if (!path) /* the build directory */
		path = beside_binary("", name, X_OK);
	return path ? path : in_directory(LIBEXEC_DIRECTORY, "", name, X_OK);
}
