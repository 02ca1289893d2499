/*
 * store_fixture: a history in a directory of the test's own, and short words for what is done to
 * it.
 */
#ifndef CARVED_TESTS_UNIT_STORE_FIXTURE_H
#define CARVED_TESTS_UNIT_STORE_FIXTURE_H

#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <criterion/criterion.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/str.h"
#include "core/store/query.h"
#include "core/store/reader.h"
#include "core/store/store.h"

#define T0  INT64_C(1764000000000000000) /* 2025-11-24 */
#define DAY INT64_C(86400000000000)

struct world {
	char dir[64];
	char db[96];
	struct store *store;
	struct store_reader *reader;
	const char *const *sinks; /* from the next world_open() on */
	bool hold_room;		  /* the same */
	bool own_disk;
};

static inline void world_open(struct world *w)
{
	struct error err = { 0 };
	struct store_options options = {
		.path = w->db, .create = true, .sinks = w->sinks, .hold_room = w->hold_room
	};
	cr_assert(store_open(&w->store, &options, &err) == 0, "%s", err.text);
	cr_assert(store_reader_open(&w->reader, w->db, &err) == 0, "%s", err.text);
}

static inline void world_close(struct world *w)
{
	store_reader_free(w->reader);
	store_close(w->store);
	w->reader = NULL;
	w->store = NULL;
}

static inline void world_dir(struct world *w)
{
	*w = (struct world){ 0 };
	snprintf(w->dir, sizeof w->dir, "/tmp/carved-store-XXXXXX");
	cr_assert(mkdtemp(w->dir));
	snprintf(w->db, sizeof w->db, "%s/history.db", w->dir);
}

static inline void world_init(struct world *w)
{
	world_dir(w);
	world_open(w);
}

/* Takes all that is left there but so many bytes. The file to be unlinked. */
static inline const char *world_fill_disk(struct world *w, off_t but)
{
	static char path[128];
	static const char zeros[4096];
	struct stat st;
	snprintf(path, sizeof path, "%s/filler", w->dir);
	int fd = open(path, O_CREAT | O_WRONLY, 0600);
	while (write(fd, zeros, sizeof zeros) > 0)
		;
	cr_assert(fstat(fd, &st) == 0 &&
		  ftruncate(fd, st.st_size > but ? st.st_size - but : 0) == 0);
	close(fd);
	return path;
}

static inline void world_done(struct world *w)
{
	char command[128];
	world_close(w);
	if (w->own_disk)
		cr_assert(umount(w->dir) == 0);
	snprintf(command, sizeof command, "rm -rf %s", w->dir);
	cr_assert(system(command) == 0);
}

/* The history is made anew, on a file system of its own. Skips the test where none can be mounted.
 */
static inline void world_on_disk_of(struct world *w, const char *size)
{
	char options[32];
	bool hold_room = w->hold_room;
	if (getuid() != 0 || unshare(CLONE_NEWNS) < 0)
		cr_skip_test("needs root to mount a small file system");
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
		cr_skip_test("needs a root directory that is a mount point (no plain chroot)");
	world_done(w);
	world_dir(w);
	snprintf(options, sizeof options, "size=%s", size);
	cr_assert(mount("tmpfs", w->dir, "tmpfs", 0, options) == 0);
	w->own_disk = true;
	w->hold_room = hold_room;
	world_open(w);
}

/* Changes the history past the store. */
static inline void world_change(const struct world *w, const char *sql)
{
	sqlite3 *handle = NULL;
	char *why = NULL;
	cr_assert(sqlite3_open(w->db, &handle) == SQLITE_OK);
	(void)sqlite3_busy_timeout(handle, 5000);
	cr_assert(sqlite3_exec(handle, sql, NULL, NULL, &why) == SQLITE_OK, "%s", why);
	(void)sqlite3_close(handle);
}

/* A queued version of file number n at path. */
static inline struct version *world_version(const char *path, unsigned n)
{
	struct version *version = version_new(path, strlen(path));
	version->identity = (struct identity){
		.fsid = 7, .inode = 1000 + n, .btime_ns = T0 + n, .size = 10, .mtime_ns = T0
	};
	version->first_seen_ns = T0 + n;
	return version;
}

static inline struct finding world_finding(const char *detector, enum outcome outcome)
{
	struct finding finding = {
		.detector = xstrdup(detector),
		.outcome = outcome,
		.attempt = 1,
		.started_ns = T0,
		.finished_ns = T0 + 5,
	};
	memset(finding.digest, 'd', 64);
	memset(finding.key, 'k', sizeof finding.key);
	return finding;
}

static inline void world_finish(struct version *version, enum outcome verdict)
{
	struct finding finding = world_finding("noop", verdict);
	version->state = VERSION_DONE;
	version->verdict = verdict;
	version->finished_ns = T0 + 10;
	version_add_finding(version, &finding);
}

static inline void world_fail(struct version *version, enum version_reason reason)
{
	version->state = VERSION_UNSCANNED;
	version->reason = reason;
	version->verdict = OUTCOMES;
	version->finished_ns = T0 + 10;
}

