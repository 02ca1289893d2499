/* What a version is, given the history: the cases of DESIGN.md, sections 4 and 5, on the real
 * daemon. */
#include <sqlite3.h>

#include "core/store/maintain.h"
#include "daemon_harness.h"

#define NOOP  "detectors: [ { type: noop } ]\n"
#define NAME  "HTTP-F3Df5B3z9UI3yi5J03.text.plain.txt"
#define OTHER "HTTP-Fzzzzzzzzzzzzzzzzz.text.plain.txt"
#define SHAPE                                                                                 \
	"SELECT group_concat(state || ':' || coalesce(reason, verdict) || ':' || name, ' ') " \
	"FROM (SELECT * FROM file ORDER BY id)"

static void rename_in(const struct daemon *d, const char *from, const char *to)
{
	char a[512], b[512];
	snprintf(a, sizeof a, "%s/%s", d->root, from);
	snprintf(b, sizeof b, "%s/%s", d->root, to);
	cr_assert_eq(rename(a, b), 0);
}

/* Everything that happened before has been dealt with once this file is done. */
static void barrier(const struct daemon *d, unsigned number)
{
	char name[64], sql[160];
	snprintf(name, sizeof name, "HTTP-Fbarrier%u.text.plain.txt", number);
	daemon_put(d, name, name);
	snprintf(sql, sizeof sql, "SELECT state FROM file WHERE name = '%s'", name);
	daemon_expect(d, sql, "done");
}

Test(decide, a_new_file_is_done_once)
{
	struct daemon d;
	daemon_begin(&d, NOOP);
	daemon_put(&d, NAME, "x");
	daemon_expect(&d, SHAPE, "done:clean:" NAME);
	daemon_expect(&d, "SELECT mime || ' ' || fuid FROM file", "text/plain F3Df5B3z9UI3yi5J03");
	daemon_expect(&d, "SELECT count(*) FROM scan", "1");
	daemon_finish(&d);
}

Test(decide, the_same_content_again_only_refreshes_the_row)
{
	struct daemon d;
	daemon_begin(&d, NOOP);
	daemon_put(&d, NAME, "x");
	daemon_expect(&d, SHAPE, "done:clean:" NAME);
	char path[512];
	snprintf(path, sizeof path, "%s/%s", d.root, NAME);
	const struct timespec times[] = { { .tv_sec = 1000 }, { .tv_sec = 1000 } };
	cr_assert_eq(utimensat(AT_FDCWD, path, times, 0), 0);
	daemon_expect(&d, "SELECT mtime_ns FROM file", "1000000000000");
	cr_assert_eq(daemon_stop(&d), 0);
	daemon_expect(&d, "SELECT count(*) FROM file", "1");
	daemon_expect(&d, "SELECT count(*) FROM scan", "1");
	daemon_done(&d);
}

Test(decide, another_content_is_another_version)
{
	struct daemon d;
	daemon_begin(&d, NOOP);
	daemon_put(&d, NAME, "x");
	daemon_expect(&d, SHAPE, "done:clean:" NAME);
	daemon_put(&d, NAME, "longer");
	daemon_expect(&d, SHAPE, "done:clean:" NAME " done:clean:" NAME);
	daemon_expect(&d, "SELECT count(DISTINCT sha256) FROM file", "2");
	daemon_finish(&d);
}

Test(decide, a_renamed_file_is_a_sighting_and_not_scanned_again)
{
	struct daemon d;
	daemon_begin(&d, NOOP);
	daemon_put(&d, NAME, "x");
	daemon_expect(&d, SHAPE, "done:clean:" NAME);
	rename_in(&d, NAME, OTHER);
	daemon_expect(&d, SHAPE, "done:clean:" NAME " done:clean:" OTHER);
	daemon_expect(&d, "SELECT group_concat(cached, ' ') FROM scan", "0 1");
	/* coming back to a path and version that is recorded adds nothing */
	rename_in(&d, OTHER, NAME);
	barrier(&d, 1);
	daemon_expect(&d, "SELECT count(*) FROM file WHERE name NOT LIKE '%barrier%'", "2");
	daemon_finish(&d);
}

