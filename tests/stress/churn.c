/*
 * churn: processes that do to a tree whatever can be done to one, at random, and keep a record of
 *what could be found there. It is no test by itself: tests/scenario/churn.py drives it, with the
 *daemon.
 *
 *	churn ROOT OUTSIDE RECORD SEED PROCESSES OPERATIONS
 *
 * Both directories lie on one file system; things move between them. A seed repeats the choices of
 * each process, not how the processes interleave.
 *
 * Contents. Whoever writes holds a flock on the inode, so there is one writer at a time, and under
 *the lock, before the writing descriptor is closed, the whole content is hashed and put into the
 *record: what is not there was never complete. The record, RECORD.<process>, has lines
 *
 *	C <sha256> <size> <evil>	a complete content; evil: it holds the word that the rules
 *look for Q <inode> <btime ns>		changed in a way that no event tells: truncated without a
 *close L <inode> <btime ns>		has had several names: a write is told for one of them o
 *<number> <operation> <arguments as hex> <errno>
 *
 * all of them before the change can be seen, so that the record is never behind.
 */
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/detect/digest.h"

#define EVIL	     "CHURN-EVIL"
#define CONTENT_MAX  8192
#define NAMES	     160
#define DIRECTORIES  6
#define DEPTH_MAX    4
#define PATH_LEN     1600
#define PROCESSES    64
#define HELD_MAX     4
#define PIECES_MAX   5
#define APPENDS_MAX  6
#define CHUNK_MAX    600
#define LINK_PATH    40
#define SIDECAR_TEXT "{\"event_type\":\"fileinfo\",\"fileinfo\":{\"state\":\"TRUNCATED\"}}"

static const char *root;
static const char *outside;
static FILE *record;
static uint64_t state; /* of the random numbers */
static unsigned long step;

/* A descriptor that is kept open while other things happen. */
struct held {
	int fd; /* -1: none */
	unsigned long until;
};

static struct held held[HELD_MAX];

static void fail(const char *what)
{
	(void)fprintf(stderr, "churn: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* Marsaglia, "Xorshift RNGs" (2003), with a multiplication to mend the low bits. */
static unsigned chance(unsigned below)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (unsigned)((state * UINT64_C(2685821657736338717)) >> 33) % below;
}

/* ------- names and paths ------- */

/* Name number i, the same for all processes; it is of no sidecar and no work file. */
static void name_of(unsigned i, char *out)
{
	static const char *const odd[] = { "new\nline", "\xff\xfe",	    "\xed\xa0\x80",
					   "%s%n",	"'; DROP--",	    "a b\t",
					   "\"q\"",	"\xf0\x9f\x98\x80", "-rf",
					   "$(id)" };
	int len;
	if (i % 8 == 0)
		len = sprintf(out, "n%u%s", i, odd[i / 8 % (sizeof odd / sizeof *odd)]);
	else if (i % 8 == 1)
		len = sprintf(out, "extract-%u.5-HTTP-FchurnABC%u", i, i);
	else
		len = sprintf(out, "HTTP-Fchurn%uABCDEFG.monday.application.pdf.pdf", i);
	if (i % 40 == 2) { /* the longest that there are: NAME_MAX */
		memset(out + len, 'x', (size_t)(255 - len));
		out[255] = '\0';
	}
}

/* A directory below root or outside, which may or may not be there. */
static void a_directory(char *out)
{
	static const char *const names[DIRECTORIES] = {
		"a", "ab", "b", "c", "a.b", "\xc3\xa4\xff"
	};
	unsigned depth = chance(DEPTH_MAX);
	size_t len = (size_t)sprintf(out, "%s", chance(10) == 0 ? outside : root);
	while (depth-- > 0)
		len += (size_t)sprintf(out + len, "/%s", names[chance(DIRECTORIES)]);
}

static void a_path(char *out)
{
	a_directory(out);
	size_t len = strlen(out);
	out[len++] = '/';
	name_of(chance(NAMES), out + len);
}

static void a_path_below_directory(char *out)
{
	do
		a_directory(out);
	while (strcmp(out, root) == 0 || strcmp(out, outside) == 0);
}

/* ------- the record ------- */

static void put_hex(const char *text)
{
	for (; *text; text++)
		(void)fprintf(record, "%02x", (unsigned char)*text);
}

static void note(const char *what, const char *first, const char *second, int code)
{
	(void)fprintf(record, "o %lu %s ", step, what);
	put_hex(first);
	(void)fputc(',', record);
	put_hex(second);
	(void)fprintf(record, " %d\n", code);
	(void)fflush(record);
}

/* Only what is there; files of our own are what others may have renamed. */
static void note_inode(char mark, int fd)
{
	struct statx st;
	if (statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_BTIME, &st) < 0)
		return;
	int64_t btime = st.stx_mask & STATX_BTIME
				? st.stx_btime.tv_sec * INT64_C(1000000000) + st.stx_btime.tv_nsec
				: 0;
	(void)fprintf(record, "%c %" PRIu64 " %" PRId64 "\n", mark, (uint64_t)st.stx_ino, btime);
	(void)fflush(record);
}