/* Waits until so many operations have come back. */
static inline void world_wait(struct world *w, size_t wanted)
{
	struct list out;
	list_init(&out);
	while (wanted > 0) {
		struct pollfd ready = { .fd = store_fd(w->store), .events = POLLIN };
		cr_assert(poll(&ready, 1, 240000) == 1, "the writer does not answer");
		store_committed(w->store, &out);
		while (list_shift(&out))
			wanted--;
	}
}

/* All of them in one batch, if the writer does not come in between. */
static inline void world_submit(struct world *w, struct store_op *ops, size_t count)
{
	struct list list;
	list_init(&list);
	for (size_t i = 0; i < count; i++)
		list_append(&list, &ops[i].link);
	store_submit_list(w->store, &list);
	world_wait(w, count);
}

static inline enum store_result world_do(struct world *w, enum store_verb verb,
					 struct version *version)
{
	struct store_op op = { .verb = verb, .version = version };
	list_init(&op.link);
	store_submit(w->store, &op);
	world_wait(w, 1);
	return op.result;
}

/* Saves and frees; the row's id. */
static inline int64_t world_put(struct world *w, struct version *version)
{
	cr_assert(world_do(w, STORE_SAVE, version) == STORE_WRITTEN);
	int64_t id = version->id;
	version_free(version);
	return id;
}

static inline bool world_cell(void *context, const struct query_row *row)
{
	struct str *out = context;
	for (size_t i = 0; row->values && i < row->columns; i++) {
		const struct query_value *value = &row->values[i];
		str_puts(out, i ? "|" : out->len ? "\n" : "");
		if (value->type == QUERY_INTEGER)
			str_printf(out, "%lld", (long long)value->integer);
		else if (value->type == QUERY_REAL)
			str_printf(out, "%g", value->real);
		else if (value->type != QUERY_NULL)
			str_append(out, value->bytes, value->len);
	}
	return true;
}

/* Cells joined by '|', rows by newlines; borrowed until the next call of the same test. */
static inline const char *world_sql(const struct world *w, const char *sql)
{
	static struct str out;
	struct error err = { 0 };
	str_reset(&out);
	cr_assert(store_query(w->db, sql, NULL, 0, world_cell, &out, &err) == 0, "%s: %s", sql,
		  err.text);
	return str_text(&out);
}

#define EXPECT_SQL(w, sql, wanted)                                                              \
	do {                                                                                    \
		const char *got_ = world_sql((w), (sql));                                       \
		cr_expect(strcmp(got_, (wanted)) == 0, "%s\ngives  %s\nwanted %s", (sql), got_, \
			  (wanted));                                                            \
	} while (0)

/* So is the timing of answers, but that the longest of a day stays while it has others. */
static inline void world_timing_is_right(const struct world *w)
{
	EXPECT_SQL(w,
		   "SELECT count(*) FROM (SELECT day, detector_id, outcome, scans, cached, spent_ns"
		   " FROM timing EXCEPT SELECT finished_ns / 86400000000000, detector_id, outcome,"
		   " count(*), sum(cached), sum(iif(cached, 0, finished_ns - started_ns))"
		   " FROM result GROUP BY 1, 2, 3)",
		   "0");
	EXPECT_SQL(w,
		   "SELECT coalesce((SELECT sum(scans) FROM timing), 0)"
		   " - (SELECT count(*) FROM result)",
		   "0");
	EXPECT_SQL(w,
		   "SELECT count(*) FROM result r JOIN timing t ON t.detector_id = r.detector_id"
		   " AND t.outcome = r.outcome AND t.day = r.finished_ns / 86400000000000"
		   " WHERE iif(r.cached, 0, r.finished_ns - r.started_ns) > t.longest_ns",
		   "0");
}

/* What every test may hold at its end: the tally is what counting would find. */
static inline void world_tally_is_right(const struct world *w)
{
	world_timing_is_right(w);
	EXPECT_SQL(
		w,
		"SELECT count(*) FROM (SELECT day, mime, state, reason, verdict, files FROM daily"
		" WHERE state <> 'queued' EXCEPT SELECT date(first_seen_ns / 1000000000, 'unixepoch'),"
		" mime, state, reason, verdict, count(*) FROM file WHERE state <> 'queued'"
		" GROUP BY 1, 2, 3, 4, 5)",
		"0");
	EXPECT_SQL(
		w,
		"SELECT coalesce((SELECT sum(files) FROM daily), 0) - (SELECT count(*) FROM file)",
		"0");
}

/* A hash of a whole file, to see that nothing was altered. */
static inline uint64_t world_file_hash(const char *path)
{
	uint64_t hash = 14695981039346656037u; /* FNV-1a */
	FILE *file = fopen(path, "r");
	cr_assert(file, "%s", path);
	for (int c; (c = getc(file)) != EOF;)
		hash = (hash ^ (unsigned char)c) * 1099511628211u;
	fclose(file);
	return hash;
}

static inline void world_write_file(const char *path, const void *bytes, size_t len)
{
	FILE *file = fopen(path, "w");
	cr_assert(file, "%s", path);
	cr_assert(fwrite(bytes, 1, len, file) == len);
	fclose(file);
}

#endif