Test(decide, without_hashing_a_change_of_metadata_makes_no_version)
{
	struct daemon d;
	daemon_begin(&d, "hash: never\n" NOOP);
	daemon_put(&d, NAME, "x");
	daemon_expect(&d, SHAPE, "done:clean:" NAME);
	daemon_expect(&d, "SELECT sha256 IS NULL FROM file", "1");
	char path[512];
	snprintf(path, sizeof path, "%s/%s", d.root, NAME);
	const struct timespec times[] = { { .tv_sec = 1000 }, { .tv_sec = 1000 } };
	cr_assert_eq(utimensat(AT_FDCWD, path, times, 0), 0);
	daemon_expect(&d, "SELECT mtime_ns FROM file", "1000000000000");
	daemon_put(&d, NAME, "longer"); /* but a close with another size does */
	daemon_expect(&d, SHAPE, "done:clean:" NAME " done:clean:" NAME);
	daemon_finish(&d);
}

Test(decide, identical_content_is_scanned_once_and_every_sighting_kept)
{
	struct daemon d;
	daemon_begin(&d, NOOP);
	for (unsigned i = 0; i < 50; i++) {
		char name[64];
		snprintf(name, sizeof name, "HTTP-Fsame%u.text.plain.txt", i);
		daemon_put(&d, name, "the same");
	}
	daemon_expect(&d, "SELECT count(*) FROM file WHERE state = 'done'", "50");
	daemon_expect(&d, "SELECT count(*) FROM scan WHERE cached = 0", "1");
	daemon_expect(&d, "SELECT count(*) FROM scan WHERE cached = 1", "49");
	daemon_finish(&d);
}

/* Writes text from the beginning of the file and sets its times to 1000 s, before the close. */
static const struct timespec past[] = { { .tv_sec = 1000 }, { .tv_sec = 1000 } };

static void touch_back(const char *path)
{
	cr_assert_eq(utimensat(AT_FDCWD, path, past, 0), 0);
}

static void write_stamped(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	cr_assert_eq(futimens(fd, past), 0);
	close(fd);
}

/* A daemon that has looked at NAME, which holds AAAA. */
static void begin_looked_at(struct daemon *d, char path[512])
{
	daemon_begin(d, NOOP);
	daemon_path(d, NAME, path);
	write_stamped(path, "AAAA");
	daemon_expect(d, "SELECT count(*) FROM file WHERE state = 'done'", "1");
}

/* Whoever writes sets the times as well; only the inode's change time tells. */
Test(decide, contents_under_one_size_and_time_are_told_apart)
{
	static const char *const contents[] = { "AAAA", "BBBB", "CCCC", "DDDD" };
	struct daemon d;
	daemon_begin(&d, NOOP);
	char path[512], wanted[8];
	daemon_path(&d, NAME, path);
	for (unsigned i = 0; i < 4; i++) {
		write_stamped(path, contents[i]);
		snprintf(wanted, sizeof wanted, "%u", i + 1);
		daemon_expect(&d, "SELECT count(DISTINCT sha256) FROM file WHERE state = 'done'",
			      wanted);
	}
	daemon_expect(&d, "SELECT count(*) FROM file WHERE mtime_ns = 1000000000000", "4");
	/* one of them again is nothing new */
	write_stamped(path, contents[1]);
	barrier(&d, 1);
	daemon_expect(&d, "SELECT count(*) FROM file WHERE name = '" NAME "'", "4");
	daemon_finish(&d);
}

Test(decide, a_content_that_was_changed_while_nobody_looked_is_found_by_the_walk)
{
	struct daemon d;
	daemon_begin(&d, NOOP);
	char path[512];
	daemon_path(&d, NAME, path);
	write_stamped(path, "AAAA");
	daemon_expect(&d,
		      "SELECT count(*) FROM file WHERE state = 'done' AND mtime_ns = 1000000000000",
		      "1");
	cr_assert_eq(daemon_stop(&d), 0);
	write_stamped(path, "BBBB");
	daemon_start(&d);
	daemon_wait_ready(&d);
	daemon_expect(&d, "SELECT count(DISTINCT sha256) FROM file WHERE state = 'done'", "2");
	daemon_finish(&d);
}

