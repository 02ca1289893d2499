/* pressure: the level, and the file that tells it. */
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