static void note_content(const char *bytes, size_t len)
{
	char hex[DIGEST_HEX];
	struct digest *digest = digest_new();
	digest_add(digest, bytes, len);
	digest_end_hex(digest, hex);
	digest_free(digest);
	(void)fprintf(record, "C %s %zu %d\n", hex, len,
		      memmem(bytes, len, EVIL, strlen(EVIL)) != NULL);
	(void)fflush(record);
}

/* What the file holds now is complete. */
static void note_complete(int fd)
{
	char bytes[CONTENT_MAX];
	ssize_t len = pread(fd, bytes, sizeof bytes, 0);
	if (len < 0)
		fail("pread");
	note_content(bytes, (size_t)len);
}

/* ------- contents ------- */

static size_t make_chunk(char *out)
{
	size_t len = 1 + chance(CHUNK_MAX);
	for (size_t i = 0; i < len; i++)
		out[i] = (char)('0' + chance(64));
	if (chance(12) == 0 && len > strlen(EVIL))
		memcpy(out, EVIL, strlen(EVIL));
	return len;
}

/* In a few pieces, so that a part of it is there for a while. */
static void write_pieces(int fd)
{
	char chunk[CHUNK_MAX + 1];
	size_t len = make_chunk(chunk);
	unsigned pieces = 1 + chance(PIECES_MAX);
	for (size_t at = 0; at < len;) {
		size_t piece = len / pieces + 1;
		if (piece > len - at)
			piece = len - at;
		if (write(fd, chunk + at, piece) != (ssize_t)piece)
			fail("write");
		at += piece;
	}
}

/* Opened to write, with the lock; -1: that cannot be now. */
static int open_locked(const char *path, int flags)
{
	int fd = open(path, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | flags, 0644);
	struct stat st;
	if (fd < 0)
		return -1;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && flock(fd, LOCK_EX | LOCK_NB) == 0)
		return fd;
	close(fd);
	errno = EBUSY;
	return -1;
}

/* Closes it now or later; others may not write until then. */
static void finish(int fd)
{
	struct held *place = &held[chance(HELD_MAX)];
	note_complete(fd);
	if (chance(16) == 0 && place->fd < 0)
		*place = (struct held){ .fd = fd, .until = step + 1 + chance(60) };
	else
		close(fd);
}

static void close_held(bool all)
{
	for (size_t i = 0; i < HELD_MAX; i++) {
		if (held[i].fd >= 0 && (all || held[i].until <= step)) {
			close(held[i].fd);
			held[i].fd = -1;
		}
	}
}

/* A file with locked, unfinished content at path, which is anew or cut. */
static int begin_file(const char *path)
{
	int fd = open_locked(path, O_CREAT);
	if (fd >= 0 && ftruncate(fd, 0) < 0)
		fail("ftruncate");
	return fd;
}

static bool is_large(int fd)
{
	struct stat st;
	return fstat(fd, &st) < 0 || st.st_size > CONTENT_MAX - CHUNK_MAX - 1;
}

/* ------- operations: 0, or an errno ------- */

static char one[PATH_LEN];
static char two[PATH_LEN];

static int write_one(void)
{
	int fd = begin_file(one);
	if (fd < 0)
		return errno;
	write_pieces(fd);
	finish(fd);
	return 0;
}

static int op_write(void)
{
	a_path(one);
	return write_one();
}

static int op_append_loop(void)
{
	a_path(one);
	for (unsigned i = 1 + chance(APPENDS_MAX); i > 0; i--) {
		int fd = open_locked(one, O_CREAT | O_APPEND);
		if (fd < 0)
			return errno;
		if (is_large(fd) && ftruncate(fd, 0) < 0)
			fail("ftruncate");
		write_pieces(fd);
		note_complete(fd);
		close(fd);
	}
	return 0;
}

/* Other bytes of the same size: what tells is the change time, and the hash. */
static int op_overwrite(void)
{
	char bytes[CONTENT_MAX];
	a_path(one);
	int fd = open_locked(one, 0);
	if (fd < 0)
		return errno;
	ssize_t len = pread(fd, bytes, sizeof bytes, 0);
	if (len > 0) {
		bytes[0] = (char)('0' + chance(64));
		bytes[len - 1] = (char)('0' + chance(64));
		if (pwrite(fd, bytes, (size_t)len, 0) != len)
			fail("pwrite");
	}
	struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, { .tv_sec = 1700000000 } };
	if (chance(3) == 0)
		(void)futimens(fd, times);
	finish(fd);
	return 0;
}