Test(decide, a_file_touched_back_to_where_it_had_other_contents_keeps_its_row)
{
	struct daemon d;
	char path[512];
	begin_looked_at(&d, path);
	write_stamped(path, "BBBB");
	daemon_expect(&d, "SELECT count(*) FROM file WHERE state = 'done'", "2");
	daemon_put(&d, NAME, "CCCC");
	daemon_expect(&d, "SELECT count(*) FROM file WHERE state = 'done'", "3");
	cr_assert_eq(daemon_stop(&d), 0);
	touch_back(path);
	daemon_start(&d);
	daemon_wait_ready(&d);
	daemon_expect(&d, "SELECT count(*) FROM file WHERE mtime_ns = 1000000000000", "3");
	daemon_expect(&d, "SELECT count(*) || ' ' || count(DISTINCT sha256) FROM file", "3 3");
	/* and another content there is another version still */
	write_stamped(path, "DDDD");
	daemon_expect(&d, "SELECT count(*) || ' ' || count(DISTINCT sha256) FROM file", "4 4");
	daemon_finish(&d);
}

/* A was there, then B, then A again as it had been; a touch makes no further row of it. */
Test(decide, a_content_that_was_put_back_and_touched_keeps_its_row)
{
	struct daemon d;
	char path[512];
	begin_looked_at(&d, path);
	daemon_put(&d, NAME, "BBBB");
	daemon_expect(&d, "SELECT count(*) FROM file WHERE state = 'done'", "2");
	write_stamped(path, "AAAA");
	barrier(&d, 1);
	const struct timespec later[] = { { .tv_sec = 2000 }, { .tv_sec = 2000 } };
	cr_assert_eq(utimensat(AT_FDCWD, path, later, 0), 0);
	daemon_expect(&d, "SELECT group_concat(id) FROM file WHERE mtime_ns = 2000000000000", "1");
	daemon_expect(&d, "SELECT count(*) FROM file WHERE name = '" NAME "'", "2");
	daemon_finish(&d);
}

/* The time that it gets is that of a content whose detectors failed, and which was replaced then.
 */
Test(decide, a_file_touched_back_to_a_version_that_vanished_keeps_its_row)
{
	struct daemon d;
	daemon_begin(&d, "detectors: [ { type: command, retries: 9, retry_pause: 1h, run: [ "
			 "/bin/sh, -c, '! grep -q flaky $1 || exit 9', sh, '{path}' ] } ]\n");
	char path[512];
	daemon_path(&d, NAME, path);
	write_stamped(path, "flaky");
	daemon_expect(&d, "SELECT wait FROM file", "retry");
	daemon_put(&d, NAME, "solid");
	daemon_expect(&d, "SELECT group_concat(coalesce(reason, verdict)) FROM file",
		      "vanished,clean");
	touch_back(path);
	daemon_expect(&d,
		      "SELECT group_concat(coalesce(reason, verdict)) FROM file WHERE mtime_ns"
		      " = 1000000000000 AND state <> 'queued'",
		      "vanished,clean");
	daemon_expect(&d, "SELECT count(*) FROM file", "2");
	daemon_finish(&d);
}

/* Its row under another name says clean, of what it was at that time. */
Test(decide, a_file_touched_back_to_the_time_of_its_old_name_is_what_it_is)
{
	struct daemon d;
	daemon_begin(&d, NOOP);
	char path[512];
	daemon_path(&d, NAME, path);
	write_stamped(path, "AAAA");
	daemon_expect(&d, SHAPE, "done:clean:" NAME);
	rename_in(&d, NAME, OTHER);
	daemon_expect(&d, "SELECT count(*) FROM file WHERE state = 'done'", "2");
	daemon_path(&d, OTHER, path);
	cr_assert_eq(utimensat(AT_FDCWD, path, NULL, 0), 0);
	daemon_expect(&d, "SELECT count(*) FROM file WHERE mtime_ns = 1000000000000", "1");
	daemon_put(&d, OTHER, "BBBB");
	daemon_expect(&d, "SELECT count(*) FROM file WHERE state = 'done'", "3");
	touch_back(path);
	daemon_expect(&d, "SELECT group_concat(id) FROM file WHERE mtime_ns = 1000000000000",
		      "1,3");
	daemon_expect(&d, "SELECT count(*) FROM file", "3");
	daemon_finish(&d);
}

