/* confine: see confine.h. */
#include "core/launcher/confine.h"

#include <sys/stat.h>

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/mem.h"
#include "core/launcher/order.h"
#include "core/sandbox/sandbox.h"

/* What select(2) can hold. A daemon's own limit is often higher. */
#define OPEN_FILES 1024

static const char *const programs[] = { "/usr",	   "/lib", "/lib32", "/lib64",
					"/libx32", "/bin", "/sbin",  NULL };

/* Not /etc/ssl as a whole: it holds private keys. */
static const char *const readable[] = {
	"/etc/ld.so.cache",
	"/etc/ld.so.conf",
	"/etc/ld.so.conf.d",
	"/etc/ssl/certs",
	"/etc/ssl/openssl.cnf",
	"/etc/ssl/cert.pem",
	"/etc/pki/tls/certs",
	"/etc/alternatives",
	"/etc/localtime",
	"/etc/timezone",
	"/dev/zero",
	"/dev/random",
	"/dev/urandom",
	"/proc/self",
	"/proc/cpuinfo",
	"/proc/meminfo",
	"/proc/stat",
	"/proc/filesystems",
	"/sys/devices/system/cpu",
	NULL,
};

static const char *const resolving[] = {
	"/etc/resolv.conf", "/etc/hosts",    "/etc/host.conf", "/etc/nsswitch.conf",
	"/etc/gai.conf",    "/etc/services", "/etc/protocols", NULL,
};

static const char *const devices[] = { "/dev/null", NULL };

struct list {
	const char **paths;
	size_t count;
};

static void add(struct list *list, const char *path)
{
	list->paths = xrealloc(list->paths, list->count + 2, sizeof *list->paths);
	list->paths[list->count++] = path;
	list->paths[list->count] = NULL;
}

static void add_all(struct list *list, const char *const *paths)
{
	for (; *paths; paths++)
		add(list, *paths);
}

static bool is_directory(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static void make_lists(const struct order *order, struct list *read, struct list *run)
{
	add_all(read, readable);
	if (order->network)
		add_all(read, resolving);
	add_all(run, programs);
	for (size_t i = 0; i < order->tree_count; i++)
		add(run, order->trees[i]);
	for (size_t i = 0; i < order->file_count; i++) {
		if (!is_directory(order->files[i]))
			add(run, order->files[i]);
	}
}

int confine(const struct order *order, struct error *err)
{
	const struct sandbox_limits limits = { .address_space = order->memory,
					       .file_size = order->file_size,
					       .open_files = OPEN_FILES };
	if (order->open)
		return sandbox_limit(&limits, err);
	struct list read = { 0 };
	struct list run = { 0 };
	make_lists(order, &read, &run);
	const struct sandbox_policy policy = {
		.kind = SANDBOX_COMMAND,
		.network = order->network,
		.read = read.paths,
		.run = run.paths,
		.write = devices,
		.scratch = order->scratch,
		.read_fd = order->sample == ORDER_NO_SAMPLE ? -1 : ORDER_SAMPLE_FD,
		.limits = limits,
	};
	/* chmod(2) is only pretended: what is unpacked must be private from the beginning */
	(void)umask(S_IRWXG | S_IRWXO);
	struct sandbox_parts parts;
	int result = sandbox_enter(&policy, &parts, err);
	free(read.paths);
	free(run.paths);
	if (result == 0 && order->sample == ORDER_HIDE_SAMPLE)
		(void)close(ORDER_SAMPLE_FD);
	return result;
}

int confine_run(const struct order *order, struct error *err)
{
	(void)execve(order->program, order->argv, environ);
	const int code = errno;
	const char *hint = "";
	if (code == ENOEXEC)
		hint = " (a script needs a first line #!INTERPRETER)";
	else if (code == EACCES && !order->open)
		hint = " (not executable, or it or its interpreter lies outside of /usr and of "
		       "what \"read\" lists)";
	else if (code == ENOENT && access(order->program, F_OK) == 0)
		return error_set(err, code, "cannot run %s: its interpreter (#! line) is missing",
				 order->program);
	return error_set(err, code, "cannot run %s: %s%s", order->program, error_text(code), hint);
}
