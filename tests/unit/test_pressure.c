/* pressure: the level, and the file that tells it. */
#include <sys/inotify.h>

#include "core/app/pressure.h"
#include "daemon_harness.h"

static void expect(struct pressure_view view, unsigned level, enum pressure_reason reason)
{
	enum pressure_reason why = PRESSURE_REASONS;
	cr_expect_eq(pressure_judge(&view, &why), level, "%s", pressure_reason_name(reason));
	cr_expect_eq(why, reason, "%s, not %s", pressure_reason_name(why),
		     pressure_reason_name(reason));
}

Test(pressure, the_highest_level_counts)
{
	struct pressure_view view = { .oldest_ms = 10000 };
	expect(view, 0, PRESSURE_IDLE);
	view.oldest_ms = 10001;
	expect(view, 1, PRESSURE_WAITING);
	expect((struct pressure_view){ .behind = true }, 1, PRESSURE_WAITING);
	view.disk_between = true;
	expect(view, 2, PRESSURE_DISK);
	view.overrun = true;
	expect(view, 2, PRESSURE_OVERRUN);
	view.disk_over = true;
	expect(view, 3, PRESSURE_DISK);
	view.sheds = true;
	expect(view, 3, PRESSURE_SHEDDING);
	view.stuck = true;
	expect(view, 3, PRESSURE_FULL);
	view.history = true;
	expect(view, 3, PRESSURE_HISTORY);
	cr_expect_str_eq(pressure_reason_name(PRESSURE_STOPPED), "stopped");
}

/* The second line of the file, "level reason queued" of it, for whom it may be. */
static void read_file(const struct daemon *d, char out[64])
{
	char path[512], text[512] = "";
	snprintf(path, sizeof path, "%s/pressure.tsv", d->dir);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	cr_assert(fd >= 0 && read(fd, text, sizeof text - 1) > 0, "%s", path);
	struct stat st;
	cr_assert_eq(fstat(fd, &st), 0);
	cr_expect_eq(st.st_mode & 0777, 0644, "mode %o", st.st_mode);
	close(fd);
	unsigned level, queued;
	char reason[32];
	cr_assert_eq(sscanf(text,
			    "#fields\tlevel\treason\tqueued\toldest_s\tdisk\tshed\tts\n"
			    "%u\t%31s\t%u\t",
			    &level, reason, &queued),
		     3, "%s", text);
	snprintf(out, 64, "%u %s %u", level, reason, queued);
}

Test(pressure, is_told_from_the_start_to_the_end)
{
	struct daemon d;
	char text[64];
	(void)umask(0027); /* as the service; sensors are others */
	daemon_init(&d, "pressure: pressure.tsv\ndetectors: [ { type: noop } ]\n");
	daemon_start(&d);
	daemon_wait_ready(&d);
	read_file(&d, text);
	cr_expect_str_eq(text, "0 idle 0");
	cr_assert_eq(daemon_stop(&d), 0);
	read_file(&d, text);
	cr_expect_str_eq(text, "0 stopped 0");
	daemon_done(&d);
}

/* How often a file was written below the directory since it was asked before; at most once. */
static int written(int told)
{
	char events[4096];
	int times = 0;
	while (read(told, events, sizeof events) > 0)
		times = 1;
	return times;
}

/* The last step of writing it fails: something else stands in its place. */
Test(pressure, what_cannot_be_told_is_tried_again_now_and_then)
{
	struct daemon d;
	char path[512];
	int told = inotify_init1(IN_NONBLOCK | IN_CLOEXEC), tries = 0;
	daemon_init(&d, "pressure: place/p\ndetectors: [ { type: noop } ]\n");
	snprintf(path, sizeof path, "%s/place", d.dir);
	cr_assert_eq(mkdir(path, 0755), 0);
	cr_assert_geq(inotify_add_watch(told, path, IN_CLOSE_WRITE), 0);
	strcat(path, "/p");
	cr_assert_eq(mkdir(path, 0755), 0);
	struct mono began = mono_now();
	daemon_start(&d);
	for (int i = 1; i <= 100; i++) {
		char name[16], sql[64];
		snprintf(name, sizeof name, "%d", i);
		daemon_put(&d, name, name);
		snprintf(sql, sizeof sql, "SELECT count(*) >= %d FROM file", i);
		daemon_expect(&d, sql, "1");
		tries += written(told);
	}
	int64_t seconds = (mono_now().ns - began.ns) / CLOCK_NS_PER_S;
	cr_expect_gt(tries, 0);
	cr_expect_lt(tries, 2 * seconds + 20, "%d times in %lld s", tries, (long long)seconds);
	cr_assert_eq(rmdir(path), 0);
	struct stat st;
	struct mono end = mono_add_ms(mono_now(), 240000);
	while (stat(path, &st) < 0 && !mono_passed(end))
		(void)usleep(1000);
	cr_expect(S_ISREG(st.st_mode), "it is told again");
	cr_assert_eq(daemon_stop(&d), 0);
	close(told);
	daemon_done(&d);
}