Test(decide, a_file_with_several_contents_under_one_stamp_is_read_at_its_next_name)
{
	static const char both[] =
		"SELECT group_concat(size || substr(sha256, 1, 4), ' ') FROM (SELECT * FROM file "
		"WHERE name = '" OTHER "' ORDER BY id)";
	struct daemon d;
	char path[512];
	begin_looked_at(&d, path);
	write_stamped(path, "BBBB");
	daemon_expect(&d, "SELECT count(*) FROM file WHERE state = 'done'", "2");
	write_stamped(path, "AAAA"); /* is not the last of them that the history has */
	barrier(&d, 1);
	rename_in(&d, NAME, OTHER);
	daemon_expect(&d, both, "463c1"); /* SHA-256 of AAAA, not of BBBB */
	daemon_finish(&d);
}

/* What the history has of the file's content under its other name. */
#define AT_OTHER                                                                        \
	"SELECT group_concat(substr(sha256, 1, 4), ' ') FROM (SELECT * FROM file WHERE" \
	" name = '" OTHER "' AND state = 'done' ORDER BY id)"
#define AAAA "63c1"
#define BBBB "4a8d"

Test(decide, a_file_touched_back_is_read_at_its_next_name)
{
	struct daemon d;
	char path[512];
	begin_looked_at(&d, path);
	daemon_put(&d, NAME, "BBBB");
	daemon_expect(&d, "SELECT count(*) FROM file WHERE state = 'done'", "2");
	touch_back(path);
	rename_in(&d, NAME, OTHER);
	daemon_expect(&d, AT_OTHER, BBBB);
	daemon_finish(&d);
}

/* It is moved out of the root and holds BBBB there, under the old size and time. */
static void change_away(const struct daemon *d, char away[512])
{
	daemon_path(d, "../away", away);
	rename_in(d, NAME, "../away");
	write_stamped(away, "BBBB");
}

Test(decide, a_file_that_was_away_is_read_when_it_comes_back_under_another_name)
{
	struct daemon d;
	char path[512], away[512];
	begin_looked_at(&d, path);
	change_away(&d, away);
	rename_in(&d, "../away", OTHER);
	daemon_expect(&d, AT_OTHER, BBBB);
	daemon_finish(&d);
}

Test(decide, a_link_to_a_file_that_was_away_is_read)
{
	struct daemon d;
	char path[512], away[512];
	begin_looked_at(&d, path);
	change_away(&d, away);
	daemon_path(&d, OTHER, path);
	cr_assert_eq(link(away, path), 0);
	daemon_expect(&d, AT_OTHER, BBBB);
	cr_assert_eq(unlink(away), 0);
	daemon_finish(&d);
}

/* As if all had happened within the tick of the clock in which the file was looked at. */
Test(decide, a_link_within_the_tick_of_the_look_is_read)
{
	struct daemon d;
	char path[512], away[512], sql[128];
	begin_looked_at(&d, path);
	change_away(&d, away);
	daemon_halt(&d);
	daemon_path(&d, OTHER, path);
	cr_assert_eq(link(away, path), 0);
	struct stat st;
	cr_assert_eq(stat(path, &st), 0);
	snprintf(sql, sizeof sql, "UPDATE version SET checked_ns = %lld",
		 (long long)st.st_ctim.tv_sec * 1000000000 + st.st_ctim.tv_nsec + 1);
	sqlite3 *handle;
	cr_assert_eq(sqlite3_open(d.history, &handle), SQLITE_OK);
	cr_assert_eq(sqlite3_exec(handle, sql, NULL, NULL, NULL), SQLITE_OK);
	cr_assert_eq(sqlite3_close(handle), SQLITE_OK);
	kill(d.pid, SIGCONT);
	daemon_expect(&d, AT_OTHER, BBBB);
	daemon_finish(&d);
}

