/*
 * lockfile: see lockfile.h.
 *
 * Why the classic, process-associated lock (F_SETLK): it is not inherited by fork, so a child that
 * outlives the daemon cannot keep a new one from starting, as it could with flock or an open file
 * description lock (F_OFD_SETLK). Why not on the database: SQLite has locks of its own there, and a
 * process that closes any descriptor of a file loses all its classic locks on it.
 *
 * That same rule is the price: within one process the kernel grants the lock twice, and closing the
 * second descriptor would drop the first's. So the locks of this process are also kept in a list,
 * which is asked, by stat, before the file is opened. The file is never removed: somebody else
 * might hold it open and lock a file that has no name any more.
 *
 * A name is not the history, though: a bind mount of the one file, or a .lock that somebody
 * removed, would let a second daemon in. So one byte of the history is locked too, behind those
 * that SQLite locks (https://www.sqlite.org/src/file/src/os.h, PENDING_BYTE), by an open file
 * description lock, since classic ones would be lost when SQLite closes a descriptor of its own. It
 * is closed on exec, and the daemon only ever spawns; a child of one that was killed may be on its
 * way to exec still, so this lock is waited for a moment. The descriptor must be closed after
 * SQLite's.
 */
#include "core/store/lockfile.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/list.h"
#include "core/base/str.h"

#define DATA_LOCK_AT	   (0x40000000 + 1024)
#define DATA_LOCK_WAIT_MS  1000
#define DATA_LOCK_PAUSE_MS 20

struct lockfile {
	struct list link;
	int fd;
	dev_t device;
	ino_t inode;
	int data_fd; /* the history itself, locked as well */
	dev_t data_device;
	ino_t data_inode;
};

static pthread_mutex_t held_lock = PTHREAD_MUTEX_INITIALIZER;
static struct list held = { &held, &held }; /* guarded by held_lock */

bool lockfile_is(const struct lockfile *lockfile, dev_t device, ino_t inode)
{
	return (lockfile->device == device && lockfile->inode == inode) ||
	       (lockfile->data_device == device && lockfile->data_inode == inode);
}

static bool held_here(const char *name)
{
	struct stat st;
	if (stat(name, &st) < 0)
		return false;
	LIST_FOREACH(at, &held) {
		const struct lockfile *lockfile = LIST_OF(at, struct lockfile, link);
		if (lockfile_is(lockfile, st.st_dev, st.st_ino))
			return true;
	}
	return false;
}

static int open_file(struct lockfile *lockfile, const char *name, struct error *err)
{
	lockfile->fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0644);
	struct stat st;
	if (lockfile->fd < 0 || fstat(lockfile->fd, &st) < 0) {
		int code = errno;
		return error_set(err, code, "%s: cannot make the lock file: %s%s", name,
				 error_text(code), error_mend(code));
	}
	if (!S_ISREG(st.st_mode))
		return error_set(err, EINVAL, "%s: the lock file is not a regular file", name);
	lockfile->device = st.st_dev;
	lockfile->inode = st.st_ino;
	return 0;
}

/* For people who look into the file; the message of another daemon asks the kernel. */
static void write_pid(int fd)
{
	char text[32];
	int len = snprintf(text, sizeof text, "%ld\n", (long)getpid());
	if (ftruncate(fd, 0) == 0 && len > 0)
		(void)!pwrite(fd, text, (size_t)len, 0);
}

static int take_lock(const struct lockfile *lockfile, const char *history, struct error *err)
{
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	if (fcntl(lockfile->fd, F_SETLK, &whole) == 0) {
		write_pid(lockfile->fd);
		return 0;
	}
	int code = errno;
	if (code != EACCES && code != EAGAIN)
		return error_set(err, code, "%s.lock: cannot be locked: %s", history,
				 error_text(code));
	struct flock other = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	if (fcntl(lockfile->fd, F_GETLK, &other) == 0 && other.l_type != F_UNLCK && other.l_pid > 0)
		return error_set(err, EBUSY,
				 "%s: another carved (process %ld) has this history open", history,
				 (long)other.l_pid);
	return error_set(err, EBUSY,
			 "%s: another carved has this history open (in another container?)",
			 history);
}

