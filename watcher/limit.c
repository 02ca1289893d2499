/* limit: see limit.h. proc_sys_fs(5), namespaces(7). */
#include "watcher/limit.h"

#include <sys/resource.h>

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILES_LEAST UINT64_C(1024)

struct knob {
	const char *name;
	const char *file;
	const char *whose;
};

static const struct knob knobs[LIMIT_KINDS][2] = {
	[LIMIT_WATCHES] = { { "fs.inotify.max_user_watches",
			      "/proc/sys/fs/inotify/max_user_watches",
			      "for all programs of this user; in a container: on its host" },
			    { "user.max_inotify_watches", "/proc/sys/user/max_inotify_watches",
			      "of this user namespace" } },
	[LIMIT_INSTANCES] = { { "fs.inotify.max_user_instances",
				"/proc/sys/fs/inotify/max_user_instances",
				"for all programs of this user; in a container: on its host" },
			      { "user.max_inotify_instances",
				"/proc/sys/user/max_inotify_instances",
				"of this user namespace" } },
};

/* The number in a file of /proc/sys, or LIMIT_UNKNOWN. */
static uint64_t read_number(const char *path)
{
	FILE *file = fopen(path, "re");
	if (!file)
		return LIMIT_UNKNOWN;
	char line[32] = "";
	const char *got = fgets(line, sizeof line, file);
	(void)fclose(file);
	return got ? strtoull(line, NULL, 10) : LIMIT_UNKNOWN;
}

uint64_t limit_granted(enum limit_kind kind)
{
	uint64_t host = read_number(knobs[kind][0].file);
	uint64_t here = read_number(knobs[kind][1].file);
	return host < here ? host : here;
}

uint64_t limit_round(uint64_t need)
{
	uint64_t wanted = 1;
	while (wanted < need + need / 4)
		wanted *= 2;
	return wanted;
}

uint64_t limit_enough(enum limit_kind kind, uint64_t used, uint64_t more)
{
	uint64_t granted = limit_granted(kind);
	return limit_round((granted != LIMIT_UNKNOWN && granted > used ? granted : used) + more);
}

void limit_advise(char out[LIMIT_WORDS], enum limit_kind kind, uint64_t wanted)
{
	uint64_t values[] = { read_number(knobs[kind][0].file), read_number(knobs[kind][1].file) };
	/* outside of any namespace both are one number: the well-known name is enough */
	if (values[0] == values[1])
		values[1] = LIMIT_UNKNOWN;
	size_t len = 0;
	*out = '\0';
	for (int i = 0; i < 2; i++) {
		if (values[i] >= wanted || len >= LIMIT_WORDS) /* unknown ones too */
			continue;
		int put =
			snprintf(out + len, LIMIT_WORDS - len, "%ssysctl -w %s=%llu (now %llu, %s)",
				 len ? "; " : "", knobs[kind][i].name, (unsigned long long)wanted,
				 (unsigned long long)values[i], knobs[kind][i].whose);
		len += put > 0 ? (size_t)put : 0;
	}
	if (len == 0)
		(void)snprintf(
			out, LIMIT_WORDS, "raise %s, and %s in the user namespaces above, to %llu",
			knobs[kind][0].name, knobs[kind][1].name, (unsigned long long)wanted);
}

static void explain_files(char out[LIMIT_WORDS])
{
	struct rlimit limit = { 0 };
	(void)getrlimit(RLIMIT_NOFILE, &limit);
	uint64_t wanted =
		limit_round(limit.rlim_cur < FILES_LEAST ? FILES_LEAST / 2 : limit.rlim_cur);
	(void)snprintf(out, LIMIT_WORDS,
		       "no descriptor is left, %llu files may be open (RLIMIT_NOFILE): set "
		       "LimitNOFILE=%llu in the service, or ulimit -n %llu",
		       (unsigned long long)limit.rlim_cur, (unsigned long long)wanted,
		       (unsigned long long)wanted);
}

void limit_explain(char out[LIMIT_WORDS], int error)
{
	switch (error) {
	case -EMFILE:
		explain_files(out);
		return;
	case -ENFILE:
		(void)snprintf(out, LIMIT_WORDS,
			       "no file can be opened in the whole system: raise fs.file-max (now "
			       "%llu), or see who holds so many (fs.file-nr)",
			       (unsigned long long)read_number("/proc/sys/fs/file-max"));
		return;
	case -EAGAIN:
		(void)snprintf(out, LIMIT_WORDS,
			       "no thread or process can be made: raise TasksMax= of the service, "
			       "pids.max of the container, or ulimit -u");
		return;
	case -ENOMEM:
		(void)snprintf(
			out, LIMIT_WORDS,
			"the kernel has no memory for it: see MemoryMax= of the service, the "
			"container's limit, or free memory");
		return;
	default:
		(void)snprintf(out, LIMIT_WORDS, "%s", strerrordesc_np(-error));
	}
}