/* Writes through a link that lies outside, so that nobody tells. */
static void write_unseen(const struct daemon *d, const char *name, const char *text)
{
	char path[512], away[512];
	daemon_path(d, name, path);
	daemon_path(d, "../away", away);
	cr_assert_eq(link(path, away), 0);
	write_stamped(away, text);
	cr_assert_eq(unlink(away), 0);
}

Test(decide, while_a_gap_is_open_no_rename_vouches_for_a_content)
{
	struct daemon d;
	daemon_init(&d, NOOP);
	char yaml[1024], path[512];
	snprintf(yaml, sizeof yaml,
		 "roots: [ { path: %s }, { path: %s/missing } ]\nhistory: %s\n" NOOP, d.root, d.dir,
		 d.history);
	daemon_configure(&d, yaml);
	daemon_start(&d);
	daemon_wait_ready(&d);
	daemon_path(&d, NAME, path);
	write_stamped(path, "AAAA");
	daemon_expect(&d, "SELECT count(*) FROM file WHERE state = 'done'", "1");
	daemon_expect(&d, "SELECT group_concat(cause) FROM gap WHERE closed_ns IS NULL", "root");
	write_unseen(&d, NAME, "BBBB");
	rename_in(&d, NAME, OTHER);
	daemon_expect(&d, AT_OTHER, BBBB);
	daemon_finish(&d);
}

Test(decide, a_file_with_several_names_is_doubted_by_the_next_walk)
{
	struct daemon d;
	daemon_begin(&d, NOOP);
	char path[512], away[512];
	daemon_path(&d, NAME, path);
	daemon_path(&d, "../away", away);
	write_stamped(path, "AAAA");
	daemon_expect(&d, "SELECT count(*) FROM file WHERE state = 'done'", "1");
	cr_assert_eq(link(path, away), 0);
	write_stamped(away, "BBBB");
	rename_in(&d, NAME, OTHER);
	daemon_expect(&d, AT_OTHER, AAAA); /* nobody told */
	cr_assert_eq(kill(d.pid, SIGUSR2), 0);
	daemon_expect(&d, AT_OTHER, AAAA " " BBBB);
	cr_assert_eq(unlink(away), 0);
	daemon_finish(&d);
}

static void import_path(const struct daemon *d, const char *path)
{
	struct store_import *import = NULL;
	struct store_imported total = { 0 };
	struct error err = { 0 };
	cr_assert_eq(store_import_begin(&import, d->history, &err), 0, "%s", err.text);
	cr_assert_eq(store_import_add(import, version_new(path, strlen(path)), &err), 0);
	cr_assert_eq(store_import_end(import, &total, &err), 0, "%s", err.text);
	cr_assert_eq(total.fresh, 1);
}

Test(decide, an_imported_path_counts_for_the_file_as_it_is_when_it_is_complete)
{
	struct daemon d;
	daemon_init(&d, NOOP);
	char path[512];
	daemon_path(&d, NAME, path);
	import_path(&d, path);
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644); /* nothing is written yet */
	daemon_start(&d);
	daemon_wait_ready(&d);
	barrier(&d, 1);
	cr_assert_eq(write(fd, "whole", 5), 5);
	close(fd);
	daemon_expect(&d, "SELECT group_concat(state || size) FROM file WHERE name = '" NAME "'",
		      "done5");
	barrier(&d, 2);
	daemon_expect(&d, "SELECT count(*) FROM file WHERE name = '" NAME "'", "1");
	daemon_expect(
		&d,
		"SELECT count(*) FROM scan s JOIN file f ON f.id = s.file_id WHERE f.name = '" NAME
		"' AND s.detector <> 'broapt'",
		"0");
	daemon_finish(&d);
}