static int op_map(void)
{
	char chunk[CHUNK_MAX + 1];
	size_t len = make_chunk(chunk);
	a_path(one);
	int fd = begin_file(one);
	if (fd < 0)
		return errno;
	if (ftruncate(fd, (off_t)len) < 0)
		fail("ftruncate");
	char *map = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		fail("mmap");
	/* the descriptor goes first, and the lock with it: the mapping is a writer by itself until
	 * it goes, too */
	memcpy(map, chunk, len);
	note_complete(fd);
	close(fd);
	munmap(map, len);
	return 0;
}

static int op_publish(void)
{
	(void)snprintf(one, sizeof one, "%s/publish-%d", outside, (int)getpid());
	a_path(two);
	int fd = begin_file(one);
	if (fd < 0)
		return errno;
	write_pieces(fd);
	note_complete(fd);
	if (chance(2) == 0)
		return close(fd), rename(one, two) < 0 ? errno : 0;
	int code = rename(one, two) < 0 ? errno : 0;
	close(fd);
	return code;
}

static int op_tmpfile(void)
{
	char proc[LINK_PATH];
	a_directory(one);
	a_path(two);
	int fd = open(one, O_TMPFILE | O_RDWR | O_CLOEXEC, 0644);
	if (fd < 0)
		return errno;
	if (flock(fd, LOCK_EX) < 0)
		fail("flock");
	write_pieces(fd);
	note_complete(fd);
	(void)snprintf(proc, sizeof proc, "/proc/self/fd/%d", fd);
	int code = linkat(AT_FDCWD, proc, AT_FDCWD, two, AT_SYMLINK_FOLLOW) < 0 ? errno : 0;
	close(fd);
	return code;
}

/* truncate(2): nobody hears of it but by IN_MODIFY, which is not asked for. */
static int op_truncate(void)
{
	char proc[LINK_PATH];
	char bytes[CONTENT_MAX];
	a_path(one);
	int fd = open(one, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;
	if (fd < 0)
		return errno;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || flock(fd, LOCK_EX | LOCK_NB) < 0)
		return close(fd), EBUSY;
	ssize_t len = pread(fd, bytes, sizeof bytes, 0);
	if (len < 0)
		fail("pread");
	size_t left = chance((unsigned)len + 1);
	note_inode('Q', fd);
	note_content(bytes, left);
	(void)snprintf(proc, sizeof proc, "/proc/self/fd/%d", fd);
	int code = truncate(proc, (off_t)left) < 0 ? errno : 0;
	close(fd);
	return code;
}

/* Opened to write, and nothing written. */
static int op_touch(void)
{
	a_path(one);
	int fd = open_locked(one, 0);
	if (fd < 0)
		return errno;
	if (chance(2) == 0)
		(void)futimens(fd, NULL);
	note_complete(fd);
	close(fd);
	return 0;
}

/* The old file is closed when another one has its name. */
static int op_replace_open(void)
{
	a_path(one);
	int old = open_locked(one, 0);
	if (old < 0)
		return errno;
	(void)unlink(one);
	int fd = begin_file(one);
	if (fd >= 0) {
		write_pieces(fd);
		note_complete(fd);
		close(fd);
	}
	write_pieces(old);
	note_complete(old);
	close(old);
	return 0;
}

static int op_rename(void)
{
	a_path(one);
	a_path(two);
	return rename(one, two) < 0 ? errno : 0;
}

static int op_exchange(void)
{
	if (chance(4) == 0) {
		a_path_below_directory(one);
		a_path_below_directory(two);
	} else {
		a_path(one);
		a_path(two);
	}
	return renameat2(AT_FDCWD, one, AT_FDCWD, two, RENAME_EXCHANGE) < 0 ? errno : 0;
}