static int open_data(struct lockfile *lockfile, const char *history, struct error *err)
{
	lockfile->data_fd = open(history, O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	if (lockfile->data_fd < 0 || fstat(lockfile->data_fd, &st) < 0) {
		int code = errno;
		return error_set(err, code, "%s: the history cannot be opened for writing: %s%s",
				 history, error_text(code), error_mend(code));
	}
	lockfile->data_device = st.st_dev;
	lockfile->data_inode = st.st_ino;
	if (st.st_nlink <= 1)
		return 0;
	return error_set(err, EINVAL,
			 "%s: the history has further names (hard links), and its write-ahead log "
			 "lies beside one of them only: remove the others (find -samefile)",
			 history);
}

static int take_data(struct lockfile *lockfile, const char *history, struct error *err)
{
	int result = open_data(lockfile, history, err);
	if (result < 0)
		return result;
	struct flock one = {
		.l_type = F_WRLCK,
		.l_whence = SEEK_SET,
		.l_start = DATA_LOCK_AT,
		.l_len = 1,
	};
	int code = 0;
	struct mono until = mono_add_ms(mono_now(), DATA_LOCK_WAIT_MS);
	while (fcntl(lockfile->data_fd, F_OFD_SETLK, &one) < 0) {
		code = errno;
		if ((code != EACCES && code != EAGAIN) || mono_passed(until))
			break;
		code = 0;
		(void)poll(NULL, 0, DATA_LOCK_PAUSE_MS);
	}
	if (code == 0)
		return 0;
	if (code != EACCES && code != EAGAIN)
		return error_set(err, code, "%s: cannot be locked: %s", history, error_text(code));
	return error_set(
		err, EBUSY,
		"%s: another carved has this history open under another name (a bind mount?), "
		"or its .lock file was removed",
		history);
}

static int check_here(const char *name, const char *history, struct error *err)
{
	if (!held_here(name) && !held_here(history))
		return 0;
	return error_set(err, EBUSY, "%s: this process (%ld) has this history open already",
			 history, (long)getpid());
}

static int take(struct lockfile *lockfile, const char *name, const char *history, struct error *err)
{
	int result = check_here(name, history, err);
	if (result == 0)
		result = open_file(lockfile, name, err);
	if (result == 0)
		result = take_lock(lockfile, history, err);
	if (result == 0)
		result = take_data(lockfile, history, err);
	if (result == 0)
		list_append(&held, &lockfile->link);
	return result;
}

static void lock_name(struct str *out, const char *history)
{
	AUTO_FREE char *real = realpath(history, NULL);
	str_printf(out, "%s.lock", real ? real : history);
}

int lockfile_check(const char *history, struct error *err)
{
	AUTO_STR name = STR_INIT;
	lock_name(&name, history);
	(void)pthread_mutex_lock(&held_lock);
	int result = check_here(str_text(&name), history, err);
	(void)pthread_mutex_unlock(&held_lock);
	return result;
}

int lockfile_take(struct lockfile **out, const char *history, struct error *err)
{
	AUTO(lockfile) struct lockfile *lockfile = xcalloc(1, sizeof *lockfile);
	list_init(&lockfile->link);
	lockfile->fd = lockfile->data_fd = -1;
	AUTO_STR name = STR_INIT;
	lock_name(&name, history);
	(void)pthread_mutex_lock(&held_lock);
	int result = take(lockfile, str_text(&name), history, err);
	(void)pthread_mutex_unlock(&held_lock);
	if (result < 0)
		return result;
	*out = TAKE(lockfile);
	return 0;
}

void lockfile_free(struct lockfile *lockfile)
{
	if (!lockfile)
		return;
	(void)pthread_mutex_lock(&held_lock);
	list_unlink(&lockfile->link);
	if (lockfile->fd >= 0)
		fd_close(lockfile->fd);
	if (lockfile->data_fd >= 0)
		fd_close(lockfile->data_fd);
	(void)pthread_mutex_unlock(&held_lock);
	free(lockfile);
}