/* Keeps the only worker, while "go" is not there, at the first text. */
#define ONE_WORKER                                                                           \
	"workers: 1\ndetectors: [ { type: command, mime: [ 'text/plain' ], run: [ /bin/sh, " \
	"-c, 'until test -e ${1%/root/*}/go; do sleep 0.02; done', sh, '{path}' ] }, { type: noop } ]\n"
#define KNOWN	 "extract-1258867934.558264-HTTP-Fknown"
#define IMPORTED "extract-1258867934.558264-HTTP-Fimported"

Test(decide, what_stands_in_the_history_is_not_queued_anew_when_the_queue_is_full)
{
	struct daemon d;
	daemon_init(&d, ONE_WORKER);
	char known[512], imported[512], name[64];
	daemon_path(&d, KNOWN, known);
	daemon_path(&d, IMPORTED, imported);
	import_path(&d, imported);
	daemon_start(&d);
	daemon_wait_ready(&d);
	write_stamped(known, "AAAA");
	daemon_expect(&d, "SELECT state FROM file WHERE name = '" KNOWN "'", "done");
	daemon_put(&d, "HTTP-Fslow.text.plain.txt", "keeps the worker");
	for (unsigned i = 0; i < 1500; i++) {
		snprintf(name, sizeof name, "extract-1258867934.558264-HTTP-F%u", i);
		daemon_put(&d, name, "x");
	}
	daemon_expect(&d, "SELECT count(*) FROM pending", "1501");
	write_stamped(known, "BBBB"); /* under its old size and time: to be read again */
	daemon_put(&d, IMPORTED, "x");
	daemon_put(&d, "extract-1258867934.558264-HTTP-Flast", "x"); /* comes after them */
	daemon_expect(&d, "SELECT count(*) FROM file WHERE name LIKE '%Flast'", "1");
	daemon_flag(&d, "go");
	daemon_expect(&d, "SELECT count(*) FROM pending", "0");
	daemon_expect(
		&d,
		"SELECT count(*) || ' ' || count(DISTINCT sha256) FROM file WHERE name = '" KNOWN
		"'",
		"2 2");
	daemon_expect(
		&d,
		"SELECT group_concat(s.detector || f.size) FROM file f JOIN scan s ON s.file_id = "
		"f.id WHERE f.name = '" IMPORTED "'",
		"broapt1");
	daemon_finish(&d);
}

/* A write that was told is still waiting for the worker when the file goes elsewhere. */
static void written_and_gone(const char *unseen)
{
	struct daemon d;
	daemon_init(&d, ONE_WORKER);
	daemon_start(&d);
	daemon_wait_ready(&d);
	char known[512], other[512];
	daemon_path(&d, KNOWN, known);
	daemon_path(&d, IMPORTED, other);
	write_stamped(known, "AAAA");
	daemon_expect(&d, "SELECT state FROM file WHERE name = '" KNOWN "'", "done");
	daemon_put(&d, "HTTP-Fslow.text.plain.txt", "keeps the worker");
	daemon_expect(&d, "SELECT count(*) FROM pending", "1");
	if (unseen) {
		write_unseen(&d, KNOWN, unseen);
		cr_assert_eq(kill(d.pid, SIGUSR2), 0);
		usleep(300000); /* it is met */
	} else {
		write_stamped(known, "BBBB");
	}
	rename_in(&d, KNOWN, IMPORTED);
	usleep(300000);
	daemon_flag(&d, "go");
	daemon_expect(&d, "SELECT count(*) FROM pending", "0");
	daemon_expect(&d,
		      "SELECT group_concat(substr(sha256, 1, 4), ' ') FROM file"
		      " WHERE name = '" IMPORTED "'",
		      BBBB);
	daemon_finish(&d);
}

Test(decide, a_file_renamed_while_its_change_waits_for_a_worker_is_read)
{
	written_and_gone(NULL);
}

Test(decide, a_file_renamed_while_the_doubt_of_a_walk_waits_for_a_worker_is_read)
{
	written_and_gone("BBBB");
}
