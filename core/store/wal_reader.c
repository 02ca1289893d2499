/*
 * wal_reader: see wal_reader.h.
 *
 * A reader of a WAL database holds a shared lock on one of five bytes of the -shm file, 123 to 127
 * (https://www.sqlite.org/walformat.html#wal_locks). /proc/locks tells who holds which (proc(5)):
 *
 *	1: POSIX  ADVISORY  READ 4711 fe:01:1310735 124 124
 *
 * fcntl(F_GETLK) would say the same, but on a descriptor of ours whose closing would drop the locks
 *that SQLite has on that file in this process. Lines are matched by inode; the device that the
 *kernel prints is not always the one that stat(2) does.
 */
#include "core/store/wal_reader.h"

#include <sys/stat.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/base/mem.h"
#include "core/base/str.h"

enum {
	READ_LOCK_FIRST = 123,
	READ_LOCK_LAST = 127
};

static unsigned long long shm_inode(const char *history)
{
	AUTO_FREE char *real = realpath(history, NULL);
	AUTO_STR name = STR_INIT;
	struct stat st;
	str_printf(&name, "%s-shm", real ? real : history);
	return stat(str_text(&name), &st) == 0 ? st.st_ino : 0;
}

/* The process of a line that tells of a read lock on the inode, else 0. */
static long reader_of(const char *line, unsigned long long inode)
{
	long pid = 0;
	unsigned long long held = 0;
	long first = 0;
	/* NOLINTNEXTLINE(cert-err34-c): the kernel writes these numbers */
	if (sscanf(line, "%*d: POSIX %*s READ %ld %*x:%*x:%llu %ld", &pid, &held, &first) != 3)
		return 0;
	bool reads = held == inode && first >= READ_LOCK_FIRST && first <= READ_LOCK_LAST;
	return reads && pid > 0 && pid != getpid() ? pid : 0;
}

static void name_process(long pid, char *out, size_t size)
{
	char path[64];
	char name[32] = "";
	(void)snprintf(path, sizeof path, "/proc/%ld/comm", pid);
	FILE *file = fopen(path, "re");
	if (file) {
		if (fgets(name, sizeof name, file))
			name[strcspn(name, "\n")] = '\0';
		(void)fclose(file);
	}
	(void)snprintf(out, size, "process %ld (%s)", pid, name);
}

bool wal_reader_find(const char *history, char *out, size_t size)
{
	unsigned long long inode = shm_inode(history);
	FILE *file = inode ? fopen("/proc/locks", "re") : NULL;
	if (!file)
		return false;
	char line[256];
	long pid = 0;
	while (!pid && fgets(line, sizeof line, file))
		pid = reader_of(line, inode);
	(void)fclose(file);
	if (pid)
		name_process(pid, out, size);
	return pid != 0;
}