static int op_link(void)
{
	a_path(one);
	a_path(two);
	int fd = open(one, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	char proc[LINK_PATH];
	struct stat st;
	if (fd < 0)
		return errno;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return close(fd), EINVAL;
	note_inode('L', fd);
	(void)snprintf(proc, sizeof proc, "/proc/self/fd/%d", fd);
	int code = linkat(AT_FDCWD, proc, AT_FDCWD, two, AT_SYMLINK_FOLLOW) < 0 ? errno : 0;
	close(fd);
	return code;
}

static int op_unlink(void)
{
	a_path(one);
	return unlink(one) < 0 ? errno : 0;
}

static int op_special(void)
{
	static const char *const targets[] = { "..", "/etc", "nowhere", ".", "/" };
	a_path(one);
	if (chance(3) == 0)
		return mkfifo(one, 0644) < 0 ? errno : 0;
	return symlink(targets[chance(sizeof targets / sizeof *targets)], one) < 0 ? errno : 0;
}

static int op_chmod(void)
{
	a_path(one);
	return fchmodat(AT_FDCWD, one, chance(2) ? 0644 : 0, AT_SYMLINK_NOFOLLOW) < 0 ? errno : 0;
}

static int op_sidecar(void)
{
	a_directory(one);
	size_t len = strlen(one);
	(void)snprintf(one + len, sizeof one - len, "/file.%u.meta", chance(20));
	int fd = open(one, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		return errno;
	ssize_t done = write(fd, SIDECAR_TEXT, strlen(SIDECAR_TEXT));
	close(fd);
	return done < 0 ? errno : 0;
}

static int op_mkdir(void)
{
	a_path_below_directory(one);
	return mkdir(one, 0755) < 0 ? errno : 0;
}

/* All at once, and a file in the last: what a watch that comes late would miss. */
static int op_mkdir_deep(void)
{
	a_path(one);
	bool inside = strncmp(one, root, strlen(root)) == 0;
	for (char *slash = one + strlen(inside ? root : outside); slash;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		(void)mkdir(one, 0755);
		*slash = '/';
	}
	return write_one();
}

static int op_rmdir(void)
{
	a_path_below_directory(one);
	return rmdir(one) < 0 ? errno : 0;
}

/* A tree of directories moves: within the root, out of it, into it, over an empty one. */
static int op_rename_directory(void)
{
	a_path_below_directory(one);
	a_path_below_directory(two);
	return rename(one, two) < 0 ? errno : 0;
}

struct operation {
	const char *name;
	int (*run)(void);
	unsigned weight;
};

static const struct operation operations[] = {
	{ "write", op_write, 20 },
	{ "append-loop", op_append_loop, 8 },
	{ "overwrite", op_overwrite, 8 },
	{ "map", op_map, 4 },
	{ "publish", op_publish, 10 },
	{ "tmpfile", op_tmpfile, 4 },
	{ "truncate", op_truncate, 2 },
	{ "touch", op_touch, 4 },
	{ "replace-open", op_replace_open, 4 },
	{ "rename", op_rename, 16 },
	{ "exchange", op_exchange, 6 },
	{ "link", op_link, 4 },
	{ "unlink", op_unlink, 16 },
	{ "special", op_special, 2 },
	{ "chmod", op_chmod, 3 },
	{ "sidecar", op_sidecar, 1 },
	{ "mkdir", op_mkdir, 8 },
	{ "mkdir-deep", op_mkdir_deep, 6 },
	{ "rmdir", op_rmdir, 6 },
	{ "rename-directory", op_rename_directory, 6 },
};

static const struct operation *choose(void)
{
	unsigned sum = 0;
	for (size_t i = 0; i < sizeof operations / sizeof *operations; i++)
		sum += operations[i].weight;
	unsigned at = chance(sum);
	const struct operation *operation = operations;
	while (at >= operation->weight)
		at -= (operation++)->weight;
	return operation;
}

static void work(const char *prefix, unsigned number, uint64_t seed, unsigned long count)
{
	char path[PATH_LEN];
	(void)snprintf(path, sizeof path, "%s.%u", prefix, number);
	record = fopen(path, "ae");
	if (!record)
		fail(path);
	state = (seed + 1) * UINT64_C(0x9e3779b97f4a7c15) + number * UINT64_C(0xbf58476d1ce4e5b9);
	state |= 1;
	for (size_t i = 0; i < HELD_MAX; i++)
		held[i].fd = -1;
	for (step = 0; step < count; step++) {
		const struct operation *operation = choose();
		one[0] = two[0] = '\0';
		int code = operation->run();
		note(operation->name, one, two, code);
		close_held(false);
	}
	close_held(true);
	(void)fclose(record);
	exit(0);
}

int main(int argc, char **argv)
{
	if (argc != 7) {
		(void)fprintf(stderr, "churn ROOT OUTSIDE RECORD SEED PROCESSES OPERATIONS; see "
				      "tests/scenario/churn.py\n");
		return 2;
	}
	root = argv[1];
	outside = argv[2];
	uint64_t seed = strtoull(argv[4], NULL, 10);
	unsigned processes = (unsigned)strtoul(argv[5], NULL, 10);
	unsigned long count = strtoul(argv[6], NULL, 10);
	if (processes < 1 || processes > PROCESSES)
		fail("too many processes, or none");
	for (unsigned i = 0; i < processes; i++) {
		pid_t pid = fork();
		if (pid < 0)
			fail("fork");
		if (pid == 0)
			work(argv[3], i, seed, count);
	}
	int failed = 0;
	int status;
	while (wait(&status) > 0)
		failed |= status;
	return failed != 0;
}
