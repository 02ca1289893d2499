/* What a walk meets, many files at a time: the known ones are passed over, all else is dealt with,
 * in order and within the room for jobs. On the real daemon. */
#include "daemon_harness.h"

#define NOOP	 "detectors: [ { type: noop } ]\n"
#define PLACES	 4
#define FILES	 400  /* in each; more than are kept at first */
#define MORE	 3000 /* more than there is room for at once */
#define SOME(of) "HTTP-F" of "%u.text.plain.txt"

static void put_many(const struct daemon *d, const char *form, unsigned count)
{
	for (unsigned place = 0; place < PLACES; place++) {
		char path[512], base[128], name[200];
		snprintf(path, sizeof path, "%s/%u", d->root, place);
		mkdir(path, 0755);
		for (unsigned i = 0; i < count / PLACES; i++) {
			snprintf(base, sizeof base, form, i * PLACES + place);
			snprintf(name, sizeof name, "%u/%s", place, base);
			daemon_put(d, name, base);
		}
	}
}

static void run_once(struct daemon *d)
{
	d->once = true;
	daemon_start(d);
	cr_assert_eq(daemon_wait_exit(d), 0);
}

static void expect_now(const struct daemon *d, const char *sql, unsigned wanted)
{
	char got[256];
	daemon_sql(d, sql, got);
	cr_expect_eq(strtoul(got, NULL, 10), wanted, "%s: %s", sql, got);
}

Test(met, known_files_get_nothing_anew_and_the_others_among_them_all_they_need)
{
	struct daemon d;
	char path[512], other[512];
	daemon_init(&d, NOOP);
	put_many(&d, SOME("old"), PLACES * FILES);
	run_once(&d);
	expect_now(&d, "SELECT count(*) FROM file WHERE state = 'done'", PLACES * FILES);
	run_once(&d);
	expect_now(&d, "SELECT count(*) FROM file", PLACES * FILES);
	expect_now(&d, "SELECT count(*) FROM scan", PLACES * FILES);
	/* one written to behind its times, one renamed, one linked, one longer, one replaced */
	daemon_path(&d, "0/HTTP-Fold40.text.plain.txt", path);
	daemon_forge(path, "forged");
	daemon_path(&d, "1/HTTP-Fold41.text.plain.txt", path);
	daemon_path(&d, "0/HTTP-Frenamed.text.plain.txt", other);
	cr_assert_eq(rename(path, other), 0);
	daemon_path(&d, "2/HTTP-Fold42.text.plain.txt", path);
	daemon_path(&d, "3/HTTP-Flinked.text.plain.txt", other);
	cr_assert_eq(link(path, other), 0);
	daemon_put(&d, "3/HTTP-Fold43.text.plain.txt", "not what it was before");
	daemon_path(&d, "3/HTTP-Fold47.text.plain.txt", path);
	cr_assert_eq(unlink(path), 0);
	daemon_put(&d, "3/HTTP-Fold47.text.plain.txt", "another file");
	run_once(&d);
	expect_now(&d, "SELECT count(*) FROM file WHERE state = 'done'", PLACES * FILES + 5);
	expect_now(&d, "SELECT count(*) FROM file", PLACES * FILES + 5);
	expect_now(&d,
		   "SELECT count(*) FROM file WHERE name LIKE '%renamed%' OR name LIKE '%linked%'",
		   2);
	expect_now(&d, "SELECT count(*) FROM file WHERE name LIKE 'HTTP-Fold4_.%'", 9 + 4);
	daemon_done(&d);
}

Test(met, new_files_behind_many_known_ones_wait_for_room_and_are_all_dealt_with)
{
	struct daemon d;
	daemon_init(&d, NOOP);
	put_many(&d, SOME("old"), PLACES * FILES);
	run_once(&d);
	put_many(&d, SOME("new"), MORE);
	d.once = false;
	daemon_start(&d);
	daemon_wait_ready(&d);
	daemon_expect(&d, "SELECT count(*) FROM file WHERE state = 'done'", "4600");
	/* the walk and its gap were not through before the last of them was told */
	daemon_expect(&d, "SELECT found FROM gap ORDER BY id DESC LIMIT 1", "3000");
	cr_assert_eq(daemon_stop(&d), 0);
	run_once(&d);
	expect_now(&d, "SELECT count(*) FROM file", PLACES * FILES + MORE);
	daemon_done(&d);
}
